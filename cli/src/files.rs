//! Finds and reads files.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use workflow::BoxError;

/// The largest file that this program reads, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// Reads a text file without its byte order mark.
pub(crate) fn text(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other(format!("it is larger than {} MiB", MOST_BYTES / (1024 * 1024))));
    }
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Finds a file in this folder or in one above it, so that commands work anywhere in the repository.
pub(crate) fn find(file: &Path) -> Result<PathBuf, BoxError> {
    let here = std::env::current_dir()?;
    let found = here.ancestors().map(|folder| folder.join(file)).find(|path| path.is_file());
    found.ok_or_else(|| {
        if file.is_dir() {
            return format!("{} is a folder: name a file in it", file.display()).into();
        }
        let above = if file.is_absolute() { "" } else { " here or in a folder above" };
        format!("there is no {}{above}", file.display()).into()
    })
}
