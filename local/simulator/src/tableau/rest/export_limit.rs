//! Limits how many exports a site runs at the same time.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_fundamentals.htm>

use super::error::RestError;
use super::route::Route;
use crate::tableau::state::State;
use http::HeaderMap;
use std::sync::Arc;
use tableau::SiteLuid;

/// The path endings of export routes: views and workbooks as files. Preview images are small and not limited.
const LONG: [&str; 5] = ["/pdf", "/powerpoint", "/image", "/data", "/crosstab/excel"];

fn takes_long(route: &Route) -> bool {
    LONG.iter().any(|end| route.path.ends_with(end))
}

/// A running export's share of the limit, released when dropped.
pub(crate) struct ExportLimit {
    state: Arc<State>,
    site: SiteLuid,
}

impl ExportLimit {
    /// Counts a running export: `Ok(None)` for other calls, and for calls that are refused anyway because no user is
    /// signed in.
    pub(crate) fn take(
        state: &Arc<State>,
        route: Option<&Route>,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, RestError> {
        let token = headers.get("x-tableau-auth").and_then(|token| token.to_str().ok());
        let (Some(_), Some(token)) = (route.filter(|route| takes_long(route)), token) else {
            return Ok(None);
        };
        let Some(site) = state.model().site_of_session(token) else { return Ok(None) };
        let mut exports = state.exports();
        let under_way = exports.entry(site.clone()).or_default();
        if *under_way >= state.settings.exports_at_once {
            return Err(RestError::new("429000", "Too many requests. Try again later."));
        }
        *under_way += 1;
        Ok(Some(Self { state: Arc::clone(state), site }))
    }
}

impl Drop for ExportLimit {
    fn drop(&mut self) {
        if let Some(under_way) = self.state.exports().get_mut(&self.site) {
            *under_way = under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::route::ROUTES;
    use super::*;

    #[test]
    fn exports_take_long_and_previews_do_not() {
        let long: Vec<&str> = ROUTES.iter().filter(|route| takes_long(route)).map(|r| r.path).collect();
        let expected = [
            "/sites/{site}/workbooks/{id}/pdf",
            "/sites/{site}/workbooks/{id}/powerpoint",
            "/sites/{site}/views/{id}/image",
            "/sites/{site}/views/{id}/pdf",
            "/sites/{site}/views/{id}/data",
            "/sites/{site}/views/{id}/crosstab/excel",
        ];
        assert_eq!(long, expected);
    }
}
