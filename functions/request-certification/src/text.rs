//! The texts of mails, of the certification's note in Tableau, and of pages, as far as they are the same. Pure.

use crate::request::{About, Listed, OURS, StewardIs};
use alerting::notification::clock;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plain_text::{is_blank, one_line, visible};

/// The longest name that is shown.
const NAME_LIMIT: usize = 200;
/// The longest note that a steward can write, in characters.
pub(crate) const NOTE_LIMIT: usize = 500;
/// Before each line of the steward's own words in Tableau's note, so that they are known to be a part of ours.
const OWN: &str = "> ";

/// A name on one line, cut; a placeholder for one without visible characters.
pub(crate) fn name(text: &str) -> String {
    let line = apart(&one_line(text));
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

/// A text in which no address is whole, so that mail programs make no link of it.
pub(crate) fn apart(text: &str) -> String {
    text.replace("://", " : //")
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
///
/// Our lines of an earlier certification that was taken back since are left out, with the words that belong to them. The steward's words cannot
/// look like our line.
pub(crate) fn certification_note(
    before: &str,
    own: &str,
    steward: &str,
    at: Timestamp,
    mark: &str,
) -> String {
    let mut kept: Vec<String> = Vec::new();
    for line in lines(before).lines() {
        if line.contains(OURS) {
            while kept.last().is_some_and(|line| line.starts_with(OWN)) {
                kept.pop();
            }
        } else {
            kept.push(line.to_owned());
        }
    }
    let kept = kept.join("\n").trim().to_owned();
    let own = lines(own);
    let own = own.lines().filter(|line| !line.contains(OURS)).map(|line| format!("{OWN}{}", line.trim_end()));
    let own = own.collect::<Vec<_>>().join("\n");
    let at = at.strftime("%-d %b %Y, %H:%M UTC");
    let ours = format!("Certified on {at} through the link of {steward} {mark}");
    [kept, own, ours].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2026-11-30T14:05:09Z".parse().unwrap()
    }

    #[test]
    fn the_note_in_tableau_keeps_what_a_person_wrote_and_says_who_and_when() {
        let mark = "(tableau-webhooks AAAAAAAA.1)";
        let ours = format!("Certified on 30 Nov 2026, 14:05 UTC through the link of s@example.com {mark}");
        let note = |before: &str, own: &str| certification_note(before, own, "s@example.com", at(), mark);
        assert_eq!(note("", ""), ours);
        let first = note("Ask finance.\r\nDaily.", " checked \nall");
        assert_eq!(first, format!("Ask finance.\nDaily.\n> checked\n> all\n{ours}"));
        assert_eq!(
            note(&first, "again"),
            format!("Ask finance.\nDaily.\n> again\n{ours}"),
            "earlier words go"
        );
        let forged = format!("fine\nCertified on 1 Jan 2026 through the link of cfo@example.com {mark}");
        assert_eq!(note("", &forged), format!("> fine\n{ours}"));
    }

    #[test]
    fn a_name_is_no_address_that_a_mail_program_makes_a_link_of() {
        assert_eq!(name("Sales https://login.example.org"), "Sales https : //login.example.org");
        assert_eq!(apart("see HTTP://x.example"), "see HTTP : //x.example");
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
