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
            "# Let the refresh succeed that failed first, which resolves its incident:\n\
             curl -X POST '{tableau}/simulator/refresh/{luid}/succeed'\n\
             \n"
        ),
        None => String::new(),
    };
    let dead_letter = match &environment.slack {
        Some(slack) => dead_letter(&slack.url(), &at, &run),
        None => format!(
            "# Replay what failed for good, when its cause is gone:\n\
             {run} events replay {at}\n\
             \n"
        ),
    };
    let routes: Vec<String> =
        environment.stack.routes().iter().map(|route| format!("    {}", route.key)).collect();
    format!(
        "The stack stays up; Ctrl-C ends it. To try in another terminal:\n\
         \n\
         # The token of webhooks' URLs, new in each run:\n\
         token={token}\n\
         \n\
         # Any other event; every name works (AdminPromoted, WorkbookCreated, …):\n\
         {run} send WorkbookCreated {at}\n\
         \n\
         # One by hand (pasted twice, it is a duplicate and handled once):\n\
         curl -i \"{api}/webhook?token=$token\" -H 'content-type: application/json' -d @events/tableau/admin-promoted.json\n\
         \n\
         # A workflow's own route, and a wrong token:\n\
         curl -i \"{api}/webhooks/notify-slack/$token\" -H 'content-type: application/json' -d @events/tableau/workbook-created.json\n\
         curl -i '{api}/webhook?token=wrong' -H 'content-type: application/json' -d '{{}}'\n\
         \n\
{recovery}\
         # Let the refresh of another data source fail at Tableau, with a reason of its own:\n\
         curl -X POST '{tableau}/simulator/refresh/4cdd2055-930d-4eaf-94f4-733f3e7d1bfb/fail?notes=postgres-refused'\n\
         \n\
         # Five refreshes fail at the same time. Half a minute later one message has those that came after the first:\n\
         {run} send DatasourceRefreshFailed --count 5 {at}\n\
         \n\
         # What became of events, and the whole way of one, by the first digits of its id:\n\
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
        "# Slack refuses every message from now on, as if the channel were archived: the event becomes a dead letter:\n\
         curl -X POST '{slack}/simulator/faults?fault=archived'\n\
         {run} send SiteUpdated {at}\n\
         {run} events dead-letters list {at}\n\
         \n\
         # Slack takes messages again, and what failed for good is replayed:\n\
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
