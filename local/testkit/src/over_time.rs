//! What takes time: timers of a function's queue, quiet hours, and events about many objects.

use crate::{Batch, Function, TestEnvironment};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use simulator::{Datasource, notes};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How often the queue is looked at.
const PAUSE: Duration = Duration::from_millis(500);

impl TestEnvironment {
    /// Hands the timers of the queue to the function when they are due, until this holds.
    ///
    /// # Panics
    /// With the function's log, when it does not hold within `longest`.
    pub async fn run_timers(&self, function: &Function, longest: Duration, holds: impl Fn() -> bool) {
        let began = Instant::now();
        let mut done = BTreeSet::new();
        while !holds() {
            assert!(began.elapsed() < longest, "{}", function.logs().join("\n"));
            tokio::time::sleep(PAUSE).await;
            for queued in self.aws.messages("queue") {
                let body: Value = serde_json::from_str(&queued.body).expect("JSON in the queue");
                let due = body["timer"]["due"].as_str().and_then(|due| due.parse::<Timestamp>().ok());
                if due.is_some_and(|due| due <= Timestamp::now()) && done.insert(queued.body.clone()) {
                    function.failures(&Batch::default().message(&queued.body)).await;
                }
            }
        }
    }

    /// An event about the data source `extract_{n}`, so many seconds from now. Tableau knows it, and why its refresh failed: else the
    /// function would wait two seconds for the job of each failure.
    pub fn event_of_extract(&self, name: &str, n: usize, second: u64) -> Value {
        let at = self.tableau.clock().now() + Duration::from_secs(second);
        let object = format!("extract_{n:03}");
        let known = self.tableau.datasource(&object);
        let luid = known.unwrap_or_else(|| self.tableau.add(Datasource::named(&object)));
        match name {
            "DatasourceRefreshFailed" => {
                self.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).expect("it is there");
            }
            "DatasourceRefreshSucceeded" => {
                self.tableau.succeed_refresh(&luid).expect("it is there");
            }
            _ => {}
        }
        json!({
            "resource": "EXTRACTS", "event_type": name, "resource_name": object,
            "site_luid": self.tableau.site().as_str(), "resource_luid": luid.as_str(),
            "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        })
    }
}

/// The setting `quiet` of a rule for hours that began an hour ago and end with the next whole minute that leaves `room` for events
/// before it.
pub fn quiet_until_soon(room: Duration) -> String {
    let now = Timestamp::now();
    let room = SignedDuration::try_from(room).expect("a short time");
    let end = (now + room).as_second().div_euclid(60) * 60 + 60;
    let clock = |at: Timestamp| at.strftime("%H:%M").to_string();
    let from = clock(now - SignedDuration::from_hours(1));
    let to = clock(Timestamp::from_second(end).expect("a time of today"));
    format!("quiet: {{ from: \"{from}\", to: \"{to}\", timezone: UTC }}")
}
