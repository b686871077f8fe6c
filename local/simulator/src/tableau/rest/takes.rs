//! The query parameters and body members that each route reads. All others are refused, so that nothing is accepted
//! without having an effect.
//!
//! A body that does not match Tableau's schema is `400000`. Here an unknown query parameter is refused too; Tableau is
//! reported to ignore it, which would hide a misspelling.
//!
//! Sources: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_errors.htm>,
//! `divinorum-webb/tableau-api-lib#54`.

use super::call::malformed;
use super::error::RestError;
use crate::tableau::version::RestVersion;
use serde_json::Value;

/// What one route reads of a call.
pub(crate) struct Takes {
    pub(crate) query: &'static [Parameter],
    /// Paths in the body, as [`Place::of`] parses them.
    pub(crate) body: &'static [&'static str],
    /// Whether an empty body is refused; `{}` and `<tsRequest/>` are not empty.
    pub(crate) needs_body: bool,
}

/// A query parameter. A name that ends with `*` is a prefix.
pub(crate) struct Parameter {
    name: &'static str,
    since: RestVersion,
}

const fn always(name: &'static str) -> Parameter {
    since(name, 2, 0)
}

const fn since(name: &'static str, major: u16, minor: u16) -> Parameter {
    Parameter { name, since: RestVersion { major, minor } }
}

const fn query(query: &'static [Parameter]) -> Takes {
    Takes { query, body: &[], needs_body: false }
}

const fn body(body: &'static [&'static str]) -> Takes {
    Takes { query: &[], body, needs_body: false }
}

impl Takes {
    /// Refuses repeated query parameters, and those that this version of the route does not read.
    pub(crate) fn check_query(
        &self,
        query: &[(String, String)],
        version: RestVersion,
    ) -> Result<(), RestError> {
        for (at, (name, _)) in query.iter().enumerate() {
            let known = self.query.iter().any(|parameter| parameter.is(name) && parameter.since <= version);
            if !known {
                return Err(malformed(&format!("The parameter '{name}' is not known here.")));
            }
            if query[..at].iter().any(|(before, _)| before == name) {
                return Err(malformed(&format!("The parameter '{name}' is given twice.")));
            }
        }
        Ok(())
    }

    /// Refuses body members that the route does not read, and values of the wrong kind.
    pub(crate) fn check_body(&self, body: &Value) -> Result<(), RestError> {
        let places: Vec<Place> = self.body.iter().map(|text| Place::of(text)).collect();
        check(&places, &mut Vec::new(), body)
    }
}

impl Parameter {
    fn is(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(beginning) => name.len() > beginning.len() && name.starts_with(beginning),
            None => name == self.name,
        }
    }
}

/// A path in a body: `tags/tag[]/label` is a text in each list element, `webhook/isEnabled?` a boolean,
/// `webhook-source/*` any member, and `variables/**` everything below.
struct Place {
    steps: Vec<Step>,
    is_flag: bool,
}

#[derive(PartialEq)]
struct Step {
    name: &'static str,
    several: bool,
}

impl Place {
    fn of(text: &'static str) -> Self {
        let path = text.strip_suffix('?').unwrap_or(text);
        let step = |name: &'static str| match name.strip_suffix("[]") {
            Some(name) => Step { name, several: true },
            None => Step { name, several: false },
        };
        Self { steps: path.split('/').map(step).collect(), is_flag: path.len() < text.len() }
    }

    /// Whether this path is `path` or below it.
    fn begins_with(&self, path: &[&str]) -> bool {
        self.takes_all(path)
            || (path.len() <= self.steps.len() && self.steps.iter().zip(path).all(|(s, p)| s.is(p)))
    }

    fn is_at(&self, path: &[&str]) -> bool {
        self.takes_all(path) || (path.len() == self.steps.len() && self.begins_with(path))
    }

    /// Whether `path` is below a `**` path, whose content is not checked.
    fn takes_all(&self, path: &[&str]) -> bool {
        let Some((Step { name: "**", .. }, steps)) = self.steps.split_last() else { return false };
        path.len() >= steps.len() && steps.iter().zip(path).all(|(step, part)| step.is(part))
    }
}

impl Step {
    fn is(&self, name: &str) -> bool {
        self.name == "*" || self.name == name
    }
}

fn check<'a>(places: &[Place], path: &mut Vec<&'a str>, value: &'a Value) -> Result<(), RestError> {
    let refused = |path: &[&str], why: &str| {
        Err(malformed(&format!("Payload is either malformed or incomplete: '{}' {why}.", path.join("/"))))
    };
    if !path.is_empty() && !places.iter().any(|place| place.begins_with(path)) {
        return refused(path, "is not known here");
    }
    if places.iter().any(|place| place.takes_all(path)) {
        return Ok(());
    }
    let at = || places.iter().filter(|place| place.is_at(path));
    match value {
        Value::Object(members) => members.iter().try_for_each(|(name, value)| {
            path.push(name);
            let checked = check(places, path, value);
            path.pop();
            checked
        }),
        Value::Array(items) => {
            let depth = path.len();
            let several = |place: &&Place| {
                place.begins_with(path) && place.steps.get(depth - 1).is_some_and(|s| s.several)
            };
            if depth == 0 || !places.iter().any(|place| several(&place)) {
                return refused(path, "is there twice");
            }
            items.iter().try_for_each(|item| check(places, path, item))
        }
        // A `null` member counts as absent.
        Value::Null => Ok(()),
        Value::String(text)
            if at().any(|place| !place.is_flag || matches!(text.as_str(), "true" | "false")) =>
        {
            Ok(())
        }
        Value::Bool(_) if at().any(|place| place.is_flag) => Ok(()),
        _ => refused(path, "has a value of another kind"),
    }
}

/// No parameters and no body.
pub(crate) const NOTHING: Takes = query(&[]);

// Parameters of lists.

/// A list for which Tableau documents no pagination. Clients send page parameters all the same.
pub(crate) const WHOLE_LIST: Takes = query(&[always("pageSize"), always("pageNumber")]);
/// A list whose elements always have all fields.
pub(crate) const LIST_ALL_FIELDS: Takes =
    query(&[always("pageSize"), always("pageNumber"), always("filter"), always("sort")]);
/// A list with pages, and without filters or orders.
pub(crate) const PAGES: Takes = WHOLE_LIST;
pub(crate) const LIST: Takes = query(&[
    always("pageSize"),
    always("pageNumber"),
    always("filter"),
    always("sort"),
    since("fields", 2, 5),
]);
pub(crate) const VIEWS: Takes = query(&[
    always("pageSize"),
    always("pageNumber"),
    always("filter"),
    always("sort"),
    since("fields", 2, 5),
    always("includeUsageStatistics"),
]);
pub(crate) const USAGE: Takes = query(&[always("includeUsageStatistics")]);
pub(crate) const SITE: Takes = query(&[always("key"), always("includeUsage")]);
pub(crate) const REMOVED_USER: Takes = query(&[always("mapAssetsTo")]);

// Parameters of exports.

pub(crate) const WORKBOOK_PDF: Takes = query(&[
    always("type"),
    always("orientation"),
    always("maxAge"),
    since("vf_*", 3, 23),
    since("vizWidth", 3, 26),
    since("vizHeight", 3, 26),
]);
pub(crate) const POWERPOINT: Takes = query(&[always("maxAge")]);
pub(crate) const VIEW_PDF: Takes = query(&[
    always("type"),
    always("orientation"),
    always("maxAge"),
    always("vf_*"),
    since("vizWidth", 3, 26),
    since("vizHeight", 3, 26),
]);
pub(crate) const IMAGE: Takes = query(&[
    always("resolution"),
    always("maxAge"),
    always("vf_*"),
    since("vizWidth", 3, 23),
    since("vizHeight", 3, 23),
    since("format", 3, 29),
]);
pub(crate) const DATA: Takes = query(&[always("maxAge"), always("vf_*")]);

// Members of bodies.

pub(crate) const SIGN_IN: Takes = body(&[
    "credentials/name",
    "credentials/password",
    "credentials/personalAccessTokenName",
    "credentials/personalAccessTokenSecret",
    "credentials/jwt",
    "credentials/isUat?",
    "credentials/site/contentUrl",
    "credentials/user/id",
]);
pub(crate) const SWITCH_SITE: Takes = body(&["site/contentUrl"]);
pub(crate) const PROJECT: Takes = Takes {
    query: &[always("publishSamples")],
    body: &[
        "project/name",
        "project/description",
        "project/contentPermissions",
        "project/parentProjectId",
        "project/owner/id",
    ],
    needs_body: false,
};
pub(crate) const WORKBOOK: Takes = body(&[
    "workbook/name",
    "workbook/description",
    "workbook/showTabs?",
    "workbook/encryptExtracts?",
    "workbook/project/id",
    "workbook/owner/id",
    "workbook/dataAccelerationConfig/accelerationEnabled?",
    "workbook/dataAccelerationConfig/accelerateNow?",
    // The views with data acceleration.
    "workbook/views/view[]/id",
]);
pub(crate) const DATASOURCE: Takes = body(&[
    "datasource/name",
    "datasource/description",
    "datasource/isCertified?",
    "datasource/certificationNote",
    "datasource/encryptExtracts?",
    "datasource/useRemoteQueryAgent?",
    "datasource/project/id",
    "datasource/owner/id",
]);
pub(crate) const TAGS: Takes = body(&["tags/tag[]/label"]);
pub(crate) const TAG_BATCH: Takes = body(&[
    "tagBatch/tags/tag[]/label",
    "tagBatch/contents/content[]/contentType",
    "tagBatch/contents/content[]/id",
]);
pub(crate) const REFRESH: Takes = body(&["extractRefresh/incremental?"]);
/// A run of a flow with all its steps. Steps, parameters and a mode are not simulated.
///
/// Source: `divinorum-webb/tableau-api-lib#56`: without a body Tableau answers `400000`.
pub(crate) const RUN: Takes = Takes { query: &[], body: &[], needs_body: true };
pub(crate) const WARNING: Takes = body(&[
    "dataQualityWarning/type",
    "dataQualityWarning/message",
    "dataQualityWarning/isActive?",
    "dataQualityWarning/isSevere?",
]);
pub(crate) const LABELS: Takes = body(&["contentList/content[]/contentType", "contentList/content[]/id"]);
pub(crate) const LABEL_ON_ALL: Takes = body(&[
    "contentList/content[]/contentType",
    "contentList/content[]/id",
    "label/value",
    "label/message",
    "label/active?",
    "label/elevated?",
]);
pub(crate) const PERMISSIONS: Takes = body(&[
    "permissions/project/id",
    "permissions/workbook/id",
    "permissions/datasource/id",
    "permissions/view/id",
    "permissions/granteeCapabilities[]/user/id",
    "permissions/granteeCapabilities[]/group/id",
    "permissions/granteeCapabilities[]/capabilities/capability[]/name",
    "permissions/granteeCapabilities[]/capabilities/capability[]/mode",
]);
pub(crate) const WEBHOOK: Takes = body(&[
    "webhook/name",
    "webhook/event",
    "webhook/isEnabled?",
    "webhook/statusChangeReason",
    "webhook/webhook-source/*",
    "webhook/webhook-destination/webhook-destination-http/method",
    "webhook/webhook-destination/webhook-destination-http/url",
]);
pub(crate) const GRAPHQL: Takes = body(&["query", "operationName", "variables/**"]);
pub(crate) const BROADCAST: Takes = Takes {
    query: &[always("acceptTermsOfUse"), always("overwrite")],
    body: &[
        "broadcastViewSend/viewId",
        "broadcastViewSend/showWatermark?",
        "broadcastViewSend/showTabs?",
        "broadcastViewSend/allowDownloads?",
    ],
    needs_body: false,
};

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(takes: &Takes, body: Value) -> Option<String> {
        takes.check_body(&body).err().map(|error| format!("{} {}", error.code, error.detail))
    }

    #[test]
    fn a_body_has_what_the_route_reads_and_nothing_else() {
        for body in [
            json!({}),
            json!({ "webhook": {} }),
            json!({ "webhook": { "name": "n", "isEnabled": "true", "event": null } }),
            json!({ "webhook": { "isEnabled": false, "webhook-source": { "webhook-source-event-site-updated": {} } } }),
        ] {
            assert_eq!(refusal(&WEBHOOK, body.clone()), None, "{body}");
        }
        for (body, place) in [
            (json!({ "other": {} }), "'other' is not known"),
            (json!({ "webhook": { "colour": "red" } }), "'webhook/colour' is not known"),
            (json!({ "webhook": { "name": 5 } }), "'webhook/name' has a value of another kind"),
            (json!({ "webhook": { "name": true } }), "'webhook/name' has a value of another kind"),
            (json!({ "webhook": { "name": { "first": "n" } } }), "'webhook/name/first' is not known"),
            (json!({ "webhook": { "isEnabled": "yes" } }), "'webhook/isEnabled' has a value of another kind"),
            (json!({ "webhook": [{}, {}] }), "'webhook' is there twice"),
            (json!({ "webhook": "text" }), "'webhook' has a value of another kind"),
        ] {
            let refusal = refusal(&WEBHOOK, body.clone()).unwrap_or_default();
            assert!(refusal.starts_with("400000") && refusal.contains(place), "{body}: {refusal}");
        }
    }

    #[test]
    fn a_list_in_a_body_may_have_one_or_several() {
        for tag in [json!({ "label": "x" }), json!([{ "label": "x" }, { "label": "y" }]), json!([])] {
            assert_eq!(refusal(&TAGS, json!({ "tags": { "tag": tag } })), None, "{tag}");
        }
        assert!(refusal(&TAGS, json!({ "tags": { "tag": [{ "colour": "x" }] } })).is_some());
        let variables = json!({ "query": "{ x }", "variables": { "a": [1, { "b": null }] } });
        assert_eq!(refusal(&GRAPHQL, variables), None);
    }

    #[test]
    fn a_parameter_is_known_since_its_version_and_given_once() {
        let check = |takes: &Takes, names: &[&str], minor| {
            let query: Vec<(String, String)> =
                names.iter().map(|n| ((*n).to_owned(), String::new())).collect();
            takes.check_query(&query, RestVersion { major: 3, minor }).map_err(|error| error.code)
        };
        assert_eq!(check(&IMAGE, &["vf_Region", "maxAge", "format"], 29), Ok(()));
        for (names, minor) in [
            (&["format"][..], 28),
            (&["vf_"], 29),
            (&["colour"], 29),
            (&["maxAge", "maxAge"], 29),
            (&["MaxAge"], 29),
        ] {
            assert_eq!(check(&IMAGE, names, minor), Err("400000"), "{names:?}");
        }
    }
}
