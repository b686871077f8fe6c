//! Folders and names of files, from the patterns of a rule. No I/O.

use jiff::Zoned;
use publishing::clean;
use rules::settings::{Placeholder, PublishPattern, PublishPiece};

/// What stands between the view and the rest of a name.
const JOINS: [char; 5] = [' ', '-', '_', '–', ','];

/// What placeholders stand for.
#[derive(Clone, Debug)]
pub(crate) struct Names<'a> {
    /// The time of the refresh, in the time zone of the site.
    pub(crate) time: &'a Zoned,
    pub(crate) workbook: &'a str,
    /// `None` for a file of the whole workbook.
    pub(crate) view: Option<&'a str>,
    /// From the top down.
    pub(crate) project: &'a [String],
    pub(crate) luid: &'a str,
}

/// Where a file goes, before the path is made to fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) folders: Vec<String>,
    /// The name without its extension.
    pub(crate) stem: String,
    /// What tells it from other files of its name.
    pub(crate) id: String,
}

impl File {
    /// Adds the id to the name, so that it differs from that of other files.
    pub(crate) fn add_id(&mut self) {
        let id = format!(" ({})", self.id);
        if !self.stem.ends_with(&id) {
            self.stem.push_str(&id);
        }
    }
}

/// The file of a rule. `others`: there are further files of the same workbook for this rule, which must not get the same name.
pub(crate) fn file(
    folder: Option<&PublishPattern>,
    name: Option<&PublishPattern>,
    names: &Names<'_>,
    others: bool,
) -> File {
    let id = short(names.luid);
    let parts = match folder {
        Some(folder) => folders(folder, names),
        None => names.project.to_vec(),
    };
    let mut is_changed = false;
    let mut cleaned = |text: &str| {
        let (name, changed) = clean(text);
        is_changed |= changed;
        name
    };
    let folders: Vec<String> =
        parts.iter().filter(|part| !part.trim().is_empty()).map(|part| cleaned(part)).collect();
    let has_view = |name: &PublishPattern| name.has(Placeholder::View) || name.has(Placeholder::Luid);
    let view = || names.view.map(|view| format!(" - {view}")).unwrap_or_default();
    let stem = match name {
        Some(name) if has_view(name) || !others => text(name, names),
        Some(name) => format!("{}{}", text(name, names), view()),
        None => format!("{}{}", names.workbook, view()),
    };
    let stem = if stem.trim().is_empty() { names.workbook.to_owned() } else { stem };
    let stem = cleaned(&stem);
    // Two names that differ only in signs which no file's name may have must not become one.
    let stem = if is_changed { format!("{stem} ({id})") } else { stem };
    File { folders, stem, id }
}

/// The first eight characters of a LUID.
fn short(luid: &str) -> String {
    luid.chars().filter(char::is_ascii_alphanumeric).take(8).collect()
}

/// The text of a pattern. A file of the whole workbook has no view: what joins the view to the rest goes with it.
fn text(pattern: &PublishPattern, names: &Names<'_>) -> String {
    let mut text = String::new();
    let mut is_after_view = false;
    for piece in pattern.pieces() {
        if matches!(piece, PublishPiece::Placeholder(Placeholder::View)) && names.view.is_none() {
            text.truncate(text.trim_end_matches(JOINS).len());
            is_after_view = text.is_empty();
            continue;
        }
        let next = value(piece, names);
        text.push_str(if is_after_view { next.trim_start_matches(JOINS) } else { &next });
        is_after_view &= text.is_empty();
    }
    text
}

/// The folders of a pattern: `/` in it separates them, and so do the levels of a project. A `/` in a name does not.
fn folders(pattern: &PublishPattern, names: &Names<'_>) -> Vec<String> {
    let mut folders = vec![String::new()];
    let mut add = |text: &str, begins: bool| match folders.last_mut() {
        Some(last) if !begins => last.push_str(text),
        _ => folders.push(text.to_owned()),
    };
    for piece in pattern.pieces() {
        match piece {
            PublishPiece::Text(text) => {
                text.split('/').enumerate().for_each(|(at, part)| add(part, at > 0));
            }
            PublishPiece::Placeholder(Placeholder::Project) => {
                names.project.iter().enumerate().for_each(|(at, part)| add(part, at > 0));
            }
            piece => add(&value(piece, names), false),
        }
    }
    folders
}

fn value(piece: &PublishPiece, names: &Names<'_>) -> String {
    let time = |format: &str| names.time.strftime(format).to_string();
    match piece {
        PublishPiece::Text(text) => text.clone(),
        PublishPiece::Placeholder(placeholder) => match placeholder {
            Placeholder::Year => time("%Y"),
            Placeholder::Month => time("%m"),
            Placeholder::Day => time("%d"),
            Placeholder::Hour => time("%H"),
            Placeholder::Minute => time("%M"),
            Placeholder::Workbook => names.workbook.to_owned(),
            Placeholder::View => names.view.unwrap_or_default().to_owned(),
            Placeholder::Project => names.project.join(" - "),
            Placeholder::Luid => short(names.luid),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Option<PublishPattern> {
        Some(PublishPattern::parse(text).unwrap())
    }

    fn path(folder: Option<&str>, name: Option<&str>, view: Option<&str>, others: bool) -> (String, String) {
        let time: Zoned = "2026-01-31T23:30:00+01:00[Europe/Berlin]".parse().unwrap();
        let project = ["Finance".to_owned(), "Q1/Q2".to_owned()];
        let names = Names { time: &time, workbook: "Sales", view, project: &project, luid: "1a2b3c4d-0000" };
        let file = file(folder.and_then(pattern).as_ref(), name.and_then(pattern).as_ref(), &names, others);
        (file.folders.join("|"), file.stem)
    }

    #[test]
    fn a_pattern_has_the_time_of_the_site_and_the_names_of_tableau() {
        let dated = path(Some("Reports/{yyyy}/{MM}"), Some("{workbook} {dd} {HH}{mm}"), None, false);
        assert_eq!(dated, ("Reports|2026|01".to_owned(), "Sales 31 2330".to_owned()));
        let top = path(Some(""), None, None, false);
        assert_eq!(top, (String::new(), "Sales".to_owned()));
        let luid = path(Some("x{luid}"), Some("{workbook} {view}"), Some("Top"), true);
        assert_eq!(luid, ("x1a2b3c4d".to_owned(), "Sales Top".to_owned()));
    }

    // N06, G15
    #[test]
    fn a_project_is_a_folder_for_each_level_and_a_name_that_had_to_change_has_the_id() {
        assert_eq!(
            path(None, None, None, false),
            ("Finance|Q1_Q2".to_owned(), "Sales (1a2b3c4d)".to_owned())
        );
        let deep = path(Some("PDF {project}/{yyyy}"), None, None, false);
        assert_eq!(deep.0, "PDF Finance|Q1_Q2|2026");
        let view = path(Some(""), None, Some("A%2FB"), true);
        assert_eq!(view.1, "Sales - A_2FB (1a2b3c4d)");
    }

    #[test]
    fn a_file_of_the_whole_workbook_has_no_gap_where_the_view_would_be() {
        for (name, stem) in [
            ("{view}", "Sales"),
            ("{workbook} - {view}", "Sales"),
            ("{view} - {workbook}", "Sales"),
            ("{workbook} - {view} {yyyy}", "Sales 2026"),
        ] {
            assert_eq!(path(Some(""), Some(name), None, false).1, stem, "{name}");
            assert!(path(Some(""), Some(name), Some("Top"), false).1.contains("Top"), "{name}");
        }
    }

    #[test]
    fn files_of_several_views_never_get_one_name() {
        assert_eq!(path(Some(""), Some("Report"), Some("Top"), true).1, "Report - Top");
        assert_eq!(path(Some(""), Some("Report"), Some("Top"), false).1, "Report");
        assert_eq!(path(Some(""), None, Some("Top"), true).1, "Sales - Top");
    }
}
