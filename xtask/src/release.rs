//! `cargo xtask release`: what is released, for both of Lambda's processors.

use crate::check::{TOOLS, build_for, functions_in};
use crate::repository::{Problem, Repository, succeed};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the result goes.
const BUNDLE: &str = "target/release-bundle";

/// Lambda's name of each processor, and Rust's.
const PROCESSORS: [(&str, &str); 2] =
    [("arm64", "aarch64-unknown-linux-gnu"), ("x86_64", "x86_64-unknown-linux-gnu")];

/// Files that go into the bundle as they are.
const FILES: [&str; 4] = ["CHANGELOG.md", "LICENSE", "rules.yaml", "template.yaml"];

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

/// Builds every function for both processors of Lambda, and writes a zip of each, the template, the rules and their checksums
/// to `target/release-bundle/`.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

/// Runs the command.
pub(crate) fn run(repository: &Repository, _: &Arguments) -> Result<(), Problem> {
    let bundle = repository.path(BUNDLE);
    if bundle.exists() {
        fs::remove_dir_all(&bundle)?;
    }
    fs::create_dir_all(&bundle)?;
    let targets = PROCESSORS.map(|(_, target)| target);
    succeed(repository.program("rustup").args(["target", "add"]).args(targets))
        .map_err(|problem| format!("cannot install the Rust targets {}: {problem}", targets.join(", ")))?;
    for (processor, _) in PROCESSORS {
        println!("\n── {processor}");
        let built = repository.path("target/release-build").join(processor);
        build_for(repository, processor, &built)?;
        let folder = bundle.join(processor);
        fs::create_dir_all(&folder)?;
        for function in functions_in(&built)? {
            let name = function.file_name().unwrap_or_default();
            let zip = folder.join(name).with_extension("zip");
            let mut python = repository.program(TOOLS.tool(repository, "python"));
            succeed(python.args(["-c", ZIP]).arg(&function).arg(&zip))?;
        }
    }
    for file in FILES {
        fs::copy(repository.path(file), bundle.join(file))?;
    }
    let sums = checksums(&bundle)?;
    fs::write(bundle.join("SHA256SUMS"), &sums)?;
    println!("\n{BUNDLE}:\n{sums}");
    Ok(())
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
}
