//! The events of a run, each about its own resource. They are of many kinds, so that some are announced alone and
//! others in a group.

use jiff::Timestamp;
use serde_json::{Value, json};
use simulator::{Datasource, SAMPLE_PAT, SAMPLE_SITE, TableauSimulator, Workbook};
use std::sync::Arc;
use tableau::{EventId, EventName, Payload, ViewLuid};
use tableau_client::{
    BroadcastOptions, FixedCredential, MemorySessionStore, Settings, TableauClient, TableauCredential,
};

/// Every event becomes a message. The update of a workbook also overwrites its broadcasts, with changed options.
/// they had.
pub(crate) const RULES: &str = "
sites:
  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }
rules:
  - name: publishing
    on: [WorkbookCreated, WorkbookUpdated, WorkbookDeleted, WorkbookRefreshStarted,
         DatasourceCreated, DatasourceUpdated, DatasourceDeleted, DatasourceRefreshStarted]
    do: [{ notify-slack: { channel: data-news } }]
  - name: refreshes that fail
    on: [DatasourceRefreshFailed]
    do: [{ notify-slack: { channel: data-news } }]
  - name: boards that fail
    on: [WorkbookRefreshFailed]
    do: [{ notify-slack: { channel: data-alerts } }]
  - name: broadcasts
    on: [WorkbookUpdated]
    do: [{ update-broadcast: { watermark: false, tabs: true, downloads: true } }]
";

/// One in this many events updates a workbook that has a broadcast.
const BROADCAST_EVERY: usize = 10;

const OF_WORKBOOKS: [&str; 3] = ["WorkbookCreated", "WorkbookDeleted", "WorkbookRefreshStarted"];
const OF_DATASOURCES: [&str; 4] =
    ["DatasourceCreated", "DatasourceUpdated", "DatasourceDeleted", "DatasourceRefreshStarted"];

/// An event.
#[derive(Debug)]
pub(crate) struct Occurrence {
    pub(crate) id: EventId,
    pub(crate) body: String,
    /// The broadcast view.
    pub(crate) broadcast: Option<ViewLuid>,
}

impl Occurrence {
    fn of(body: &Value, broadcast: Option<ViewLuid>) -> Self {
        let body = body.to_string();
        let id = EventId::of(&Payload::parse(body.as_bytes()).unwrap());
        Self { id, body, broadcast }
    }
}

fn occurrence(number: usize, kind: &str, luid: &str, broadcast: Option<ViewLuid>) -> Occurrence {
    let resource = if kind.starts_with("Workbook") { "WORKBOOK" } else { "DATASOURCE" };
    let name = format!("Resource {number}");
    let body = json!({
        "resource": resource, "event_type": kind, "resource_name": name, "site_luid": SAMPLE_SITE,
        "resource_luid": luid, "created_at": "2026-03-02T06:14:44.512Z",
        "text": format!("Event {kind} for resource {name}"),
    });
    Occurrence::of(&body, broadcast)
}

/// The refresh of an object that ended at `at`.
pub(crate) fn refresh(event: &EventName, name: &str, luid: &str, at: Timestamp) -> Occurrence {
    let body = json!({
        "resource": "EXTRACTS", "event_type": event.as_str(), "resource_name": name, "resource_luid": luid,
        "site_luid": SAMPLE_SITE, "created_at": format!("{at:.0}"),
    });
    Occurrence::of(&body, None)
}

/// Event bodies about resources that do not exist at Tableau, for ingresses, which do not ask Tableau.
pub(crate) fn bodies(from: usize, number: usize) -> Vec<Occurrence> {
    (from..from + number).map(|n| occurrence(n, "WorkbookCreated", &format!("w-{n}"), None)).collect()
}

/// Publishes this many resources at Tableau, and returns an event about each.
pub(crate) async fn happen(tableau: &TableauSimulator, number: usize) -> Vec<Occurrence> {
    let client = TableauClient::new(
        http_client::client(None).unwrap(),
        Settings::new(&tableau.url(), "marketing", "").unwrap(),
        Arc::new(FixedCredential::new(TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1))),
        Arc::new(MemorySessionStore::default()),
    );
    let mut all = Vec::new();
    for number in 0..number {
        let name = format!("Resource {number}");
        let workbook = Workbook::named(&name);
        let datasource = Datasource::named(&name);
        all.push(match number {
            n if n.is_multiple_of(BROADCAST_EVERY) => {
                let luid = tableau.add(workbook.with_view(&name));
                let view = tableau.view(&name).unwrap();
                client.overwrite_broadcast(&view, BroadcastOptions::default()).await.unwrap();
                occurrence(n, "WorkbookUpdated", luid.as_str(), Some(view))
            }
            n if n.is_multiple_of(2) => {
                let kind = OF_WORKBOOKS[n / 2 % OF_WORKBOOKS.len()];
                occurrence(n, kind, tableau.add(workbook).as_str(), None)
            }
            n => {
                let kind = OF_DATASOURCES[n / 2 % OF_DATASOURCES.len()];
                occurrence(n, kind, tableau.add(datasource).as_str(), None)
            }
        });
    }
    all
}
