//! The file as it is written, with lines, and its checks.

use crate::problem;
use crate::when::{Hours, QuietHours};
use crate::{Error, Rule, Rules, Site};
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use tableau::EventName;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    sites: Vec<SiteEntry>,
    rules: Vec<RuleEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteEntry {
    luid: Spanned<String>,
    name: String,
    #[serde(default)]
    timezone: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    name: Spanned<String>,
    on: Vec<Spanned<String>>,
    #[serde(default)]
    critical: bool,
    #[serde(default)]
    mute_until: Option<Spanned<String>>,
    #[serde(default)]
    quiet: Option<QuietEntry>,
    r#do: Vec<Spanned<BTreeMap<String, Value>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuietEntry {
    from: Spanned<String>,
    to: Spanned<String>,
    #[serde(default)]
    timezone: Option<Spanned<String>>,
}

/// A value and the line it stands on.
#[derive(Clone, Debug)]
pub(crate) struct Line<T> {
    pub(crate) value: T,
    pub(crate) line: u64,
}

impl<T> Line<T> {
    pub(crate) fn wrong(&self, problem: impl Into<String>) -> Error {
        Error::Wrong { line: self.line, problem: problem.into() }
    }
}

impl<T> From<Spanned<T>> for Line<T> {
    fn from(spanned: Spanned<T>) -> Self {
        Self { line: spanned.referenced.line(), value: spanned.value }
    }
}

impl File {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut field = String::new();
        let parsed = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
            serde_path_to_error::deserialize::<_, Option<Self>>(deserializer).map_err(|error| {
                field = error.path().to_string();
                error.into_inner()
            })
        });
        parsed.map(Option::unwrap_or_default).map_err(|error| {
            let line = error.location().map_or(1, |at| at.line());
            // The parser's text ends with the place, which stands before it already, and may show lines around it.
            let problem = error.without_snippet().to_string();
            let problem = problem.lines().next().unwrap_or_default();
            let found = problem.split(" at line ").next().unwrap_or_default();
            Error::Wrong { line, problem: problem::problem(&field, found) }
        })
    }

    pub(crate) fn check(self) -> Result<Rules, Error> {
        let mut luids = BTreeSet::new();
        let mut sites = Vec::with_capacity(self.sites.len());
        for entry in self.sites {
            let luid = Line::from(entry.luid.clone());
            if !luids.insert(luid.value.to_ascii_lowercase()) {
                return Err(luid.wrong("this site stands above already"));
            }
            sites.push(entry.check()?);
        }
        let mut names = BTreeSet::new();
        let mut rules = Vec::with_capacity(self.rules.len());
        for entry in self.rules {
            let name = Line::from(entry.name);
            if !names.insert(name.value.clone()) {
                return Err(name.wrong(format!("a rule named `{}` stands above already", name.value)));
            }
            if entry.on.is_empty() || entry.r#do.is_empty() {
                return Err(
                    name.wrong(format!("the rule `{}` does nothing: fill in `on` and `do`", name.value))
                );
            }
            let mute_until = entry.mute_until.map(instant).transpose()?;
            let quiet = entry.quiet.map(QuietEntry::check).transpose()?;
            let hours = Hours { critical: entry.critical, mute_until, quiet };
            let on = entry.on.into_iter().map(event_name).collect::<Result<_, _>>()?;
            let actions = entry.r#do.into_iter().map(action).collect::<Result<_, _>>()?;
            rules.push(Rule { name: name.value, on, hours, actions });
        }
        Ok(Rules { sites, rules })
    }
}

impl SiteEntry {
    fn check(self) -> Result<Site, Error> {
        let luid = Line::from(self.luid);
        let timezone = self.timezone.map(time_zone).transpose()?.unwrap_or(TimeZone::UTC);
        let parsed = luid.value.parse().ok().filter(|_| is_luid(&luid.value));
        let shape = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
        let parsed =
            parsed.ok_or_else(|| luid.wrong(format!("`{}` is no LUID, such as {shape}", luid.value)))?;
        Ok(Site { luid: parsed, name: self.name, timezone })
    }
}

impl QuietEntry {
    fn check(self) -> Result<QuietHours, Error> {
        let (line, from, to) =
            (Line::from(self.from.clone()), time_of_day(self.from)?, time_of_day(self.to)?);
        if from == to {
            let at = from.strftime("%H:%M");
            return Err(line.wrong(format!("quiet hours from {at} to {at} are none")));
        }
        let timezone = self.timezone.map(time_zone).transpose()?;
        Ok(QuietHours { from, to, timezone })
    }
}

fn time_zone(name: Spanned<String>) -> Result<TimeZone, Error> {
    let name = Line::from(name);
    TimeZone::get(&name.value)
        .map_err(|_| name.wrong(format!("`{}` is no time zone, such as Europe/Berlin", name.value)))
}

fn time_of_day(text: Spanned<String>) -> Result<Time, Error> {
    let text = Line::from(text);
    Time::strptime("%H:%M", &text.value)
        .map_err(|_| text.wrong(format!("`{}` is no time of day, such as 22:00", text.value)))
}

fn instant(text: Spanned<String>) -> Result<Timestamp, Error> {
    let text = Line::from(text);
    let wrong = |_| text.wrong(format!("`{}` is no time, such as 2026-12-24T18:00:00+01:00", text.value));
    text.value.parse().map_err(wrong)
}

/// A site's LUID is a UUID. A mistyped one would keep every event of the site out, and have its webhooks switched off.
fn is_luid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

fn event_name(name: Spanned<String>) -> Result<EventName, Error> {
    let name = Line::from(name);
    match EventName::from(name.value.as_str()) {
        EventName::Other(text) => {
            let hint = match EventName::nearest(&text) {
                Some(known) => format!("; did you mean `{known}`?"),
                None => String::new(),
            };
            Err(name.wrong(format!("`{text}` is no event name{hint}")))
        }
        known => Ok(known),
    }
}

fn action(entry: Spanned<BTreeMap<String, Value>>) -> Result<(String, Line<Value>), Error> {
    let Line { value, line } = Line::from(entry);
    let mut entries = value.into_iter();
    match (entries.next(), entries.next()) {
        // Nothing behind the colon is a workflow without settings.
        (Some((workflow, Value::Null)), None) => Ok((workflow, Line { value: json!({}), line })),
        (Some((workflow, settings @ Value::Object(_))), None) => {
            Ok((workflow, Line { value: settings, line }))
        }
        _ => Err(Error::Wrong { line, problem: problem::ACTION.to_owned() }),
    }
}
