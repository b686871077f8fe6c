//! Signing in and out.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_authentication.htm>

use super::call::{Answer, Call, malformed};
use super::element::Element;
use super::error::RestError;
use super::version::RestVersion;
use crate::tableau::model::{Credentials, Session};
use jiff::Timestamp;

/// The first version that takes personal access tokens.
const PAT_SINCE: RestVersion = RestVersion { major: 3, minor: 6 };

pub(crate) fn sign_in(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let refused = || RestError::new("401001", "Error signing in to Tableau.");
    let text = |name: &str| call.body.text(&["credentials", name]);
    if call.body.get(&["credentials"]).is_none() {
        return Err(malformed("Payload is either malformed or incomplete: no credentials."));
    }
    // A connected app's token is not understood yet.
    if text("jwt").is_some() {
        return Err(refused());
    }
    let pat = (text("personalAccessTokenName"), text("personalAccessTokenSecret"));
    let credentials = match (pat, (text("name"), text("password"))) {
        ((Some(name), Some(secret)), _) if call.version >= PAT_SINCE => Credentials::Pat { name, secret },
        (_, (Some(name), Some(password))) => Credentials::Password { name, password },
        _ => return Err(malformed("Payload is either malformed or incomplete: no usable credentials.")),
    };
    let content_url = call.body.text(&["credentials", "site", "contentUrl"]).unwrap_or_default();
    let session = call.model.sign_in(&credentials, content_url, call.now).map_err(|_| refused())?;
    let content_url =
        call.model.site(session.site.as_str()).map(|s| s.content_url.clone()).unwrap_or_default();
    Ok(Answer::ok(Element::root().child(credentials_element(&session, &content_url, call.now))))
}

fn credentials_element(session: &Session, content_url: &str, now: Timestamp) -> Element {
    let site = Element::new("site").with("id", session.site.as_str()).with("contentUrl", content_url);
    Element::new("credentials")
        .with("token", session.token.as_str())
        .with_some("estimatedTimeToExpiration", session.pat_expires_at.map(|at| days_hours_minutes(now, at)))
        .child(site)
        .child(Element::new("user").with("id", session.user.as_str()))
}

/// The time between as `days:hours:minutes`.
fn days_hours_minutes(from: Timestamp, to: Timestamp) -> String {
    let minutes = to.duration_since(from).as_mins().max(0);
    format!("{}:{}:{}", minutes / 1440, minutes / 60 % 24, minutes % 60)
}

pub(crate) fn sign_out(call: &mut Call<'_>) -> Result<Answer, RestError> {
    if let Some(session) = &call.session {
        call.model.sign_out(&session.token);
    }
    Ok(Answer::no_content())
}
