//! The site.

use crate::call::{Call, Path};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use tableau::SiteLuid;

/// A site.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Site {
    /// Its LUID.
    pub id: SiteLuid,
    /// What people call it: untrusted text.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
    /// What stands behind `/site/` in the browser; empty for a server's default site.
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub content_url: String,
    /// `Active` or `Suspended`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub state: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    site: Site,
}

impl TableauClient {
    /// The site signed in to, by the LUID that events carry. REST API 1.0+; JWT scope `tableau:sites:read`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404000 when there is no such site, 403010 for another site than the session's, 403000
    /// for who is not an administrator.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_site.htm#query_site>
    pub async fn site(&self, luid: &SiteLuid) -> Result<Site, Error> {
        let path = format!("sites/{luid}");
        let answer: Answer = self.ask(Call::get("fetch the site", Path::Server(&path))).await?;
        Ok(answer.site)
    }
}
