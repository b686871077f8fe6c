//! What a rules file holds, as it is written. The JSON form of these types is what functions read. No I/O.
//!
//! Unknown keys are no error here: a function goes on when the file is newer than the function. `shape.rs` refuses them
//! when a file is checked.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A rules file for tableau-webhooks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(deny_unknown_fields, rename = "RulesFile")
)]
#[serde(default)]
pub(crate) struct File {
    /// The sites whose events are acted on. Without the list, events of every site are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sites: Option<Vec<SiteEntry>>,
    /// Events that callers of the stack send, so that rules may name them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<EventEntry>,
    /// Settings of workflows, by the workflow's name, for every rule that leaves them out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "settings_by_name")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Defaults"))]
    pub(crate) defaults: BTreeMap<String, Map<String, Value>>,
    /// Times in which alerts are suppressed and recoveries are sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) maintenance: Vec<MaintenanceEntry>,
    /// The rules. All that match an event apply.
    pub(crate) rules: Vec<RuleEntry>,
}

/// A site that may send events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(crate) struct SiteEntry {
    /// The site's LUID, as in the log line of each event.
    pub(crate) luid: String,
    /// The site's name in messages and in `site` conditions.
    pub(crate) name: String,
    /// An IANA time zone, such as Europe/Berlin, for times in messages and in rules. Default: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<String>,
    /// After how many failures in a row Tableau suspends a scheduled refresh, as messages say it; 0 or never: they do not say it. Default: 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::CountOrNever"))]
    pub(crate) suspends_after: Option<Value>,
}

/// An event that callers of the stack send.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(crate) struct EventEntry {
    /// The event's name, such as PipelineFinished.
    pub(crate) name: String,
    /// What has happened then, for readers of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// One rule: what happens about which events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(crate) struct RuleEntry {
    /// The rule's name in messages, logs and errors. Unique.
    pub(crate) name: String,
    /// Events: exact names, as Tableau spells them, families such as RefreshFailed, or names of `events`.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::EventOrFamily>"))]
    pub(crate) on: Vec<String>,
    /// The rule applies if all of these conditions hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) r#where: Option<ConditionsEntry>,
    /// The rule does not apply if all of these conditions hold. Of a list, if those of one entry do.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<ConditionsEntry>"))]
    pub(crate) unless: Vec<ConditionsEntry>,
    /// The rule applies only if no rule above has matched the event.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) otherwise: bool,
    /// Notifications are sent at once, also in quiet hours and maintenance.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) critical: bool,
    /// No notifications before this time, such as 2026-12-24T18:00:00+01:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mute_until: Option<String>,
    /// Hours in which notifications wait; when they end, one notification says what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quiet: Option<TimeEntry>,
    /// The words of notifications about one event or incident, as templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<MessageEntry>,
    /// The workflows to start, each with its settings.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::Action>"))]
    pub(crate) r#do: Vec<BTreeMap<String, Option<Map<String, Value>>>>,
}

/// Conditions. All that are written must hold; of several values of one, any.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(crate) struct ConditionsEntry {
    /// The site, by its name or LUID in `sites`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<String>"))]
    pub(crate) site: Vec<String>,
    /// The project, as a path from the top: Finance/Reports. `*` stands for any text within a name, `**` for projects at any
    /// depth: Finance/** is Finance and all below it.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<String>"))]
    pub(crate) project: Vec<String>,
    /// The name of the workbook, data source or other object. `*` stands for any text.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<String>"))]
    pub(crate) name: Vec<String>,
    /// The tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<TagsEntry>,
    /// The owner: e-mail address, user name or full name. `*` stands for any text.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<String>"))]
    pub(crate) owner: Vec<String>,
    /// A group of the site that the owner is in.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<String>"))]
    pub(crate) owner_group: Vec<String>,
    /// Whether the data source is certified. A workbook never is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certified: Option<bool>,
    /// The class of a failed refresh's cause.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<crate::schema::Cause>"))]
    pub(crate) cause: Vec<String>,
    /// The refresh has failed at least so many times without a success between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failures_in_a_row: Option<u32>,
    /// The time at which the event happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<TimeEntry>,
}

/// Tags. Capital and small letters are the same.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(crate) struct TagsEntry {
    /// At least one of these.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<String>"))]
    pub(crate) any: Vec<String>,
    /// Every one of these.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<String>"))]
    pub(crate) all: Vec<String>,
    /// None of these.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<String>"))]
    pub(crate) none: Vec<String>,
}

/// Days of the week and hours of the day. Hours that pass midnight belong to the day on which they begin.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(crate) struct TimeEntry {
    /// Days, such as Mon, Mon-Fri, weekdays or weekends. Default: every day.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<String>"))]
    pub(crate) days: Vec<String>,
    /// The beginning, such as 08:00. Without `from` and `to`: the whole day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// The end, such as 18:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
    /// An IANA time zone. Default: the site's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<String>,
}

/// A time in which alerts are suppressed. Recoveries are sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(crate) struct MaintenanceEntry {
    /// The window's name in logs and in the history.
    pub(crate) name: String,
    /// Only for what these conditions hold for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) r#where: Option<ConditionsEntry>,
    /// Days of the week, or a date: 2026-12-24. Default: every day.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::OneOrMany<String>"))]
    pub(crate) days: Vec<String>,
    /// The beginning, such as 06:00. Without `from` and `to`: the whole day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// The end, such as 12:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
    /// An IANA time zone. Default: the site's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<String>,
}

/// Templates for the words of a notification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(crate) struct MessageEntry {
    /// The first line, such as "{{ name }} has failed".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// The line below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

/// A list, or one value in place of it.
fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match OneOrMany::deserialize(value)? {
        OneOrMany::Many(many) => many,
        OneOrMany::One(one) => vec![one],
    })
}

/// Nothing behind a workflow's colon is a workflow without settings.
fn settings_by_name<'de, D: Deserializer<'de>>(
    value: D,
) -> Result<BTreeMap<String, Map<String, Value>>, D::Error> {
    let written = BTreeMap::<String, Option<Map<String, Value>>>::deserialize(value)?;
    Ok(written.into_iter().map(|(name, settings)| (name, settings.unwrap_or_default())).collect())
}
