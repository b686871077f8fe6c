//! The service objective of messages to people: 99 of 100 are sent in time.

use std::time::Duration;
use tableau::EventName;

/// The workflows that send messages to people.
const MESSENGERS: [&str; 5] = ["notify-slack", "notify-teams", "page-on-call", "send-email", "send-sms"];

/// How long after its event a message is sent in time.
pub const MESSAGE_OBJECTIVE: Duration = Duration::from_secs(60);

/// Whether the objective counts what this workflow sends about an event. It does not count an event that was deferred, as in quiet hours
/// (`deferrals`: how often), nor the stack's own events, which are about something earlier, such as a week. Events in a group or digest have
/// the outcome `skipped`, and are not asked about.
pub fn counts_for_objective(workflow: &str, event: &EventName, deferrals: u32) -> bool {
    MESSENGERS.contains(&workflow) && !event.is_derived() && deferrals == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_to_people_count_and_neither_other_work_nor_deferred_events() {
        let event = EventName::WorkbookRefreshFailed;
        assert!(counts_for_objective("notify-slack", &event, 0));
        assert!(counts_for_objective("send-sms", &EventName::from("PipelineFinished"), 0));
        assert!(!counts_for_objective("publish-pdf", &event, 0));
        assert!(!counts_for_objective("notify-slack", &event, 1));
        assert!(!counts_for_objective("notify-slack", &EventName::WeeklyReport, 0));
    }
}
