//! What starts the function `report-history`, and what it answers: the function and the command line share it. No I/O.

use crate::export::Exported;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tableau::{SiteLuid, WeeklyReport};

/// What starts the function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "start", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Start {
    /// The schedule: exports the days that are over, and sends the reports that are due.
    #[serde(rename = "schedule")]
    Periodic,
    /// A person wants an export.
    Export {
        /// The last day, in UTC. Default: yesterday. A day that is not over is exported as it is, and again later.
        #[serde(default)]
        through: Option<Date>,
    },
    /// A person wants the report of a week.
    Report {
        /// A day of the week, in the site's time zone. Default: of the last week that is over.
        #[serde(default)]
        week: Option<Date>,
    },
}

/// The report of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteReport {
    /// The site's LUID.
    pub site: SiteLuid,
    /// Its name.
    pub name: String,
    /// Its week.
    pub report: WeeklyReport,
}

/// The reports of all sites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteReports {
    /// The reports.
    pub reports: Vec<SiteReport>,
}

/// What the function answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To the schedule.
    Scheduled {
        /// What was exported; `None` without a bucket.
        export: Option<Exported>,
        /// How many weekly reports were sent.
        sent: usize,
    },
    /// What was exported.
    Export(Exported),
    /// The reports of all sites.
    Reports(SiteReports),
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_start_is_read_and_anything_else_is_refused() {
        let start = |value: serde_json::Value| serde_json::from_value::<Start>(value).ok();
        assert_eq!(start(json!({ "start": "schedule" })), Some(Start::Periodic));
        assert_eq!(start(json!({ "start": "export" })), Some(Start::Export { through: None }));
        let through = "2026-11-29".parse().ok();
        assert_eq!(
            start(json!({ "start": "export", "through": "2026-11-29" })),
            Some(Start::Export { through })
        );
        assert_eq!(start(json!({ "start": "report" })), Some(Start::Report { week: None }));
        for other in [
            json!({}),
            json!({ "start": "x" }),
            json!({ "start": "export", "through": "x" }),
            json!({ "start": "report", "day": 1 }),
        ] {
            assert_eq!(start(other.clone()), None, "{other}");
        }
    }
}
