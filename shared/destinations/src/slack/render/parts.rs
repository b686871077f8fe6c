//! Renders the parts of a message other than lists.

use crate::slack::mrkdwn::{code, cut, escape};
use alerting::notification::clock::time;
use alerting::notification::{Cause, Fact, Kind, Notification, Sentence, Value};
use jiff::tz::TimeZone;
use plain_text::{is_blank, one_line};

/// The longest name that is shown; names in Tableau may have 255 characters and more.
const NAME_LIMIT: usize = 120;
/// The longest footnote, which explains why something is missing.
const FOOTNOTE_LIMIT: usize = 300;
/// The longest cause, as markup.
const CAUSE_LIMIT: usize = 1_400;
/// The longest next step, and the longest title, as markup.
const STEP_LIMIT: usize = 700;
/// The longest value of a field, as markup.
const VALUE_LIMIT: usize = 500;

/// A name on one line of at most `limit` characters. A placeholder replaces a name without visible characters.
pub(super) fn named(name: &str, limit: usize) -> String {
    let line = one_line(name);
    if line.is_empty() { "(no name)".to_owned() } else { cut(&line, limit) }
}

/// Cuts markup to `limit` characters.
pub(super) fn markup(text: &str, limit: usize) -> String {
    cut(&escape(text), limit)
}

/// A name as messages show it.
pub(super) fn short(name: &str) -> String {
    named(name, NAME_LIMIT)
}

/// The cause with a shortened title.
pub(super) fn shortened_cause(cause: &Cause) -> Cause {
    match cause {
        Cause::Known { title, .. } => Cause::Known { title: short(title), line: String::new() },
        Cause::Unknown { .. } => Cause::Unknown { why: String::new() },
    }
}

/// The fact with shortened names.
pub(super) fn shortened(fact: &Fact) -> Fact {
    let value = match &fact.value {
        Value::Text(text) => Value::Text(short(text)),
        Value::Person { name, email } => {
            let email = email.as_deref().filter(|email| !is_blank(email));
            Value::Person { name: short(name), email: email.map(short) }
        }
        Value::Time(at) => Value::Time(*at),
    };
    Fact { label: fact.label.clone(), value }
}

/// The paragraph that says why the refresh fails, or why it failed.
pub(super) fn cause(shown: &Notification) -> Option<String> {
    let label = if shown.kind == Kind::Resolved { "It was" } else { "Cause" };
    Some(match shown.cause.as_ref()? {
        Cause::Known { title, line } => {
            let title = format!("*{label}* – {}", markup(&short(title), STEP_LIMIT));
            std::iter::once(title).chain(code_span(line)).collect::<Vec<_>>().join("\n")
        }
        Cause::Unknown { why } => {
            format!("*{label}* – not available: {}", markup(&one_line(why), CAUSE_LIMIT))
        }
    })
}

/// The paragraph that says what to do. It has a block of its own: Slack folds the end of a long block.
pub(super) fn next_step(shown: &Notification) -> Option<String> {
    let step = shown.next_step.as_ref()?;
    Some(format!("*Next step* – {}", markup(&one_line(step), STEP_LIMIT)))
}

/// Technical text in a code span; if it is cut, the span is still closed. `None` for a text without visible
/// characters.
fn code_span(line: &str) -> Option<String> {
    let span = code(line);
    let text = span.trim_matches('`');
    (!is_blank(text)).then(|| format!("`{}`", cut(text, CAUSE_LIMIT)))
}

/// The status of an incident, one sentence per line.
pub(super) fn status(shown: &Notification, zone: Option<&TimeZone>) -> Option<String> {
    let line = |Sentence { bold, rest }| {
        let bold = if bold.is_empty() { bold } else { format!("*{}*", escape(&bold)) };
        format!("{bold}{}", escape(&rest))
    };
    let lines: Vec<String> =
        shown.status.iter().filter_map(|status| status.sentence(zone)).map(line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Further facts in two columns.
pub(super) fn fields(shown: &Notification, zone: Option<&TimeZone>) -> Vec<String> {
    let field = |fact: &Fact| {
        let value = match shortened(fact).value {
            Value::Text(text) => escape(&text),
            Value::Person { name, email: None } => escape(&name),
            Value::Person { name, email: Some(email) } => format!("{} ({})", escape(&name), escape(&email)),
            Value::Time(at) => time(at, zone),
        };
        format!("*{}*\n{}", fact.label, cut(&value, VALUE_LIMIT))
    };
    shown.facts.iter().map(field).collect()
}

/// The small print: how many objects the message is about, and the ids that support needs.
pub(super) fn small_print(
    shown: &Notification,
    zone: Option<&TimeZone>,
    not_listed: usize,
) -> Option<String> {
    let members = shown.status.iter().filter_map(|status| status.members(zone));
    let others = (not_listed > 0).then(|| format!("{not_listed} more have other causes"));
    let footnotes = shown.footnotes.iter().filter(|text| !is_blank(text));
    let footnotes = footnotes.map(|text| escape(&cut(&one_line(text), FOOTNOTE_LIMIT)));
    let parts: Vec<String> = members.chain(others).chain(footnotes).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}
