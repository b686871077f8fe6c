//! What a message says about the workbook or data source of an event.

use crate::page::page;
use crate::{Datasource, Error, ProjectRef, TableauClient, User, Workbook};
use serde::{Deserialize, Serialize};
use tableau::{Subject, UserLuid};

/// A workbook or data source, as a message describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The object's present name: untrusted text.
    pub name: String,
    /// The name of the project that contains the object.
    pub project: Option<String>,
    /// The object's owner; `None` if the credential's user may not know the owner.
    pub owner: Option<Owner>,
    /// The address of the object's page in Tableau.
    pub link: Option<String>,
    /// The object's tags.
    pub tags: Vec<String>,
}

/// The owner of a workbook or data source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The owner's display name.
    pub name: String,
    /// The owner's e-mail address, if it is known.
    pub email: Option<String>,
    /// The name signed in with.
    #[serde(default)]
    pub login: String,
}

/// A workbook or data source, as one call says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name now: untrusted text.
    pub name: String,
    /// The project it is in.
    pub project: Option<ProjectRef>,
    /// Whose it is.
    pub owner: Option<UserLuid>,
    /// Its page, at the server that is called.
    pub link: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it is certified. A workbook never is.
    pub is_certified: bool,
}

impl Item {
    /// What a message says about it, with its owner.
    pub fn content(&self, owner: Option<Owner>) -> Content {
        let project = self.project.as_ref().map(|project| project.name.clone());
        Content {
            name: self.name.clone(),
            project: project.filter(|name| !name.is_empty()),
            owner,
            link: self.link.clone(),
            tags: self.tags.clone(),
        }
    }
}

impl TableauClient {
    /// The workbook or data source that `subject` is. `None` when the site no longer has it, or it is something else.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer, or refuses for another reason.
    pub async fn item(&self, subject: &Subject) -> Result<Option<Item>, Error> {
        let found = match subject {
            Subject::Workbook(luid) => self.workbook(luid).await.map(Item::from),
            Subject::Datasource(luid) => self.datasource(luid).await.map(Item::from),
            _ => return Ok(None),
        };
        match found {
            Ok(item) => {
                let link = item.link.and_then(|link| page(self.settings().server(), &link));
                Ok(Some(Item { link, ..item }))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a message says about `subject`: two calls, the thing and its owner. `None` when the site no longer
    /// has it, or it is neither a workbook nor a data source. An owner we may not ask for is left out.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer, or refuses for another reason.
    pub async fn content(&self, subject: &Subject) -> Result<Option<Content>, Error> {
        let Some(item) = self.item(subject).await? else { return Ok(None) };
        let owner = match &item.owner {
            Some(owner) => self.owner(owner).await?,
            None => None,
        };
        Ok(Some(item.content(owner)))
    }

    /// An owner of content. `None` for one that has left the site or that we may not see.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer.
    pub async fn owner(&self, luid: &UserLuid) -> Result<Option<Owner>, Error> {
        match self.user(luid).await {
            Ok(user) => Ok(Some(Owner::from(&user))),
            Err(error) if error.is_transient() || error.is_misconfiguration() => Err(error),
            // An owner that no longer exists or may not be seen must not prevent the message.
            Err(Error::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl From<Workbook> for Item {
    fn from(workbook: Workbook) -> Self {
        Self {
            name: workbook.name,
            project: workbook.project,
            owner: workbook.owner.and_then(|owner| owner.id),
            link: workbook.webpage_url,
            tags: workbook.tags,
            is_certified: false,
        }
    }
}

impl From<Datasource> for Item {
    fn from(datasource: Datasource) -> Self {
        Self {
            name: datasource.name,
            project: datasource.project,
            owner: datasource.owner.and_then(|owner| owner.id),
            link: datasource.webpage_url,
            tags: datasource.tags,
            is_certified: datasource.is_certified,
        }
    }
}

impl From<&User> for Owner {
    fn from(user: &User) -> Self {
        Self {
            name: user.display_name().to_owned(),
            email: user.email_address().map(str::to_owned),
            login: user.name.clone(),
        }
    }
}
