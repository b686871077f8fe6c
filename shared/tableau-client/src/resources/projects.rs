//! Projects, and where they are: they nest, and their answers name only the one around them.

use super::OwnerRef;
use crate::filter::{Field, Filter, Filtered, Named, sealed};
use crate::pages::{List, Pages, all_fields};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use std::collections::HashMap;
use tableau::ProjectLuid;

/// A project.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Project {
    /// Its LUID.
    pub id: ProjectLuid,
    /// Its name: untrusted text. Unique within the project around it.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
    /// The project around it; `None` at the top.
    #[serde(default, deserialize_with = "lenient::part")]
    pub parent_project_id: Option<ProjectLuid>,
    /// What it is for.
    #[serde(default, deserialize_with = "lenient::text")]
    pub description: Option<String>,
    /// Whose it is.
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

/// How the projects of a site nest.
#[derive(Clone, Debug, Default)]
pub struct ProjectTree {
    names: HashMap<ProjectLuid, (String, Option<ProjectLuid>)>,
}

/// Deeper than Tableau lets anyone nest.
const DEEPEST: usize = 100;

impl ProjectTree {
    /// The tree of these projects.
    pub fn of(projects: impl IntoIterator<Item = Project>) -> Self {
        Self { names: projects.into_iter().map(|p| (p.id, (p.name, p.parent_project_id))).collect() }
    }

    /// The names from the top to this project, such as `Finance/Europe`. A project around it that we may not see is
    /// left out. `None` when we may not see the project itself.
    pub fn path(&self, project: &ProjectLuid) -> Option<String> {
        let mut at = self.names.get(project)?;
        let mut names = vec![at.0.as_str()];
        // Bounded, since nothing but Tableau's care keeps an answer free of circles.
        for _ in 0..DEEPEST {
            let Some(parent) = at.1.as_ref().and_then(|parent| self.names.get(parent)) else { break };
            names.push(&parent.0);
            at = parent;
        }
        names.reverse();
        Some(names.join("/"))
    }

    /// The project at a path, such as `Finance/Europe`. Case matters.
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
            paged: true,
            unknown: all_fields,
        };
        Pages::new(self, list, filter)
    }

    /// How the site's projects nest: all of them, a thousand a call. Worth keeping for a while. REST API 2.0+; JWT scope
    /// `tableau:content:read`.
    ///
    /// # Errors
    /// As for [`TableauClient::workbooks`].
    ///
    /// Source: as for [`TableauClient::projects`].
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
        assert_eq!(tree.find("Finance/Europe").unwrap().as_str(), "b");
        assert_eq!(tree.find("finance/europe"), None);
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
