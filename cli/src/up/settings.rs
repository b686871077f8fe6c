//! Where the files are, and which real destinations to use instead of the simulated ones.

use crate::options::UpOptions;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use workflow::BoxError;

/// The files that the stack is made of.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) template: PathBuf,
    pub(crate) rules: PathBuf,
}

impl Paths {
    pub(crate) fn find(options: &UpOptions) -> Result<Self, BoxError> {
        let rules = find(&options.rules)?;
        // The functions' own word for a broken file comes with the first event; here it is the first thing said.
        if let Err(error) = rules::Rules::read(&rules) {
            return Err(format!("{}: {error}", options.rules.display()).into());
        }
        Ok(Self { template: find(&options.template)?, rules })
    }
}

/// The file here or in a folder above, so that `cargo run` works anywhere in the repository.
fn find(file: &Path) -> Result<PathBuf, BoxError> {
    let here = std::env::current_dir()?;
    let found = here.ancestors().map(|folder| folder.join(file)).find(|path| path.is_file());
    found.ok_or_else(|| format!("there is no {} here or in a folder above", file.display()).into())
}

/// Real destinations, from the environment or a file of `NAME=value` lines. The environment goes first.
#[derive(Default)]
pub(crate) struct Settings(HashMap<String, String>);

impl Settings {
    pub(crate) fn read(file: &Path) -> Result<Self, BoxError> {
        let mut settings = HashMap::new();
        match dotenvy::from_path_iter(file) {
            Ok(lines) => {
                for line in lines {
                    // The parser's own words repeat the line, which may hold a secret.
                    let (name, value) =
                        line.map_err(|_| format!("{}: a line is not NAME=value", file.display()))?;
                    settings.insert(name, value);
                }
            }
            Err(error) if error.not_found() => {}
            Err(_) => return Err(format!("cannot read {}", file.display()).into()),
        }
        settings.extend(
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))),
        );
        Ok(Self(settings))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}
