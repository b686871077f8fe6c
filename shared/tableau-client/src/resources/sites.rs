//! The site.

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

const OPERATION: &str = "fetch the site";

impl TableauClient {
    /// The site signed in to, without its name. Otherwise as [`TableauClient::site`].
    ///
    /// # Errors
    /// As there.
    ///
    /// Source: as there.
    pub async fn own_site(&self) -> Result<Site, Error> {
        Ok(self.ask::<Answer>(Call::get(OPERATION, Path::Site(""))).await?.site)
    }

    /// The site signed in to, by the LUID that events carry. REST API 2.0+; JWT scope `tableau:sites:read`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404000 when there is no such site, 403010 for another site than the session's, 403000
    /// for who is not an administrator.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_site.htm#query_site>
    pub async fn site(&self, luid: &SiteLuid) -> Result<Site, Error> {
        self.site_by(luid.as_str(), None).await
    }

    /// The site signed in to, by its content URL: what stands behind `/site/` in the browser. REST API 2.0+; JWT scope
    /// as for [`TableauClient::site`].
    ///
    /// # Errors
    /// As there, and [`Error::Invalid`] for an empty content URL: a server's default site is asked for by LUID or name.
    ///
    /// Source: as there.
    pub async fn site_at(&self, content_url: &str) -> Result<Site, Error> {
        self.site_by(&segment(OPERATION, content_url)?, Some("contentUrl")).await
    }

    /// The site signed in to, by what people call it. Otherwise as [`TableauClient::site_at`].
    ///
    /// # Errors
    /// As there.
    ///
    /// Source: as there.
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
