//! The credential for PagerDuty: the integration keys of services.

use super::Error;
use confidential::Secrets;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// How long an integration key is.
const LENGTH: usize = 32;
/// How long a key of the REST API is, which people paste in its place.
const REST_KEY: usize = 20;

/// The integration keys (PagerDuty's API calls them routing keys) by service.
///
/// JSON form: `{"routing_keys": {"default": "…", "finance": "…"}}`. `default` is used for services without one.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Json")]
pub struct PagerDutyCredential(BTreeMap<String, SecretString>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    #[serde(default)]
    routing_keys: BTreeMap<String, String>,
}

/// The integration key of a service.
pub(super) struct RoutingKey<'a>(&'a SecretString);

impl RoutingKey<'_> {
    /// The key, for the body of a request.
    pub(super) fn exposed(&self) -> &str {
        self.0.expose_secret()
    }

    /// What an answer must not bring into an error.
    pub(super) fn secrets(&self) -> Secrets {
        Secrets::new([self.0.clone()])
    }
}

impl PagerDutyCredential {
    /// The key for this service. A key that cannot work is a mistake for its own service only.
    pub(super) fn routing_key(&self, service: &str) -> Result<RoutingKey<'_>, Error> {
        let key = self.0.get(service).or_else(|| self.0.get("default"));
        let key = key.ok_or_else(|| Error::NoRoutingKey(service.to_owned()))?;
        match problem_of(key.expose_secret()) {
            None => Ok(RoutingKey(key)),
            Some(problem) => Err(Error::BadRoutingKey { service: service.to_owned(), problem }),
        }
    }

    /// What is wrong with the keys, by service. No problem repeats a key.
    pub fn problems(&self) -> Vec<String> {
        let problem = |(service, key): (&String, &SecretString)| {
            let why = problem_of(key.expose_secret())?;
            Some(format!("`routing_keys`: the key of {} {why}", shown(service)))
        };
        self.0.iter().filter_map(problem).collect()
    }
}

/// What is wrong with a text that can be no integration key, and what to do, without the text.
fn problem_of(key: &str) -> Option<&'static str> {
    let is_key = key.len() == LENGTH && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_rest_key = key.len() == REST_KEY
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_".contains(&byte));
    match key {
        _ if is_key => None,
        "" => Some("is empty: copy the integration key of the service's integration Events API V2 into it"),
        _ if is_rest_key => Some(
            "is no integration key: this looks like a REST key, since it has 20 characters. Take the integration key of the service's \
             integration Events API V2, which has 32 letters and digits",
        ),
        _ if key.contains("://") => Some(
            "is a URL: write the integration key alone, without the address of an integration of another kind",
        ),
        _ => Some(
            "is no integration key: that has 32 letters and digits. Copy the one of the service's integration Events API V2 again",
        ),
    }
}

/// A service's name for an error text, if it cannot be a secret that was pasted in the wrong place.
fn shown(service: &str) -> String {
    let is_name = service.chars().count() < REST_KEY || service.contains(' ');
    if is_name { format!("`{service}`") } else { "a service".to_owned() }
}

impl TryFrom<Json> for PagerDutyCredential {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        if json.routing_keys.is_empty() {
            return Err(
                "fill in `routing_keys`: the name of each service, and its integration key".to_owned()
            );
        }
        let is_turned = |(service, key): (&String, &String)| {
            problem_of(service.trim()).is_none() && problem_of(key.trim()).is_some()
        };
        if json.routing_keys.iter().any(is_turned) {
            return Err("`routing_keys` has an integration key in the place of a name: write the service's name before the colon, and \
                        its integration key behind it"
                .to_owned());
        }
        let trimmed = |(service, key): (String, String)| {
            (service.trim().to_owned(), SecretString::from(key.trim().to_owned()))
        };
        Ok(Self(json.routing_keys.into_iter().map(trimmed).collect()))
    }
}

impl fmt::Debug for PagerDutyCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PagerDutyCredential([redacted])")
    }
}

impl PartialEq for PagerDutyCredential {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |keys: &BTreeMap<String, SecretString>| {
            keys.iter()
                .map(|(service, key)| (service.clone(), key.expose_secret().to_owned()))
                .collect::<Vec<_>>()
        };
        exposed(&self.0) == exposed(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "hunter2hunter2hunter2hunter2abcd";

    fn parse(json: &str) -> Result<PagerDutyCredential, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_service_has_its_own_key_or_the_default_one() {
        let other = KEY.replace('h', "R");
        let both =
            parse(&format!(r#"{{"routing_keys":{{"finance":" {KEY} ","default":"{other}"}}}}"#)).unwrap();
        for (service, key) in [("finance", KEY), ("news", other.as_str())] {
            assert_eq!(both.routing_key(service).unwrap().exposed(), key);
        }
        let only = parse(&format!(r#"{{"routing_keys":{{"finance":"{KEY}"}}}}"#)).unwrap();
        assert!(matches!(only.routing_key("news"), Err(Error::NoRoutingKey(_))));
    }

    // D042
    #[test]
    fn a_key_that_cannot_work_is_a_mistake_for_its_own_service_only_and_is_named_for_what_it_is() {
        for (key, expected) in [
            ("hunter2hunter2_+abcd", "this looks like a REST key"),
            ("y_hunter2KEYYTWUXYEu", "this looks like a REST key"),
            ("", "is empty"),
            ("https://events.pagerduty.com/x/hunter2", "is a URL"),
            ("hunter2hunter2hunter2hunter2abc", "that has 32 letters and digits"),
            ("hunter2hunter2hunter2hunter2ab-d", "that has 32 letters and digits"),
            ("hunter2hunter2hunter2hunter2abcdé", "that has 32 letters and digits"),
        ] {
            let json = format!(r#"{{"routing_keys":{{"finance":"{KEY}","news":"{key}"}}}}"#);
            let credential = parse(&json).unwrap();
            assert!(credential.routing_key("finance").is_ok());
            let error = credential.routing_key("news").err().unwrap();
            assert!(error.is_misconfiguration());
            let text = error.to_string();
            assert!(text.starts_with("the key of `news` in the PagerDuty secret is "), "{text}");
            assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
            let problems = credential.problems();
            assert!(problems.len() == 1 && !problems[0].contains("hunter2"), "{problems:?}");
            assert!(problems[0].starts_with("`routing_keys`: the key of `news` is "), "{problems:?}");
        }
    }

    #[test]
    fn a_secret_without_keys_is_refused_and_debug_shows_nothing() {
        let turned = format!(r#"{{"routing_keys":{{"{KEY}":"finance"}}}}"#);
        for (json, expected) in [
            (r#"{"routing_keys":{}}"#, "fill in `routing_keys`"),
            ("{}", "fill in `routing_keys`"),
            (turned.as_str(), "an integration key in the place of a name"),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        }
        let credential = parse(r#"{"routing_keys":{"a":"hunter2"}}"#).unwrap();
        assert_eq!(format!("{credential:?}"), "PagerDutyCredential([redacted])");
    }
}
