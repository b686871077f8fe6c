//! `rules check`.

use std::path::Path;
use std::process::ExitCode;
use workflow::BoxError;

/// Says whether the file is right.
pub(crate) fn check(file: &Path) -> Result<ExitCode, BoxError> {
    match rules::Rules::read(file) {
        Ok(rules) => {
            println!("{}: {} rules for {} sites", file.display(), rules.len(), rules.sites().len());
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ rules::Error::Wrong { .. }) => Err(format!("{}, {error}", file.display()).into()),
        Err(error) => Err(error.into()),
    }
}
