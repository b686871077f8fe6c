//! The file as it is written, with lines, and its checks.

use crate::comment::Comment;
use crate::problem;
use crate::when::{Hours, QuietHours};
use crate::{Error, Rule, Rules, Site};
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use tableau::EventName;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    #[serde(deserialize_with = "written")]
    sites: Option<Vec<SiteEntry>>,
    rules: Vec<RuleEntry>,
}

/// A key that is there, also with nothing behind its colon.
fn written<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    value: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(value).map(|value| Some(value.unwrap_or_default()))
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
    r#do: Vec<Spanned<BTreeMap<String, SettingsEntry>>>,
}

/// Nothing behind the colon is a workflow without settings.
type SettingsEntry = Option<BTreeMap<String, Spanned<Value>>>;

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

/// What a rule says to a workflow.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) value: Value,
    /// The line of the workflow's name.
    pub(crate) line: u64,
    /// The lines of the settings.
    lines: BTreeMap<String, u64>,
}

impl Settings {
    /// The line of what this path begins with.
    pub(crate) fn line_of(&self, path: &str) -> u64 {
        let first = path.split(['.', '[']).next().unwrap_or_default();
        self.lines.get(first).copied().unwrap_or(self.line)
    }
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
            // The parser's text ends with the place, which stands before it already, and may show lines around it.
            let problem = error.without_snippet().to_string();
            let problem = problem.lines().next().unwrap_or_default();
            let found = problem.split(" at line ").next().unwrap_or_default();
            let line = error.location().map_or(1, |at| at.line());
            match problem::comment(text, found, line) {
                Some(comment) => Error::Wrong { line: comment.line, problem: comment.problem() },
                None => Error::Wrong { line, problem: problem::problem(&field, found) },
            }
        })
    }

    /// Checks what the parser cannot know. `text` is the file's, to say what is meant by a comment.
    pub(crate) fn check(self, text: &str) -> Result<Rules, Error> {
        let mut luids = BTreeSet::new();
        let lists_no_site = self.sites.as_ref().is_some_and(Vec::is_empty);
        let mut sites = Vec::new();
        for entry in self.sites.unwrap_or_default() {
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
            let actions = entry.r#do.into_iter().map(|entry| action(entry, text));
            let actions = actions.collect::<Result<_, _>>()?;
            rules.push(Rule { name: name.value, on, hours, actions });
        }
        Ok(Rules { sites, lists_no_site, unlisted: Vec::new(), rules })
    }
}

impl SiteEntry {
    fn check(self) -> Result<Site, Error> {
        let luid = unquoted(self.luid)?;
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
    let name = unquoted(name)?;
    TimeZone::get(&name.value)
        .map_err(|_| name.wrong(format!("`{}` is no time zone, such as Europe/Berlin", name.value)))
}

fn time_of_day(text: Spanned<String>) -> Result<Time, Error> {
    let text = unquoted(text)?;
    Time::strptime("%H:%M", &text.value)
        .map_err(|_| text.wrong(format!("`{}` is no time of day, such as 22:00", text.value)))
}

fn instant(text: Spanned<String>) -> Result<Timestamp, Error> {
    let text = unquoted(text)?;
    let wrong = |_| text.wrong(format!("`{}` is no time, such as 2026-12-24T18:00:00+01:00", text.value));
    text.value.parse().map_err(wrong)
}

/// A site's LUID is a UUID. A mistyped one would keep every event of the site out, and have its webhooks switched off.
fn is_luid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

fn event_name(name: Spanned<String>) -> Result<EventName, Error> {
    let name = unquoted(name)?;
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

/// A text that has no typographic quotation marks around it, which YAML takes for a part of it.
fn unquoted(text: Spanned<String>) -> Result<Line<String>, Error> {
    let text = Line::from(text);
    match problem::typographic_quotes("", &text.value) {
        Some(problem) => Err(text.wrong(problem)),
        None => Ok(text),
    }
}

fn action(entry: Spanned<BTreeMap<String, SettingsEntry>>, text: &str) -> Result<(String, Settings), Error> {
    let Line { value, line } = Line::from(entry);
    let mut entries = value.into_iter();
    let (Some((workflow, settings)), None) = (entries.next(), entries.next()) else {
        return Err(Error::Wrong { line, problem: problem::ACTION.to_owned() });
    };
    let mut value = Map::new();
    let mut lines = BTreeMap::new();
    for (name, setting) in settings.unwrap_or_default() {
        let setting = Line::from(setting);
        let comment = Comment::in_place_of_value(text, setting.line).filter(|_| setting.value.is_null());
        if let Some(comment) = comment {
            return Err(setting.wrong(comment.problem()));
        }
        if let Some(problem) =
            setting.value.as_str().and_then(|text| problem::typographic_quotes(&name, text))
        {
            return Err(setting.wrong(problem));
        }
        lines.insert(name.clone(), setting.line);
        value.insert(name, setting.value);
    }
    Ok((workflow, Settings { value: Value::Object(value), line, lines }))
}
