//! What conditions look at besides the event itself. Each is looked up only if a condition asks. No I/O.

use crate::glob::Folded;
use std::fmt;

/// Something that a condition asks and that the event does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lookup {
    /// Tags, and whether it is certified: one call to Tableau.
    Content,
    /// The path of its project.
    Project,
    /// Its owner.
    Owner,
    /// The groups that its owner is in.
    OwnerGroups,
    /// The class of a failed refresh's cause.
    Cause,
    /// How many times its refresh has failed without a success between.
    FailuresInARow,
    /// Who deleted it. No condition asks this, only words do.
    DeletedBy,
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Content => "tags and certification",
            Self::Project => "project",
            Self::Owner => "owner",
            Self::OwnerGroups => "groups of the owner",
            Self::Cause => "cause of the failure",
            Self::FailuresInARow => "failures in a row",
            Self::DeletedBy => "who deleted it",
        })
    }
}

/// What a lookup found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fact<T> {
    /// Not looked up yet.
    #[default]
    NotAsked,
    /// This.
    Known(T),
    /// There is no such thing: a user has no project. No condition on it holds.
    Absent,
    /// It could not be looked up, and why: for people, without a full stop.
    Missing(String),
}

/// A text for people, and for comparisons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) shown: String,
    pub(crate) folded: Folded,
}

impl Text {
    pub(crate) fn name(text: impl Into<String>) -> Self {
        let shown = text.into();
        Self { folded: Folded::name(&shown), shown }
    }

    pub(crate) fn path(text: impl Into<String>) -> Self {
        let shown = text.into();
        Self { folded: Folded::path(&shown), shown }
    }
}

/// What is known of an event's object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub(crate) tags: Fact<Vec<Text>>,
    pub(crate) certified: Fact<bool>,
    pub(crate) project: Fact<Text>,
    pub(crate) owner: Fact<Vec<Text>>,
    pub(crate) owner_groups: Fact<Vec<Text>>,
    pub(crate) cause: Fact<String>,
    pub(crate) failures_in_a_row: Fact<u32>,
    pub(crate) deleted_by: Fact<String>,
}

impl<T> Fact<T> {
    /// The fact, changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::NotAsked => Fact::NotAsked,
            Self::Known(value) => Fact::Known(change(value)),
            Self::Absent => Fact::Absent,
            Self::Missing(why) => Fact::Missing(why),
        }
    }
}

impl Facts {
    /// Notes the tags of the object and whether it is certified.
    pub fn set_content(&mut self, content: Fact<(Vec<String>, bool)>) {
        self.certified = content.clone().map(|(_, certified)| certified);
        self.tags = content.map(|(tags, _)| tags.into_iter().map(Text::name).collect());
    }

    /// Notes the path of its project: names from the top, separated by `/`.
    pub fn set_project(&mut self, path: Fact<String>) {
        self.project = path.map(Text::path);
    }

    /// Notes the owner's names: e-mail address, user name, full name.
    pub fn set_owner(&mut self, names: Fact<Vec<String>>) {
        self.owner = names.map(|names| names.into_iter().map(Text::name).collect());
    }

    /// Notes the names of the groups that the owner is in.
    pub fn set_owner_groups(&mut self, groups: Fact<Vec<String>>) {
        self.owner_groups = groups.map(|groups| groups.into_iter().map(Text::name).collect());
    }

    /// Notes the class of the failure's cause.
    pub fn set_cause(&mut self, class: Fact<String>) {
        self.cause = class;
    }

    /// Notes how many times the refresh has failed without a success between, with this failure.
    pub fn set_failures_in_a_row(&mut self, failures: Fact<u32>) {
        self.failures_in_a_row = failures;
    }

    /// Notes the name of the user who deleted the object.
    pub fn set_deleted_by(&mut self, name: Fact<String>) {
        self.deleted_by = name;
    }

    /// Takes what a lookup has found for another [`Facts`], such as those that a file of cases has.
    pub fn take(&mut self, lookup: Lookup, from: &Self) {
        match lookup {
            Lookup::Content => {
                self.tags = from.tags.clone();
                self.certified = from.certified.clone();
            }
            Lookup::Project => self.project = from.project.clone(),
            Lookup::Owner => self.owner = from.owner.clone(),
            Lookup::OwnerGroups => self.owner_groups = from.owner_groups.clone(),
            Lookup::Cause => self.cause = from.cause.clone(),
            Lookup::FailuresInARow => self.failures_in_a_row = from.failures_in_a_row.clone(),
            Lookup::DeletedBy => self.deleted_by = from.deleted_by.clone(),
        }
    }

    /// Notes that something could not be looked up, and why.
    pub fn set_missing(&mut self, lookup: Lookup, why: &str) {
        let why = why.to_owned();
        match lookup {
            Lookup::Content => self.set_content(Fact::Missing(why)),
            Lookup::Project => self.project = Fact::Missing(why),
            Lookup::Owner => self.owner = Fact::Missing(why),
            Lookup::OwnerGroups => self.owner_groups = Fact::Missing(why),
            Lookup::Cause => self.cause = Fact::Missing(why),
            Lookup::FailuresInARow => self.failures_in_a_row = Fact::Missing(why),
            Lookup::DeletedBy => self.deleted_by = Fact::Missing(why),
        }
    }
}
