//! What a key may do. No I/O.

use rules::PathPattern;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tableau::ContentKind;

/// What a key may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permissions {
    /// The kinds of content that it may refresh; none: it may refresh nothing.
    pub kinds: BTreeSet<ContentKind>,
    /// The projects in which it may refresh content.
    pub projects: Vec<PathPattern>,
    /// The objects that it may refresh wherever they are, by LUID in small letters.
    pub luids: BTreeSet<String>,
    /// Whether it may send events.
    pub events: bool,
}

impl Permissions {
    /// Whether it may refresh this object. `project`: the names of its project and of those above, from the top; `None` if they are
    /// not known, which no pattern matches.
    pub fn may_refresh(&self, kind: ContentKind, luid: &str, project: Option<&[String]>) -> bool {
        let is_in_project =
            || project.is_some_and(|project| self.projects.iter().any(|pattern| pattern.matches(project)));
        self.kinds.contains(&kind) && (self.names(luid) || is_in_project())
    }

    /// Whether it may refresh something of this kind.
    pub fn may_refresh_some(&self, kind: ContentKind) -> bool {
        self.kinds.contains(&kind) && !(self.luids.is_empty() && self.projects.is_empty())
    }

    /// Whether it names this object itself.
    pub fn names(&self, luid: &str) -> bool {
        self.luids.contains(&luid.to_ascii_lowercase())
    }

    /// Whether it may do nothing at all.
    pub fn is_empty(&self) -> bool {
        !self.events && !ContentKind::ALL.into_iter().any(|kind| self.may_refresh_some(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(kinds: &[ContentKind], projects: &[&str], luids: &[&str]) -> Permissions {
        Permissions {
            kinds: kinds.iter().copied().collect(),
            projects: projects.iter().map(|text| PathPattern::parse(text).unwrap()).collect(),
            luids: luids.iter().map(|luid| (*luid).to_owned()).collect(),
            events: false,
        }
    }

    #[test]
    fn a_key_may_refresh_what_it_names_or_what_is_in_its_projects_and_of_its_kinds() {
        use ContentKind::{Datasource, Flow, Workbook};
        let path = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let finance = permissions(&[Workbook, Datasource], &["Finance/**"], &["d-1"]);
        for (kind, luid, project, expected) in [
            (Workbook, "w-1", Some(path(&["Finance"])), true),
            (Workbook, "w-1", Some(path(&["Finance", "Europe"])), true),
            (Workbook, "w-1", Some(path(&["Finance/Europe"])), false),
            (Workbook, "w-1", Some(path(&["Sales"])), false),
            (Workbook, "w-1", None, false),
            (Datasource, "d-1", Some(path(&["Sales"])), true),
            (Datasource, "D-1", None, true),
            (Flow, "f-1", Some(path(&["Finance"])), false),
            (Flow, "d-1", None, false),
        ] {
            assert_eq!(
                finance.may_refresh(kind, luid, project.as_deref()),
                expected,
                "{kind} {luid} {project:?}"
            );
        }
    }

    #[test]
    fn a_key_without_a_project_or_object_may_do_nothing() {
        assert!(Permissions::default().is_empty());
        assert!(permissions(&[ContentKind::Flow], &[], &[]).is_empty());
        assert!(permissions(&[], &["**"], &[]).is_empty());
        assert!(!permissions(&[ContentKind::Flow], &["**"], &[]).is_empty());
        assert!(!Permissions { events: true, ..Permissions::default() }.is_empty());
    }
}
