//! Settings: read once, at start.

use std::collections::HashMap;

/// The variables a function was given. An empty one counts as none: that is how a template leaves one out.
#[derive(Clone, Debug, Default)]
pub struct Env(HashMap<String, String>);

impl Env {
    /// The variables of this process.
    pub fn of_process() -> Self {
        // Variables that are not Unicode cannot be ours.
        std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect()
    }

    /// The variable's value, if it has one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Starts collecting settings that must be there.
    pub fn required(&self) -> Settings<'_> {
        Settings { env: self, missing: Vec::new() }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

/// Collects settings, and remembers those that are missing, so that one start reports them all.
#[derive(Debug)]
pub struct Settings<'a> {
    env: &'a Env,
    missing: Vec<&'static str>,
}

/// Settings that must be there and are not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("missing settings: {}", .0.join(", "))]
pub struct MissingSettings(pub Vec<&'static str>);

impl Settings<'_> {
    /// The setting's value; an empty text when it is missing, which [`Settings::finish`] reports.
    pub fn get(&mut self, name: &'static str) -> String {
        match self.env.get(name) {
            Some(value) => value.to_owned(),
            None => {
                self.missing.push(name);
                String::new()
            }
        }
    }

    /// Hands `config` out if no setting is missing.
    ///
    /// # Errors
    /// [`MissingSettings`], with all of them.
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
