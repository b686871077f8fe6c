//! The Python tools, in an environment of their own: `.venv/`.

use crate::repository::{Problem, Repository, succeed};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

const REQUIREMENTS: &str = "requirements.txt";

/// Holds the hash of the requirements that were installed last.
const STAMP: &str = ".venv/requirements.sha256";

/// A tool's path.
pub(crate) fn tool(repository: &Repository, name: &str) -> PathBuf {
    repository.path(".venv/bin").join(name)
}

/// Installs the tools of `requirements.txt`, unless that was done and the file has not changed since.
pub(crate) fn install(repository: &Repository) -> Result<(), Problem> {
    let wanted = hash(&repository.read(REQUIREMENTS)?);
    let stamp = repository.path(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let python = tool(repository, "python");
    if !python.exists() {
        println!("making .venv");
        make(repository)?;
    }
    println!("installing {REQUIREMENTS} into .venv");
    let mut pip = repository.program(python);
    let quiet = ["--quiet", "--disable-pip-version-check"];
    succeed(pip.args(["-m", "pip", "install"]).args(quiet).args(["--requirement", REQUIREMENTS]))
        .map_err(|problem| format!("cannot install {REQUIREMENTS}: {problem}"))?;
    fs::write(&stamp, wanted).map_err(|error| format!("cannot write {STAMP}: {error}").into())
}

fn make(repository: &Repository) -> Result<(), Problem> {
    let mut venv = repository.program("python3");
    let status = venv.args(["-m", "venv", ".venv"]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("`python3 -m venv .venv` failed; on Debian and Ubuntu it needs the package python3-venv".into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(
            "python3 is missing: the checks of template.yaml and the AWS emulator need it (`--quick` leaves them out)"
                .into(),
        ),
        Err(error) => Err(format!("cannot run python3: {error}").into()),
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_that_sha256sum_prints() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
