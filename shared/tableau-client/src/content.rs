//! What a message says about the workbook or data source of an event.

use crate::{Error, OwnerRef, ProjectRef, TableauClient, User};
use serde::{Deserialize, Serialize};
use tableau::Subject;

/// A workbook or data source, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// Its name now: untrusted text.
    pub name: String,
    /// The project it is in.
    pub project: Option<String>,
    /// Whose it is; `None` when we may not know.
    pub owner: Option<Owner>,
    /// Its page.
    pub link: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// The owner of content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The name for people.
    pub name: String,
    /// The e-mail address, where it is known.
    pub email: Option<String>,
}

impl TableauClient {
    /// What a message says about `subject`: two calls, the thing and its owner. `None` when the site no longer
    /// has it, or it is neither a workbook nor a data source. An owner we may not ask for is left out.
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
            // A user that is gone or that we may not see does not keep the message back.
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
