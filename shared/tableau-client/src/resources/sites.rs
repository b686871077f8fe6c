//! Sites.

use super::segment;
use crate::call::{Call, Path};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use tableau::SiteLuid;

/// A site.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Site {
    /// The site's LUID.
    pub id: SiteLuid,
    /// The site's display name: untrusted text.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
    /// The site's content URL: the part after `/site/` in the browser's address; empty for a server's default site.
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub content_url: String,
    /// The site's state: `Active` or `Suspended`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub state: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    site: Site,
}

const OPERATION: &str = "fetch the site";

impl TableauClient {
    /// Fetches the session's site. Otherwise the same as [`TableauClient::site`].
    ///
    /// # Errors
    /// The same as for [`TableauClient::site`].
    ///
    /// Source: the same as for [`TableauClient::site`].
    pub async fn own_site(&self) -> Result<Site, Error> {
        Ok(self.ask::<Answer>(Call::get(OPERATION, Path::Site(""))).await?.site)
    }

    /// Fetches the session's site by its LUID, which events contain. REST API 2.0+; JWT scope `tableau:sites:read`,
    /// 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404000 when there is no such site, 403010 for another site than the session's,
    /// 403000 if the user is not an administrator.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_site.htm#query_site>
    pub async fn site(&self, luid: &SiteLuid) -> Result<Site, Error> {
        self.site_by(luid.as_str(), None).await
    }

    /// Fetches the session's site by its content URL (the part after `/site/` in the browser's address). REST API
    /// 2.0+; JWT scope as for [`TableauClient::site`].
    ///
    /// # Errors
    /// The same as for [`TableauClient::site`]; also [`Error::Invalid`] for an empty content URL: find a server's
    /// default site by LUID or name.
    ///
    /// Source: the same as for [`TableauClient::site`].
    pub async fn site_at(&self, content_url: &str) -> Result<Site, Error> {
        self.site_by(&segment(OPERATION, content_url)?, Some("contentUrl")).await
    }

    /// Fetches the session's site by its display name. Otherwise the same as [`TableauClient::site_at`].
    ///
    /// # Errors
    /// The same as for [`TableauClient::site`].
    ///
    /// Source: the same as for [`TableauClient::site`].
    pub async fn site_named(&self, name: &str) -> Result<Site, Error> {
        self.site_by(&segment(OPERATION, name)?, Some("name")).await
    }

    async fn site_by(&self, wanted: &str, key: Option<&str>) -> Result<Site, Error> {
        let path = format!("sites/{wanted}");
        let call = Call::get(OPERATION, Path::Server(&path));
        let call = key.into_iter().fold(call, |call, key| call.query("key", key));
        Ok(self.ask::<Answer>(call).await?.site)
    }
}
