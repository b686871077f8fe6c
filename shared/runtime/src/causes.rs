//! What an attempt found out about the cause of a failed refresh: what is recorded of it, and how often it is counted.

use crate::request::Request;
use crate::telemetry::{self, Metric};
use workflow::FoundCause;

/// What the delivery record says about the cause after an attempt. A class is recorded at once. That none was found is
/// recorded when the event is over: until then another attempt may find one.
pub(crate) fn recorded(found: Option<FoundCause>, is_over: bool) -> Option<&'static str> {
    found.filter(|found| is_over || *found != FoundCause::NotFound).map(FoundCause::as_str)
}

/// Counts a cause that was recorded, unless an earlier attempt has recorded one: an event counts once.
pub(crate) fn count(function: &str, cause: Option<&str>, before: Option<&str>, request: &Request) {
    if let Some(class) = cause.filter(|_| before.is_none()) {
        let dimensions = [("function", function), ("class", class)];
        telemetry::report(&dimensions, &[Metric::count("Causes")], request.now().as_millisecond());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_recorded_at_once_and_that_none_was_found_when_the_event_is_over() {
        for is_over in [false, true] {
            assert_eq!(recorded(None, is_over), None);
            assert_eq!(recorded(Some(FoundCause::Class("Busy")), is_over), Some("Busy"));
            assert_eq!(recorded(Some(FoundCause::NotFound), is_over), is_over.then_some("NotFound"));
        }
    }
}
