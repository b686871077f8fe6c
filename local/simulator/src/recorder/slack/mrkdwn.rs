//! Renders Slack's `mrkdwn` as plain text.
//!
//! Source: <https://docs.slack.dev/messaging/formatting-message-text>

/// Replaces markup by what Slack shows: a link as `label (address)`, a date as its fallback text. Formatting marks are
/// removed.
pub(super) fn plain(text: &str) -> String {
    let text = without_marks(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        match after.split_once('>') {
            Some((inside, after)) => {
                out.push_str(&shown(inside));
                rest = after;
            }
            None => {
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    unescape(&out)
}

/// Unescapes `&lt;`, `&gt;` and `&amp;`.
pub(super) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The text that Slack shows for markup in angle brackets.
fn shown(inside: &str) -> String {
    let (target, label) = match inside.split_once('|') {
        Some((target, label)) => (target, Some(label).filter(|l| !l.is_empty())),
        None => (inside, None),
    };
    if let Some(command) = target.strip_prefix('!') {
        return match (command.split('^').next().unwrap_or_default(), label) {
            ("channel" | "here" | "everyone", _) => format!("@{command}"),
            (_, Some(label)) => label.to_owned(),
            (name, None) => format!("@{name}"),
        };
    }
    if let Some(user) = target.strip_prefix('@') {
        return format!("@{}", label.unwrap_or(user));
    }
    if let Some(channel) = target.strip_prefix('#') {
        return format!("#{}", label.unwrap_or(channel));
    }
    match label {
        Some(label) if label != target.trim_start_matches("mailto:") => format!("{label} ({target})"),
        _ => target.trim_start_matches("mailto:").to_owned(),
    }
}

/// A zero-width space separates a mark from the text: writers use it so that the mark is not markup.
const PARTS: Option<char> = Some('\u{200b}');

/// Removes `*`, `_`, `~` and backticks where they format a text: around a text, at word boundaries.
fn without_marks(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut drop = vec![false; chars.len()];
    for mark in ['*', '_', '~', '`'] {
        let mut open: Option<usize> = None;
        let mut in_link = false;
        for (at, &c) in chars.iter().enumerate() {
            match c {
                '\n' if mark != '`' => open = None,
                '<' => in_link = true,
                '>' => in_link = false,
                c if c == mark && !in_link => {
                    let before = at.checked_sub(1).map(|i| chars[i]);
                    let after = chars.get(at + 1).copied();
                    match open {
                        _ if (before, after) == (PARTS, PARTS) => {}
                        Some(start) if closes(before, after, mark) => {
                            (drop[start], drop[at], open) = (true, true, None);
                        }
                        _ if opens(before, after, mark) => open = Some(at),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
    chars.iter().zip(drop).filter(|(_, drop)| !drop).map(|(c, _)| *c).collect()
}

fn opens(before: Option<char>, after: Option<char>, mark: char) -> bool {
    before.is_none_or(|c| !c.is_alphanumeric()) && after.is_some_and(|c| !c.is_whitespace() && c != mark)
}

fn closes(before: Option<char>, after: Option<char>, mark: char) -> bool {
    before.is_some_and(|c| !c.is_whitespace() && c != mark) && after.is_none_or(|c| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_reads_as_slack_shows_it() {
        for (text, expected) in [
            ("*Project*\nFinance", "Project\nFinance"),
            ("*<https://t/#/w/1|Sales>* failed", "Sales (https://t/#/w/1) failed"),
            ("<https://t/a_b_c>", "https://t/a_b_c"),
            ("<mailto:ana@example.com|ana@example.com>", "ana@example.com"),
            ("<!date^1700000000^{date_short_pretty} {time}|2023-11-14 22:13 UTC>", "2023-11-14 22:13 UTC"),
            ("<!channel> <@U1|ana> <#C1|data>", "@channel @ana #data"),
            ("&lt;!channel&gt; R&amp;D &amp;lt;", "<!channel> R&D &lt;"),
            ("sales_mart_v2 is 2*3*4", "sales_mart_v2 is 2*3*4"),
            ("`code` _so_ ~not~ * item", "code so not * item"),
            ("a < b", "a < b"),
            (
                "*Q3 \u{200b}*\u{200b}draft\u{200b}*\u{200b}* failed",
                "Q3 \u{200b}*\u{200b}draft\u{200b}*\u{200b} failed",
            ),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
