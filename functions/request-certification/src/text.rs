//! The texts of mails, of the certification's note in Tableau, and of pages, as far as they are the same. Pure.

use crate::request::{About, Listed, StewardIs};
use alerting::notification::clock;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plain_text::{is_blank, one_line, visible};

/// The longest name that is shown.
const NAME_LIMIT: usize = 200;
/// The longest note that a steward can write, in characters.
pub(crate) const NOTE_LIMIT: usize = 500;
/// By what a note of ours is recognised.
const OURS: &str = "(tableau-webhooks)";

/// A name on one line, cut; a placeholder for one without visible characters.
pub(crate) fn name(text: &str) -> String {
    let line = one_line(text);
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return "(no name)".to_owned();
    }
    if line.chars().count() <= NAME_LIMIT {
        return line;
    }
    let cut: String = line.chars().take(NAME_LIMIT - 1).collect();
    format!("{}…", cut.trim_end())
}

/// A text of a person, with its line breaks and without invisible characters.
pub(crate) fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if is_blank(&text) { String::new() } else { visible(&text).trim().to_owned() }
}

pub(crate) fn time(at: Timestamp, zone: Option<&TimeZone>) -> String {
    clock::time(at, zone)
}

/// What is known of a data source, as labels and values.
pub(crate) fn facts(about: &About) -> Vec<(String, String)> {
    let fact = |label: &str, value: String| (label.to_owned(), value);
    let mut facts = vec![fact("Data source", name(&about.name))];
    facts.extend(about.project.as_deref().map(|project| fact("Project", name(project))));
    facts.extend(about.owner.as_deref().map(|owner| fact("Owner", name(owner))));
    facts.push(fact("Reads from", listed(&about.connections, "nothing that Tableau names")));
    facts.push(fact("Used by", listed(&about.used_by, "no workbook")));
    facts
}

fn listed(listed: &Listed, none: &str) -> String {
    if let Some(why) = &listed.unknown {
        return format!("not known: {}", name(why));
    }
    if listed.names.is_empty() && listed.total == 0 {
        return none.to_owned();
    }
    let names: Vec<String> = listed.names.iter().map(|text| name(text)).collect();
    let more = listed.total.saturating_sub(names.len());
    match (names.is_empty(), more) {
        (true, more) => format!("{more} that Tableau does not name"),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

/// Why the steward is asked.
pub(crate) fn reason(steward: StewardIs) -> &'static str {
    match steward {
        StewardIs::Named => {
            "You get this mail because a rule of tableau-webhooks names you as the data steward."
        }
        StewardIs::Owner => "You get this mail because you own the data source in Tableau.",
        StewardIs::ProjectLeader => {
            "You get this mail because you own the project of the data source in Tableau."
        }
        StewardIs::InPlace => {
            "You get this mail in the place of a data steward whose address Tableau does not say."
        }
    }
}

/// The note that a certification gets in Tableau: what a person wrote there before, the steward's own words, and who and when.
pub(crate) fn certification_note(before: &str, own: &str, steward: &str, at: Timestamp) -> String {
    // Of an earlier certification that was taken back since.
    let before = lines(before);
    let kept: Vec<&str> = before.lines().filter(|line| !line.contains(OURS)).collect();
    let kept = kept.join("\n").trim().to_owned();
    let at = at.strftime("%-d %b %Y, %H:%M UTC");
    let ours = format!("Certified on {at} through the link of {steward} {OURS}");
    [kept, lines(own), ours].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Whether a note in Tableau says that the data source was certified through a link of this steward.
pub(crate) fn is_ours(note: &str, steward: &str) -> bool {
    note.lines().any(|line| line.contains(&format!("through the link of {steward} {OURS}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2026-11-30T14:05:09Z".parse().unwrap()
    }

    #[test]
    fn the_note_in_tableau_keeps_what_a_person_wrote_and_says_who_and_when() {
        let ours = "Certified on 30 Nov 2026, 14:05 UTC through the link of s@example.com (tableau-webhooks)";
        let note = |before: &str, own: &str| certification_note(before, own, "s@example.com", at());
        assert_eq!(note("", ""), ours);
        assert_eq!(
            note("Ask finance.\r\nDaily.", " checked \n"),
            format!("Ask finance.\nDaily.\nchecked\n{ours}")
        );
        assert_eq!(note(&format!("Ask finance.\n{ours}"), ""), format!("Ask finance.\n{ours}"));
        assert!(is_ours(&note("x", "y"), "s@example.com") && !is_ours(&note("x", "y"), "t@example.com"));
    }

    #[test]
    fn names_are_cut_and_shown_on_one_line() {
        assert_eq!(name("a\r\nb\u{202e}c"), name("a b c").replace("b c", &name("b\u{202e}c")));
        assert_eq!(name(" \u{200b} "), "(no name)");
        assert_eq!(name(&"x".repeat(500)).chars().count(), NAME_LIMIT);
    }

    #[test]
    fn a_list_says_how_many_more_there_are_and_why_it_is_not_known() {
        let of = |names: &[&str], total, unknown: Option<&str>| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            listed(&Listed { names, total, unknown: unknown.map(str::to_owned) }, "none")
        };
        assert_eq!(of(&[], 0, None), "none");
        assert_eq!(of(&["a", "b"], 2, None), "a, b");
        assert_eq!(of(&["a"], 4, None), "a and 3 more");
        assert_eq!(of(&[], 2, None), "2 that Tableau does not name");
        assert_eq!(of(&[], 0, Some("it is new")), "not known: it is new");
    }
}
