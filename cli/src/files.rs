//! Where files are.

use std::path::{Path, PathBuf};
use workflow::BoxError;

/// The file here or in a folder above, so that commands work anywhere in the repository.
pub(crate) fn find(file: &Path) -> Result<PathBuf, BoxError> {
    let here = std::env::current_dir()?;
    let found = here.ancestors().map(|folder| folder.join(file)).find(|path| path.is_file());
    found.ok_or_else(|| {
        let above = if file.is_absolute() { "" } else { " here or in a folder above" };
        format!("there is no {}{above}", file.display()).into()
    })
}
