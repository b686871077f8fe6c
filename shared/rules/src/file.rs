//! The file as it is written, with lines, and its checks.

use crate::comment::Comment;
use crate::error::{Error, Problem};
use crate::rule::{Rule, Settings, Site};
use crate::schedule::{Hours, QuietHours};
use crate::{problem, settings};
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use plain_text::is_blank;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};
use tableau::{EventName, SiteLuid};

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
    #[serde(default, deserialize_with = "present")]
    timezone: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    name: Spanned<String>,
    on: Vec<Spanned<String>>,
    #[serde(default)]
    critical: bool,
    #[serde(default, deserialize_with = "present")]
    mute_until: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "present")]
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
    #[serde(default, deserialize_with = "present")]
    timezone: Option<Spanned<String>>,
}

/// A value and the line it stands on.
#[derive(Clone, Debug)]
struct Line<T> {
    value: T,
    line: u64,
}

/// How much of a file is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What a function needs, to know which rule is for which event. What rules say to workflows is for the workflows to judge.
    Structure,
    /// Also what rules say to every workflow, and what they say twice.
    Settings,
}

/// The value of a key that stands in the file. Without one the key would seem to be left out.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<T> Line<T> {
    fn wrong(&self, text: impl Into<String>) -> Problem {
        Problem::new(self.line, text)
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
                Some(comment) => Problem::new(comment.line, comment.problem()).into(),
                None => Problem::new(line, problem::problem(&field, found)).into(),
            }
        })
    }

    /// Whether `sites` is there, and empty.
    pub(crate) fn lists_no_site(&self) -> bool {
        self.sites.as_ref().is_some_and(Vec::is_empty)
    }

    /// Checks what the parser cannot know, and reports every mistake. `text` is the file's, to say what is meant by a comment.
    pub(crate) fn check(self, text: &str, depth: Depth) -> Result<(Vec<Site>, Vec<Rule>), Error> {
        let mut problems = Vec::new();
        let mut luids = BTreeSet::new();
        let mut sites = Vec::new();
        for entry in self.sites.unwrap_or_default() {
            let luid = Line::from(entry.luid.clone());
            if !luids.insert(luid.value.to_ascii_lowercase()) {
                problems.push(luid.wrong("this site stands above already"));
            }
            sites.extend(entry.check(&mut problems));
        }
        let mut names = BTreeSet::new();
        let mut rules = Vec::with_capacity(self.rules.len());
        for entry in self.rules {
            let name = Line::from(entry.name.clone());
            if !names.insert(name.value.clone()) {
                problems.push(name.wrong(format!("a rule named `{}` stands above already", name.value)));
            }
            rules.push(entry.check(text, depth, &mut problems));
        }
        Error::of(problems)?;
        Ok((sites, rules))
    }
}

/// What there is, if nothing is wrong with it.
fn kept<T>(checked: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    checked.map_err(|problem| problems.push(problem)).ok()
}

impl RuleEntry {
    /// The rule without what is wrong in it.
    fn check(self, text: &str, depth: Depth, problems: &mut Vec<Problem>) -> Rule {
        let name = Line::from(self.name);
        if self.on.is_empty() || self.r#do.is_empty() {
            problems
                .push(name.wrong(format!("the rule `{}` does nothing: fill in `on` and `do`", name.value)));
        }
        let mute_until = self.mute_until.and_then(|text| kept(instant(text), problems));
        let quiet = self.quiet.and_then(|quiet| quiet.check(problems));
        let hours = Hours { critical: self.critical, mute_until, quiet };
        let asked = self.on.len();
        let on: Vec<Line<EventName>> =
            self.on.into_iter().filter_map(|name| kept(event_name(name), problems)).collect();
        let actions = self.r#do.into_iter().filter_map(|entry| kept(action(entry, text), problems)).collect();
        let mut rule = Rule { name: name.value.clone(), on: Vec::new(), hours, actions };
        if depth == Depth::Settings {
            if is_blank(&name.value) {
                problems.push(name.wrong("the rule has no name"));
            }
            problems.extend(repeated(&on));
        }
        // Of a rule with a misspelt event it is not known whether its workflows act on any.
        let is_complete = on.len() == asked;
        if is_complete {
            rule.on = on.into_iter().map(|event| event.value).collect();
        }
        if depth == Depth::Settings {
            problems.extend(of_workflows(&rule));
        }
        rule
    }
}

/// Events that a rule names more than once.
fn repeated(on: &[Line<EventName>]) -> impl Iterator<Item = Problem> {
    let again = on.iter().enumerate().filter(|(at, event)| on[..*at].iter().any(|e| e.value == event.value));
    again.map(|(_, event)| event.wrong(format!("`{}` stands above already in this `on`", event.value)))
}

/// What is wrong with what a rule says to its workflows.
fn of_workflows(rule: &Rule) -> Vec<Problem> {
    let known: BTreeSet<&str> = rule.actions.iter().map(|(name, _)| name.as_str()).collect();
    let mut problems = Vec::new();
    for name in known {
        match settings::workflow(name) {
            Some(known) => problems.extend(known.problems(rule)),
            None => {
                let unknown = rule.settings_of(name);
                problems.extend(unknown.map(|of| Problem::new(of.line, settings::unknown(name))));
            }
        }
    }
    problems
}

impl SiteEntry {
    fn check(self, problems: &mut Vec<Problem>) -> Option<Site> {
        let timezone = self.timezone.and_then(|name| kept(time_zone(name), problems));
        let luid = kept(site_luid(self.luid), problems)?;
        Some(Site { luid, name: self.name, timezone: timezone.unwrap_or(TimeZone::UTC) })
    }
}

impl QuietEntry {
    fn check(self, problems: &mut Vec<Problem>) -> Option<QuietHours> {
        let line = Line::from(self.from.clone());
        let from = kept(time_of_day(self.from), problems);
        let to = kept(time_of_day(self.to), problems);
        let timezone = self.timezone.and_then(|name| kept(time_zone(name), problems));
        let from = from?;
        let to = to?;
        if from == to {
            let at = from.strftime("%H:%M");
            problems.push(line.wrong(format!("quiet hours from {at} to {at} are none")));
        }
        Some(QuietHours { from, to, timezone })
    }
}

fn site_luid(text: Spanned<String>) -> Result<SiteLuid, Problem> {
    let text = unquoted(text)?;
    let luid = text.value.parse().ok().filter(|_| is_luid(&text.value));
    let shape = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
    luid.ok_or_else(|| text.wrong(format!("`{}` is no LUID, such as {shape}", text.value)))
}

fn time_zone(name: Spanned<String>) -> Result<TimeZone, Problem> {
    let name = unquoted(name)?;
    TimeZone::get(&name.value)
        .map_err(|_| name.wrong(format!("`{}` is no time zone, such as Europe/Berlin", name.value)))
}

fn time_of_day(text: Spanned<String>) -> Result<Time, Problem> {
    let text = unquoted(text)?;
    Time::strptime("%H:%M", &text.value)
        .map_err(|_| text.wrong(format!("`{}` is no time of day, such as 22:00", text.value)))
}

fn instant(text: Spanned<String>) -> Result<Timestamp, Problem> {
    let text = unquoted(text)?;
    let wrong = |_| text.wrong(format!("`{}` is no time, such as 2026-12-24T18:00:00+01:00", text.value));
    text.value.parse().map_err(wrong)
}

/// A site's LUID is a UUID. A mistyped one would keep every event of the site out, and have its webhooks switched off.
fn is_luid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

fn event_name(name: Spanned<String>) -> Result<Line<EventName>, Problem> {
    let name = unquoted(name)?;
    match EventName::from(name.value.as_str()) {
        EventName::Other(text) => {
            let hint = match EventName::nearest(&text) {
                Some(known) => format!("; did you mean `{known}`?"),
                None => String::new(),
            };
            Err(name.wrong(format!("`{text}` is no event name{hint}")))
        }
        known => Ok(Line { value: known, line: name.line }),
    }
}

/// A text that has no typographic quotation marks around it, which YAML takes for a part of it.
fn unquoted(text: Spanned<String>) -> Result<Line<String>, Problem> {
    let text = Line::from(text);
    match problem::typographic_quotes("", &text.value) {
        Some(problem) => Err(text.wrong(problem)),
        None => Ok(text),
    }
}

fn action(
    entry: Spanned<BTreeMap<String, SettingsEntry>>,
    text: &str,
) -> Result<(String, Settings), Problem> {
    let Line { value, line } = Line::from(entry);
    let mut entries = value.into_iter();
    let (Some((workflow, settings)), None) = (entries.next(), entries.next()) else {
        return Err(Problem::new(line, problem::ACTION));
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
