//! What to try next.

use super::world::World;
use crate::options::{LOCAL_PORT, LOCAL_TOKEN};

/// Lines that work when pasted into another terminal.
pub(crate) fn text(world: &World) -> String {
    let (api, tableau) = (world.stack.url(), world.tableau.url());
    let to = if api.ends_with(&format!(":{LOCAL_PORT}")) {
        String::new()
    } else {
        format!(" --to '{api}/webhook?token={LOCAL_TOKEN}'")
    };
    let at = if to.is_empty() {
        "--local".to_owned()
    } else {
        format!("--local --endpoint-url {}", world.stack.aws().url())
    };
    let routes: Vec<String> = world.stack.routes().iter().map(|route| format!("    {}", route.key)).collect();
    format!(
        "The stack stays up; Ctrl-C ends it. To try in another terminal:\n\
         \n\
         # Any other event; every name works (AdminPromoted, WorkbookCreated, …):\n\
         cargo run -- send WorkbookRefreshSucceeded{to}\n\
         \n\
         # One by hand (pasted twice, it is a duplicate and handled once):\n\
         curl -i '{api}/webhook?token={LOCAL_TOKEN}' -H 'content-type: application/json' -d @events/tableau/admin-promoted.json\n\
         \n\
         # A workflow's own door, and a wrong token:\n\
         curl -i '{api}/webhooks/notify-slack/{LOCAL_TOKEN}' -H 'content-type: application/json' -d @events/tableau/workbook-created.json\n\
         curl -i '{api}/webhook?token=wrong' -H 'content-type: application/json' -d '{{}}'\n\
         \n\
         # Let the refresh of another data source fail at Tableau, with a reason of its own:\n\
         curl -X POST '{tableau}/simulator/refresh/4cdd2055-930d-4eaf-94f4-733f3e7d1bfb/fail?notes=postgres-refused'\n\
         \n\
         # What became of events, and the whole way of one, by the first digits of its id:\n\
         cargo run -- events list {at}\n\
         cargo run -- events show EVENT_ID {at}\n\
         \n\
         # Send what failed for good round again, when its cause is gone:\n\
         cargo run -- events replay {at}\n\
         \n\
         Routes of the API, from template.yaml:\n{}\n",
        routes.join("\n")
    )
}
