//! Where the files are, and which real destinations to use instead of the simulated ones.

use crate::options::UpOptions;
use rules::Rules;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use workflow::BoxError;

/// The files that the stack is made of.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) template: PathBuf,
    pub(crate) rules: PathBuf,
    /// Holds `rules`, when that is a copy.
    _copy: Option<NamedTempFile>,
}

/// What the simulated site is called, and where its people live, when the rules file names no site.
const SAMPLE_SITE: &str = "
sites:
  - luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b
    name: Marketing
    timezone: Europe/Berlin
";

impl Paths {
    pub(crate) fn find(options: &UpOptions) -> Result<Self, BoxError> {
        let (template, rules) = (find(&options.template)?, find(&options.rules)?);
        // The functions' own word for a broken file comes with the first event; here it is the first thing said.
        let read = Rules::read(&rules).map_err(|error| format!("{}: {error}", options.rules.display()))?;
        let text = std::fs::read_to_string(&rules)?;
        if !read.sites().is_empty() || text.lines().any(|line| line.starts_with("sites:")) {
            return Ok(Self { template, rules, _copy: None });
        }
        let mut copy = NamedTempFile::new()?;
        copy.write_all(text.as_bytes())?;
        copy.write_all(SAMPLE_SITE.as_bytes())?;
        Ok(Self { template, rules: copy.path().to_owned(), _copy: Some(copy) })
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
