#![doc = include_str!("../README.md")]

use std::env;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The program.
const PROGRAM: &str = "tableau-webhooks";

/// Commands that need no functions. What is not among them starts the local stack.
const WITHOUT_FUNCTIONS: [&str; 9] =
    ["send", "events", "table", "rules", "help", "-h", "--help", "-V", "--version"];

/// Variables that cargo sets for the program it runs. A build script that looks at one of them would run again in a
/// cargo that inherits it, and everything above it would be compiled again: the script of `ring` does.
const OF_CARGO_RUN: [&str; 6] =
    ["CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];

fn main() -> ExitCode {
    let result = launch(env::args_os().skip(1).collect());
    result.unwrap_or_else(|error| {
        say(&format!("error: {error}"));
        ExitCode::FAILURE
    })
}

fn launch(arguments: Vec<OsString>) -> Result<ExitCode, Box<dyn Error>> {
    let launcher = env::current_exe()?;
    let folder = launcher.parent().ok_or("this program is in no folder")?;
    let program = folder.join(PROGRAM).with_extension(env::consts::EXE_EXTENSION);
    let with_functions = needs_functions(&arguments);
    let root = repository()?;
    let mut binaries = vec![PROGRAM.to_owned()];
    if with_functions {
        binaries.extend(functions(&root)?);
    }
    if binaries.iter().any(|name| !folder.join(name).with_extension(env::consts::EXE_EXTENSION).exists()) {
        say(&announcement(with_functions));
    }
    build(&root, folder, &binaries)?;
    start(&program, arguments)
}

/// What happens next, for someone who starts it for the first time.
fn announcement(with_functions: bool) -> String {
    let (what, then) = if with_functions {
        (
            "the program `tableau-webhooks` and the Lambda functions",
            "Then the local stack starts: the functions, a simulated Tableau and Slack, and AWS services in memory.",
        )
    } else {
        ("the program `tableau-webhooks`", "Then it runs.")
    };
    format!(
        "\nFirst, cargo builds {what}.\nThe first build takes about two minutes on two cores; later ones take seconds. \
         It writes to `target/` only.\n{then}\n"
    )
}

fn needs_functions(arguments: &[OsString]) -> bool {
    arguments
        .first()
        .is_none_or(|first| !WITHOUT_FUNCTIONS.iter().any(|command| first == OsStr::new(command)))
}

/// The root of the repository, where the workspace is.
fn repository() -> Result<PathBuf, Box<dyn Error>> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    ours.ancestors().nth(2).map(Path::to_owned).ok_or_else(|| "the launcher is not in cli/launcher".into())
}

/// The names of the functions: of their folders, packages and binaries alike.
fn functions(root: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let folder = root.join("functions");
    let mut names = Vec::new();
    for entry in
        fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?
    {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Builds into the folder of this program: same profile, same target folder. `--bin` without `--package` keeps the
/// features that `cargo run` chose, those of the whole workspace, so no crate is compiled twice.
fn build(root: &Path, folder: &Path, binaries: &[String]) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").current_dir(root);
    for (name, _) in env::vars_os() {
        if OF_CARGO_RUN.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            cargo.env_remove(name);
        }
    }
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    if folder.file_name().is_some_and(|profile| profile == "release") {
        cargo.arg("--release");
    }
    for name in binaries {
        cargo.args(["--bin", name]);
    }
    let status = cargo.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the build failed; cargo's messages are above".into()) }
}

/// Becomes the program, so that signals reach it and its exit code is ours.
#[cfg(unix)]
fn start(program: &Path, arguments: Vec<OsString>) -> Result<ExitCode, Box<dyn Error>> {
    use std::os::unix::process::CommandExt;
    let error = Command::new(program).args(arguments).exec();
    Err(format!("cannot start {}: {error}", program.display()).into())
}

#[cfg(not(unix))]
fn start(program: &Path, arguments: Vec<OsString>) -> Result<ExitCode, Box<dyn Error>> {
    let status = Command::new(program).args(arguments).status();
    let status = status.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// To the standard error output, since the standard output belongs to the program. A reader that is gone is no reason to
/// stop.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(arguments: &[&str]) -> bool {
        needs_functions(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn only_the_local_stack_needs_the_functions() {
        assert!(needs(&[]));
        assert!(needs(&["up"]));
        assert!(needs(&["--once"]));
        assert!(needs(&["--slack", "bot"]));
        assert!(!needs(&["events", "list", "--local"]));
        assert!(!needs(&["--help"]));
    }

    #[test]
    fn every_folder_with_a_package_is_a_function() {
        let names = functions(&repository().unwrap()).unwrap();
        assert!(names.contains(&"receive-webhook".to_owned()), "{names:?}");
    }
}
