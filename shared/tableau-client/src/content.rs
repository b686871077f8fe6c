//! What a message says about the workbook or data source of an event.

use crate::{Error, OwnerRef, ProjectRef, TableauClient, User};
use serde::{Deserialize, Serialize};
use tableau::Subject;

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
}

impl TableauClient {
    /// What a message says about `subject`. Takes two calls: for the object and its owner. `None` if the site no
    /// longer has the object, or if it is neither a workbook nor a data source. An owner that the user may not see is
    /// left out.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer, or refuses for another reason.
    pub async fn content(&self, subject: &Subject) -> Result<Option<Content>, Error> {
        let found = match subject {
            Subject::Workbook(luid) => {
                self.workbook(luid).await.map(|w| (w.name, w.project, w.owner, w.webpage_url, w.tags))
            }
            Subject::Datasource(luid) => {
                self.datasource(luid).await.map(|d| (d.name, d.project, d.owner, d.webpage_url, d.tags))
            }
            _ => return Ok(None),
        };
        let (name, project, owner, link, tags) = match found {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let project = project.map(|ProjectRef { name, .. }| name).filter(|name| !name.is_empty());
        Ok(Some(Content { name, project, owner: self.owner(owner).await?, link, tags }))
    }

    async fn owner(&self, owner: Option<OwnerRef>) -> Result<Option<Owner>, Error> {
        let Some(OwnerRef { id: Some(id), .. }) = owner else { return Ok(None) };
        match self.user(&id).await {
            Ok(user) => Ok(Some(Owner::from(&user))),
            Err(error) if error.is_transient() || error.is_misconfiguration() => Err(error),
            // An owner that no longer exists or may not be seen must not prevent the message.
            Err(Error::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl From<&User> for Owner {
    fn from(user: &User) -> Self {
        Self { name: user.display_name().to_owned(), email: user.email_address().map(str::to_owned) }
    }
}
