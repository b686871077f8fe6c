//! The folder that is released: what it holds, and that it holds what its templates name.

use super::template;
use crate::check::{TOOLS, functions_in};
use crate::repository::{Problem, Repository, succeed};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Files that go into the bundle as they are.
const FILES: [&str; 2] = ["CHANGELOG.md", "LICENSE"];

/// How to deploy it.
const README: &str = include_str!("../../templates/bundle.md");

/// Zips a folder: its files in order, with one fixed time and the permissions that Lambda needs, so that the same
/// executable makes the same zip.
const ZIP: &str = "
import pathlib, sys, zipfile
folder, target = map(pathlib.Path, sys.argv[1:])
with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for path in sorted(path for path in folder.rglob('*') if path.is_file()):
        entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, path.read_bytes())
";

/// A bundle that is being written.
#[derive(Debug)]
pub(crate) struct Bundle {
    folder: PathBuf,
}

impl Bundle {
    /// Makes an empty folder for the bundle, in place of an old one.
    pub(crate) fn new(folder: PathBuf) -> Result<Self, Problem> {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds a text.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<(), Problem> {
        fs::write(self.folder.join(name), content)
            .map_err(|error| format!("cannot write {name}: {error}").into())
    }

    /// Adds a file.
    pub(super) fn copy(&self, from: &Path, name: &str) -> Result<(), Problem> {
        let to = self.folder.join(name);
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        let copied = fs::copy(from, &to);
        copied.map(drop).map_err(|error| format!("cannot copy {}: {error}", from.display()).into())
    }

    /// Adds what a person reads.
    pub(super) fn add_pages(&self, repository: &Repository) -> Result<(), Problem> {
        self.write("README.md", README)?;
        FILES.iter().try_for_each(|file| self.copy(&repository.path(file), file))
    }

    /// Adds the functions of a processor, as `sam build` built them, with the template that deploys them.
    ///
    /// # Errors
    /// When the template names something that the bundle does not have.
    pub(crate) fn add_functions(
        &self,
        repository: &Repository,
        processor: &str,
        built: &Path,
    ) -> Result<(), Problem> {
        let folder = self.folder.join(processor);
        fs::create_dir_all(&folder)?;
        for function in functions_in(built)? {
            let zip = folder.join(function.file_name().unwrap_or_default()).with_extension("zip");
            let mut python = repository.program(TOOLS.tool(repository, "python"));
            succeed(python.args(["-c", ZIP]).arg(&function).arg(&zip))?;
        }
        let rules = folder.join(template::RULES);
        fs::create_dir_all(&rules)?;
        for entry in fs::read_dir(built.join("RulesLayer"))? {
            let entry = entry?;
            fs::copy(entry.path(), rules.join(entry.file_name()))?;
        }
        let text = template::deployable(&repository.read("template.yaml")?, processor)?;
        let missing: Vec<&str> =
            template::files(&text).into_iter().filter(|file| !folder.join(file).exists()).collect();
        if !missing.is_empty() {
            return Err(
                format!("{processor}/template.yaml names what is not there: {}", missing.join(", ")).into()
            );
        }
        self.write(&format!("{processor}/template.yaml"), &text)?;
        self.copy(&repository.path("samconfig.toml"), &format!("{processor}/samconfig.toml"))
    }

    /// Adds the checksums of all that is there. Gives them.
    pub(super) fn seal(&self) -> Result<String, Problem> {
        let sums = checksums(&self.folder)?;
        self.write("SHA256SUMS", &sums)?;
        Ok(sums)
    }
}

/// A line for each file, as `sha256sum --check` reads it.
fn checksums(bundle: &Path) -> Result<String, Problem> {
    let mut text = String::new();
    for file in files(bundle)? {
        let name = file.strip_prefix(bundle)?.display().to_string();
        let sum: String = Sha256::digest(fs::read(&file)?).iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(text, "{sum}  {name}")?;
    }
    Ok(text)
}

/// The files in a folder and in the folders below it, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_every_file_by_its_path_in_the_bundle() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("arm64")).unwrap();
        fs::write(folder.path().join("arm64/A.zip"), "abc").unwrap();
        fs::write(folder.path().join("LICENSE"), "").unwrap();
        assert_eq!(
            checksums(folder.path()).unwrap(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  LICENSE\n\
             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  arm64/A.zip\n"
        );
    }

    #[test]
    fn a_bundle_without_a_file_that_its_template_names_is_refused() {
        let repository = Repository::around_here().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let built = folder.path().join("built");
        fs::create_dir_all(built.join("RulesLayer")).unwrap();
        fs::write(built.join("RulesLayer/rules.yaml"), "rules: []").unwrap();
        let bundle = Bundle::new(folder.path().join("bundle")).unwrap();
        let problem = bundle.add_functions(&repository, "arm64", &built).unwrap_err().to_string();
        assert!(problem.starts_with("arm64/template.yaml names what is not there: "), "{problem}");
        assert!(problem.contains("NotifySlack.zip"), "{problem}");
    }
}
