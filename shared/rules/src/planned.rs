//! What the rules that match an event ask every workflow to do, as people are shown it. No I/O.

use crate::facts::{Fact, Facts, Lookup, Text};
use crate::matched::Matched;
use crate::message::Message;
use crate::rules::Rules;
use crate::schedule::{Hours, Schedule};
use crate::settings;
use jiff::Timestamp;
use serde_json::Value;
use tableau::SiteLuid;

/// What a rule asks a workflow to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The rule's name.
    pub rule: String,
    /// The workflow's name.
    pub workflow: String,
    /// Its settings, with the defaults of the file.
    pub settings: Value,
    /// The rule's own words for notifications.
    pub message: Option<Message>,
    /// When an alert is sent; `None` for a workflow that sends no notifications.
    pub schedule: Option<Schedule>,
}

impl Rules {
    /// What the rules that have matched an event of `site` ask `workflow` to do, in the file's order, about an event that is
    /// handled at `now`. Settings are not checked, so that a file that is newer than this program can be shown.
    pub fn planned(
        &self,
        workflow: &str,
        matched: &Matched,
        site: &SiteLuid,
        now: Timestamp,
    ) -> Vec<Planned> {
        let timezone = self.timezone(site);
        let windows = self.maintenance.iter().filter(|window| matched.maintenance.contains(&window.name));
        let maintenance: Vec<_> = windows.map(|window| window.window.clone()).collect();
        let known = settings::workflow(workflow).filter(|known| known.notifies);
        let mut planned = Vec::new();
        for rule in self.rules.iter().filter(|rule| matched.rules.contains(&rule.name)) {
            let hours = Hours { maintenance: maintenance.clone(), ..rule.hours.clone() };
            let schedule = known.map(|known| match known.calls_people {
                true => hours.schedule(now, &timezone),
                false => hours.schedule(now, &timezone).of_what_calls_no_one(),
            });
            planned.extend(rule.settings_of(workflow).map(|settings| Planned {
                rule: rule.name.clone(),
                workflow: workflow.to_owned(),
                settings: settings.value.clone(),
                message: rule.message.clone(),
                schedule,
            }));
        }
        planned
    }
}

/// What is known of an event's object, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownFact {
    /// Its name, as the option `--fact` of the command line has it.
    pub name: &'static str,
    /// What was found: several values are separated by commas.
    pub value: Fact<String>,
}

impl Facts {
    /// Whether this has been asked for.
    pub fn has(&self, lookup: Lookup) -> bool {
        match lookup {
            Lookup::Content => self.tags != Fact::NotAsked,
            Lookup::Project => self.project != Fact::NotAsked,
            Lookup::Owner => self.owner != Fact::NotAsked,
            Lookup::OwnerGroups => self.owner_groups != Fact::NotAsked,
            Lookup::Cause => self.cause != Fact::NotAsked,
            Lookup::FailuresInARow => self.failures_in_a_row != Fact::NotAsked,
            Lookup::DeletedBy => self.deleted_by != Fact::NotAsked,
        }
    }

    /// All facts that have been asked for, in a fixed order.
    pub fn shown(&self) -> Vec<ShownFact> {
        let all = [
            ("project", self.project.clone().map(|path| path.shown)),
            ("tags", self.tags.clone().map(|tags| listed(&tags))),
            ("certified", self.certified.clone().map(|certified| certified.to_string())),
            ("owner", self.owner.clone().map(|names| listed(&names))),
            ("owner_group", self.owner_groups.clone().map(|groups| listed(&groups))),
            ("cause", self.cause.clone()),
            ("failures_in_a_row", self.failures_in_a_row.clone().map(|failures| failures.to_string())),
            ("deleted_by", self.deleted_by.clone()),
        ];
        let asked = all.into_iter().filter(|(_, value)| *value != Fact::NotAsked);
        asked.map(|(name, value)| ShownFact { name, value }).collect()
    }
}

fn listed(texts: &[Text]) -> String {
    texts.iter().map(|text| text.shown.as_str()).collect::<Vec<_>>().join(", ")
}
