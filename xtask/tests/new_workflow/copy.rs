//! A copy of the repository, in which a test may change what it likes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A checkout in the target folder.
pub(crate) struct Copy {
    pub(crate) root: PathBuf,
    /// Keeps other tests out while this one uses the copy.
    _lock: File,
}

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The files that a commit of everything would contain.
fn files_of_the_repository() -> Vec<String> {
    let git = Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard", "-z"])
        .current_dir(repository())
        .output();
    let git = git.expect("git is needed to tell our files from others");
    assert!(git.status.success(), "git ls-files: {}", text(&git));
    let names = String::from_utf8(git.stdout).unwrap();
    let names = names.split('\0').filter(|name| !name.is_empty() && repository().join(name).is_file());
    names.map(str::to_owned).collect()
}

/// Every file below `root`, by its path from there.
pub(crate) fn listing(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

/// The root's manifest with another version for our packages. In one target folder cargo distinguishes packages by
/// their version and their path below the root, not by where the root is: it would take the copy's for ours.
fn with_another_version(manifest: &str) -> String {
    let lines = manifest.lines().map(|line| match line.strip_prefix("version = ") {
        Some(_) => "version = \"0.1.0+copy\"",
        None => line,
    });
    lines.map(|line| format!("{line}\n")).collect()
}

impl Copy {
    /// Brings the copy up to date. A file that is right already keeps its time, for cargo's sake.
    pub(crate) fn fresh() -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let lock = File::create(target.join("new-workflow.lock")).unwrap();
        lock.lock().unwrap();
        let root = target.join("new-workflow");
        fs::create_dir_all(&root).unwrap();
        let mut there = listing(&root);
        for name in files_of_the_repository() {
            let mut wanted = fs::read(repository().join(&name)).unwrap();
            if name == "Cargo.toml" {
                wanted = with_another_version(&String::from_utf8(wanted).unwrap()).into_bytes();
            }
            if there.remove(&name).as_ref() != Some(&wanted) {
                let path = root.join(&name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, wanted).unwrap();
            }
        }
        for left_over in there.keys().map(|name| root.join(name)) {
            fs::remove_file(&left_over).unwrap();
            // Its folders as well, up to the first that is not empty.
            let _ = left_over.ancestors().skip(1).try_for_each(fs::remove_dir);
        }
        Self { root, _lock: lock }
    }

    pub(crate) fn xtask(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).current_dir(&self.root).output().unwrap()
    }

    pub(crate) fn cargo(&self, arguments: &[&str]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        // The variables that cargo sets for a test would make the build script of `ring` run again.
        for (name, _) in std::env::vars_os() {
            let name = name.to_str().unwrap_or_default();
            if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start)) {
                cargo.env_remove(name);
            }
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        cargo.env("CARGO_TARGET_DIR", target).current_dir(&self.root).args(arguments).output().unwrap()
    }
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
