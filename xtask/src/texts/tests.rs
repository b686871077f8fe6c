use super::kind::Kind;
use super::*;
use std::path::Path;

fn repository() -> Repository {
    Repository::at(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
}

fn has(texts: &[Text], kind: Kind, file: &str, part: &str) -> bool {
    texts.iter().any(|text| text.kind == kind && text.file == file && text.text.contains(part))
}

#[test]
fn the_list_has_texts_of_each_kind() {
    let texts = texts(&repository()).unwrap();
    for (kind, file, part) in [
        (Kind::Help, "cli/src/options.rs", "Start the local stack"),
        (Kind::Help, "cli/src/options.rs", "WHEN"),
        (Kind::Help, "cli/src/options.rs", "CLICOLOR_FORCE=1"),
        (Kind::Help, "cli/src/help.rs", "Exit codes:"),
        (Kind::Error, "shared/tableau-client/src/error.rs", "Tableau"),
        (Kind::Error, "cli/src/events/history/show.rs", "no record of an event"),
        (Kind::Log, "shared/runtime/src/batch.rs", ""),
        (Kind::Message, "shared/alerting/src/notification/words.rs", "Extract refresh failed"),
        (Kind::Output, "cli/src/up/hints.rs", "Ctrl-C"),
        (Kind::Heading, "README.md", ""),
        (Kind::Template, "template.yaml", "Where you sign in to Tableau"),
    ] {
        assert!(has(&texts, kind, file, part), "{kind} of {file}: {part}");
    }
}

#[test]
fn the_list_has_no_expressions_and_no_names_of_fields() {
    for text in texts(&repository()).unwrap() {
        let line = text.line();
        for part in ["attribute_exists", "attribute_not_exists", "SET #", "begins_with(", "#[cfg", "assert"] {
            assert!(!text.text.contains(part), "{line}");
        }
        let is_one_word = !text.text.contains(' ');
        let is_field =
            text.text.contains('_') && text.text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(!(is_one_word && is_field && text.kind != Kind::Help), "{line}");
        assert!(!text.file.ends_with("/tests.rs") && !text.file.contains("/tests/"), "{line}");
        assert_ne!(text.text, "Which stack, and where.", "clap does not show it");
        assert_eq!(line.matches('\t').count(), 2, "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

#[test]
fn names_have_the_path_of_their_module_and_comments_their_whole_block() {
    let names = names::all(&repository()).unwrap();
    assert!(names.iter().any(|name| name.text == "alerting::engine::sweep::Sweep"), "{}", names.len());
    assert!(names.iter().any(|name| name.text == "alerting::engine"), "{}", names.len());
    let comments = comments::all(&repository()).unwrap();
    let first = comments.iter().find(|comment| comment.file == "cli/src/out.rs").unwrap();
    assert_eq!(first.line, 1);
    assert!(first.text.contains("`main` ends"), "{first:?}");
}
