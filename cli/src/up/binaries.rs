//! The functions' binaries: built by cargo, or taken from a folder.

use crate::options::UpOptions;
use crate::out::line;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;
use workflow::BoxError;

/// The folder with the functions' binaries, all of them up to date.
pub(crate) async fn ready(options: &UpOptions, template: &Path) -> Result<PathBuf, BoxError> {
    if let Some(folder) = &options.binaries {
        return Ok(folder.clone());
    }
    let ours = std::env::current_exe()?;
    let folder = ours.parent().ok_or("this program is in no folder")?;
    let functions = crate::rules::plan(template)?.functions;
    let names: Vec<String> = functions.into_iter().map(|function| function.binary).collect();
    line!("  building the functions: {}; the first time takes some minutes", names.join(", "))?;
    build(&names, folder, template).await?;
    Ok(folder.to_owned())
}

/// Variables that `cargo run` sets for the program it runs. A build script that looks at one of them would run again in
/// a `cargo` that inherits it, and everything above it would be compiled again: the script of `ring` does.
const OF_CARGO_RUN: [&str; 6] =
    ["CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];

/// Cargo's own output shows the progress. The binaries land beside this program: same profile, same target folder.
async fn build(names: &[String], folder: &Path, template: &Path) -> Result<(), BoxError> {
    let mut cargo = Command::new(cargo());
    cargo.arg("build").stdin(Stdio::null()).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if OF_CARGO_RUN.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            cargo.env_remove(name);
        }
    }
    if let Some(root) = template.parent() {
        cargo.current_dir(root);
    }
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    if folder.file_name().is_some_and(|profile| profile == "release") {
        cargo.arg("--release");
    }
    for name in names {
        cargo.args(["--package", name]);
    }
    let status = cargo.status().await.map_err(|error| -> BoxError {
        format!("cannot run cargo: {error}; give a folder with the functions' binaries in --binaries").into()
    })?;
    if status.success() { Ok(()) } else { Err("the functions do not build; cargo's words are above".into()) }
}

/// The cargo that runs us, if one does.
fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
