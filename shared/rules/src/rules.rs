//! A rules file, checked, and what it says about an event.

use crate::error::Error;
use crate::facts::Lookup;
use crate::file::Position;
use crate::file::{self, Depth, Parts};
use crate::matched::Matched;
use crate::message::Message;
use crate::rule::{Maintenance, Rule, Site};
use crate::schedule::{Hours, Schedule};
use crate::settings;
use crate::window::Window;
use crate::workflow::{self, WorkflowSettings};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use tableau::{Event, EventName, OwnEvent, SiteLuid};

/// The largest rules file, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// A rules file, checked.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    sites: Vec<Site>,
    /// Whether `sites` is there, and empty.
    lists_no_site: bool,
    /// How many of the sites have no time zone.
    sites_without_timezone: usize,
    /// Sites that the file does not list, and whose name and time zone are known all the same.
    unlisted: Vec<Site>,
    pub(crate) maintenance: Vec<Maintenance>,
    pub(crate) rules: Vec<Rule>,
}

/// What a rule asks a workflow to do about an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Action<S> {
    /// The rule's name.
    pub rule: String,
    /// The workflow's settings in it.
    pub settings: S,
    /// The rule's own words for notifications.
    pub message: Option<Message>,
    hours: Hours,
    timezone: TimeZone,
}

impl<S> Action<S> {
    /// When a notification of the rule is sent that is due at `now`: the rule may be muted or in its quiet hours, and there may
    /// be maintenance.
    pub fn schedule(&self, now: Timestamp) -> Schedule {
        self.hours.schedule(now, &self.timezone)
    }

    /// Until when the rule is muted, if it is: for a workflow that sends no notifications, whose work waits for no other time.
    pub fn muted_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.hours.mute_until.filter(|until| *until > now)
    }
}

impl Rules {
    /// Reads the JSON form of a rules file, as a function does: settings of workflows are read when they are asked for, and a
    /// workflow, event or key that this version does not know is no error. So a function goes on when the file is newer than
    /// the function.
    ///
    /// # Errors
    /// [`Error`] when the text is not the JSON form of a rules file or has mistakes.
    pub fn of_json(json: &str) -> Result<Self, Error> {
        file::read_json(json).map(Self::from)
    }

    /// The JSON form of the text of a rules file, after all checks.
    ///
    /// # Errors
    /// As for [`Rules::check_text`].
    pub fn to_json(text: &str) -> Result<String, Error> {
        let (_, file) = file::read(text, Depth::Settings)?;
        serde_json::to_string(&file).map_err(|error| {
            Error::from(crate::Problem {
                at: crate::Position::default(),
                rule: None,
                text: error.to_string(),
            })
        })
    }

    /// Reads the text of a rules file. Settings of workflows are read when they are asked for.
    ///
    /// # Errors
    /// [`Error`] with every mistake, when the text has any.
    pub fn parse(text: &str) -> Result<Self, Error> {
        file::read(text, Depth::Structure).map(|(parts, _)| parts.into())
    }

    /// Reads a rules file, and checks also the settings of every workflow.
    ///
    /// # Errors
    /// As for [`Rules::parse`]; when the file cannot be read; and for settings that their workflow does not know or cannot use,
    /// a workflow that there is not or that acts on no event of its rule, and what a rule says twice.
    pub fn check_file(path: &Path) -> Result<Self, Error> {
        Self::check_text(&read_file(path)?)
    }

    /// Checks the text of a rules file, as [`Rules::check_file`] does.
    ///
    /// # Errors
    /// As for [`Rules::check_file`].
    pub fn check_text(text: &str) -> Result<Self, Error> {
        file::read(text, Depth::Settings).map(|(parts, _)| parts.into())
    }

    /// Checks what the rules say to one workflow; a workflow that is not in [`settings::WORKFLOWS`] has nothing to check.
    ///
    /// # Errors
    /// As for [`Rules::check_file`].
    pub fn check_workflow(&self, name: &str) -> Result<(), Error> {
        let known = settings::workflow(name);
        Error::of(
            known.iter().flat_map(|known| self.rules.iter().flat_map(|rule| known.problems(rule))).collect(),
        )
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The workflows that rules name, each with its place in the file, in the file's order.
    pub fn workflows(&self) -> impl Iterator<Item = (&str, Position)> {
        self.rules
            .iter()
            .flat_map(|rule| rule.actions.iter().map(|(name, settings)| (name.as_str(), settings.at)))
    }

    /// The sites that the file names.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Whether the file has `sites` without any site in it, which takes events of every site, as no `sites` does.
    pub fn lists_no_site(&self) -> bool {
        self.lists_no_site
    }

    /// The site with this LUID, if it is known. An event of a caller, which has no site, counts for the only one that the file names.
    pub fn site(&self, luid: &SiteLuid) -> Option<&Site> {
        if luid.as_str() == OwnEvent::NO_SITE {
            return match self.sites.as_slice() {
                [one] => Some(one),
                _ => None,
            };
        }
        let mut known = self.sites.iter().chain(&self.unlisted);
        known.find(|site| site.luid.as_str().eq_ignore_ascii_case(luid.as_str()))
    }

    /// The same rules, and the name and time zone of a site that the file does not list: written as an entry of `sites` in
    /// JSON. Which sites are welcome stays as it is.
    ///
    /// # Errors
    /// As for [`Rules::of_json`].
    pub fn knowing(self, site: &str) -> Result<Self, Error> {
        let unlisted = Self::of_json(&format!("{{\"sites\":[{site}],\"rules\":[]}}"))?.sites;
        Ok(Self { unlisted, ..self })
    }

    /// Whether events of this site are welcome: the file names it, or names none.
    pub fn accepts(&self, luid: &str) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|site| site.luid.as_str().eq_ignore_ascii_case(luid))
    }

    /// Whether an event is welcome. That of a caller is, whatever sites there are: a key has let it in.
    pub fn welcomes(&self, event: &Event) -> bool {
        event.own.is_some() || self.accepts(event.site.as_str())
    }

    /// The time zone of a site. UTC for one that is not listed.
    pub fn timezone(&self, site: &SiteLuid) -> TimeZone {
        self.site(site).map_or(TimeZone::UTC, |site| site.timezone.clone())
    }

    /// The actions for the workflow with the settings `S` of the rules that have matched an event of `site`, in the file's
    /// order. A rule that was matched and that the file does not have any more has none.
    ///
    /// # Errors
    /// [`Error`] naming the settings that the workflow does not know or cannot use.
    pub fn actions<S: WorkflowSettings>(
        &self,
        matched: &Matched,
        site: &SiteLuid,
    ) -> Result<Vec<Action<S>>, Error> {
        let timezone = self.timezone(site);
        let rules = self.rules.iter().filter(|rule| matched.rules.contains(&rule.name));
        let windows = self.maintenance.iter().filter(|window| matched.maintenance.contains(&window.name));
        let maintenance: Vec<_> = windows.map(|window| window.window.clone()).collect();
        let action = |(rule, settings): (&Rule, S)| Action {
            rule: rule.name.clone(),
            settings,
            message: rule.message.clone(),
            hours: Hours { maintenance: maintenance.clone(), ..rule.hours.clone() },
            timezone: timezone.clone(),
        };
        rules.flat_map(settings_in).map(|read| read.map(action)).collect()
    }

    /// Whether the file still has all of these rules.
    pub fn has_all_of(&self, matched: &Matched) -> bool {
        matched.rules.iter().all(|name| self.rules.iter().any(|rule| rule.name == *name))
    }

    /// Whether a rule that decides what `workflow` does about an event with this name, or a maintenance window, asks for this.
    pub fn asks(&self, workflow: &str, name: &EventName, lookup: Lookup) -> bool {
        let rules = self.rules.iter().filter(|rule| rule.is_for(name));
        let is_relevant = rules.clone().any(|rule| rule.acts(workflow));
        let conditions = rules.flat_map(|rule| std::iter::once(&rule.conditions).chain(&rule.unless));
        let mut all = conditions.chain(self.maintenance.iter().map(|window| &window.conditions));
        is_relevant && all.any(|conditions| conditions.ask(lookup))
    }

    /// All rules for events with this name, whatever their conditions.
    pub fn for_event(&self, name: &EventName) -> Matched {
        let rules = self.rules.iter().filter(|rule| rule.is_for(name)).map(|rule| rule.name.clone());
        Matched { rules: rules.collect(), ..Matched::default() }
    }

    /// How many workflows send notifications about an event with this name.
    pub fn notifying_workflows(&self, name: &EventName) -> usize {
        let rules = self.rules.iter().filter(|rule| rule.is_for(name));
        let named = rules.flat_map(|rule| rule.actions.iter().map(|(workflow, _)| workflow.as_str()));
        let notifying = named.filter(|name| settings::workflow(name).is_some_and(|known| known.notifies));
        notifying.collect::<BTreeSet<_>>().len()
    }

    /// What every rule says to the workflow with the settings `S`, in the file's order.
    ///
    /// # Errors
    /// As for [`Rules::actions`].
    pub fn settings<S: WorkflowSettings>(&self) -> Result<Vec<S>, Error> {
        self.rules.iter().flat_map(settings_in).map(|read| read.map(|(_, settings)| settings)).collect()
    }

    /// Names of the rules, each once, with a channel that no Slack channel is called, so that it has to be a key of
    /// `webhook_urls`.
    pub fn channels_that_must_be_keys(&self) -> BTreeSet<&str> {
        let all = self.rules.iter().flat_map(settings_in::<settings::NotifySlack>);
        let read = all.filter_map(Result::ok);
        read.filter(|(_, slack)| slack.must_be_a_key()).map(|(rule, _)| rule.name.as_str()).collect()
    }

    /// Every event that a rule is for, each once, with the name of the first such rule.
    pub fn events(&self) -> Vec<(EventName, &str)> {
        let mut events: Vec<(EventName, &str)> = Vec::new();
        for rule in &self.rules {
            for event in &rule.on {
                if !events.iter().any(|(known, _)| known == event) {
                    events.push((event.clone(), &rule.name));
                }
            }
        }
        events
    }

    /// What has days or hours in UTC for want of a time zone: quiet hours, conditions `time` and maintenance without one of their
    /// own, where the file names no site, or a site without one. Each as people call it.
    pub fn without_timezone(&self) -> Vec<String> {
        if !self.sites.is_empty() && self.sites_without_timezone == 0 {
            return Vec::new();
        }
        let is_without = |window: &Window| window.timezone.is_none();
        let mut all = Vec::new();
        for rule in &self.rules {
            if rule.hours.quiet.iter().any(is_without) {
                all.push(format!("the quiet hours of rule `{}`", rule.name));
            }
            let mut conditions = std::iter::once(&rule.conditions).chain(&rule.unless);
            if conditions.any(|conditions| conditions.time.as_ref().is_some_and(is_without)) {
                all.push(format!("the times of the condition `time` of rule `{}`", rule.name));
            }
        }
        for one in &self.maintenance {
            if is_without(&one.window) || one.conditions.time.as_ref().is_some_and(is_without) {
                all.push(format!("the times of the maintenance `{}`", one.name));
            }
        }
        all
    }

    /// Names of the rules whose `mute_until` has passed at `now`, with that time: it has no effect any more.
    pub fn muted_before(&self, now: Timestamp) -> impl Iterator<Item = (&str, Timestamp)> {
        let rules = self.rules.iter();
        let muted = rules.filter_map(|rule| Some((rule.name.as_str(), rule.hours.mute_until?)));
        muted.filter(move |(_, until)| *until <= now)
    }
}

impl From<Parts> for Rules {
    fn from(parts: Parts) -> Self {
        let Parts { sites, lists_no_site, sites_without_timezone, maintenance, rules } = parts;
        Self { sites, lists_no_site, sites_without_timezone, unlisted: Vec::new(), maintenance, rules }
    }
}

/// What a rule says to the workflow with the settings `S`, with the rule.
fn settings_in<S: WorkflowSettings>(rule: &Rule) -> impl Iterator<Item = Result<(&Rule, S), Error>> {
    let all = rule.settings_of(S::WORKFLOW);
    all.map(move |settings| Ok((rule, workflow::read(&rule.name, settings)?)))
}

/// The text of a file that is small enough.
///
/// # Errors
/// [`Error::Unreadable`].
pub fn read_file(path: &Path) -> Result<String, Error> {
    let read = || {
        let mut text = String::new();
        std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MOST_BYTES {
            return Err(std::io::Error::other(format!("it is larger than {MOST_BYTES} bytes")));
        }
        Ok(text)
    };
    read().map_err(|source| Error::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    // 15, item 3
    #[test]
    fn a_site_that_the_file_does_not_list_is_known_and_every_site_stays_welcome() {
        let site = r#"{"luid":"8b2a95d8-52b9-40a4-8712-cd6da771bd1b","name":"Marketing","timezone":"Europe/Berlin"}"#;
        let rules = Rules::of_json(&Rules::to_json("rules: []\n").unwrap()).unwrap().knowing(site).unwrap();
        let luid = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b".parse().unwrap();
        assert_eq!(rules.site(&luid).map(|site| site.name.as_str()), Some("Marketing"));
        assert!(rules.sites().is_empty() && rules.accepts("11111111-1111-1111-1111-111111111111"));
    }
}
