//! The text of a warning, which everyone reads who may see the data source. Plain text; the client escapes it.

use alerting::notification::{Cause, Notification, Status, Value, clock};
use jiff::Timestamp;
use plain_text::one_line;
use ring::digest::{SHA256, digest};
use rules::settings::SetQualityWarning;
use tableau::DatasourceLuid;
use tableau_client::QualityWarning;

/// How every warning of ours ends, around the incident that it is about and a checksum by which it is recognised.
const MARK: [&str; 2] =
    ["This warning was set by tableau-webhooks (", "). It is removed when a refresh succeeds."];
/// The most characters of an incident's id.
const INCIDENT: usize = 8;
/// The length of the checksum, in characters: 24 bits.
const CHECKSUM: usize = 6;
/// The most characters of a warning. Tableau documents no limit.
const LIMIT: usize = 900;
/// The most characters of the line that gives the cause.
const CAUSE_LIMIT: usize = 300;

/// A short form of the incident's id.
pub(crate) fn incident(shown: &Notification) -> String {
    let id = shown.thread.as_deref().unwrap_or_default();
    id.chars().filter(char::is_ascii_alphanumeric).take(INCIDENT).collect()
}

/// Whether we have set this warning on this data source, about which incident, and no one has changed it since: a person who changes a
/// warning makes it their own, and so does one who copies it to another data source.
pub(crate) fn of_ours(warning: &QualityWarning, datasource: &DatasourceLuid) -> Option<String> {
    let text = plain(&warning.text());
    let (before, end) = text.rsplit_once(MARK[0])?;
    let (incident, checksum) = end.strip_suffix(MARK[1])?.split_once('-')?;
    let is_ours = checksum == checksum_of(before, incident, warning.is_severe, datasource);
    (warning.is_active && is_ours).then(|| incident.to_owned())
}

/// The text of the warning about a failing refresh.
pub(crate) fn of(shown: &Notification, settings: &SetQualityWarning, datasource: &DatasourceLuid) -> String {
    let mut sentences: Vec<String> = settings.note.as_deref().map(sentence).into_iter().collect();
    let since = since(shown).map(|since| format!(" since {}", clock::time(since, shown.timezone.as_ref())));
    let since = since.unwrap_or_default();
    sentences.push(match sentences.is_empty() {
        true => format!("The data may be old: its refresh has failed{since}."),
        false => format!("Its refresh has failed{since}."),
    });
    sentences.extend(shown.cause.as_ref().map(|cause| self::cause(cause, settings.details)));
    let end = MARK[0].len() + INCIDENT + CHECKSUM + MARK[1].len() + 2;
    let text = cut(&harmless(&sentences.join(" ")), LIMIT - end);
    let incident = incident(shown);
    let checksum = checksum_of(&text, &incident, settings.severe, datasource);
    format!("{text} {}{incident}-{checksum}{}", MARK[0], MARK[1])
}

/// The text without the characters that formatted text has tags and entities of: Tableau may list them in several ways, and our warnings
/// have to be recognised in all of them.
fn harmless(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›").replace('&', "＆")
}

/// A checksum of what stands before the mark, the incident, how the warning is shown, and where.
fn checksum_of(before: &str, incident: &str, severe: bool, datasource: &DatasourceLuid) -> String {
    let mut all: String = plain(before).split_whitespace().collect();
    all.push('#');
    all.push_str(incident);
    all.push_str(if severe { "#severe#" } else { "##" });
    all.push_str(&datasource.as_str().to_ascii_lowercase());
    let bytes = digest(&SHA256, all.as_bytes());
    bytes.as_ref().iter().take(CHECKSUM / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// The text without what Tableau may have put around or into it: tags of formatted text, entities, line breaks.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        out.push(' ');
        rest = tag.split_once('>').map_or(tag, |(_, after)| after);
    }
    out.push_str(rest);
    let out = out.replace("&nbsp;", " ").replace("&quot;", "\"").replace("&#39;", "'");
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// When the object began to fail.
fn since(shown: &Notification) -> Option<Timestamp> {
    let of_status = shown.status.iter().find_map(|status| match status {
        Status::Failures { since, .. } => Some(*since),
        _ => None,
    });
    let of_event = || {
        shown.facts.iter().find_map(|fact| match (fact.label.as_ref(), &fact.value) {
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
    use serde_json::json;

    fn shown() -> Notification {
        let mut shown = notification::test("set-quality-warning");
        shown.thread = Some("a622e927d050".to_owned());
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

    fn luid(text: &str) -> DatasourceLuid {
        text.parse().unwrap()
    }

    fn listed(message: &str, active: bool, severe: bool) -> QualityWarning {
        let warning = json!({ "id": "q-1", "message": message, "isActive": active, "isSevere": severe });
        serde_json::from_value(warning).unwrap()
    }

    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    #[test]
    fn readers_learn_since_when_and_the_kind_of_cause_and_more_only_if_a_rule_says_so() {
        let text = of(&shown(), &SetQualityWarning::default(), &luid("d-1"));
        let (said, mark) = text.split_once(" This warning was set by tableau-webhooks (").unwrap();
        assert_eq!(
            said,
            "The data may be old: its refresh has failed since Mon 24 Nov 2025, 16:00 UTC. Cause: credentials refused."
        );
        assert!(
            mark.starts_with("a622e927-") && mark.ends_with("). It is removed when a refresh succeeds."),
            "{mark}"
        );
        let details = SetQualityWarning { details: true, ..SetQualityWarning::default() };
        let text = of(&shown(), &details, &luid("d-1"));
        assert!(text.contains("refused: Login failed for user 'svc' ‹b›＆ more‹/b›. This"), "{text}");
        let mut unknown = shown();
        unknown.cause = Some(Cause::Unknown { why: "Tableau does not answer".to_owned() });
        assert!(of(&unknown, &details, &luid("d-1")).contains("UTC. The cause is not known. This"));
    }

    #[test]
    fn a_note_comes_first_and_the_words_of_a_message_for_others_do_not_appear() {
        let mut own = shown();
        own.own_title = Some("for the team only".to_owned());
        own.own_text = Some("call +49 151 123".to_owned());
        let note = SetQualityWarning { note: Some("Ask finance".to_owned()), ..SetQualityWarning::default() };
        let text = of(&own, &note, &luid("d-1"));
        assert!(text.starts_with("Ask finance. Its refresh has failed since Mon"), "{text}");
        assert!(!text.contains("team only") && !text.contains("+49"), "{text}");
    }

    #[test]
    fn a_warning_of_ours_is_recognised_in_every_form_in_which_tableau_may_list_it() {
        let settings = SetQualityWarning {
            details: true,
            severe: true,
            note: Some("rows < 5 &amp; <&> ".repeat(500)),
            ..SetQualityWarning::default()
        };
        let text = of(&shown(), &settings, &luid("d-1"));
        assert!(text.chars().count() <= LIMIT && text.contains('…'), "{}", text.chars().count());
        let short =
            of(&shown(), &SetQualityWarning { severe: true, ..SetQualityWarning::default() }, &luid("D-1"));
        let lone = SetQualityWarning {
            severe: true,
            note: Some("rows < 5 &lt; &amp; 7".to_owned()),
            ..SetQualityWarning::default()
        };
        let lone = of(&shown(), &lone, &luid("d-1"));
        for text in [text, short, lone] {
            let lines = escaped(&text).replace(". ", ".</p>\n<p>");
            for kept in [
                text.clone(),
                escaped(&text),
                format!("<p>{lines}</p>"),
                format!(" {}&nbsp;\n", escaped(&text)),
            ] {
                assert_eq!(
                    of_ours(&listed(&kept, true, true), &luid("d-1")).as_deref(),
                    Some("a622e927"),
                    "{kept}"
                );
            }
        }
    }

    #[test]
    fn what_a_person_has_written_changed_hidden_or_copied_is_theirs() {
        let text = of(&shown(), &SetQualityWarning::default(), &luid("d-1"));
        let ours = |message: &str| listed(message, true, false);
        let is_ours = |warning: &QualityWarning, luid: &DatasourceLuid| of_ours(warning, luid).is_some();
        assert!(is_ours(&ours(&text), &luid("d-1")));
        for theirs in [
            "",
            "Old data",
            "This warning was set by tableau-webhooks (a622e927-123456). It is removed when a refresh succeeds.",
            &text.replace("(a622e927-", "(b622e927-"),
            &format!("Supplier down until Monday. {text}"),
            &format!("{text} Really!"),
            &text.replace("may be old", "is old"),
        ] {
            assert!(!is_ours(&ours(theirs), &luid("d-1")), "{theirs}");
        }
        assert!(!is_ours(&ours(&text), &luid("d-2")), "copied to another data source");
        assert!(!is_ours(&listed(&text, false, false), &luid("d-1")), "hidden");
        assert!(!is_ours(&listed(&text, true, true), &luid("d-1")), "made severe");
    }
}
