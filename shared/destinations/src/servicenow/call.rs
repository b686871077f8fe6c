//! The calls of the Table API.

use super::record::{FIELDS, SysId};
use confidential::SecureUrl;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::json;
use std::collections::BTreeMap;

/// The fields that a call writes, by their names in the table.
pub(super) type Fields = BTreeMap<String, String>;

/// A call of the Table API, for the table of incidents.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call<'a> {
    /// The incidents that match an encoded query, the newest first.
    Search { query: &'a str, limit: usize },
    /// One incident.
    Read { sys_id: &'a SysId },
    /// Creates an incident. `by_name`: its values are what people see, and not what the table stores.
    Create { fields: &'a Fields, by_name: bool },
    /// Changes fields of an incident, or adds to its journal.
    Update { sys_id: &'a SysId, fields: &'a Fields },
}

impl Call<'_> {
    /// What the call is to do, for an error.
    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::Search { .. } => "search for an incident",
            Self::Read { .. } => "show an incident",
            Self::Create { .. } => "create an incident",
            Self::Update { fields, .. } if fields.contains_key("close_code") => "resolve an incident",
            Self::Update { .. } => "change an incident",
        }
    }

    /// Whether nothing is lost or doubled if the answer is lost.
    pub(super) fn only_reads(&self) -> bool {
        matches!(self, Self::Search { .. } | Self::Read { .. })
    }

    /// The request, without authorization. Both headers are needed for every call.
    pub(super) fn request(&self, http: &Client, instance: &SecureUrl) -> RequestBuilder {
        let mut url = instance.as_url().clone();
        let (method, body) = match self {
            Self::Search { .. } | Self::Read { .. } => (Method::GET, None),
            Self::Create { fields, .. } => (Method::POST, Some(fields)),
            Self::Update { fields, .. } => (Method::PATCH, Some(fields)),
        };
        match self {
            Self::Search { .. } | Self::Create { .. } => url.set_path("/api/now/table/incident"),
            Self::Read { sys_id } | Self::Update { sys_id, .. } => {
                url.set_path(&format!("/api/now/table/incident/{}", sys_id.as_str()));
            }
        }
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("sysparm_fields", FIELDS);
            query.append_pair("sysparm_exclude_reference_link", "true");
            match self {
                Self::Search { query: wanted, limit } => {
                    query.append_pair("sysparm_query", &format!("{wanted}^ORDERBYDESCsys_created_on"));
                    query.append_pair("sysparm_limit", &limit.to_string());
                }
                Self::Create { by_name: true, .. } => {
                    query.append_pair("sysparm_input_display_value", "true");
                }
                _ => {}
            }
        }
        let request = http.request(method, url);
        let request = request.header("accept", "application/json").header("content-type", "application/json");
        match body {
            Some(fields) => request.body(json!(fields).to_string()),
            None => request,
        }
    }
}
