//! The first section of `docs/rules.md`, followed step by step: its commands print what it shows.

use crate::{Home, Up};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::repository::root;

const PAGE: &str = "docs/rules.md";
/// The command that starts the local stack, with the file of its rules.
const START: &str = "cargo run -- --rules ";
/// A new version of the rules is in effect within this time.
const IN_EFFECT: Duration = Duration::from_secs(60);
/// A function that has looked for a new version does not look again within 45 seconds.
const NOT_AGAIN: Duration = Duration::from_secs(46);
/// A line of the page that stands for lines it leaves out.
const LEFT_OUT: &str = "…";

/// What stands between two fences, what it is, and the text before it.
struct Fence<'a> {
    kind: &'a str,
    before: &'a str,
    text: &'a str,
}

fn fences(section: &str) -> Vec<Fence<'_>> {
    let parts: Vec<&str> = section.split("```").collect();
    assert_eq!(parts.len() % 2, 1, "{PAGE} has a fence that does not end");
    let fence = |pair: &[&'_ str]| pair[1].split_once('\n').is_some();
    assert!(parts.chunks_exact(2).all(fence), "{PAGE} has a fence in a line");
    let pairs = parts.chunks_exact(2).filter_map(|pair| {
        let (kind, text) = pair[1].split_once('\n')?;
        Some(Fence { kind, before: pair[0], text })
    });
    pairs.collect()
}

/// A line of output without what differs from run to run: times, ids and ports. Times that a command was given stay.
fn masked(line: &str, with_times: bool) -> String {
    let line = match line.split_once(" (").filter(|(_, rest)| rest.ends_with(" ago)")) {
        Some((start, _)) => start,
        None => line.trim_end(),
    };
    let is_id = |word: &str| word.len() == 12 && word.chars().all(|c| c.is_ascii_hexdigit());
    let is_time = |word: &str| word.len() > 1 && word.contains(|c: char| c.is_ascii_digit());
    let is_day = |word: &str| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&word);
    let mut masked = String::new();
    for part in line.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_varying = is_id(word) || (!with_times && (is_time(word) || is_day(word)));
        masked.push_str(if is_varying { "#" } else { word });
        masked.push_str(&part[word.len()..]);
    }
    masked
}

/// The first line of the page that the output does not have at its place.
fn difference(page: &str, output: &str, with_times: bool) -> Option<String> {
    let lines = |text: &str| -> Vec<String> { text.lines().map(|line| masked(line, with_times)).collect() };
    let printed = lines(output.trim_end());
    let mut at = 0;
    let mut is_left_out = false;
    for expected in lines(page.trim_end()) {
        if expected == LEFT_OUT {
            is_left_out = true;
            continue;
        }
        let found = printed[at..].iter().position(|line| *line == expected);
        match found {
            Some(0) => at += 1,
            Some(later) if is_left_out => at += later + 1,
            _ => return Some(expected),
        }
        is_left_out = false;
    }
    (at < printed.len() && !is_left_out).then(|| format!("nothing more, but there is: {}", printed[at]))
}

/// A file with a change in it: the lines with a minus or without a sign stand there once, one after the other.
fn changed(text: &str, change: &str) -> String {
    let side = |sign: char| -> String {
        change
            .lines()
            .filter(|line| line.starts_with([sign, ' ']))
            .map(|line| format!("{}\n", &line[1..]))
            .collect()
    };
    let old = side('-');
    assert_eq!(text.matches(&old).count(), 1, "not once:\n{old}in\n{text}");
    text.replacen(&old, &side('+'), 1)
}

/// A person who follows the page.
struct Reader {
    home: Home,
    folder: TempDir,
    up: Option<Up>,
    /// When the first event came, for which the function looked for rules.
    started: Instant,
    deployed: Option<Instant>,
}

impl Reader {
    /// In a folder of its own, where `cargo run --` is the program.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cargo = folder.path().join("bin/cargo");
        fs::create_dir(folder.path().join("bin")).unwrap();
        let program = crate::PROGRAM;
        let script =
            format!("#!/bin/sh\n[ \"$1 $2\" = 'run --' ] || exit 99\nshift 2\nexec '{program}' \"$@\"\n");
        fs::write(&cargo, script).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        Self { home: Home::new(), folder, up: None, started: Instant::now(), deployed: None }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the command prints, errors too.
    fn run(&mut self, command: &str) -> String {
        if let Some((file, others)) = command.strip_prefix(START).and_then(|rest| rest.split_once(' ')) {
            let rules = self.file(file).display().to_string();
            let others: Vec<&str> = others.split_whitespace().collect();
            let up = self.home.coming_up(&[&["--rules", &rules], &others[..]].concat());
            self.up.insert(up).show("Routes of the API");
            self.started = Instant::now();
            return String::new();
        }
        let sends = command.contains("-- send ") && !command.contains("--dry-run");
        if sends {
            std::thread::sleep(NOT_AGAIN.saturating_sub(self.started.elapsed()));
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1; {command}")]).env_clear().current_dir(self.folder.path());
        shell.env("PATH", format!("{}:/usr/bin:/bin", self.file("bin").display()));
        shell.env("XDG_STATE_HOME", self.home.0.path()).env("USER", "ana");
        shell.env("TABLEAU_WEBHOOKS_TYPED_AS", "cargo run --");
        let printed = String::from_utf8(shell.output().unwrap().stdout).unwrap();
        if command.contains(" rules deploy ") {
            self.deployed = Some(Instant::now());
        }
        if sends { self.message() } else { printed }
    }

    /// The next message that appears where the local stack runs.
    fn message(&mut self) -> String {
        let up = self.up.as_mut().expect("a local stack");
        let before = up.shown.len();
        up.show("  └─");
        let (deployed, shown) = (self.deployed.expect("a version"), &up.shown[before..]);
        assert!(deployed.elapsed() < IN_EFFECT, "after {:?}", deployed.elapsed());
        shown[shown.find("  ┌─").expect("a message")..].to_owned()
    }
}

/// The file that a text names last.
fn file_in(text: &str) -> &str {
    let names = text.split('`').skip(1).step_by(2);
    names.filter(|name| name.starts_with("my-")).last().expect("a file")
}

// 15, item 5
#[test]
fn the_guide_leads_to_a_rule_of_ones_own_and_its_commands_print_what_it_shows() {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let (_, section) = page.split_once("\n## From a clone to ").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("its end");
    let mut reader = Reader::new();
    let mut printed = String::new();
    let mut with_times = false;
    let mut compared = 0;
    for fence in fences(section) {
        match fence.kind {
            "yaml" => fs::write(reader.file(file_in(fence.before)), fence.text).unwrap(),
            "diff" => {
                let file = reader.file("my-rules.yaml");
                let text = fs::read_to_string(&file).unwrap();
                fs::write(&file, changed(&text, fence.text)).unwrap();
            }
            "sh" => {
                printed.clear();
                with_times = fence.text.contains(" --at ");
                for command in fence.text.replace("|\n", "|").lines() {
                    printed.push_str(&reader.run(command));
                }
            }
            "text" => {
                let different = difference(fence.text, &printed, with_times);
                assert_eq!(different, None, "{PAGE} has this, and its commands print:\n{printed}");
                compared += 1;
            }
            kind => panic!("{PAGE} has a block of {kind}, which is not followed here"),
        }
    }
    assert!(compared >= 12, "{compared}");
}

// 15, item 5
#[test]
fn output_that_is_not_what_the_guide_shows_is_found() {
    let output = "version 2, in force since 2026-11-29T10:12:24Z (3 s ago)\n  rules  2 rules\nend\n";
    for same in [
        "version 2, in force since 2020-01-01T00:00:00Z (1 min ago)\n  rules  2 rules\nend\n",
        "version 2, in force since 2020-01-01T00:00:00Z\n…\nend\n",
        "…\nend\n",
        "version 2, in force since 2020-01-01T00:00:00Z\n…\n",
    ] {
        assert_eq!(difference(same, output, false), None, "{same}");
    }
    for other in [
        "version 3, in force since 2020-01-01T00:00:00Z\n…\nend\n",
        "version 2, in force since 2020-01-01T00:00:00Z\nend\n",
        "version 2, in force since 2020-01-01T00:00:00Z\n  rules  2 rules\n",
        "end\nversion 2, in force since 2020-01-01T00:00:00Z\n…\n",
    ] {
        assert!(difference(other, output, false).is_some(), "{other}");
    }
    assert!(difference("Sat 2026-11-28 12:00", "Sat 2026-11-28 13:00", true).is_some());
    assert_eq!(difference("event 50f0a4a4be3c", "event 11631a0d83f0", true), None);
}
