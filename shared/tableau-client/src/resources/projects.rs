//! Projects. They can be nested; an answer names only the direct parent.

use super::OwnerRef;
use crate::filter::{Field, Filter, Filtered, Named, sealed};
use crate::pages::{List, Pages, Place, all_fields};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use std::collections::HashMap;
use tableau::{ProjectLuid, UserLuid};

/// A project.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Project {
    /// The project's LUID.
    pub id: ProjectLuid,
    /// The project's name: untrusted text. Unique within the parent project.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
    /// The parent project; `None` for a top-level project.
    #[serde(default, deserialize_with = "lenient::part")]
    pub parent_project_id: Option<ProjectLuid>,
    /// The project's description.
    #[serde(default, deserialize_with = "lenient::text")]
    pub description: Option<String>,
    /// The owner of the project.
    #[serde(default, deserialize_with = "lenient::part")]
    pub owner: Option<OwnerRef>,
}

impl sealed::Sealed for Project {}
impl Named for Project {}

impl Filtered for Project {
    fn field(&self, _: &str) -> Field<'_> {
        Field::Text(Some(&self.name))
    }
}

/// The tree of a site's projects.
#[derive(Clone, Debug, Default)]
pub struct ProjectTree {
    names: HashMap<ProjectLuid, (String, Option<ProjectLuid>)>,
    owners: HashMap<ProjectLuid, UserLuid>,
}

/// The greatest depth of nested projects that is followed: deeper than Tableau allows.
const DEEPEST: usize = 100;

impl ProjectTree {
    /// Builds the tree of these projects.
    pub fn of(projects: impl IntoIterator<Item = Project>) -> Self {
        let mut tree = Self::default();
        for project in projects {
            if let Some(owner) = project.owner.and_then(|owner| owner.id) {
                tree.owners.insert(project.id.clone(), owner);
            }
            tree.names.insert(project.id, (project.name, project.parent_project_id));
        }
        tree
    }

    /// Whether the user may see this project.
    pub fn contains(&self, project: &ProjectLuid) -> bool {
        self.names.contains_key(project)
    }

    /// The owner of a project, whom Tableau calls its leader. `None` if Tableau does not say who it is.
    pub fn owner(&self, project: &ProjectLuid) -> Option<&UserLuid> {
        self.owners.get(project)
    }

    /// The names from the top-level project to this one, such as `Finance/Europe`. A parent that the user may not see
    /// is left out. `None` if the user may not see the project itself.
    pub fn path(&self, project: &ProjectLuid) -> Option<String> {
        Some(self.names_up(project)?.0)
    }

    /// As [`Self::path`], and `None` too if the user may not see a parent: the path would be another project's.
    pub fn whole_path(&self, project: &ProjectLuid) -> Option<String> {
        self.names_up(project).filter(|(_, is_whole)| *is_whole).map(|(path, _)| path)
    }

    /// The names from the top down to the project; `None` as for [`Self::whole_path`]. A name may have a `/` of its own.
    pub fn names(&self, project: &ProjectLuid) -> Option<Vec<String>> {
        let (names, is_whole) = self.up(project)?;
        is_whole.then(|| names.into_iter().map(str::to_owned).collect())
    }

    /// The path, and whether it begins at the top.
    fn names_up(&self, project: &ProjectLuid) -> Option<(String, bool)> {
        let (names, is_whole) = self.up(project)?;
        Some((names.join("/"), is_whole))
    }

    /// The names down to the project, and whether they begin at the top.
    fn up(&self, project: &ProjectLuid) -> Option<(Vec<&str>, bool)> {
        let mut at = self.names.get(project)?;
        let mut names = vec![at.0.as_str()];
        // Limited, because an answer could contain projects that are each other's parent.
        for _ in 0..DEEPEST {
            let Some(parent) = at.1.as_ref().and_then(|parent| self.names.get(parent)) else { break };
            names.push(&parent.0);
            at = parent;
        }
        names.reverse();
        Some((names, at.1.is_none()))
    }

    /// The projects that the user may see.
    pub(crate) fn projects(&self) -> impl Iterator<Item = &ProjectLuid> {
        self.names.keys()
    }

    /// The project at a path, such as `Finance/Europe`. Upper and lower case matter.
    pub fn find(&self, path: &str) -> Option<&ProjectLuid> {
        self.names.keys().find(|luid| self.path(luid).as_deref() == Some(path))
    }
}

impl TableauClient {
    /// Lists projects. REST API 2.0+; JWT scope `tableau:content:read`.
    ///
    /// # Errors
    /// As for [`TableauClient::workbooks`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_projects.htm#query_projects>
    pub fn projects(&self, filter: Filter<Project>) -> Pages<Project> {
        let list = List {
            operation: "list the projects",
            path: "projects".to_owned(),
            wrapper: "projects",
            element: "project",
            place: Place::Site,
            paged: true,
            unknown: all_fields,
        };
        Pages::new(self, list, filter)
    }

    /// Fetches the tree of all projects of the site, a thousand per call. Callers should keep the result for a while.
    /// REST API 2.0+; JWT scope `tableau:content:read`.
    ///
    /// # Errors
    /// As for [`TableauClient::workbooks`].
    ///
    /// Source: the same as for [`TableauClient::projects`].
    pub async fn project_tree(&self) -> Result<ProjectTree, Error> {
        Ok(ProjectTree::of(self.projects(Filter::all()).all(usize::MAX).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn project(id: &str, name: &str, parent: Option<&str>) -> Project {
        Project {
            id: id.parse().unwrap(),
            name: name.to_owned(),
            parent_project_id: parent.map(|parent| parent.parse().unwrap()),
            description: None,
            owner: None,
        }
    }

    fn path(tree: &ProjectTree, id: &str) -> Option<String> {
        tree.path(&id.parse().unwrap())
    }

    #[test]
    fn a_path_goes_from_the_top_down() {
        let tree = ProjectTree::of([
            project("c", "Q1", Some("b")),
            project("a", "Finance", None),
            project("b", "Europe", Some("a")),
            project("d", "Europe", Some("hidden")),
        ]);
        assert_eq!(path(&tree, "c").unwrap(), "Finance/Europe/Q1");
        assert_eq!(path(&tree, "d").unwrap(), "Europe");
        assert_eq!(path(&tree, "x"), None);
        assert_eq!(tree.owner(&"c".parse().unwrap()), None);
        assert_eq!(tree.find("Finance/Europe").unwrap().as_str(), "b");
        assert_eq!(tree.find("finance/europe"), None);
    }

    #[test]
    fn a_project_has_the_owner_that_tableau_names() {
        let owner = OwnerRef { id: Some("u".parse().unwrap()), name: None, full_name: None, email: None };
        let owned = Project { owner: Some(owner), ..project("a", "Finance", None) };
        let tree = ProjectTree::of([owned, project("b", "Europe", Some("a"))]);
        assert_eq!(tree.owner(&"a".parse().unwrap()).unwrap().as_str(), "u");
        assert_eq!(tree.owner(&"b".parse().unwrap()), None);
        assert!(tree.contains(&"b".parse().unwrap()) && !tree.contains(&"c".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn no_circle_is_followed_for_ever(parents in prop::collection::vec(prop::option::of(0..8_u8), 8)) {
            let projects = parents.iter().enumerate().map(|(i, parent)| {
                let parent = parent.map(|parent| format!("p{parent}"));
                project(&format!("p{i}"), "x", parent.as_deref())
            });
            let tree = ProjectTree::of(projects);
            prop_assert!(path(&tree, "p0").is_some_and(|path| path.len() < 1_000));
            let _ = tree.find("x/x/x");
        }
    }
}
