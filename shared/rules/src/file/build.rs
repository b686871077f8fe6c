//! From the values of a file to rules: what the shape cannot say is checked here. No I/O.

use super::entries::{EventEntry, File, MaintenanceEntry, MessageEntry, RuleEntry, SiteEntry, TimeEntry};
use super::never;
use super::node::{At, Position};
use super::values::{instant, site_luid, time_zone};
use crate::conditions::Conditions;
use crate::error::Problem;
use crate::family;
use crate::message::{self, Message};
use crate::rule::{Maintenance, NEVER, Place, Positions, Rule, SUSPENDS_AFTER, Settings, Site};
use crate::schedule::Hours;
use crate::settings;
use jiff::tz::TimeZone;
use plain_text::is_blank;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tableau::EventName;

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
    /// How many of the sites have no time zone.
    pub(crate) sites_without_timezone: usize,
    pub(crate) maintenance: Vec<Maintenance>,
    pub(crate) rules: Vec<Rule>,
}

/// Checks a file, and makes rules of it, without what is wrong in them.
pub(crate) fn build(file: File, at: At<'_>, depth: Depth, problems: &mut Vec<Problem>) -> Parts {
    let mut builder =
        Builder { depth, problems, sites: Vec::new(), defaults: BTreeMap::new(), own: Vec::new() };
    let lists_no_site = file.sites.as_ref().is_some_and(Vec::is_empty);
    let sites_without_timezone = file.sites.iter().flatten().filter(|site| site.timezone.is_none()).count();
    builder.sites(file.sites.unwrap_or_default(), at.key("sites"));
    builder.own_events(file.events, at.key("events"));
    builder.defaults(file.defaults, at.key("defaults"));
    let maintenance = builder.all_maintenance(file.maintenance, at.key("maintenance"));
    let rules = builder.rules(file.rules, at.key("rules"));
    Parts { sites: builder.sites, lists_no_site, sites_without_timezone, maintenance, rules }
}

pub(super) struct Builder<'p> {
    pub(super) depth: Depth,
    problems: &'p mut Vec<Problem>,
    pub(super) sites: Vec<Site>,
    defaults: BTreeMap<String, (Map<String, Value>, Positions)>,
    /// The names of `events`.
    own: Vec<String>,
}

impl Builder<'_> {
    pub(super) fn wrong(&mut self, at: Position, text: impl Into<String>) {
        self.problems.push(Problem::at(at, text));
    }

    /// What there is, if nothing is wrong with it.
    pub(super) fn kept<T>(&mut self, at: At<'_>, read: Result<T, String>) -> Option<T> {
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
            self.sites.push(Site {
                luid,
                name: entry.name,
                timezone: timezone.unwrap_or(TimeZone::UTC),
                suspends_after: suspends_after(entry.suspends_after.as_ref()),
            });
        }
    }

    fn own_events(&mut self, entries: Vec<EventEntry>, at: At<'_>) {
        for (index, EventEntry { name, .. }) in entries.into_iter().enumerate() {
            let at = at.item(index).key("name");
            if name.is_empty() {
                continue;
            }
            if self.own.contains(&name) {
                self.wrong(at.position(), format!("an event named `{name}` stands above already"));
                continue;
            }
            match family::check_own_event(&name) {
                Ok(()) => self.own.push(name),
                // A later version may know an event of this name: functions go on.
                Err(_) if self.depth == Depth::Function => {}
                Err(problem) => self.wrong(at.position(), format!("`{name}` {problem}")),
            }
        }
    }

    fn defaults(&mut self, entries: BTreeMap<String, Map<String, Value>>, at: At<'_>) {
        for (workflow, values) in entries {
            let at = at.key(&workflow);
            if self.depth == Depth::Settings && settings::workflow(&workflow).is_none() {
                self.wrong(at.key_position(), settings::unknown(&workflow));
                continue;
            }
            let positions = positions(&values, at);
            if let Some(known) = settings::workflow(&workflow).filter(|_| self.depth == Depth::Settings) {
                let settings = Settings {
                    value: Value::Object(values.clone()),
                    at: at.key_position(),
                    positions: positions.clone(),
                };
                self.problems.extend(known.problems_of_defaults(settings));
            }
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
            if is_for_ever && !self.is_reported(at) {
                self.wrong(at.position(), "maintenance without `days`, `from` and `to` never ends");
            }
            let time = TimeEntry { days, from, to, timezone };
            let window = self.window(time, "maintenance", at);
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
        let lists = [at.key("on"), at.key("do")];
        let is_reported = lists.iter().any(|at| self.is_reported(*at));
        if let Some(at) = lists.into_iter().find(|at| at.is_empty_list() && !is_reported) {
            let text = format!("the rule `{}` does nothing: fill in `on` and `do`", entry.name);
            self.wrong(at.key_position(), text);
        }
        if self.depth == Depth::Settings && !entry.name.is_empty() && is_blank(&entry.name) {
            self.wrong(at.key("name").position(), "the rule has no name");
        }
        let mute_until = entry.mute_until.and_then(|text| self.kept(at.key("mute_until"), instant(&text)));
        let quiet = entry.quiet.and_then(|quiet| self.window(quiet, "quiet", at.key("quiet")));
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
                if self.depth != Depth::Function && !self.is_reported(at) {
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
        let on_bits = on.iter().fold(0, |bits, event| bits | family::bit(event));
        let rule = Rule {
            name,
            on,
            on_bits,
            conditions,
            unless,
            otherwise: entry.otherwise,
            hours,
            message,
            actions,
        };
        if self.depth == Depth::Settings {
            self.problems.extend(of_workflows(&rule));
            self.problems.extend(never::problems(&rule, at));
        }
        rule
    }

    /// Whether something within this value was reported: then what is left of it says nothing.
    pub(super) fn is_reported(&self, at: At<'_>) -> bool {
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
            let own = self.own.iter().find(|own| *own == text).map(|own| [EventName::from(own.as_str())]);
            let events = match (family::events(text), &own) {
                (Some(events), _) => events,
                (None, Some(own)) => own.as_slice(),
                (None, None) if self.depth == Depth::Function => &[],
                (None, None) => {
                    is_complete = false;
                    let problem = family::unknown(text, &self.own);
                    self.wrong(at.position(), problem);
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
                let mut positions = positions(&written, at_settings);
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
                for problem in template.as_deref().map(message::problems).unwrap_or_default() {
                    self.wrong(at.key(key).position(), format!("message.{key}: {problem}"));
                }
            }
        }
        Message { title: entry.title, text: entry.text }
    }
}

/// Where the key and the value of each setting stand.
fn positions(settings: &Map<String, Value>, at: At<'_>) -> Positions {
    let place = |key: &String| {
        let at = at.key(key);
        (key.clone(), Place { key: at.key_position(), value: at.position(), block: at.block() })
    };
    settings.keys().map(place).collect()
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

/// After how many failures messages say that Tableau suspends a refresh. A value that a newer version wrote and this one
/// does not know counts as left out.
fn suspends_after(written: Option<&Value>) -> Option<u32> {
    match written {
        Some(Value::String(word)) if word == NEVER => None,
        Some(Value::Number(count)) => {
            let count =
                count.as_u64().map_or(SUSPENDS_AFTER, |count| u32::try_from(count).unwrap_or(u32::MAX));
            (count > 0).then_some(count)
        }
        _ => Some(SUSPENDS_AFTER),
    }
}
