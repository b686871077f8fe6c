//! Checks of a public repository: its licence, the licences of its dependencies, links, pictures, the changelog's
//! format, the CI workflow's command, and packages of Python and npm pinned by hash.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::repository::root;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every crate in Cargo.lock, including ours.
fn packages() -> Vec<Value> {
    let mut cargo = Command::new(env!("CARGO"));
    let output =
        cargo.args(["metadata", "--format-version", "1", "--locked"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn the_licence_is_the_one_that_the_packages_state() {
    let licence = read("LICENSE");
    assert!(licence.contains("Apache License") && licence.contains("Version 2.0, January 2004"));
    assert!(licence.contains("END OF TERMS AND CONDITIONS"), "the text is not whole");
    let ours: Vec<Value> = packages().into_iter().filter(|package| package["source"].is_null()).collect();
    assert!(ours.len() > 10);
    for package in ours {
        assert_eq!(package["license"], "Apache-2.0", "{}", package["name"]);
    }
}

/// The items of a list in deny.toml, which has one item per line.
fn denied_list(name: &str) -> BTreeSet<String> {
    let text = read("deny.toml");
    let list = text.split(&format!("\n{name} = [\n")).nth(1).unwrap().split("\n]").next().unwrap();
    list.lines().map(|line| line.trim().trim_matches([',', '"']).to_owned()).collect()
}

/// cargo-deny makes the same check weekly, and also checks advisories.
#[test]
fn every_crate_has_a_licence_and_a_source_that_deny_toml_allows() {
    let allowed = denied_list("allow");
    assert!(allowed.contains("MIT"), "{allowed:?}");
    let mut wrong = Vec::new();
    for package in packages().iter().filter(|package| !package["source"].is_null()) {
        let name = package["name"].as_str().unwrap();
        let source = package["source"].as_str().unwrap();
        if source != "registry+https://github.com/rust-lang/crates.io-index" {
            wrong.push(format!("{name} comes from {source}"));
        }
        let licence = package["license"].as_str().unwrap_or_default();
        let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX);
        if !expression.is_ok_and(|licence| licence.evaluate(|one| allowed.contains(&one.to_string()))) {
            wrong.push(format!("{name} has the licence `{licence}`"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_changelog_has_the_form_of_keep_a_changelog() {
    const KINDS: [&str; 6] = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    let text = read("CHANGELOG.md");
    let mut versions = text.lines().filter_map(|line| line.strip_prefix("## "));
    assert_eq!(versions.next(), Some("[Unreleased]"));
    for version in versions {
        let released = version.strip_prefix('[').and_then(|rest| rest.split_once("] - "));
        let (number, day) = released.unwrap_or_else(|| panic!("`## {version}` is no version with its day"));
        assert_eq!(number.split('.').filter_map(|part| part.parse::<u32>().ok()).count(), 3, "{version}");
        assert!(day.parse::<jiff::civil::Date>().is_ok(), "{version}");
    }
    for kind in text.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(KINDS.contains(&kind), "`### {kind}` is none of {KINDS:?}");
    }
}

#[test]
fn the_workflow_runs_the_command_of_the_readme() {
    const CHECK: &str = "cargo xtask check";
    assert!(read("README.md").lines().any(|line| line == CHECK));
    assert!(read(".ci/run").lines().any(|line| line == format!("exec {CHECK}")));
    let runs = |workflow: &str| -> Vec<String> {
        let text = read(workflow);
        let commands =
            text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("run: "));
        commands.map(str::to_owned).collect()
    };
    assert!(runs(".github/workflows/check.yml").iter().any(|command| command == CHECK));
    let weekly = runs(".github/workflows/weekly.yml");
    assert!(weekly.iter().any(|command| command == "cargo xtask check --full"), "{weekly:?}");
    assert!(weekly.iter().any(|command| command == "cargo deny --locked check"), "{weekly:?}");
}

/// The files of the repository with this name ending, by path.
fn files_named(end: &str) -> Vec<String> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).arg(format!("*{end}"));
    let output = git.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout).unwrap();
    paths.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect()
}

/// The only global option that a requirements file may have.
const NO_SOURCE_PACKAGES: &str = "--only-binary :all:";

/// The requirements in a pip file, each with its options on one line.
fn requirements(text: &str) -> Vec<String> {
    let whole = text.replace("\\\n", " ");
    let is_requirement =
        |line: &&str| !line.is_empty() && !line.starts_with('#') && *line != NO_SOURCE_PACKAGES;
    let lines = whole.lines().map(str::trim).filter(is_requirement);
    lines.map(str::to_owned).collect()
}

/// What is wrong with a requirement: pip would accept another version, or any file of that version.
fn unpinned(requirement: &str) -> Option<String> {
    let (package, options) = requirement.split_once(" --").unwrap_or((requirement, ""));
    let (pin, _condition) = package.split_once(';').unwrap_or((package, ""));
    let is_pinned = pin.split_once("==").is_some_and(|(name, version)| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | '!' | ' ');
        let name_allowed = |c: char| allowed(c) || matches!(c, '[' | ']' | ',');
        !name.trim().is_empty()
            && name.chars().all(name_allowed)
            && !version.trim().is_empty()
            && version.chars().all(allowed)
    });
    if !is_pinned {
        return Some(format!("`{}` is not pinned with ==", package.trim()));
    }
    let hashes: Vec<&str> = options.split(" --").map(str::trim).collect();
    let is_hash = |option: &&str| {
        let digits = option.strip_prefix("hash=sha256:");
        digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let hashed = !hashes.is_empty() && hashes.iter().all(is_hash);
    (!hashed).then(|| format!("`{}` has no SHA-256 hash", package.trim()))
}

#[test]
fn every_python_package_is_pinned_to_a_version_and_the_hashes_of_its_files() {
    let files = files_named("requirements*.txt");
    assert!(files.len() >= 5, "{files:?}");
    let mut wrong = Vec::new();
    for file in files {
        let text = read(&file);
        assert!(text.lines().any(|line| line == NO_SOURCE_PACKAGES), "{file} allows source packages");
        let requirements = requirements(&text);
        assert!(requirements.len() > 5, "{file} has only {} requirements", requirements.len());
        let found = requirements.iter().filter_map(|requirement| unpinned(requirement));
        wrong.extend(found.map(|problem| format!("{file}: {problem}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_package_that_a_person_asks_for_is_in_the_generated_file_in_that_version() {
    for source in files_named("requirements*.in") {
        let generated = source.replace(".in", ".txt");
        let pins: BTreeSet<String> = requirements(&read(&generated))
            .iter()
            .filter_map(|line| line.split([' ', ';']).next())
            .map(|pin| pin.to_lowercase().replace('_', "-"))
            .collect();
        for asked in requirements(&read(&source)) {
            let asked = asked.to_lowercase().replace('_', "-");
            // Without its condition, which the generated file has in another form.
            let asked = asked.split([' ', ';']).next().unwrap();
            assert!(pins.contains(asked), "{generated} has no {asked}: run `cargo xtask requirements`");
        }
    }
    assert_eq!(files_named("requirements*.in").len(), files_named("requirements*.txt").len());
}

#[test]
fn a_requirement_without_one_version_or_without_a_hash_is_recognised() {
    let hash = "a".repeat(64);
    for pinned in [
        format!("a==1.0 --hash=sha256:{hash}"),
        format!("a[b]==1.0 ; x < '3' --hash=sha256:{hash} --hash=sha256:{hash}"),
    ] {
        assert_eq!(unpinned(&pinned), None, "{pinned}");
    }
    for open in [
        "a".to_owned(),
        "a==1.0".to_owned(),
        format!("a>=1.0 --hash=sha256:{hash}"),
        format!("a==1.* --hash=sha256:{hash}"),
        format!("a==1,<2 --hash=sha256:{hash}"),
        format!("a @ https://example.com/a.whl --hash=sha256:{hash}"),
        format!("-e . --hash=sha256:{hash}"),
        "a==1.0 --hash=md5:00".to_owned(),
        format!("a==1.0 --hash=sha256:{hash} --index-url=https://example.com"),
    ] {
        assert!(unpinned(&open).is_some(), "{open}");
    }
    let lines =
        requirements("# x\na==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n    # via b\nb==2\n");
    assert_eq!(lines, ["a==1      --hash=sha256:00      --hash=sha256:01", "b==2"]);
}

/// The files and lines that call pip.
fn calls_of_pip(text: &str) -> Vec<String> {
    let is_call = |line: &&str| line.contains("pip install") || line.contains("\"install\",");
    text.lines().filter(is_call).map(str::to_owned).collect()
}

#[test]
fn pip_installs_nothing_but_files_with_a_listed_hash() {
    const NEEDED: [&str; 3] = ["--require-hashes", "--only-binary", "--no-deps"];
    let mut places = 0;
    for file in
        [".rs", ".md", ".yml", ".in", ".py", ".ci/run", "Makefile"].iter().flat_map(|end| files_named(end))
    {
        // This file contains the words that it searches for.
        if file == "tests/repository.rs" {
            continue;
        }
        let text = read(&file);
        for call in calls_of_pip(&text) {
            places += 1;
            // In code the arguments are on separate lines, below the word.
            let start = text.find(&call).unwrap();
            let arguments: String = text[start..].lines().take(8).collect();
            for option in NEEDED {
                assert!(arguments.contains(option), "{file} calls pip without {option}: {call}");
            }
        }
    }
    assert!(places > 0, "no call of pip was found");
}

#[test]
fn every_npm_package_is_pinned_to_a_version_and_the_hash_of_its_file() {
    let locks = files_named("package-lock.json");
    assert!(!locks.is_empty());
    for lock in &locks {
        let text: Value = serde_json::from_str(&read(lock)).unwrap();
        let (ours, theirs): (Vec<_>, Vec<_>) =
            text["packages"].as_object().unwrap().iter().partition(|(path, _)| path.is_empty());
        assert!(theirs.len() > 5, "{lock} has only {} packages", theirs.len());
        let asked: Value = serde_json::from_str(&read(&lock.replace("-lock", ""))).unwrap();
        assert_eq!(
            ours[0].1["dependencies"], asked["dependencies"],
            "{lock}: run npm install --package-lock-only"
        );
        for (name, version) in asked["dependencies"].as_object().unwrap() {
            let version = version.as_str().unwrap();
            let is_one = version.split('.').all(|part| part.parse::<u32>().is_ok());
            assert!(is_one, "{lock}: {name} is not pinned to one version, but to {version}");
        }
        for (path, package) in theirs {
            let hash = package["integrity"].as_str().unwrap_or_default();
            assert!(hash.starts_with("sha512-"), "{lock}: {path} has no SHA-512 hash");
            let source = package["resolved"].as_str().unwrap_or("https://registry.npmjs.org/");
            assert!(source.starts_with("https://registry.npmjs.org/"), "{lock}: {path} comes from {source}");
        }
    }
    assert_eq!(files_named("package.json").len(), locks.len());
}

/// A package's script would run with all that we may do, and fetch what no hash covers.
#[test]
fn npm_runs_no_script_of_a_package() {
    let is_call =
        |line: &&str| line.contains("npm ci") || line.contains("npm install") || line.contains("[\"ci\",");
    let mut places = 0;
    for file in [".rs", ".md", ".yml", ".py", ".ci/run"].iter().flat_map(|end| files_named(end)) {
        // This file contains the words that it searches for.
        if file == "tests/repository.rs" {
            continue;
        }
        for call in read(&file).lines().filter(is_call) {
            places += 1;
            assert!(call.contains("--ignore-scripts"), "{file} calls npm without --ignore-scripts: {call}");
        }
    }
    assert!(places > 1, "only {places} calls of npm were found");
}

/// Every Markdown page in the repository, by path.
fn pages() -> BTreeMap<PathBuf, String> {
    let mut git = Command::new("git");
    let output = git
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout).unwrap();
    let existing = paths.lines().map(PathBuf::from).filter(|path| root().join(path).is_file());
    existing.map(|path| (path.clone(), fs::read_to_string(root().join(path)).unwrap())).collect()
}

/// The text without code blocks, in which nothing is a link.
fn prose(page: &str) -> String {
    let mut in_code = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// The targets of a page's links, without pages outside the repository.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets
        .map(|(target, _)| target.to_owned())
        .filter(|target| {
            !target.contains("://") && !target.starts_with("mailto:") && !target.contains(char::is_whitespace)
        })
        .collect()
}

/// The anchors that GitHub generates for a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = prose(page);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
        })
        .collect()
}

#[test]
fn every_link_to_a_file_or_a_heading_of_the_repository_leads_somewhere() {
    let pages = pages();
    assert!(pages.contains_key(Path::new("README.md")), "{:?}", pages.keys());
    let mut dead = Vec::new();
    let mut count = 0;
    for (path, page) in &pages {
        for link in links(page) {
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => root().join(path),
                file => root().join(path).parent().unwrap().join(file),
            };
            let lives = target.exists()
                && (anchor.is_empty()
                    || fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor)));
            if !lives {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(count > 50, "only {count} links were found");
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn a_link_and_the_anchor_of_a_heading_are_recognised() {
    let page =
        "# The URL's token: `rotate` it\nSee [a](b.md#c), [web](https://example.com) and\n```\n[x](y)\n```\n";
    assert_eq!(links(page), ["b.md#c"]);
    assert_eq!(anchors(page), BTreeSet::from(["the-urls-token-rotate-it".to_owned()]));
}

/// Every function in the repository's Rust files that is a test, or a step of the deployed test.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders: Vec<PathBuf> =
        ["tests", "functions", "shared", "local", "cli"].map(|top| root().join(top)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).unwrap();
                let tests = text.split("test]\n").skip(1).filter_map(|rest| rest.split_once("fn "));
                names.extend(tests.filter_map(|(_, rest)| rest.split('(').next()).map(str::to_owned));
            }
        }
    }
    names
}

#[test]
fn the_readme_names_for_each_workflow_tests_that_there_are() {
    let readme = read("README.md");
    let section =
        readme.split("## How each workflow is tested").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut rows = section
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let head = rows.next().unwrap();
    assert_eq!(rows.next().map(|rule| rule.len()), Some(head.len()));
    let mut tests = test_names();
    let steps = read("tests/deployed/main.rs");
    let steps = steps.split("::").skip(1).filter_map(|rest| rest.split('(').next());
    tests.extend(steps.map(str::to_owned));
    let routes = read("template.yaml");
    let mut workflows = BTreeSet::new();
    for row in rows {
        assert_eq!(row.len(), head.len(), "{row:?}");
        workflows.insert(row[0].split('`').nth(1).unwrap().to_owned());
        for (cell, column) in row.iter().zip(&head) {
            // What stands between backticks.
            let named: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty() || cell.starts_with("none: "), "{column}: {cell}");
            for name in named {
                let is_there = match *column {
                    "Workflow" => root().join("functions").join(name).is_dir(),
                    "Route" => routes.contains(name),
                    "Fixture" => root().join(name).is_file(),
                    _ => tests.contains(name),
                };
                assert!(is_there, "{column}: {name}");
            }
        }
    }
    let folders = fs::read_dir(root().join("functions")).unwrap().map(|folder| folder.unwrap().path());
    let with_workflow = folders.filter(|folder| folder.join("workflow.yaml").is_file());
    let all: BTreeSet<String> =
        with_workflow.map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(workflows, all);
}
