//! LUIDs: Tableau's ids of resources, one type per kind of resource.

use serde::{Deserialize, Serialize};

/// The error that a text cannot be a LUID: empty, over 64 characters, or with other characters than ASCII letters,
/// digits and `-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a LUID: 1 to 64 letters, digits and `-` are allowed")]
pub struct InvalidLuid;

/// LUIDs come from an unauthenticated sender and are inserted into REST paths, so characters that could change a path
/// are refused. In practice LUIDs are UUIDs, but Tableau's own sample payload has `"99"`.
fn check(text: &str) -> Result<(), InvalidLuid> {
    let fits = (1..=64).contains(&text.len());
    if fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        Ok(())
    } else {
        Err(InvalidLuid)
    }
}

macro_rules! luids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// 1 to 64 ASCII letters, digits and `-`, so it can stand in a URL path as it is.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as Tableau writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidLuid;

            fn try_from(text: String) -> Result<Self, InvalidLuid> {
                check(&text).map(|()| Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidLuid;

            fn from_str(text: &str) -> Result<Self, InvalidLuid> {
                check(text).map(|()| Self(text.to_owned()))
            }
        }

        impl From<$name> for String {
            fn from(luid: $name) -> String {
                luid.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

luids! {
    /// A site.
    SiteLuid;
    /// A workbook.
    WorkbookLuid;
    /// A published data source.
    DatasourceLuid;
    /// A view (a sheet or dashboard of a workbook).
    ViewLuid;
    /// A user of a site.
    UserLuid;
    /// A project.
    ProjectLuid;
    /// A background job, such as one run of an extract refresh.
    JobLuid;
    /// A scheduled task, such as the extract refresh of a workbook.
    TaskLuid;
    /// A schedule of tasks.
    ScheduleLuid;
    /// A webhook.
    WebhookLuid;
    /// A label on a data source, table, or the like.
    LabelLuid;
    /// A database that content connects to.
    DatabaseLuid;
    /// A table of a database.
    TableLuid;
    /// A column of a table.
    ColumnLuid;
    /// A flow.
    FlowLuid;
    /// The id of one run of a flow, which is neither that of the flow nor that of its job.
    FlowRunLuid;
    /// A virtual connection.
    VirtualConnectionLuid;
    /// A table of a virtual connection.
    VirtualConnectionTableLuid;
    /// A data quality warning.
    QualityWarningLuid;
    /// A resource of a kind this version does not know.
    ResourceLuid;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_change_a_url_path_is_not_a_luid() {
        for text in ["", "..", "a/b", "a?b", "a#b", "a%2fb", "a b", "é", &"a".repeat(65)] {
            assert_eq!(text.parse::<WorkbookLuid>(), Err(InvalidLuid), "{text:?}");
        }
    }

    #[test]
    fn the_sample_of_the_help_pages_is_a_luid() {
        assert_eq!("99".parse::<DatasourceLuid>().unwrap().as_str(), "99");
    }
}
