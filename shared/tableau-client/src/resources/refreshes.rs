//! Starts an extract refresh.

use super::jobs::{Answer, Job};
use crate::call::{Call, Path};
use crate::{ApiVersion, Error, TableauClient};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tableau::Subject;

/// Whether a refresh is full or incremental.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefreshKind {
    /// A full refresh.
    #[default]
    Full,
    /// An incremental refresh, if the extract is set up for one. REST API 3.28+.
    Incremental,
}

/// The result of requesting a refresh.
#[derive(Clone, Debug, PartialEq)]
pub enum RefreshNow {
    /// Tableau has queued a job for the refresh.
    Queued(Job),
    /// A refresh of this extract is already queued (409093). Tableau does not say which job it is.
    AlreadyQueued,
}

impl TableauClient {
    /// Refreshes the extract of a workbook or data source now. Tableau sends the events of this refresh too: a program that
    /// refreshes because of a refresh event needs a guard against an endless loop. REST API 2.8+; JWT scope
    /// `tableau:tasks:run`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything else than a workbook or data source, and for an incremental refresh before 3.28.
    /// [`Error::Refused`] with code 403076 or 403077 without the rights, 403104 for a live connection, 409082 when the
    /// site forbids it, 429000 when its quota is used up: the error then says how long to wait, if Tableau does.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#update_workbook_now>,
    /// <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_data_sources.htm#update_data_source_now>
    pub async fn refresh_now(&self, subject: &Subject, kind: RefreshKind) -> Result<RefreshNow, Error> {
        const OPERATION: &str = "refresh the extract";
        let path = match subject {
            Subject::Workbook(luid) => format!("workbooks/{luid}/refresh"),
            Subject::Datasource(luid) => format!("datasources/{luid}/refresh"),
            _ => {
                let reason = "only workbooks and data sources have extracts";
                return Err(Error::Invalid { operation: OPERATION, reason });
            }
        };
        let body: Value = match kind {
            RefreshKind::Full => json!({}),
            RefreshKind::Incremental => {
                if self.session_version().await? < ApiVersion::new(3, 28) {
                    let reason = "incremental refreshes need REST API 3.28";
                    return Err(Error::Invalid { operation: OPERATION, reason });
                }
                json!({ "extractRefresh": { "incremental": true } })
            }
        };
        // Never sent twice: Tableau refuses a second request only while the first is queued; later it would start
        // another refresh.
        let call = Call::create(OPERATION, Path::Site(&path), &body).scope("tableau:tasks:run");
        match self.ask::<Answer>(call).await {
            Ok(answer) => Ok(RefreshNow::Queued(answer.job)),
            Err(error) if error.code() == Some("409093") => Ok(RefreshNow::AlreadyQueued),
            Err(error) => Err(error),
        }
    }
}
