//! The commands to try next, which `up` prints.

use super::FIRST_FAILURE;
use super::environment::Environment;
use crate::options::LOCAL_PORT;
use crate::program;

/// Lines that work when pasted into another terminal.
pub(crate) fn text(environment: &Environment) -> String {
    let run = program::typed();
    let api = environment.stack.url();
    let tableau = environment.tableau.url();
    let at = if api.ends_with(&format!(":{LOCAL_PORT}")) {
        "--local".to_owned()
    } else {
        format!("--local --endpoint-url {}", environment.stack.aws().url())
    };
    let recovery = match environment.tableau.datasource(FIRST_FAILURE) {
        Some(luid) => format!(
            "# Let the first failed refresh succeed. That resolves its incident:\n\
             curl -X POST '{tableau}/simulator/refresh/{luid}/succeed'\n\
             \n"
        ),
        None => String::new(),
    };
    let dead_letter = match &environment.vendors.slack {
        Some(slack) => dead_letter(&slack.url(), &at, &run),
        None => format!(
            "# Replay the dead letters after their cause is fixed:\n\
             {run} events replay {at}\n\
             \n"
        ),
    };
    let routes: Vec<String> =
        environment.stack.routes().iter().map(|route| format!("    {}", route.key)).collect();
    format!(
        "The stack keeps running until you press Ctrl-C. To try in another terminal:\n\
         \n\
         # The token in the webhook URLs, new in each run:\n\
         token={token}\n\
         \n\
         # Send another event; every event name works (AdminPromoted, WorkbookCreated, …):\n\
         {run} send WorkbookCreated {at}\n\
         \n\
         # Send an event with curl. Sent twice, it is a duplicate and is handled once:\n\
         curl -i \"{api}/webhook?token=$token\" -H 'content-type: application/json' -d @events/tableau/admin-promoted.json\n\
         \n\
         # Send one to a workflow's own URL, and one with a wrong token:\n\
         curl -i \"{api}/webhooks/notify-slack/$token\" -H 'content-type: application/json' -d @events/tableau/workbook-created.json\n\
         curl -i '{api}/webhook?token=wrong' -H 'content-type: application/json' -d '{{}}'\n\
         \n\
{recovery}\
         # Let the refresh of another data source fail at Tableau, with another cause:\n\
         curl -X POST '{tableau}/simulator/refresh/4cdd2055-930d-4eaf-94f4-733f3e7d1bfb/fail?notes=postgres-refused'\n\
         \n\
         # Let five refreshes fail at the same time. Half a minute later, one message lists those after the first:\n\
         {run} send DatasourceRefreshFailed --count 5 {at}\n\
         \n\
         # List the events and their outcomes, and show everything about one, by the first digits of its id:\n\
         {run} events list {at}\n\
         {run} events show EVENT_ID {at}\n\
         \n\
{dead_letter}\
         Routes of the API, from template.yaml:\n{}\n",
        routes.join("\n"),
        token = environment.webhook_token,
    )
}

/// The commands from a Slack that refuses messages to a message that arrives after a replay.
fn dead_letter(slack: &str, at: &str, run: &str) -> String {
    format!(
        "# Let Slack refuse every message, as if the channel were archived. The event becomes a dead letter:\n\
         curl -X POST '{slack}/simulator/faults?fault=archived'\n\
         {run} send SiteUpdated {at}\n\
         {run} events dead-letters list {at}\n\
         \n\
         # Let Slack accept messages again, and replay the dead letters:\n\
         curl -X DELETE '{slack}/simulator/faults'\n\
         {run} events replay {at}\n\
         \n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_made_and_sent_round_again_at_the_addresses_of_this_stack() {
        let at = "--local --endpoint-url http://127.0.0.1:9003";
        let text = dead_letter("http://127.0.0.1:9002", at, "tableau-webhooks");
        let commands: Vec<&str> =
            text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert_eq!(
            commands,
            [
                "curl -X POST 'http://127.0.0.1:9002/simulator/faults?fault=archived'",
                "tableau-webhooks send SiteUpdated --local --endpoint-url http://127.0.0.1:9003",
                "tableau-webhooks events dead-letters list --local --endpoint-url http://127.0.0.1:9003",
                "curl -X DELETE 'http://127.0.0.1:9002/simulator/faults'",
                "tableau-webhooks events replay --local --endpoint-url http://127.0.0.1:9003",
            ]
        );
    }
}
