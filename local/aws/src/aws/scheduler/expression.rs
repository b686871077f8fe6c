//! Schedule expressions. No I/O.

use super::super::Refusal;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

fn invalid(expression: &str) -> Refusal {
    Refusal::new("ValidationException", format!("Invalid Schedule Expression {expression}."))
}

/// Parses the time of a one-time schedule, `at(…)`.
///
/// Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#one-time>
pub(super) fn at(expression: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    if ["rate(", "cron("].iter().any(|kind| expression.starts_with(kind)) {
        return Err(Refusal::missing_here(format_args!("recurring schedules: {expression}")));
    }
    let text = expression.strip_prefix("at(").and_then(|rest| rest.strip_suffix(')'));
    let text = text.ok_or_else(|| invalid(expression))?;
    let at: DateTime = text.parse().map_err(|_| invalid(expression))?;
    // Accept only the form `yyyy-mm-ddThh:mm:ss`, though the time parser accepts more forms.
    if at.to_string() != text || at.subsec_nanosecond() != 0 {
        return Err(invalid(expression));
    }
    let at = at.to_zoned(TimeZone::UTC).map_err(|_| invalid(expression))?.timestamp();
    if at <= now {
        // AWS refuses other expressions too; the wording of the error is ours.
        let message = format!("Invalid Schedule Expression {expression}. The time is in the past.");
        return Err(Refusal::new("ValidationException", message));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_time_to_come_in_the_documented_form_is_taken() {
        let now: Timestamp = "2026-11-28T18:45:00Z".parse().unwrap();
        assert_eq!(at("at(2026-11-28T18:45:01)", now).unwrap().as_second(), now.as_second() + 1);
        for expression in [
            "at(2026-11-28T18:45:00)",
            "at(2025-11-28T18:45:00)",
            "at(2026-11-28T18:46)",
            "at(2026-11-28 18:46:00)",
            "at(2026-11-28T18:46:00Z)",
            "at(2026-11-28T18:46:00.5)",
            "at(2026-13-28T18:46:00)",
            "at(2026-11-31T18:46:00)",
            "at(2026-11-28T25:00:00)",
            "at( 2026-11-28T18:46:0)",
            "AT(2026-11-28T18:46:00)",
            "at(2026-11-28T18:46:00",
            "garbage",
            "",
            "rate(1 hour)",
            "cron(0 10 * * ? *)",
        ] {
            assert!(at(expression, now).is_err(), "{expression}");
        }
    }
}
