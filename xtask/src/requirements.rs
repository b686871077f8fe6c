//! `cargo xtask requirements`: the versions of Python tools, with the hashes of their files.

use crate::check::{ALL_TOOLS, OLDEST_PYTHON, TOOLS};
use crate::repository::{Problem, Repository, succeed};

/// Generates every requirements*.txt from the requirements*.in beside it: each package with its version and the hashes of its
/// files, for all processors and systems.
///
/// Versions stay as they are unless the .in file asks for another one.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Take the newest version that a .in file allows, of what a package needs as well
    #[arg(long)]
    upgrade: bool,
}

/// Runs the command.
pub(crate) fn run(repository: &Repository, arguments: &Arguments) -> Result<(), Problem> {
    TOOLS.install(repository)?;
    let (major, minor) = OLDEST_PYTHON;
    let oldest_python = format!("{major}.{minor}");
    for tools in ALL_TOOLS {
        let generated = tools.requirements;
        let source = source(generated);
        println!("{source} → {generated}");
        let mut uv = repository.program(TOOLS.tool(repository, "uv"));
        // Dependabot reads these options, and the order of the files, in the head of what is generated.
        uv.args(["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--emit-build-options"]);
        uv.args(["--python-version", &oldest_python]);
        if arguments.upgrade {
            uv.arg("--upgrade");
        }
        succeed(uv.args(["--output-file", generated, &source]))
            .map_err(|problem| format!("cannot generate {generated}: {problem}"))?;
    }
    Ok(())
}

/// The `.in` file of a generated `.txt` file.
fn source(generated: &str) -> String {
    format!("{}.in", generated.trim_end_matches(".txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_generated_lies_beside_its_source() {
        assert_eq!(source("tests/clients/airflow/requirements.txt"), "tests/clients/airflow/requirements.in");
    }
}
