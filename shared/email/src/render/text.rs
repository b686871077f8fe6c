//! A mail as text: whole, for readers who see no HTML.

use super::parts::{Part, Parts};

/// The text part.
pub(super) fn text(parts: &Parts) -> String {
    let mut paragraphs = vec![format!("{} {}", parts.symbol, parts.title)];
    let mut under_heading = false;
    for part in &parts.parts {
        let paragraph = paragraph(part);
        match paragraphs.last_mut() {
            // A heading and what it is about stand together.
            Some(last) if under_heading => {
                last.push('\n');
                last.push_str(&paragraph);
            }
            _ => paragraphs.push(paragraph),
        }
        under_heading = matches!(part, Part::Heading(_));
    }
    format!("{}\n", paragraphs.join("\n\n"))
}

fn paragraph(part: &Part) -> String {
    match part {
        Part::Paragraph(text) => text.clone(),
        Part::Heading(text) => text.to_uppercase(),
        Part::Quote(text) => text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n"),
        Part::Facts(facts) => {
            facts.iter().map(|(label, value)| format!("{label}: {value}")).collect::<Vec<_>>().join("\n")
        }
        Part::List(items, more) => {
            let more = (*more > 0).then(|| format!("… and {more} more"));
            items.iter().map(|item| format!("- {}", item.text)).chain(more).collect::<Vec<_>>().join("\n")
        }
        Part::Link(label, url) | Part::Credential(label, url) => format!("{label}: {url}"),
        Part::Small(texts) => format!("-- \n{}", texts.join("\n")),
    }
}
