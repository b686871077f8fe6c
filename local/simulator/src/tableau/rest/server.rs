//! Server information and sites.

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use crate::tableau::model::Feature;

/// Site settings that are shown without having an effect.
///
/// Source: `tableau/server-client-python`, `test/assets/site_get_by_id.xml`
const SETTINGS: [(&str, &str); 26] = [
    ("adminMode", "ContentAndUsers"),
    ("storageQuota", "1048576"),
    ("userQuota", "100"),
    ("disableSubscriptions", "false"),
    ("revisionHistoryEnabled", "true"),
    ("revisionLimit", "25"),
    ("subscribeOthersEnabled", "true"),
    ("allowSubscriptionAttachments", "true"),
    ("guestAccessEnabled", "false"),
    ("cacheWarmupEnabled", "true"),
    ("commentingEnabled", "true"),
    ("commentingMentionsEnabled", "true"),
    ("editingFlowsEnabled", "true"),
    ("schedulingFlowsEnabled", "true"),
    ("extractEncryptionMode", "disabled"),
    ("catalogingEnabled", "true"),
    ("catalogObfuscationEnabled", "true"),
    ("derivedPermissionsEnabled", "false"),
    ("requestAccessEnabled", "true"),
    ("tierCreatorCapacity", "40"),
    ("tierExplorerCapacity", "30"),
    ("tierViewerCapacity", "30"),
    ("isDataAlertsEnabled", "true"),
    ("askDataMode", "DisabledAlways"),
    ("useDefaultTimeZone", "true"),
    ("timeZone", "Etc/UTC"),
];

/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_server.htm#get_server_info>
pub(crate) fn info(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let version = call.settings.max_version;
    let product = Element::new("productVersion").with("build", "20262.26.0601.0000").text(version.product());
    let rest = Element::new("restApiVersion").text(version.to_string());
    Ok(Answer::ok(Element::root().child(Element::new("serverInfo").child(product).child(rest))))
}

/// Finds a site by LUID, or by `?key=name` or `?key=contentUrl`.
///
/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_site.htm#query_site>
pub(crate) fn site(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let wanted = call.id();
    let key = call.query("key");
    if key.is_some_and(|key| !matches!(key, "name" | "contentUrl")) {
        return Err(RestError::new("400008", "key is name or contentUrl."));
    }
    let found = call.model.sites.iter().find(|site| match key {
        Some("name") => site.name == wanted,
        Some("contentUrl") => site.content_url == wanted,
        _ => site.luid.as_str() == wanted,
    });
    let site = found.ok_or_else(|| RestError::not_found("404000", "Site", wanted))?;
    if site.luid != call.site() {
        return Err(RestError::new("403010", "The session is for another site."));
    }
    if !call.is_administrator() {
        return Err(RestError::new("403000", "Only administrators may do this."));
    }
    let with_usage = match call.query("includeUsage") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(RestError::new("400008", "includeUsage is true or false.")),
    };
    let users = call.model.users.iter().filter(|user| user.site == site.luid).count();
    let element = Element::new("site")
        .with("id", site.luid.as_str())
        .with("name", site.name.as_str())
        .with("contentUrl", site.content_url.as_str())
        .with("state", "Active")
        .with("runNowEnabled", call.model.has(Feature::RunNow))
        .with_some("numUsers", with_usage.then_some(users))
        .with_some("storage", with_usage.then_some(0_u8));
    let element = SETTINGS.iter().fold(element, |element, (name, value)| element.with(name, *value));
    Ok(Answer::ok(Element::root().child(element)))
}
