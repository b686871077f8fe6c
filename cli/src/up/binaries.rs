//! Finds the functions' binaries.

use crate::options::UpOptions;
use std::path::{Path, PathBuf};
use workflow::BoxError;

/// The folder with the functions' binaries: the folder that the option names, or else this program's own, where cargo
/// puts them.
///
/// # Errors
/// If the binary of a function in the template is missing.
pub(crate) fn folder(options: &UpOptions, template: &Path) -> Result<PathBuf, BoxError> {
    let folder = match &options.binaries {
        Some(folder) => folder.clone(),
        None => {
            let ours = std::env::current_exe()?;
            ours.parent().ok_or("cannot find the folder of this program")?.to_owned()
        }
    };
    for function in crate::rules::plan(template)?.functions {
        let binary = folder.join(&function.binary).with_extension(std::env::consts::EXE_EXTENSION);
        if !binary.is_file() {
            return Err(format!(
                "{} is missing: start the local stack with `cargo run` in the repository, which builds the functions, or \
                 name the folder with their binaries in --binaries",
                binary.display()
            )
            .into());
        }
    }
    Ok(folder)
}
