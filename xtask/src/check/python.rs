//! Python tools, in environments of their own.

use crate::repository::{Problem, Repository, succeed};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// The oldest Python for which every tool has a version, and with which `requirements.txt` is generated.
pub(crate) const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// Tools that go together in one environment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tools {
    /// What is installed: every version with the hashes of its files.
    pub(crate) requirements: &'static str,
    /// The folder it is installed in.
    folder: &'static str,
}

/// What builds, deploys and checks.
pub(crate) const TOOLS: Tools = Tools { requirements: "requirements.txt", folder: ".venv" };
/// What scans the template; its versions do not go together with those of the others.
pub(crate) const SCANNER: Tools = Tools { requirements: "requirements-scan.txt", folder: ".venv-scan" };
/// Other people's clients of Tableau, which meet our simulator of it in tests/clients.
pub(crate) const AIRFLOW: Tools =
    Tools { requirements: "tests/clients/airflow/requirements.txt", folder: ".venv-airflow" };
/// The same.
pub(crate) const DAGSTER: Tools =
    Tools { requirements: "tests/clients/dagster/requirements.txt", folder: ".venv-dagster" };
/// The same.
pub(crate) const TABCMD: Tools =
    Tools { requirements: "tests/clients/tabcmd/requirements.txt", folder: ".venv-tabcmd" };

/// What holds the API against its document, and runs the scripts of integrations/.
pub(crate) const OPENAPI: Tools =
    Tools { requirements: "tests/openapi/requirements.txt", folder: ".venv-openapi" };
/// What stands for Snowflake.
pub(crate) const SNOWFLAKE: Tools =
    Tools { requirements: "integrations/snowflake/requirements.txt", folder: ".venv-snowflake" };
/// The runtimes of the other callers in integrations/.
pub(crate) const AIRFLOW_OPERATOR: Tools =
    Tools { requirements: "integrations/airflow/requirements.txt", folder: ".venv-airflow-operator" };
/// The same.
pub(crate) const DBT: Tools =
    Tools { requirements: "integrations/dbt/requirements.txt", folder: ".venv-dbt" };

/// What runs the notebook of integrations/jupyter without a browser.
pub(crate) const NOTEBOOK: Tools =
    Tools { requirements: "integrations/jupyter/requirements.txt", folder: ".venv-notebook" };
/// What a person runs it with. No step installs it.
const JUPYTERLAB: Tools =
    Tools { requirements: "integrations/jupyter/requirements-jupyterlab.txt", folder: ".venv-jupyterlab" };

/// All environments.
pub(crate) const ALL: [Tools; 11] = [
    TOOLS,
    SCANNER,
    AIRFLOW,
    DAGSTER,
    TABCMD,
    OPENAPI,
    SNOWFLAKE,
    AIRFLOW_OPERATOR,
    DBT,
    NOTEBOOK,
    JUPYTERLAB,
];

/// What pip accepts: nothing but files with a listed hash, so a package that is replaced on PyPI is refused; and no source
/// packages, whose build scripts would run and fetch packages that no hash covers. The file lists everything that a package
/// needs, so pip has nothing to look for; some versions of pip do not find a package in the list that another one asks for
/// with extras (`boto3[crt]`).
const INSTALL: [&str; 9] = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--require-hashes",
    "--only-binary=:all:",
    "--no-deps",
    "--requirement",
];

impl Tools {
    /// A tool's path.
    pub(crate) fn tool(&self, repository: &Repository, name: &str) -> PathBuf {
        repository.path(self.folder).join("bin").join(name)
    }

    /// Installs the tools, unless that was done and the requirements have not changed since.
    pub(crate) fn install(&self, repository: &Repository) -> Result<(), Problem> {
        let Self { requirements, folder } = self;
        let wanted = hash(&repository.read(requirements)?);
        // Holds the hash of the requirements that were installed last.
        let stamp = repository.path(folder).join("requirements.sha256");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        let python = self.tool(repository, "python");
        if !python.exists() {
            println!("creating the Python environment {folder}");
            make(repository, folder)?;
        }
        println!("installing {requirements} into {folder}");
        let mut pip = repository.program(python);
        succeed(pip.args(INSTALL).arg(requirements))
            .map_err(|problem| format!("cannot install {requirements}: {problem}"))?;
        fs::write(&stamp, wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()).into())
    }
}

fn make(repository: &Repository, folder: &str) -> Result<(), Problem> {
    let (major, minor) = OLDEST_PYTHON;
    let is_old = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    if repository.program("python3").args(["-c", &is_old]).status().is_ok_and(|status| !status.success()) {
        return Err(format!("python3 is too old: the tools need Python {major}.{minor} or newer").into());
    }
    let mut venv = repository.program("python3");
    let status = venv.args(["-m", "venv", folder]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => {
            let advice = "on Debian and Ubuntu it needs the package python3-venv";
            Err(format!("`python3 -m venv {folder}` failed; {advice}").into())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err(
            "python3 is missing: the checks of template.yaml and the AWS emulator need it (`--quick` leaves them out)"
                .into(),
        ),
        Err(error) => Err(format!("cannot run python3: {error}").into()),
    }
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(super) fn hash(text: &str) -> String {
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
