//! The text of a warning, which everyone reads who may see the data source. Plain text; the client escapes it.

use alerting::notification::{Cause, Notification, Status, Value, clock};
use jiff::Timestamp;
use plain_text::one_line;
use rules::settings::SetQualityWarning;
use tableau_client::QualityWarning;

/// How every warning of ours ends, and how it is recognised. No character of it is changed by escaping.
const MARK: &str = "This warning was set by tableau-webhooks. It is removed when a refresh succeeds.";
/// The most characters of a warning. Tableau documents no limit.
const LIMIT: usize = 900;
/// The most characters of the line that gives the cause.
const CAUSE_LIMIT: usize = 300;

/// Whether we have set the warning. A person who has changed its end has made the warning their own.
pub(crate) fn is_ours(warning: &QualityWarning) -> bool {
    warning.text().trim_end().ends_with(MARK)
}

/// The text of the warning about a failing refresh.
pub(crate) fn of(shown: &Notification, settings: &SetQualityWarning) -> String {
    let mut sentences = Vec::new();
    let own = [&shown.own_title, &shown.own_text].into_iter().flatten();
    sentences.extend(own.map(|own| sentence(own)).filter(|own| !own.is_empty()));
    let since = since(shown).map(|since| format!(" since {}", clock::time(since, shown.timezone.as_ref())));
    let since = since.unwrap_or_default();
    sentences.push(match sentences.is_empty() {
        true => format!("The data may be old: its refresh has failed{since}."),
        false => format!("Its refresh has failed{since}."),
    });
    sentences.extend(shown.cause.as_ref().map(|cause| self::cause(cause, settings.details)));
    let text = sentences.join(" ");
    format!("{} {MARK}", cut(&text, LIMIT - MARK.len() - 1))
}

/// When the object began to fail.
fn since(shown: &Notification) -> Option<Timestamp> {
    let of_status = shown.status.iter().find_map(|status| match status {
        Status::Failures { since, .. } => Some(*since),
        _ => None,
    });
    let of_event = || {
        shown.facts.iter().find_map(|fact| match (fact.label, &fact.value) {
            ("When", Value::Time(at)) => Some(*at),
            _ => None,
        })
    };
    of_status.or_else(of_event)
}

fn cause(cause: &Cause, details: bool) -> String {
    match cause {
        Cause::Known { title, line } if details => {
            sentence(&format!("Cause: {title}: {}", cut(&one_line(line), CAUSE_LIMIT)))
        }
        Cause::Known { title, .. } => sentence(&format!("Cause: {title}")),
        Cause::Unknown { .. } => "The cause is not known.".to_owned(),
    }
}

/// The text on one line, with a full stop unless it ends already.
fn sentence(text: &str) -> String {
    let line = one_line(text);
    match line.chars().next_back() {
        None | Some('.' | '!' | '?' | '…' | '。') => line,
        Some(_) => format!("{line}."),
    }
}

fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(limit - 1).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerting::notification;

    fn shown() -> Notification {
        let mut shown = notification::test("set-quality-warning");
        shown.own_text = None;
        shown.cause = Some(Cause::Known {
            title: "credentials refused".to_owned(),
            line: "Login failed for user 'svc'\n<b>& more</b>".to_owned(),
        });
        shown.status = vec![Status::Failures {
            count: 3,
            since: "2025-11-24T16:00:00Z".parse().unwrap(),
            lasted: "2 h".to_owned(),
        }];
        shown
    }

    fn of_server(text: &str) -> QualityWarning {
        let kept = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        serde_json::from_value(serde_json::json!({ "id": "q-1", "message": kept })).unwrap()
    }

    #[test]
    fn readers_learn_since_when_and_the_kind_of_cause_and_more_only_if_a_rule_says_so() {
        let plain = of(&shown(), &SetQualityWarning::default());
        assert_eq!(
            plain,
            "The data may be old: its refresh has failed since Mon 24 Nov 2025, 16:00 UTC. Cause: credentials refused. \
             This warning was set by tableau-webhooks. It is removed when a refresh succeeds."
        );
        let details = SetQualityWarning { details: true, ..SetQualityWarning::default() };
        assert!(of(&shown(), &details).contains("refused: Login failed for user 'svc' <b>& more</b>. This"));
        let mut unknown = shown();
        unknown.cause = Some(Cause::Unknown { why: "Tableau does not answer".to_owned() });
        assert!(of(&unknown, &details).contains("UTC. The cause is not known. This"));
    }

    #[test]
    fn the_words_of_a_rule_come_first() {
        let mut own = shown();
        own.own_title = Some("Do not use for the monthly close".to_owned());
        own.own_text = Some("Ask\nfinance!".to_owned());
        let text = of(&own, &SetQualityWarning::default());
        assert!(
            text.starts_with(
                "Do not use for the monthly close. Ask finance! Its refresh has failed since Mon"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_warning_of_ours_is_recognised_as_tableau_keeps_it_however_long_it_was() {
        let mut long = shown();
        long.own_text = Some("<&> ".repeat(5_000));
        let text = of(&long, &SetQualityWarning::default());
        assert!(text.chars().count() <= LIMIT && text.contains('…'), "{}", text.chars().count());
        assert!(is_ours(&of_server(&text)));
        for of_a_person in
            ["", "Old data", "This warning was set by tableau-webhooks.", &format!("{text} Really!")]
        {
            assert!(!is_ours(&of_server(of_a_person)), "{of_a_person}");
        }
    }
}
