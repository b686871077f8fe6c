//! The filters of templates. What is not known is an empty text for them, but `default` takes another value, `length` is 0, and `tojson`
//! is null. What there is not is an error.

use super::limits::LONGEST_BYTES;
use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

/// The longest text of a label in Jira, in characters.
const LONGEST_LABEL: usize = 255;

/// The filters by name, in alphabetical order.
pub(super) const FILTERS: [&str; 14] = [
    "default", "first", "join", "label", "last", "length", "line", "lower", "mrkdwn", "replace", "text",
    "tojson", "trim", "upper",
];

/// Few filters: each is a part of every function. There is none that says a text is safe.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("default", default);
    environment.add_filter("first", |value: Value| minijinja::filters::first(&items(value)?));
    environment.add_filter("join", |value: Value, between: Option<Value>| join(value, between));
    environment.add_filter("label", |value: Value| words(value).map(|text| label(&text)));
    environment.add_filter("last", |value: Value| minijinja::filters::last(items(value)?));
    environment.add_filter("length", |value: Value| length(value));
    environment.add_filter("line", |value: Value, most: Option<Value>| {
        Ok::<_, Error>(line(&words(value)?, characters("line", 130, most.as_ref())?))
    });
    environment.add_filter("lower", |value: Value| words(value).map(|text| text.to_lowercase()));
    environment.add_filter("mrkdwn", |value: Value| words(value).map(|text| mrkdwn(&text)));
    environment.add_filter("replace", |value: Value, from: Value, to: Value| replace(value, from, to));
    environment.add_filter("text", |value: Value, most: Option<Value>| match most {
        None => words(value),
        Some(most) => {
            let most = characters("text", 15_000, Some(&most))?;
            Ok(cut(&words(value)?, most))
        }
    });
    environment.add_filter("tojson", |value: Value, indent: Option<Value>, more: Kwargs| {
        minijinja::filters::tojson(&known(value)?, indent, more)
    });
    environment.add_filter("trim", |value: Value| words(value).map(|text| text.trim().to_owned()));
    environment.add_filter("upper", |value: Value| words(value).map(|text| text.to_uppercase()));
}

/// A value that there is.
fn known(value: Value) -> Result<Value, Error> {
    if value.is_undefined() { Err(Error::from(ErrorKind::UndefinedError)) } else { Ok(value) }
}

/// A list or a text of which an item is wanted. What is not known becomes a list with an empty text: a list without items would have no
/// first one, which is an error.
fn items(value: Value) -> Result<Value, Error> {
    let value = known(value)?;
    if value.is_none() { Ok(Value::from(vec![""])) } else { Ok(value) }
}

/// A value as a text: what is not known is empty, a list has a line for each item, and truth is written as JSON writes it.
fn words(value: Value) -> Result<String, Error> {
    let value = known(value)?;
    match value.kind() {
        ValueKind::None => Ok(String::new()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Seq | ValueKind::Iterable => {
            join(value, Some(Value::from("\n"))).map(|text| text.to_string())
        }
        _ => Ok(value.to_string()),
    }
}

fn join(value: Value, between: Option<Value>) -> Result<Value, Error> {
    let value = known(value)?;
    if value.is_none() || value.as_str().is_some() {
        // One text has no items to join.
        return words(value).map(Value::from);
    }
    let between = between.map(words).transpose()?.unwrap_or_default();
    let mut text = String::new();
    for (index, item) in value.try_iter()?.enumerate() {
        if index > 0 {
            text.push_str(&between);
        }
        text.push_str(&words(item)?);
        if text.len() > LONGEST_BYTES {
            return Err(Error::from(ErrorKind::WriteFailure));
        }
    }
    Ok(Value::from(text))
}

fn replace(value: Value, from: Value, to: Value) -> Result<String, Error> {
    let (text, from, to) = (words(value)?, words(from)?, words(to)?);
    let longest = text.len().saturating_add(text.matches(&from).count().saturating_mul(to.len()));
    if longest > LONGEST_BYTES {
        return Err(Error::from(ErrorKind::WriteFailure));
    }
    Ok(text.replace(&from, &to))
}

fn length(value: Value) -> Result<usize, Error> {
    let value = known(value)?;
    if value.is_none() { Ok(0) } else { minijinja::filters::length(&value) }
}

/// Another value for what is not known, and for a value that the rule does not give.
fn default(state: &State<'_, '_>, value: &Value, more: Rest<Value>) -> Result<Value, Error> {
    let value = if value.is_none() { &Value::UNDEFINED } else { value };
    minijinja::filters::default(state, value, more)
}

/// How many characters a filter may leave.
fn characters(filter: &str, example: usize, most: Option<&Value>) -> Result<usize, Error> {
    let number = most.filter(|most| most.kind() == ValueKind::Number);
    let number = number.and_then(|most| usize::try_from(most.clone()).ok());
    number.ok_or_else(|| {
        let problem = format!(
            "`{filter}` wants the largest number of characters, without quotation marks: write {filter}({example})"
        );
        Error::new(ErrorKind::InvalidOperation, problem)
    })
}

/// A text of at most so many characters, cut visibly.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let start: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

/// A text in one line of at most so many characters, cut visibly.
fn line(text: &str, most: usize) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    cut(&words.join(" "), most)
}

/// A text without white space, as labels have to be.
fn label(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(LONGEST_LABEL).collect()
}

/// A text that shows as it is in Slack's markup: no mention and no link comes from it. Mattermost also takes `@channel` or `@name` for a
/// mention, so that such an `@` gets an invisible space behind it; that of a mail address has none.
///
/// Source: <https://docs.slack.dev/messaging/formatting-message-text>
fn mrkdwn(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut safe = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        safe.push(c);
        if c == '@' && !before.is_alphanumeric() {
            safe.push('\u{200b}');
        }
        before = c;
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    // D121
    #[test]
    fn a_line_has_no_line_break_and_is_cut_visibly() {
        let of = line;
        assert_eq!(of(" Sales\r\nOrders\u{0}\u{2028}x ", 255), "Sales Orders x");
        let long = "a".repeat(300);
        let cut = of(&long, 255);
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (255, true));
        assert_eq!(of(&"ä".repeat(255), 255), "ä".repeat(255));
    }

    // D023
    #[test]
    fn a_label_has_no_white_space() {
        assert_eq!(label("project=Sales EU\t(new)\n"), "project=Sales-EU-(new)");
        assert_eq!(label(&"a".repeat(300)).chars().count(), 255);
    }

    #[test]
    fn a_name_mentions_no_one_in_slack() {
        assert_eq!(mrkdwn("<!channel> & <#C1>"), "&lt;!channel&gt; &amp; &lt;#C1&gt;");
        assert_eq!(mrkdwn("@all x @channel"), "@\u{200b}all x @\u{200b}channel");
        assert_eq!(mrkdwn("ana@example.com"), "ana@example.com");
    }
}
