//! The filters of templates.

use minijinja::Value;

/// The longest text of a label in Jira, in characters.
const LONGEST_LABEL: usize = 255;

/// A text in one line of at most so many characters, cut visibly. A value that is not known gives an empty text.
pub(super) fn line(value: &Value, most: usize) -> String {
    let text = text(value);
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let start: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

/// A text without white space, as labels have to be.
pub(super) fn label(value: &Value) -> String {
    let text = text(value);
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(LONGEST_LABEL).collect()
}

/// A text that shows as it is in Slack's markup: no mention and no link comes from it. Mattermost also takes `@channel` or `@name` for a
/// mention, so that such an `@` gets an invisible space behind it; that of a mail address has none.
///
/// Source: <https://docs.slack.dev/messaging/formatting-message-text>
pub(super) fn mrkdwn(value: &Value) -> String {
    let text = text(value).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
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

fn text(value: &Value) -> String {
    if value.is_none() || value.is_undefined() { String::new() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    // D121
    #[test]
    fn a_line_has_no_line_break_and_is_cut_visibly() {
        let of = |text: &str, most| line(&Value::from(text), most);
        assert_eq!(of(" Sales\r\nOrders\u{0}\u{2028}x ", 255), "Sales Orders x");
        let long = "a".repeat(300);
        let cut = of(&long, 255);
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (255, true));
        assert_eq!(of(&"ä".repeat(255), 255), "ä".repeat(255));
        assert_eq!(line(&Value::from(()), 255), "");
    }

    // D023
    #[test]
    fn a_label_has_no_white_space() {
        assert_eq!(label(&Value::from("project=Sales EU\t(new)\n")), "project=Sales-EU-(new)");
        assert_eq!(label(&Value::from("a".repeat(300))).chars().count(), 255);
    }

    #[test]
    fn a_name_mentions_no_one_in_slack() {
        assert_eq!(mrkdwn(&Value::from("<!channel> & <#C1>")), "&lt;!channel&gt; &amp; &lt;#C1&gt;");
        assert_eq!(mrkdwn(&Value::from("@all x @channel")), "@\u{200b}all x @\u{200b}channel");
        assert_eq!(mrkdwn(&Value::from("ana@example.com")), "ana@example.com");
    }
}
