//! Reads a function's environment variables, once, at start.

use std::collections::HashMap;

/// The environment variables of a function. An empty variable counts as missing: a template cannot leave one out.
#[derive(Clone, Debug, Default)]
pub struct Env(HashMap<String, String>);

impl Env {
    /// Reads the variables of this process.
    pub fn of_process() -> Self {
        // Variables that are not Unicode are none of ours and are skipped.
        std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect()
    }

    /// The variable's value, if it is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Starts collecting required settings.
    pub fn required(&self) -> Settings<'_> {
        Settings { env: self, missing: Vec::new() }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

/// Collects required settings and remembers the missing ones, so that one start reports all of them.
#[derive(Debug)]
pub struct Settings<'a> {
    env: &'a Env,
    missing: Vec<&'static str>,
}

/// The error that required settings are missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("missing settings: {}", .0.join(", "))]
pub struct MissingSettings(pub Vec<&'static str>);

impl Settings<'_> {
    /// The setting's value; an empty text if it is missing, which [`Settings::finish`] reports.
    pub fn get(&mut self, name: &'static str) -> String {
        match self.env.get(name) {
            Some(value) => value.to_owned(),
            None => {
                self.missing.push(name);
                String::new()
            }
        }
    }

    /// Returns `config` if no setting is missing.
    ///
    /// # Errors
    /// [`MissingSettings`], with all missing names.
    pub fn finish<T>(self, config: T) -> Result<T, MissingSettings> {
        if self.missing.is_empty() { Ok(config) } else { Err(MissingSettings(self.missing)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_setting_is_named_at_once() {
        let env: Env = [("A", "1"), ("B", " ")].into_iter().collect();
        let mut settings = env.required();
        let config = (settings.get("A"), settings.get("B"), settings.get("C"));
        assert_eq!(settings.finish(config), Err(MissingSettings(vec!["B", "C"])));
    }
}
