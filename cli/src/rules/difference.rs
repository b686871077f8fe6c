//! The difference between two texts, by lines.

use crate::colour::paint;
use crate::out::plain;
use anstyle::{AnsiColor, Style};
use plain_text::without_secrets;
use similar::{ChangeTag, TextDiff};

/// How many lines are shown around a change.
const CONTEXT: usize = 3;

/// The lines that differ, as `diff -u` shows them; none for equal texts. Without what a
/// terminal would obey, and without secrets that a file may have in the wrong place: what is shown ends up in logs of CI.
pub(super) fn lines(old: (&str, &str), new: (&str, &str)) -> Vec<String> {
    let (old_name, old_text) = old;
    let (new_name, new_text) = new;
    if old_text == new_text {
        return Vec::new();
    }
    // What editors on Windows write is no change of each line.
    let [old_text, new_text] = [old_text, new_text].map(|text| text.replace("\r\n", "\n"));
    let diff = TextDiff::from_lines(old_text.as_str(), new_text.as_str());
    let mut lines = vec![
        paint(Style::new().bold(), &plain(&format!("--- {old_name}"))),
        paint(Style::new().bold(), &plain(&format!("+++ {new_name}"))),
    ];
    if old_text.trim_end() == new_text.trim_end() {
        lines.push("only line ends or empty lines at the end differ".to_owned());
        return lines;
    }
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        lines.push(paint(AnsiColor::Cyan.on_default(), &hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let text = plain(&without_secrets(change.value().trim_end_matches('\n')));
            lines.push(match change.tag() {
                ChangeTag::Delete => paint(AnsiColor::Red.on_default(), &format!("-{text}")),
                ChangeTag::Insert => paint(AnsiColor::Green.on_default(), &format!("+{text}")),
                ChangeTag::Equal => format!(" {text}").trim_end().to_owned(),
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changed_lines_and_a_few_around_them_are_shown() {
        let old = (1..=20).map(|line| format!("line {line}\n")).collect::<String>();
        let new = old.replace("line 10\n", "line ten\r\n").replace("line 20\n", "line 20");
        let shown = lines(("version 1", &old), ("rules.yaml", &new));
        assert_eq!(shown[..3], ["--- version 1", "+++ rules.yaml", "@@ -7,7 +7,7 @@"]);
        assert!(
            shown.contains(&"-line 10".to_owned()) && shown.contains(&"+line ten".to_owned()),
            "{shown:?}"
        );
        assert!(!shown.contains(&" line 3".to_owned()), "{shown:?}");
        assert!(lines(("a", &old), ("b", &old)).is_empty());
        let token = format!("xoxb-{}", "123456789012-abcdefABCDEF12345678");
        let secret = lines(("a", ""), ("b", &format!("# {token}\n"))).concat();
        assert!(!secret.contains(&token), "{secret}");
        let ends = lines(("a", "x\n"), ("b", "x\r\n"));
        assert_eq!(ends.last().map(String::as_str), Some("only line ends or empty lines at the end differ"));
    }
}
