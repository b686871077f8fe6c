//! The checkout we work on, and programs run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is wrong, in one line for the person at the terminal.
pub(crate) type Problem = Box<dyn std::error::Error>;

/// Variables that `cargo run` sets for the program it runs. A build script that looks at one of them would run again
/// in a `cargo` that inherits it, and everything above it would be compiled again: the script of `ring` does. That
/// `cargo` may also be a grandchild, such as the one that `sam build` calls.
const OF_CARGO_RUN: &[&str] =
    &["CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];

/// The root of a checkout.
#[derive(Debug)]
pub(crate) struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The checkout that the current folder is in, so that chores run in any of its folders.
    pub(crate) fn around_here() -> Result<Self, Problem> {
        let here = std::env::current_dir()?;
        let root = here.ancestors().find(|folder| {
            ["Cargo.toml", "template.yaml", "functions"].iter().all(|part| folder.join(part).exists())
        });
        match root {
            Some(root) => Ok(Self { root: root.to_owned() }),
            None => Err(format!("{} is not in the repository", here.display()).into()),
        }
    }

    /// The checkout with this root.
    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// A file or folder of the repository.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// The text of a file of the repository.
    pub(crate) fn read(&self, path: &str) -> Result<String, Problem> {
        fs::read_to_string(self.path(path)).map_err(|error| format!("cannot read {path}: {error}").into())
    }

    /// The packages of the functions, in alphabetical order. Package, folder and binary of a function have one name.
    pub(crate) fn functions(&self) -> Result<Vec<String>, Problem> {
        let mut functions = Vec::new();
        for entry in fs::read_dir(self.path("functions"))? {
            let entry = entry?;
            if entry.path().join("Cargo.toml").is_file() {
                functions.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        functions.sort();
        Ok(functions)
    }

    /// A program, to be run in the root and with the environment that it has when a person calls it there.
    pub(crate) fn program(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.root);
        for (name, _) in std::env::vars_os() {
            if OF_CARGO_RUN.iter().any(|start| name.to_string_lossy().starts_with(start)) {
                command.env_remove(name);
            }
        }
        command
    }

    /// `cargo`.
    pub(crate) fn cargo(&self) -> Command {
        self.program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }
}

/// Runs a command, with its output on the terminal.
pub(crate) fn succeed(command: &mut Command) -> Result<(), Problem> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("cannot run {program}: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let program = Path::new(&program).file_name().map_or(program.clone(), |name| name.display().to_string());
    Err(format!("{program} ended with {status}").into())
}
