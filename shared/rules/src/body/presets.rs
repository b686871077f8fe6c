//! The templates that come with `forward-event`. They are texts in the function's folder, and no code.

use serde::Deserialize;

/// A template that comes with forward-event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// An issue in Jira Cloud.
    JiraIssue,
    /// A run of a job of Matillion ETL.
    MatillionJob,
    /// A run of a pipeline of Matillion's Data Productivity Cloud.
    MatillionPipeline,
    /// A message for a URL that takes what Slack's incoming webhooks take.
    SlackMessage,
    /// A row in a table of Snowflake, through its SQL API.
    SnowflakeRow,
}

impl Preset {
    /// Every preset, in alphabetical order.
    pub const ALL: [Self; 5] = [
        Self::JiraIssue,
        Self::MatillionJob,
        Self::MatillionPipeline,
        Self::SlackMessage,
        Self::SnowflakeRow,
    ];

    /// Its name, as rules write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::JiraIssue => "jira-issue",
            Self::MatillionJob => "matillion-job",
            Self::MatillionPipeline => "matillion-pipeline",
            Self::SlackMessage => "slack-message",
            Self::SnowflakeRow => "snowflake-row",
        }
    }

    /// Its text.
    pub fn text(self) -> &'static str {
        match self {
            Self::JiraIssue => include_str!("../../../../functions/forward-event/presets/jira-issue.j2"),
            Self::MatillionJob => {
                include_str!("../../../../functions/forward-event/presets/matillion-job.j2")
            }
            Self::MatillionPipeline => {
                include_str!("../../../../functions/forward-event/presets/matillion-pipeline.j2")
            }
            Self::SlackMessage => {
                include_str!("../../../../functions/forward-event/presets/slack-message.j2")
            }
            Self::SnowflakeRow => {
                include_str!("../../../../functions/forward-event/presets/snowflake-row.j2")
            }
        }
    }
}
