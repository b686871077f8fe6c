//! Mistakes that people make in a rules file, and what is shown of each. `UPDATE=1 cargo test -p rules --test mistakes` writes the
//! files `mistakes/*.txt` anew; read what has changed.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use rules::{Error, Problem, Rules, render};
use std::path::{Path, PathBuf};

fn problems(text: &str) -> Vec<Problem> {
    match Rules::check_text(text) {
        Ok(_) => Vec::new(),
        Err(Error::Wrong(problems)) => problems,
        Err(error) => panic!("{error}"),
    }
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    files
}

// Issue 15
#[test]
fn each_mistake_is_shown_with_its_line_an_excerpt_and_what_to_write() {
    let files = files();
    assert!(files.len() >= 40, "{}", files.len());
    let mut differences = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let problems = problems(&text);
        assert!(!problems.is_empty(), "{}: no mistake is found", file.display());
        let shown: Vec<String> = problems.iter().map(|problem| render(problem, &text)).collect();
        let shown = format!("{}\n", shown.join("\n\n"));
        let expected = file.with_extension("txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected, &shown).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != shown {
            differences.push(format!("{}:\n{shown}", expected.display()));
        }
    }
    assert!(differences.is_empty(), "UPDATE=1 writes them anew:\n{}", differences.join("\n"));
}

// Issue 15
#[test]
fn every_place_of_a_mistake_is_within_its_file_and_every_text_says_what_it_is_about() {
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        for problem in problems(&text) {
            let place = format!("{}: {problem}", file.display());
            let index = usize::try_from(problem.at.line).unwrap() - 1;
            let line =
                text.trim_start_matches('\u{feff}').lines().nth(index).unwrap_or_else(|| panic!("{place}"));
            let column = usize::try_from(problem.at.column).unwrap();
            assert!((1..=line.chars().count() + 1).contains(&column), "{place}");
            // Words of the parser or of serde are of no help to the author of a file.
            for word in
                ["scalar", "deserialize", "sequence", "anchor or alias", "mapping values", "expected ','"]
            {
                assert!(!problem.text.contains(word), "{place}");
            }
        }
    }
}

// Issue 15
#[test]
fn an_excerpt_shows_no_secret_wherever_it_stands() {
    for secret in [
        "https://hooks.slack.com/services/T0/B0/hunter2",
        "xoxb-1-hunter2",
        "hunter2hunter2",
        "\"hunter2, b\"",
        "'#hunter2 '",
        "xapp-1-hunter2",
    ] {
        for lines in [
            format!("    do: [{{ notify-slack: {{ channel: {secret} }} , x: y }}]"),
            format!("    do:\n      - notify-slack:\n          chanel: {secret}"),
            format!(
                "    do:\n      - notify-slack:\n          chanel:\n            {secret}\n          channel: [a]"
            ),
            format!("    do:\n      - notify-slack: {{ webhook: {secret}, channel: [a, {secret}] }}"),
            format!("    do:\n      - notify-slack: {{ webhook: {secret}, channel: a"),
            format!("    do:\n      - page-oncall: {{ url: {secret} }}"),
            format!("    do:\n      - notify-slack: {{ password: {secret} }}"),
            format!("    channel: {secret}\n    do: []"),
            format!("    webhook_url: {secret}\n    do: []"),
            format!("    do: [notify-slack: {{ channel:{secret} }}]"),
        ] {
            let text = format!("rules:\n  - name: a\n    on: [SiteUpdated]\n{lines}\n");
            let problems = problems(&text);
            assert!(!problems.is_empty(), "{text}");
            for problem in problems {
                let shown = render(&problem, &text);
                assert!(!shown.contains("hunter2"), "{text}\n{shown}");
            }
        }
    }
    // A token is in no message either, where the message would repeat another value.
    for value in ["#xoxb-1-hunter2", "\u{201c}xoxb-1-hunter2\u{201d}", "@xoxb-1-hunter2", "a: xoxb-1-hunter2"]
    {
        for key in ["name", "mute_until", "channel", "owner"] {
            let text = format!("rules:\n  - {key}: {value}\n    on: [xoxb-1-hunter2]\n    do: []\n");
            for problem in problems(&text) {
                let shown = format!("{problem}\n{}", render(&problem, &text));
                assert!(!shown.contains("hunter2"), "{text}\n{shown}");
            }
        }
    }
}

// Issue 15
#[test]
fn the_caret_stands_below_the_place_in_wide_long_and_odd_lines() {
    let shown = |line: &str| {
        let text = format!("rules:\n  - name: a\n    on: [SiteUpdated]\n    do: []\n{line}\n");
        let problems = problems(&text);
        let problem = problems.iter().find(|problem| problem.at.line == 5).unwrap();
        render(problem, &text)
    };
    let lines = |shown: &str| {
        let mut lines = shown.lines().skip(2).map(ToOwned::to_owned);
        (lines.next().unwrap(), lines.next().unwrap())
    };
    let below = |shown: &str, word: &str| {
        let (line, caret) = lines(shown);
        let before = line.split(word).next().unwrap();
        let width: usize =
            before.chars().map(|c| if ('\u{2e80}'..='\u{ffef}').contains(&c) { 2 } else { 1 }).sum();
        assert_eq!(caret.chars().count() - 1, width, "{shown}");
    };
    below(&shown("    where: { name: 財務財務, nmae: 財 }"), "nmae");
    below(&shown("    where: { name: größe, nmae: b }"), "nmae");
    let long = shown(&format!("    where: {{ name: {}, nmae: b }}", "x".repeat(500)));
    assert!(long.lines().all(|line| line.chars().count() < 140), "{long}");
    below(&long, "nmae");
    // Control characters, which a terminal obeys, and invisible ones are shown as signs.
    let odd = shown("    \"na\\u200bme\u{200b}\": x");
    assert!(!odd.contains('\u{200b}') && odd.contains('·'), "{odd}");
    let none = Problem { at: rules::Position::default(), rule: None, text: "x".to_owned() };
    assert_eq!(render(&none, "a"), "x");
}
