//! Signs callers in and out.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_authentication.htm>

use super::call::{Answer, Call, malformed};
use super::element::Element;
use super::error::RestError;
use crate::tableau::model::{Credentials, Session, SignInError};
use crate::tableau::version::RestVersion;
use jiff::Timestamp;

/// The REST version that introduced personal access tokens.
const PAT_SINCE: RestVersion = RestVersion { major: 3, minor: 6 };

/// The REST version that introduced JWTs of connected apps.
const JWT_SINCE: RestVersion = RestVersion { major: 3, minor: 17 };

pub(crate) fn sign_in(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let text = |name: &str| call.body.text(&["credentials", name]);
    if call.body.get(&["credentials"]).is_none() {
        return Err(malformed("Payload is either malformed or incomplete: no credentials."));
    }
    // Unified access tokens, which Tableau Cloud also calls JWTs, are not simulated.
    if call.body.flag(&["credentials", "isUat"]) == Some(true) {
        return Err(refused(SignInError(None)));
    }
    let has = |names: &[&str]| names.iter().any(|name| text(name).is_some());
    let kinds = [
        has(&["personalAccessTokenName", "personalAccessTokenSecret"]),
        has(&["name", "password"]),
        has(&["jwt"]),
    ];
    if kinds.into_iter().filter(|is_there| *is_there).count() > 1 {
        return Err(malformed("Payload is either malformed or incomplete: credentials of several kinds."));
    }
    let pat = (text("personalAccessTokenName"), text("personalAccessTokenSecret"));
    let credentials = match (pat, (text("name"), text("password")), text("jwt")) {
        ((Some(name), Some(secret)), _, _) if call.version >= PAT_SINCE => Credentials::Pat { name, secret },
        (_, (Some(name), Some(password)), _) => Credentials::Password { name, password },
        (_, _, Some(jwt)) if call.version >= JWT_SINCE => Credentials::Jwt(jwt),
        _ => return Err(malformed("Payload is either malformed or incomplete: no usable credentials.")),
    };
    let content_url = call.body.text(&["credentials", "site", "contentUrl"]).unwrap_or_default();
    let session = call.model.sign_in(&credentials, content_url, call.now).map_err(refused)?;
    let session = match call.body.text(&["credentials", "user", "id"]) {
        Some(user) if session.pat.is_some() && !call.settings.pats_may_impersonate => {
            call.model.sign_out(&session.token);
            return Err(RestError::new("401001", format!("A PAT may not sign in as user '{user}'.")));
        }
        Some(user) => call.model.impersonate(session, user).map_err(refused)?,
        None => session,
    };
    Ok(answer(call, &session))
}

/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_authentication.htm#switch_site>
pub(crate) fn switch_site(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let failed = || RestError::new("401003", "Switching to the site failed.");
    let content_url = call.body.text(&["site", "contentUrl"]).ok_or_else(failed)?;
    let session = call.session.clone().filter(|s| s.scopes.is_none()).ok_or_else(failed)?;
    let current = call.model.site(session.site.as_str()).map(|site| site.content_url.as_str());
    if current == Some(content_url) {
        return Err(RestError::new("403070", "The session is for this site already."));
    }
    let session = call.model.switch_site(session, content_url).ok_or_else(failed)?;
    Ok(answer(call, &session))
}

fn refused(error: SignInError) -> RestError {
    let inner = error.0.map(|code| format!(" (errorCode={code})")).unwrap_or_default();
    RestError::new("401001", format!("Error signing in to Tableau.{inner}"))
}

fn answer(call: &Call<'_>, session: &Session) -> Answer {
    let site = call.model.site(session.site.as_str());
    let content_url = site.map(|s| s.content_url.clone()).unwrap_or_default();
    Answer::ok(Element::root().child(credentials_element(session, &content_url, call.now)))
}

fn credentials_element(session: &Session, content_url: &str, now: Timestamp) -> Element {
    let site = Element::new("site").with("id", session.site.as_str()).with("contentUrl", content_url);
    Element::new("credentials")
        .with("token", session.token.as_str())
        .with_some("estimatedTimeToExpiration", session.pat_expires_at.map(|at| days_hours_minutes(now, at)))
        .child(site)
        .child(Element::new("user").with("id", session.user.as_str()))
}

/// The time between two timestamps as `days:hours:minutes`.
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
