//! From the values of a file to rules: what the shape cannot say is checked here. No I/O.

use super::entries::{
    ConditionsEntry, File, MaintenanceEntry, MessageEntry, RuleEntry, SiteEntry, TimeEntry,
};
use super::node::{At, Position};
use crate::conditions::Conditions;
use crate::error::Problem;
use crate::facts::Text;
use crate::family;
use crate::glob::Glob;
use crate::message::{self, Message};
use crate::rule::{Maintenance, Rule, Settings, Site};
use crate::schedule::Hours;
use crate::settings::{self, CAUSES};
use crate::window::{Days, Window, days};
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use plain_text::is_blank;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tableau::{EventName, SiteLuid};

/// How much of a file is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What a function needs of the JSON form. Events, classes and keys that it does not know are left out.
    Function,
    /// Which rule is for which event. Each workflow judges its own settings.
    Structure,
    /// Also the settings of every workflow, and repetitions.
    Settings,
}

/// What a file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) sites: Vec<Site>,
    /// Whether `sites` is there, and empty.
    pub(crate) lists_no_site: bool,
    pub(crate) maintenance: Vec<Maintenance>,
    pub(crate) rules: Vec<Rule>,
}

/// Checks a file, and makes rules of it, without what is wrong in them.
pub(crate) fn build(file: File, at: At<'_>, depth: Depth, problems: &mut Vec<Problem>) -> Parts {
    let mut builder = Builder { depth, problems, sites: Vec::new(), defaults: BTreeMap::new() };
    let lists_no_site = file.sites.as_ref().is_some_and(Vec::is_empty);
    builder.sites(file.sites.unwrap_or_default(), at.key("sites"));
    builder.defaults(file.defaults, at.key("defaults"));
    let maintenance = builder.all_maintenance(file.maintenance, at.key("maintenance"));
    let rules = builder.rules(file.rules, at.key("rules"));
    Parts { sites: builder.sites, lists_no_site, maintenance, rules }
}

struct Builder<'p> {
    depth: Depth,
    problems: &'p mut Vec<Problem>,
    sites: Vec<Site>,
    defaults: BTreeMap<String, (Map<String, Value>, BTreeMap<String, Position>)>,
}

impl Builder<'_> {
    fn wrong(&mut self, at: Position, text: impl Into<String>) {
        self.problems.push(Problem::at(at, text));
    }

    /// What there is, if nothing is wrong with it.
    fn kept<T>(&mut self, at: At<'_>, read: Result<T, String>) -> Option<T> {
        read.map_err(|text| self.wrong(at.position(), text)).ok()
    }

    fn sites(&mut self, entries: Vec<SiteEntry>, at: At<'_>) {
        let mut luids = BTreeSet::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let at = at.item(index);
            if !entry.luid.is_empty() && !luids.insert(entry.luid.to_ascii_lowercase()) {
                self.wrong(at.key("luid").position(), "this site stands above already");
            }
            let timezone = entry.timezone.and_then(|name| self.kept(at.key("timezone"), time_zone(&name)));
            if entry.luid.is_empty() {
                continue;
            }
            let Some(luid) = self.kept(at.key("luid"), site_luid(&entry.luid)) else { continue };
            self.sites.push(Site { luid, name: entry.name, timezone: timezone.unwrap_or(TimeZone::UTC) });
        }
    }

    fn defaults(&mut self, entries: BTreeMap<String, Map<String, Value>>, at: At<'_>) {
        for (workflow, values) in entries {
            let at = at.key(&workflow);
            if self.depth == Depth::Settings && settings::workflow(&workflow).is_none() {
                self.wrong(at.key_position(), settings::unknown(&workflow));
                continue;
            }
            let positions = values.keys().map(|key| (key.clone(), at.key(key).position())).collect();
            self.defaults.insert(workflow, (values, positions));
        }
    }

    fn all_maintenance(&mut self, entries: Vec<MaintenanceEntry>, at: At<'_>) -> Vec<Maintenance> {
        let mut names = BTreeSet::new();
        let mut all = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let at = at.item(index);
            if !entry.name.is_empty() && !names.insert(entry.name.clone()) {
                let text = format!("a maintenance window named `{}` stands above already", entry.name);
                self.wrong(at.key("name").position(), text);
            }
            let MaintenanceEntry { name, r#where, days, from, to, timezone } = entry;
            let is_for_ever = days.is_empty() && from.is_none() && to.is_none();
            if is_for_ever {
                self.wrong(at.position(), "maintenance without `days`, `from` and `to` never ends");
            }
            let time = TimeEntry { days, from, to, timezone };
            let window = self.window(time, at, true);
            let conditions = r#where.map(|entry| self.conditions(entry, at.key("where"))).unwrap_or_default();
            if let Some(window) = window.filter(|_| !is_for_ever) {
                all.push(Maintenance { name, conditions, window });
            }
        }
        all
    }

    fn rules(&mut self, entries: Vec<RuleEntry>, at: At<'_>) -> Vec<Rule> {
        let mut names = BTreeSet::new();
        let mut rules = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let at = at.item(index);
            if !entry.name.is_empty() && !names.insert(entry.name.clone()) {
                let text = format!("a rule named `{}` stands above already", entry.name);
                self.wrong(at.key("name").position(), text);
            }
            if entry.otherwise && index == 0 && self.depth == Depth::Settings {
                let text = "`otherwise` is for events that no rule above matches, and there is no rule above";
                self.wrong(at.key("otherwise").key_position(), text);
            }
            rules.push(self.rule(entry, at));
        }
        rules
    }

    fn rule(&mut self, entry: RuleEntry, at: At<'_>) -> Rule {
        let is_empty = |key: &str, has_none: bool| has_none && at.key(key).is_empty_list();
        let is_idle = is_empty("on", entry.on.is_empty()) || is_empty("do", entry.r#do.is_empty());
        if is_idle {
            let text = format!("the rule `{}` does nothing: fill in `on` and `do`", entry.name);
            self.wrong(at.key("name").position(), text);
        }
        if self.depth == Depth::Settings && !entry.name.is_empty() && is_blank(&entry.name) {
            self.wrong(at.key("name").position(), "the rule has no name");
        }
        let mute_until = entry.mute_until.and_then(|text| self.kept(at.key("mute_until"), instant(&text)));
        let quiet = entry.quiet.and_then(|quiet| self.window(quiet, at.key("quiet"), false));
        let hours = Hours {
            critical: entry.critical,
            mute_until,
            quiet: quiet.into_iter().collect(),
            maintenance: Vec::new(),
        };
        let conditions = match entry.r#where {
            Some(conditions) => self.conditions(conditions, at.key("where")),
            None => Conditions::default(),
        };
        let mut unless = Vec::with_capacity(entry.unless.len());
        for (index, conditions) in entry.unless.into_iter().enumerate() {
            let at = at.key("unless").item(index);
            let conditions = self.conditions(conditions, at);
            if conditions.is_empty() {
                if !self.is_reported(at) {
                    self.wrong(at.key_position(), "`unless` has no condition, so the rule would never match");
                }
                continue;
            }
            unless.push(conditions);
        }
        let message = entry.message.map(|message| self.message(message, at.key("message")));
        let (on, is_complete) = self.events(&entry.on, at.key("on"));
        let actions = self.actions(entry.r#do, at.key("do"));
        // Of a rule with a misspelt event it is not known whether its workflows act on any.
        let on = if is_complete { on } else { Vec::new() };
        let name = entry.name;
        let rule = Rule { name, on, conditions, unless, otherwise: entry.otherwise, hours, message, actions };
        if self.depth == Depth::Settings {
            self.problems.extend(of_workflows(&rule));
        }
        rule
    }

    /// Whether something within this value was reported: then what is left of it says nothing.
    fn is_reported(&self, at: At<'_>) -> bool {
        let is_known = at.position() != Position::default();
        is_known && self.problems.iter().any(|problem| at.contains(problem.at))
    }

    fn events(&mut self, names: &[String], at: At<'_>) -> (Vec<EventName>, bool) {
        let mut on = Vec::new();
        let mut written: Vec<&str> = Vec::new();
        let mut is_complete = true;
        for (index, text) in names.iter().enumerate() {
            let at = at.item(index);
            if written.contains(&text.as_str()) && self.depth == Depth::Settings {
                self.wrong(at.position(), format!("`{text}` stands above already in this `on`"));
            }
            written.push(text);
            let events = match family::events(text) {
                Some(events) => events,
                None if self.depth == Depth::Function => &[],
                None => {
                    is_complete = false;
                    self.wrong(at.position(), family::unknown(text));
                    &[]
                }
            };
            for event in events {
                if !on.contains(event) {
                    on.push(event.clone());
                }
            }
        }
        (on, is_complete)
    }

    fn actions(
        &mut self,
        entries: Vec<BTreeMap<String, Option<Map<String, Value>>>>,
        at: At<'_>,
    ) -> Vec<(String, Settings)> {
        let mut actions = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let at = at.item(index);
            for (workflow, written) in entry {
                let at_settings = at.key(&workflow);
                let written = written.unwrap_or_default();
                let mut positions: BTreeMap<String, Position> =
                    written.keys().map(|key| (key.clone(), at_settings.key(key).position())).collect();
                let mut value = written;
                if let Some((defaults, places)) = self.defaults.get(&workflow) {
                    for (key, default) in defaults {
                        if !value.contains_key(key) {
                            value.insert(key.clone(), default.clone());
                            positions.extend(places.get(key).map(|place| (key.clone(), *place)));
                        }
                    }
                }
                let at = at.position();
                actions.push((workflow, Settings { value: Value::Object(value), at, positions }));
            }
        }
        actions
    }

    fn message(&mut self, entry: MessageEntry, at: At<'_>) -> Message {
        if self.depth == Depth::Settings {
            for (key, template) in [("title", &entry.title), ("text", &entry.text)] {
                if let Some(problem) = template.as_deref().and_then(message::problem) {
                    self.wrong(at.key(key).position(), format!("message.{key}: {problem}"));
                }
            }
        }
        Message { title: entry.title, text: entry.text }
    }

    fn conditions(&mut self, entry: ConditionsEntry, at: At<'_>) -> Conditions {
        let mut sites = Vec::with_capacity(entry.site.len());
        for (index, name) in entry.site.iter().enumerate() {
            let found = self.sites.iter().find(|site| {
                site.name.eq_ignore_ascii_case(name) || site.luid.as_str().eq_ignore_ascii_case(name)
            });
            match (found, name.parse::<SiteLuid>().ok().filter(|_| is_luid(name))) {
                (Some(site), _) => sites.push((name.clone(), site.luid.clone())),
                (None, Some(luid)) => sites.push((name.clone(), luid)),
                (None, None) => {
                    let known: Vec<String> = self.sites.iter().map(|site| site.name.clone()).collect();
                    let text = match tableau::nearest(name, known.iter().map(String::as_str)) {
                        Some(near) => format!("`sites` has no site `{name}`; did you mean `{near}`?"),
                        None => format!("`sites` has no site `{name}`: list it there with its LUID"),
                    };
                    self.wrong(at.key("site").item(index).position(), text);
                }
            }
        }
        let mut cause = Vec::with_capacity(entry.cause.len());
        for (index, name) in entry.cause.iter().enumerate() {
            match CAUSES.iter().find(|class| class.eq_ignore_ascii_case(name)) {
                Some(class) => cause.push((*class).to_owned()),
                // A newer file may name classes that this version does not know.
                None if self.depth == Depth::Function => cause.push(name.clone()),
                None => {
                    let text = match tableau::nearest(name, CAUSES) {
                        Some(near) => format!("`{name}` is no class of causes; did you mean `{near}`?"),
                        None => format!("`{name}` is no class of causes; there are: {}", CAUSES.join(", ")),
                    };
                    self.wrong(at.key("cause").item(index).position(), text);
                }
            }
        }
        let texts = |all: Vec<String>| all.into_iter().map(Text::name).collect::<Vec<_>>();
        let names = |all: Vec<String>| all.iter().map(|text| Glob::name(text)).collect::<Vec<_>>();
        let tags = entry.tags.unwrap_or_default();
        for (key, values) in [
            ("project", &entry.project),
            ("name", &entry.name),
            ("owner", &entry.owner),
            ("owner_group", &entry.owner_group),
        ] {
            for (index, value) in values.iter().enumerate() {
                if is_blank(value) {
                    self.wrong(at.key(key).item(index).position(), format!("{key}: the text is empty"));
                }
            }
        }
        Conditions {
            sites,
            project: entry.project.iter().map(|text| Glob::path(text)).collect(),
            name: names(entry.name),
            tags_any: texts(tags.any),
            tags_all: texts(tags.all),
            tags_none: texts(tags.none),
            owner: names(entry.owner),
            owner_group: names(entry.owner_group),
            certified: entry.certified,
            cause,
            failures_in_a_row: entry.failures_in_a_row,
            time: entry.time.and_then(|time| self.window(time, at.key("time"), false)),
        }
    }

    /// Days and hours. `with_dates`: whether a day may be a date.
    fn window(&mut self, entry: TimeEntry, at: At<'_>, with_dates: bool) -> Option<Window> {
        let mut weekdays = Vec::new();
        let mut dates = Vec::new();
        for (index, text) in entry.days.iter().enumerate() {
            match days(text, with_dates) {
                Some(Days::Some { weekdays: more, dates: more_dates }) => {
                    weekdays.extend(more);
                    dates.extend(more_dates);
                }
                Some(Days::Every) => {}
                None => {
                    let date = if with_dates { ", or 2026-12-24" } else { "" };
                    let text =
                        format!("`{text}` is no day, such as Mon, Mon-Fri, weekdays or weekends{date}");
                    self.wrong(at.key("days").item(index).position(), text);
                }
            }
        }
        let timezone = entry.timezone.and_then(|name| self.kept(at.key("timezone"), time_zone(&name)));
        let from = entry.from.as_deref().map(|text| self.kept(at.key("from"), time_of_day(text)));
        let to = entry.to.as_deref().map(|text| self.kept(at.key("to"), time_of_day(text)));
        let hours = match (from, to) {
            (None, None) => None,
            (Some(from), Some(to)) => Some((from?, to?)),
            (from, _) => {
                let missing = if from.is_none() { "from" } else { "to" };
                if !self.is_reported(at) {
                    self.wrong(at.position(), format!("write both times: `{missing}` is missing"));
                }
                return None;
            }
        };
        if let Some((from, to)) = hours.filter(|(from, to)| from == to) {
            let from = from.strftime("%H:%M");
            let to = to.strftime("%H:%M");
            self.wrong(at.key("from").position(), format!("the hours from {from} to {to} are none"));
            return None;
        }
        let days = if entry.days.is_empty() { Days::Every } else { Days::Some { weekdays, dates } };
        if hours.is_none() && days == Days::Every {
            if !self.is_reported(at) {
                self.wrong(at.position(), "write `days`, or `from` and `to`, or all three");
            }
            return None;
        }
        Some(Window { days, hours, timezone })
    }
}

/// What is wrong with the settings of a rule's workflows.
fn of_workflows(rule: &Rule) -> Vec<Problem> {
    let known: BTreeSet<&str> = rule.actions.iter().map(|(name, _)| name.as_str()).collect();
    let mut problems = Vec::new();
    for name in known {
        match settings::workflow(name) {
            Some(known) => problems.extend(known.problems(rule)),
            None => {
                let unknown = rule.settings_of(name);
                problems.extend(unknown.map(|of| Problem::at(of.at, settings::unknown(name))));
            }
        }
    }
    problems
}

fn site_luid(text: &str) -> Result<SiteLuid, String> {
    let luid = text.parse().ok().filter(|_| is_luid(text));
    luid.ok_or_else(|| format!("`{text}` is no LUID, such as 8b2a95d8-52b9-40a4-8712-cd6da771bd1b"))
}

fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| format!("`{name}` is no time zone, such as Europe/Berlin"))
}

fn time_of_day(text: &str) -> Result<Time, String> {
    Time::strptime("%H:%M", text).map_err(|_| format!("`{text}` is no time of day, such as 22:00"))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("`{text}` is no time, such as 2026-12-24T18:00:00+01:00"))
}

/// A site's LUID is a UUID. A mistyped one would keep every event of the site out, and have its webhooks switched off.
fn is_luid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}
