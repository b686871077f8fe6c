//! The body of `POST /refreshes`, read strictly: what is not known is refused. No I/O.

use crate::config::TIMEOUT;
use crate::problem::{Code, Problem};
use jiff::SignedDuration;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use tableau::ContentKind;

/// The longest wait of one request, in seconds: the gateway ends a request after 30.
pub(crate) const LONGEST_WAIT_SECONDS: u64 = 25;
const LONGEST_TIMEOUT_MINUTES: u64 = 1_440;
const LONGEST_NAME: usize = 255;
const LONGEST_URL: usize = 2_000;
const LONGEST_SITE: usize = 200;
/// The most levels of projects.
const MOST_NAMES: usize = 20;

/// What a caller wants to refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Luid(ContentKind, String),
    Url(Option<ContentKind>, String),
    Name(ContentKind, String, Option<Path>),
}

/// Where it is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// `Finance/Europe`; `\/` is a slash within a name.
    Text(String),
    /// Names, from the top.
    Names(Vec<String>),
}

/// A request to refresh something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) wanted: Wanted,
    pub(crate) site: Option<String>,
    pub(crate) incremental: bool,
    pub(crate) allow_full: bool,
    pub(crate) fresh: bool,
    pub(crate) wait_seconds: u64,
    pub(crate) timeout: SignedDuration,
    pub(crate) callback_url: Option<String>,
    /// The SHA-256 of what is asked for, in whatever order its members came, and however long the answer may wait.
    pub(crate) asked: String,
}

impl Wanted {
    /// The kind of content, where the caller says it.
    pub(crate) fn kind(&self) -> Option<ContentKind> {
        match self {
            Self::Luid(kind, _) | Self::Name(kind, ..) => Some(*kind),
            Self::Url(kind, _) => *kind,
        }
    }
}

/// The first SHA-256 digits of texts, with a line break between them.
pub(crate) fn digest(parts: &[&str], digits: usize) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(parts.join("\n").as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(digits);
    hex
}

/// The SHA-256 of what is asked for. How long the answer may wait is no part of it, and 25 is the same number as 25.0.
fn asked(members: &Map<String, Value>) -> String {
    let whole = |value: &Value| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e9);
        number.map_or_else(|| value.clone(), |number| Value::from(number as i64))
    };
    let asked = members.iter().filter(|(name, _)| name.as_str() != "wait_seconds");
    let asked: Map<String, Value> = asked.map(|(name, value)| (name.clone(), whole(value))).collect();
    digest(&[&Value::Object(asked).to_string()], 64)
}

/// Reads the name of a member that is there twice. Which of two is meant is not to be guessed.
struct Twice;

impl<'de> DeserializeSeed<'de> for Twice {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Twice {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut names, mut twice) = (BTreeSet::new(), None);
        while let Some(name) = members.next_key::<String>()? {
            members.next_value::<IgnoredAny>()?;
            if !names.insert(name.clone()) {
                twice.get_or_insert(name);
            }
        }
        Ok(twice)
    }
}

/// The name of a member, for a problem.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}

fn malformed(field: &str, what: &str) -> Problem {
    Problem::new(Code::Malformed, format!("{field}: {what}")).of_field(field)
}

struct Members(Map<String, Value>);

impl Members {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    fn text(&mut self, name: &str, longest: usize) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Err(malformed(name, "is empty")),
            Some(Value::String(text)) if text.chars().count() > longest => {
                Err(malformed(name, &format!("at most {longest} characters")))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(malformed(name, "has to be a string")),
        }
    }

    fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(malformed(name, "has to be true or false")),
        }
    }

    fn number(&mut self, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        // 25.0 is a whole number too.
        let whole = value.as_u64().or_else(|| {
            let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
            (0.0..=1e9).contains(&number).then_some(number as u64)
        });
        match whole.filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                let what = format!("has to be a whole number from {} to {}", range.start(), range.end());
                Err(malformed(name, &what))
            }
        }
    }

    fn path(&mut self) -> Result<Option<Path>, Problem> {
        const NAME: &str = "project";
        let Some(Value::Array(names)) = self.0.get(NAME) else {
            return Ok(self.text(NAME, LONGEST_URL)?.map(Path::Text));
        };
        let is_name = |text: &&str| !text.is_empty() && text.chars().count() <= LONGEST_NAME;
        let texts: Vec<String> =
            names.iter().filter_map(|name| name.as_str().filter(is_name).map(str::to_owned)).collect();
        let is_whole = texts.len() == names.len() && (1..=MOST_NAMES).contains(&texts.len());
        self.take(NAME);
        match is_whole {
            true => Ok(Some(Path::Names(texts))),
            false => Err(malformed(
                NAME,
                &format!("has to be a path such as \"Finance/Europe\", or a list of 1 to {MOST_NAMES} names"),
            )),
        }
    }
}

fn is_luid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl Body {
    /// Reads a body.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Problem::new(Code::Malformed, format!("The body is not JSON, at line {line}, column {column}."))
        })?;
        let Value::Object(members) = value else {
            return Err(Problem::new(Code::Malformed, "The body has to be a JSON object."));
        };
        let twice = Twice.deserialize(&mut serde_json::Deserializer::from_slice(bytes)).ok().flatten();
        if let Some(name) = twice {
            return Err(malformed(&shown(&name), "is there twice"));
        }
        let asked = asked(&members);
        let mut members = Members(members);
        let kind = members.text("kind", LONGEST_NAME)?;
        let is_named = |text: &String| ContentKind::ALL.into_iter().find(|kind| kind.as_str() == text);
        let wrong_kind = || malformed("kind", "has to be workbook, datasource or flow");
        let kind = kind.map(|text| is_named(&text).ok_or_else(wrong_kind)).transpose()?;
        let luid = members.text("luid", LONGEST_NAME)?;
        let url = members.text("url", LONGEST_URL)?;
        let name = members.text("name", LONGEST_NAME)?;
        let has_name = name.is_some();
        let path = members.path()?;
        let needs_kind = || malformed("kind", "is missing: workbook, datasource or flow");
        let wanted = match (luid, url, name) {
            (Some(luid), None, None) if is_luid(&luid) => Wanted::Luid(kind.ok_or_else(needs_kind)?, luid),
            (Some(_), None, None) => {
                return Err(malformed("luid", "is no LUID, such as 4cdd2055-930d-4eaf-94f4-733f3e7d1bfb"));
            }
            (None, Some(url), None) if url.starts_with("https://") || url.starts_with("http://") => {
                Wanted::Url(kind, url)
            }
            (None, Some(_), None) => {
                return Err(malformed("url", "has to be the address that a browser shows, with https://"));
            }
            (None, None, Some(name)) => Wanted::Name(kind.ok_or_else(needs_kind)?, name, path.clone()),
            _ => {
                let what = "Say what to refresh with exactly one of luid, url and name.";
                return Err(Problem::new(Code::Malformed, what));
            }
        };
        if path.is_some() && !has_name {
            return Err(malformed("project", "goes with name only"));
        }
        let body = Self {
            wanted,
            site: members.text("site", LONGEST_SITE)?,
            incremental: members.flag("incremental")?,
            allow_full: members.flag("allow_full")?,
            fresh: members.flag("fresh")?,
            wait_seconds: members.number("wait_seconds", 0..=LONGEST_WAIT_SECONDS)?.unwrap_or_default(),
            timeout: members
                .number("timeout_minutes", 1..=LONGEST_TIMEOUT_MINUTES)?
                .map_or(TIMEOUT, |minutes| SignedDuration::from_mins(minutes.cast_signed())),
            callback_url: members.text("callback_url", LONGEST_URL)?,
            asked,
        };
        match members.0.keys().next() {
            Some(unknown) => Err(malformed(&shown(unknown), "is not known")),
            None => Ok(body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LUID: &str = "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb";

    fn parse(value: &Value) -> Result<Body, Problem> {
        Body::parse(value.to_string().as_bytes())
    }

    #[test]
    fn one_of_three_members_says_what_to_refresh() {
        let luid = parse(&json!({"kind": "workbook", "luid": LUID})).unwrap();
        assert_eq!(luid.wanted, Wanted::Luid(ContentKind::Workbook, LUID.to_owned()));
        assert_eq!((luid.wait_seconds, luid.timeout), (0, SignedDuration::from_mins(120)));
        let url = parse(&json!({"url": "https://example.com/#/workbooks/1"})).unwrap();
        assert_eq!(url.wanted.kind(), None);
        let name = json!({"kind": "flow", "name": "A, B & \"C\"", "project": ["Ops", "Q1/Q2"], "wait_seconds": 25.0});
        let name = parse(&name).unwrap();
        let path = Path::Names(vec!["Ops".to_owned(), "Q1/Q2".to_owned()]);
        assert_eq!(name.wanted, Wanted::Name(ContentKind::Flow, "A, B & \"C\"".to_owned(), Some(path)));
        assert_eq!(name.wait_seconds, 25);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let luid = |more: Value| {
            let mut body = json!({"kind": "workbook", "luid": LUID});
            for (name, value) in more.as_object().unwrap() {
                body[name] = value.clone();
            }
            body
        };
        for (body, field, part) in [
            (json!([]), None, "a JSON object"),
            (json!({}), None, "exactly one of"),
            (json!({"kind": "workbook"}), None, "exactly one of"),
            (luid(json!({"name": "x"})), None, "exactly one of"),
            (json!({"luid": LUID}), Some("kind"), "is missing"),
            (json!({"name": "x"}), Some("kind"), "is missing"),
            (json!({"kind": "view", "luid": LUID}), Some("kind"), "workbook, datasource or flow"),
            (json!({"kind": "workbook", "luid": "../x"}), Some("luid"), "is no LUID"),
            (json!({"url": "javascript:alert(1)"}), Some("url"), "https://"),
            (luid(json!({"project": "A"})), Some("project"), "goes with name"),
            (json!({"kind": "flow", "name": "x", "project": []}), Some("project"), "list of 1 to 20"),
            (json!({"kind": "flow", "name": "x", "project": [1]}), Some("project"), "list of 1 to 20"),
            (json!({"kind": "flow", "name": "x", "project": 7}), Some("project"), "a string"),
            (json!({"kind": "flow", "name": ""}), Some("name"), "is empty"),
            (json!({"kind": "flow", "name": "x".repeat(256)}), Some("name"), "at most 255"),
            (luid(json!({"wait_seconds": 26})), Some("wait_seconds"), "from 0 to 25"),
            (luid(json!({"wait_seconds": -1})), Some("wait_seconds"), "from 0 to 25"),
            (luid(json!({"wait_seconds": "5"})), Some("wait_seconds"), "from 0 to 25"),
            (luid(json!({"timeout_minutes": 0})), Some("timeout_minutes"), "from 1 to 1440"),
            (luid(json!({"timeout_minutes": 1.5})), Some("timeout_minutes"), "from 1 to 1440"),
            (luid(json!({"incremental": "yes"})), Some("incremental"), "true or false"),
            (luid(json!({"wait": 5})), Some("wait"), "is not known"),
            (luid(json!({"callback_url": null})), Some("callback_url"), "a string"),
        ] {
            let problem = parse(&body).unwrap_err();
            assert_eq!(problem.field.as_deref(), field, "{body}");
            assert!(problem.detail.contains(part), "{body}: {}", problem.detail);
        }
        let broken = Body::parse(b"{\"kind\": \"hunter2").unwrap_err();
        assert!(
            broken.detail.starts_with("The body is not JSON, at line 1")
                && !broken.detail.contains("hunter2")
        );
    }

    #[test]
    fn the_same_body_in_another_order_is_the_same_request() {
        let one = Body::parse(format!(r#"{{"kind":"workbook","luid":"{LUID}"}}"#).as_bytes()).unwrap();
        let two = Body::parse(format!(r#" {{"luid":"{LUID}" , "kind":"workbook"}}"#).as_bytes()).unwrap();
        let other = Body::parse(format!(r#"{{"kind":"datasource","luid":"{LUID}"}}"#).as_bytes()).unwrap();
        assert_eq!(one.asked, two.asked);
        assert_ne!(one.asked, other.asked);
        // How long the answer may wait changes nothing about the request.
        let of = |more: &str| {
            let body = format!(r#"{{"kind":"workbook","luid":"{LUID}"{more}}}"#);
            Body::parse(body.as_bytes()).map(|body| body.asked)
        };
        assert_eq!(of(r#","wait_seconds":2"#), of(r#","wait_seconds":25"#));
        assert_eq!(of(r#","timeout_minutes":25"#), of(r#","timeout_minutes":25.0"#));
        assert_ne!(of(r#","timeout_minutes":25"#), of(r#","timeout_minutes":26"#));
        let twice = of(r#","wait_seconds":2,"kind":"flow""#).unwrap_err();
        assert_eq!((twice.field.as_deref(), twice.detail.as_str()), (Some("kind"), "kind: is there twice"));
    }
}
