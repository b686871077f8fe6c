//! What is given as known of an event's object, on the command line or in a case. No I/O.

use rules::settings;
use rules::{Fact, Facts, Lookup};
use std::collections::BTreeSet;
use tableau::Event;

/// The names of facts.
const NAMES: [&str; 8] =
    ["project", "tags", "certified", "owner", "owner_group", "cause", "failures_in_a_row", "deleted_by"];

/// One given fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Project(String),
    Tags(Vec<String>),
    Certified(bool),
    Owner(Vec<String>),
    OwnerGroups(Vec<String>),
    Cause(String),
    FailuresInARow(u32),
    DeletedBy(String),
}

impl Given {
    /// Reads `name=value`.
    ///
    /// # Errors
    /// A sentence that says what to write.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=') else {
            return Err("write a name and a value, such as project=Finance/Reports".to_owned());
        };
        let value = value.trim();
        let values = || -> Vec<String> {
            value.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
        };
        match name.trim() {
            "project" => Ok(Self::Project(value.to_owned())),
            "tags" | "tag" => Ok(Self::Tags(values())),
            "certified" => match value {
                "true" => Ok(Self::Certified(true)),
                "false" => Ok(Self::Certified(false)),
                _ => Err("certified is true or false".to_owned()),
            },
            "owner" => Ok(Self::Owner(values())),
            "owner_group" | "owner_groups" => Ok(Self::OwnerGroups(values())),
            "cause" => cause(value).map(Self::Cause),
            "deleted_by" => Ok(Self::DeletedBy(value.to_owned())),
            "failures_in_a_row" => {
                let number = value.parse().map_err(|_| "failures_in_a_row is a number".to_owned())?;
                Ok(Self::FailuresInARow(number))
            }
            other => Err(unknown(other)),
        }
    }
}

/// A class of causes, as rules write it.
pub(super) fn cause(text: &str) -> Result<String, String> {
    settings::cause(text).map(str::to_owned).ok_or_else(|| settings::unknown_cause(text))
}

fn unknown(name: &str) -> String {
    match tableau::nearest(name, NAMES) {
        Some(near) => format!("there is no fact `{name}`; did you mean `{near}`?"),
        None => format!("there is no fact `{name}`; there are: {}", NAMES.join(", ")),
    }
}

/// Given facts, and what they answer.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenFacts {
    facts: Facts,
    answered: BTreeSet<Lookup>,
    /// Those of `answered` that are not given as missing.
    stated: BTreeSet<Lookup>,
}

impl GivenFacts {
    /// All of these; of two with one name the later counts, and groups add up.
    pub(super) fn of(all: &[Given]) -> Self {
        let mut given = Self::default();
        let mut tags = None;
        let mut certified = None;
        let mut groups = Vec::new();
        for one in all.iter().cloned() {
            let lookup = match one {
                Given::Project(path) => {
                    let absent = path.is_empty();
                    given.facts.set_project(if absent { Fact::Absent } else { Fact::Known(path) });
                    Lookup::Project
                }
                Given::Tags(all) => {
                    tags = Some(all);
                    Lookup::Content
                }
                Given::Certified(is) => {
                    certified = Some(is);
                    Lookup::Content
                }
                Given::Owner(names) => {
                    let absent = names.is_empty();
                    given.facts.set_owner(if absent { Fact::Absent } else { Fact::Known(names) });
                    Lookup::Owner
                }
                Given::OwnerGroups(names) => {
                    groups.extend(names);
                    Lookup::OwnerGroups
                }
                Given::Cause(class) => {
                    given.facts.set_cause(Fact::Known(class));
                    Lookup::Cause
                }
                Given::DeletedBy(name) => {
                    given.facts.set_deleted_by(Fact::Known(name));
                    Lookup::DeletedBy
                }
                Given::FailuresInARow(number) => {
                    given.facts.set_failures_in_a_row(Fact::Known(number));
                    Lookup::FailuresInARow
                }
            };
            given.answered.insert(lookup);
            given.stated.insert(lookup);
        }
        if given.answers(Lookup::Content) {
            // One call answers both: what is not given is as of an object that has neither.
            let content = (tags.unwrap_or_default(), certified.unwrap_or_default());
            given.facts.set_content(Fact::Known(content));
        }
        if given.answers(Lookup::OwnerGroups) {
            given.facts.set_owner_groups(Fact::Known(groups));
        }
        given
    }

    /// Notes that something cannot be looked up, and why.
    pub(super) fn set_missing(&mut self, lookup: Lookup, why: &str) {
        self.facts.set_missing(lookup, why);
        self.answered.insert(lookup);
    }

    /// What is given of an event's object that workflows never know of such an object, and why: rules would be tried with
    /// what cannot be.
    pub(super) fn never_known(&self, event: &Event) -> Option<(Lookup, &'static str)> {
        self.stated.iter().find_map(|lookup| Some((*lookup, facts::never_known(event, *lookup)?)))
    }

    /// Whether this is given.
    pub(super) fn answers(&self, lookup: Lookup) -> bool {
        self.answered.contains(&lookup)
    }

    /// Notes what is given in `facts`.
    pub(super) fn answer(&self, lookup: Lookup, facts: &mut Facts) {
        facts.take(lookup, &self.facts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_that_there_is_not_gets_the_one_that_was_meant() {
        for (text, expected) in [
            ("projekt=Finance", "there is no fact `projekt`; did you mean `project`?"),
            ("colour=red", "there is no fact `colour`; there are: project, tags, certified"),
            ("project", "write a name and a value, such as project=Finance/Reports"),
            ("certified=yes", "certified is true or false"),
            ("cause=credential", "`credential` is not a class of causes; did you mean `Credentials`?"),
            ("cause=Timeout", "`Timeout` is not a class of causes; did you mean `TimeLimit`?"),
            ("failures_in_a_row=many", "failures_in_a_row is a number"),
        ] {
            let error = Given::read(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
        for unknown in ["Other", "unknown"] {
            let expected = Given::Cause("Unknown".to_owned());
            assert_eq!(Given::read(&format!("cause={unknown}")), Ok(expected));
        }
        let tags = vec!["critical".to_owned(), "finance".to_owned()];
        assert_eq!(Given::read("tags=critical, finance"), Ok(Given::Tags(tags)));
    }

    #[test]
    fn what_is_given_of_the_content_answers_all_of_it() {
        let given = GivenFacts::of(&[Given::Certified(true)]);
        assert!(given.answers(Lookup::Content) && !given.answers(Lookup::Owner));
        let mut facts = Facts::default();
        given.answer(Lookup::Content, &mut facts);
        let shown: Vec<_> = facts.shown().into_iter().map(|fact| (fact.name, fact.value)).collect();
        let known = |text: &str| Fact::Known(text.to_owned());
        assert_eq!(shown, [("tags", known("")), ("certified", known("true"))]);
    }
}
