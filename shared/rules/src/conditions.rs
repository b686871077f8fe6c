//! The conditions of a rule, and whether they hold for an event. No I/O.

use crate::facts::{Fact, Facts, Lookup, Text};
use crate::glob::{Folded, Glob};
use crate::window::Window;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt;
use tableau::{Event, SiteLuid};

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Conditions {
    pub(crate) sites: Vec<(String, SiteLuid)>,
    pub(crate) project: Vec<Glob>,
    pub(crate) name: Vec<Glob>,
    pub(crate) tags_any: Vec<Text>,
    pub(crate) tags_all: Vec<Text>,
    pub(crate) tags_none: Vec<Text>,
    pub(crate) owner: Vec<Glob>,
    pub(crate) owner_group: Vec<Glob>,
    pub(crate) certified: Option<bool>,
    pub(crate) cause: Vec<String>,
    pub(crate) failures_in_a_row: Option<u32>,
    pub(crate) time: Option<Window>,
}

/// An event, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a> {
    pub(crate) event: &'a Event,
    pub(crate) name: &'a Folded,
    pub(crate) facts: &'a Facts,
    /// When the event happened.
    pub(crate) at: Timestamp,
    pub(crate) timezone: &'a TimeZone,
}

/// Whether conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// All that can be known do. These could not be looked up, and why.
    Yes(Vec<Missing>),
    /// This one does not: its key.
    No(&'static str),
}

/// Something that a rule asks and that could not be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What was asked.
    pub lookup: Lookup,
    /// Why it is not known: for people, without a full stop.
    pub why: String,
}

/// The first condition of a rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The condition's key, such as `tags.any`.
    pub condition: &'static str,
    /// What the rule has there.
    pub expected: String,
    /// What the event has.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} does not match {}", self.condition, self.found, self.expected)
    }
}

/// One condition.
enum Leaf {
    Holds,
    Fails,
    Missing(String),
}

type Check = fn(&Conditions, &Query<'_>) -> Result<Option<Leaf>, Lookup>;

/// In this order: what costs nothing, what costs few calls, and the cause, which may need as many as a site has jobs.
const CHECKS: [(&str, Check, Option<Lookup>); 12] = [
    ("site", Conditions::site, None),
    ("name", Conditions::name, None),
    ("time", Conditions::time, None),
    ("failures_in_a_row", Conditions::failures, Some(Lookup::FailuresInARow)),
    ("tags.any", Conditions::any, Some(Lookup::Content)),
    ("tags.all", Conditions::all, Some(Lookup::Content)),
    ("tags.none", Conditions::none, Some(Lookup::Content)),
    ("certified", Conditions::certified, Some(Lookup::Content)),
    ("project", Conditions::project, Some(Lookup::Project)),
    ("owner", Conditions::owner, Some(Lookup::Owner)),
    ("owner_group", Conditions::owner_group, Some(Lookup::OwnerGroups)),
    ("cause", Conditions::cause, Some(Lookup::Cause)),
];

impl Conditions {
    /// Whether there is no condition.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether one of them needs this lookup.
    pub(crate) fn ask(&self, lookup: Lookup) -> bool {
        match lookup {
            Lookup::Content => {
                let tags = [&self.tags_any, &self.tags_all, &self.tags_none];
                self.certified.is_some() || tags.iter().any(|tags| !tags.is_empty())
            }
            Lookup::Project => !self.project.is_empty(),
            Lookup::Owner => !self.owner.is_empty(),
            Lookup::OwnerGroups => !self.owner_group.is_empty(),
            Lookup::Cause => !self.cause.is_empty(),
            Lookup::FailuresInARow => self.failures_in_a_row.is_some(),
            Lookup::DeletedBy => false,
        }
    }

    /// Whether all conditions hold.
    ///
    /// # Errors
    /// The [`Lookup`] that has to be made first.
    pub(crate) fn hold(&self, query: &Query<'_>) -> Result<Held, Lookup> {
        let mut missing: Vec<Missing> = Vec::new();
        for (condition, check, lookup) in &CHECKS {
            match check(self, query)? {
                None | Some(Leaf::Holds) => {}
                Some(Leaf::Fails) => return Ok(Held::No(condition)),
                Some(Leaf::Missing(why)) => {
                    let Some(lookup) = *lookup else { continue };
                    if !missing.iter().any(|missing| missing.lookup == lookup) {
                        missing.push(Missing { lookup, why });
                    }
                }
            }
        }
        Ok(Held::Yes(missing))
    }

    fn site(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        let is_of =
            |(_, luid): &(String, SiteLuid)| luid.as_str().eq_ignore_ascii_case(query.event.site.as_str());
        Ok(leaf(!self.sites.is_empty(), || self.sites.iter().any(is_of)))
    }

    fn name(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        Ok(leaf(!self.name.is_empty(), || self.name.iter().any(|glob| glob.matches(query.name))))
    }

    fn time(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        let Some(window) = &self.time else { return Ok(None) };
        Ok(leaf(true, || window.contains(query.at, query.timezone)))
    }

    fn failures(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        let Some(least) = self.failures_in_a_row else { return Ok(None) };
        of_fact(&query.facts.failures_in_a_row, Lookup::FailuresInARow, |failures| *failures >= least, false)
    }

    fn any(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        if self.tags_any.is_empty() {
            return Ok(None);
        }
        let has = |tags: &Vec<Text>| self.tags_any.iter().any(|tag| has_tag(tags, tag));
        of_fact(&query.facts.tags, Lookup::Content, has, false)
    }

    fn all(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        if self.tags_all.is_empty() {
            return Ok(None);
        }
        let has = |tags: &Vec<Text>| self.tags_all.iter().all(|tag| has_tag(tags, tag));
        of_fact(&query.facts.tags, Lookup::Content, has, false)
    }

    fn none(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        if self.tags_none.is_empty() {
            return Ok(None);
        }
        let has = |tags: &Vec<Text>| !self.tags_none.iter().any(|tag| has_tag(tags, tag));
        of_fact(&query.facts.tags, Lookup::Content, has, true)
    }

    fn certified(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        let Some(expected) = self.certified else { return Ok(None) };
        of_fact(&query.facts.certified, Lookup::Content, |certified| *certified == expected, !expected)
    }

    fn project(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        if self.project.is_empty() {
            return Ok(None);
        }
        let is_in = |path: &Text| self.project.iter().any(|glob| glob.matches(&path.folded));
        of_fact(&query.facts.project, Lookup::Project, is_in, false)
    }

    fn owner(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        if self.owner.is_empty() {
            return Ok(None);
        }
        let is_of = |names: &Vec<Text>| {
            names.iter().any(|name| self.owner.iter().any(|glob| glob.matches(&name.folded)))
        };
        of_fact(&query.facts.owner, Lookup::Owner, is_of, false)
    }

    fn owner_group(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        if self.owner_group.is_empty() {
            return Ok(None);
        }
        let is_in = |names: &Vec<Text>| {
            names.iter().any(|name| self.owner_group.iter().any(|glob| glob.matches(&name.folded)))
        };
        of_fact(&query.facts.owner_groups, Lookup::OwnerGroups, is_in, false)
    }

    fn cause(&self, query: &Query<'_>) -> Result<Option<Leaf>, Lookup> {
        if self.cause.is_empty() {
            return Ok(None);
        }
        of_fact(&query.facts.cause, Lookup::Cause, |class| self.cause.contains(class), false)
    }

    /// A condition that does not hold, for people.
    pub(crate) fn mismatch(&self, condition: &'static str, query: &Query<'_>) -> Mismatch {
        let (expected, found) = self.both_sides(condition, query);
        Mismatch { condition, expected, found }
    }

    /// What a condition expects, and what the event has.
    fn both_sides(&self, condition: &str, query: &Query<'_>) -> (String, String) {
        let facts = query.facts;
        match condition {
            "site" => (
                listed(self.sites.iter().map(|(name, _)| name.as_str())),
                query.event.site.as_str().to_owned(),
            ),
            "name" => (globs(&self.name), quoted(query.event.resource_name.as_deref().unwrap_or_default())),
            "time" => (
                "the days and hours".to_owned(),
                query.at.to_zoned(query.timezone.clone()).strftime("%a %H:%M").to_string(),
            ),
            "failures_in_a_row" => (
                format!("at least {}", self.failures_in_a_row.unwrap_or_default()),
                shown(&facts.failures_in_a_row, u32::to_string),
            ),
            "tags.any" => (texts(&self.tags_any), shown(&facts.tags, |tags| texts(tags))),
            "tags.all" => (texts(&self.tags_all), shown(&facts.tags, |tags| texts(tags))),
            "tags.none" => {
                (format!("none of {}", texts(&self.tags_none)), shown(&facts.tags, |tags| texts(tags)))
            }
            "certified" => {
                (self.certified.unwrap_or_default().to_string(), shown(&facts.certified, bool::to_string))
            }
            "project" => (globs(&self.project), shown(&facts.project, |path| quoted(&path.shown))),
            "owner" => (globs(&self.owner), shown(&facts.owner, |names| texts(names))),
            "owner_group" => (globs(&self.owner_group), shown(&facts.owner_groups, |names| texts(names))),
            _ => (listed(self.cause.iter().map(String::as_str)), shown(&facts.cause, Clone::clone)),
        }
    }
}

fn leaf(is_asked: bool, holds: impl FnOnce() -> bool) -> Option<Leaf> {
    is_asked.then(|| if holds() { Leaf::Holds } else { Leaf::Fails })
}

/// `of_absent`: whether the condition holds for an object that has no such thing.
fn of_fact<T>(
    fact: &Fact<T>,
    lookup: Lookup,
    holds: impl FnOnce(&T) -> bool,
    of_absent: bool,
) -> Result<Option<Leaf>, Lookup> {
    match fact {
        Fact::NotAsked => Err(lookup),
        Fact::Known(value) => Ok(leaf(true, || holds(value))),
        Fact::Absent => Ok(leaf(true, || of_absent)),
        Fact::Missing(why) => Ok(Some(Leaf::Missing(why.clone()))),
    }
}

fn has_tag(tags: &[Text], tag: &Text) -> bool {
    tags.iter().any(|one| one.folded == tag.folded)
}

fn shown<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> String) -> String {
    match fact {
        Fact::Known(value) => show(value),
        Fact::Absent | Fact::NotAsked => "none".to_owned(),
        Fact::Missing(why) => format!("unknown ({why})"),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn globs(globs: &[Glob]) -> String {
    listed(globs.iter().map(|glob| glob.text.as_str()))
}

fn texts(texts: &[Text]) -> String {
    listed(texts.iter().map(|text| text.shown.as_str()))
}

fn listed<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let listed: Vec<String> = texts.map(quoted).collect();
    if listed.is_empty() { "none".to_owned() } else { listed.join(" or ") }
}
