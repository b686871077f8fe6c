//! The purpose of a timer, in words. No I/O.

use alerting::TimerSubject;
use workflow::SharedMessage;

/// What the timer with this key is for, and the target of its message: a channel, or the LUID of an incident's
/// object.
pub(crate) fn words(key: &str) -> (String, String) {
    match TimerSubject::of_key(key) {
        Some(TimerSubject::Message(SharedMessage::Group { id, target })) => {
            (format!("timer of group {id}"), target)
        }
        Some(TimerSubject::Message(SharedMessage::Digest { until, target })) => {
            (format!("timer of digest {until:.0}"), target)
        }
        Some(TimerSubject::Incident { object }) => ("timer of incident".to_owned(), object),
        None => ("timer".to_owned(), key.to_owned()),
    }
}

/// The timer's purpose and target as one text.
pub(crate) fn sentence(key: &str) -> String {
    let (what, place) = words(key);
    match TimerSubject::of_key(key) {
        Some(TimerSubject::Message(_)) => format!("{what} in {place}"),
        _ => format!("{what} {place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_named_by_what_it_is_for_and_where_that_goes() {
        for (key, expected) in [
            ("group#w#data-alerts#64c87bd200d1", "timer of group 64c87bd200d1 in data-alerts"),
            ("digest#w#data-alerts#1795935600", "timer of digest 2026-11-29T07:00:00Z in data-alerts"),
            ("incident#w#c7a2ea20", "timer of incident c7a2ea20"),
            ("refresh#1", "timer refresh#1"),
        ] {
            assert_eq!(sentence(key), expected);
        }
    }
}
