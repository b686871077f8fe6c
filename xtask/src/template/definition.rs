//! `functions/<name>/workflow.yaml`: what one workflow has in AWS. No I/O.

use crate::name::{Events, Name};
use crate::repository::Problem;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Seconds that a function may run when its file says nothing: `Timeout` under `Globals`.
const TIMEOUT_SECONDS: u32 = 60;

/// Lambda's longest run, in seconds.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const LONGEST_TIMEOUT_SECONDS: u32 = 900;

/// Lambda's least and greatest memory, in MB. Same source.
const MEMORY_MB: std::ops::RangeInclusive<u32> = 128..=10_240;

/// What stands in the file. Every key is explained in docs/adding-a-workflow.md.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    summary: String,
    note: String,
    events: AskedFor,
    #[serde(default)]
    tableau: bool,
    #[serde(default)]
    alerting: bool,
    #[serde(default)]
    timers: bool,
    #[serde(default)]
    sends_events: bool,
    pages: Option<String>,
    routes: Option<String>,
    #[serde(default)]
    enabled_by_default: bool,
    memory_mb: Option<u32>,
    timeout_seconds: Option<u32>,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    #[serde(default)]
    statements: String,
}

/// `every`, or a list of names.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum AskedFor {
    Word(String),
    Names(Vec<String>),
}

/// A workflow, as its file describes it.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    /// Its name.
    pub(crate) name: Name,
    /// What it does, in one sentence.
    pub(super) summary: String,
    /// What a reader of the template should know about it.
    pub(super) note: String,
    /// What starts it; `None` is every event, also one whose name this version does not know.
    pub(super) events: Option<Events>,
    /// Whether it asks Tableau.
    pub(super) tableau: bool,
    /// Whether it announces incidents with `shared/alerting`, which needs timers.
    pub(super) alerting: bool,
    /// Whether it has timers and an hourly sweep.
    pub(super) timers: bool,
    /// Whether it sends events of its own over the bus.
    pub(super) sends_events: bool,
    /// The path segment of its public pages, if it has some.
    pub(super) pages: Option<String>,
    /// The path segment of its API, if it has one.
    pub(super) routes: Option<String>,
    /// Whether the first deploy switches it on.
    pub(super) enabled_by_default: bool,
    /// Its memory in MB, if it is not that of all functions.
    pub(super) memory_mb: Option<u32>,
    /// How long it may run in seconds, if it is not what all functions may.
    pub(super) timeout_seconds: Option<u32>,
    /// Variables of its environment, with the resource whose id each gets. The function may read these secrets.
    pub(super) secrets: BTreeMap<String, String>,
    /// Variables of its environment, with the parameter whose value each gets.
    pub(super) parameters: BTreeMap<String, String>,
    /// Statements of its role beyond those that every workflow has, as YAML.
    pub(super) statements: String,
}

impl Definition {
    /// Reads the file of the workflow with this name.
    ///
    /// # Errors
    /// When the file is not YAML of this form, or has a value that AWS would refuse. They name the file and the key.
    pub(crate) fn parse(name: Name, text: &str) -> Result<Self, Problem> {
        let path = format!("functions/{name}/workflow.yaml");
        let wrong = |problem: String| -> Problem { format!("{path}: {problem}").into() };
        let file: File =
            serde_saphyr::from_str(text).map_err(|error| wrong(first_line(&error.to_string())))?;
        let events = match file.events {
            AskedFor::Word(word) if word == "every" => None,
            AskedFor::Word(word) => {
                return Err(wrong(format!("events: `{word}` is neither `every` nor a list of names")));
            }
            AskedFor::Names(names) if names.is_empty() => {
                return Err(wrong("events: name at least one event, or write `every`".to_owned()));
            }
            AskedFor::Names(names) => {
                let events = Events::parse(&names).map_err(|problem| wrong(format!("events: {problem}")))?;
                Some(events)
            }
        };
        for (key, sentence) in [("summary", &file.summary), ("note", &file.note)] {
            if sentence.trim().is_empty() || sentence.contains('\n') {
                return Err(wrong(format!("{key}: write one sentence on one line")));
            }
        }
        if let Some(memory) = file.memory_mb.filter(|memory| !MEMORY_MB.contains(memory)) {
            return Err(wrong(format!("memory_mb: {memory} is not from 128 to 10240")));
        }
        let is_possible = |seconds: &u32| (1..=LONGEST_TIMEOUT_SECONDS).contains(seconds);
        if let Some(seconds) = file.timeout_seconds.filter(|seconds| !is_possible(seconds)) {
            return Err(wrong(format!(
                "timeout_seconds: {seconds} is not from 1 to {LONGEST_TIMEOUT_SECONDS}"
            )));
        }
        let segments = [("pages", &file.pages), ("routes", &file.routes)];
        let segments = segments.into_iter().filter_map(|(key, segment)| Some((key, segment.as_ref()?)));
        if let Some((key, segment)) = segments.into_iter().find(|(_, segment)| !is_segment(segment)) {
            return Err(wrong(format!(
                "{key}: `{segment}` is not a path segment of small letters and hyphens, or `webhook` and `webhooks`, which are taken"
            )));
        }
        let variables = || file.secrets.keys().chain(file.parameters.keys());
        if let Some(variable) = variables().find(|variable| !is_variable(variable)) {
            return Err(wrong(format!(
                "`{variable}` is not a valid name of a variable: use capital letters, digits and _, as in SLACK_SECRET"
            )));
        }
        if let Some(twice) = file.secrets.keys().find(|name| file.parameters.contains_key(*name)) {
            return Err(wrong(format!("`{twice}` is both a secret and a parameter")));
        }
        if let Some(line) = file.statements.lines().find(|line| !is_of_list(line)) {
            return Err(wrong(format!(
                "statements: `{line}` does not belong to a list, whose items begin with `- `"
            )));
        }
        Ok(Self {
            name,
            summary: file.summary,
            note: file.note,
            events,
            tableau: file.tableau,
            alerting: file.alerting,
            timers: file.timers || file.alerting,
            sends_events: file.sends_events,
            pages: file.pages,
            routes: file.routes,
            enabled_by_default: file.enabled_by_default,
            memory_mb: file.memory_mb,
            timeout_seconds: file.timeout_seconds,
            secrets: file.secrets,
            parameters: file.parameters,
            statements: file.statements,
        })
    }

    /// Seconds for which SQS hides a message that was received: six times what the function may run, so that the message
    /// comes back only after the function has surely ended.
    ///
    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
    pub(super) fn visibility_timeout(&self) -> u32 {
        self.timeout_seconds.unwrap_or(TIMEOUT_SECONDS) * 6
    }
}

/// What is wrong and in which line, without the excerpt of the file that follows it.
fn first_line(error: &str) -> String {
    let line = error.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Whether Lambda takes this as a variable's name, and whether it is written as ours are.
fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Whether the paths of pages and of an API can begin with it.
fn is_segment(segment: &str) -> bool {
    let is_plain = !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    is_plain && !["webhook", "webhooks"].contains(&segment)
}

/// Whether a line can stand in a list at the left edge: an item begins there, or the line is inside one, or a comment.
fn is_of_list(line: &str) -> bool {
    line.trim().is_empty() || ["- ", "  ", "#"].iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "summary: Does it.\nnote: Carefully.\nevents: [WorkbookCreated]\n";

    fn parse(text: &str) -> Result<Definition, String> {
        Definition::parse(Name::parse("tag-workbook").unwrap(), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_workflow_needs_a_sentence_a_note_and_events_and_has_the_defaults_of_all() {
        let least = parse(LEAST).unwrap();
        assert!(!least.tableau && !least.alerting && !least.enabled_by_default);
        assert_eq!(least.visibility_timeout(), 360);
        let every = parse(&LEAST.replace("[WorkbookCreated]", "every")).unwrap();
        assert!(every.events.is_none());
        assert_eq!(parse(&format!("{LEAST}timeout_seconds: 90\n")).unwrap().visibility_timeout(), 540);
        for key in ["summary", "note", "events"] {
            let without: Vec<&str> = LEAST.lines().filter(|line| !line.starts_with(key)).collect();
            let problem = parse(&without.join("\n")).unwrap_err();
            assert!(problem.starts_with("functions/tag-workbook/workflow.yaml: "), "{problem}");
            assert!(problem.contains(key), "{problem}");
        }
    }

    #[test]
    fn what_aws_would_refuse_is_refused_with_the_name_of_the_key() {
        for (more, problem) in [
            ("memory_mb: 64\n", "memory_mb: 64 is not from 128 to 10240"),
            ("timeout_seconds: 0\n", "timeout_seconds: 0 is not from 1 to 900"),
            ("timeout_seconds: 901\n", "timeout_seconds: 901 is not from 1 to 900"),
            (
                "secrets: { slack: SlackSecret }\n",
                "`slack` is not a valid name of a variable: use capital letters, digits and _, as in SLACK_SECRET",
            ),
            (
                "statements: |\n  Effect: Allow\n",
                "statements: `Effect: Allow` does not belong to a list, whose items begin with `- `",
            ),
            (
                "pages: webhooks\n",
                "pages: `webhooks` is not a path segment of small letters and hyphens, or `webhook` and `webhooks`, which are taken",
            ),
            (
                "routes: Refreshes\n",
                "routes: `Refreshes` is not a path segment of small letters and hyphens, or `webhook` and `webhooks`, which are taken",
            ),
            ("secrets: { A: B }\nparameters: { A: C }\n", "`A` is both a secret and a parameter"),
        ] {
            let expected = format!("functions/tag-workbook/workflow.yaml: {problem}");
            assert_eq!(parse(&format!("{LEAST}{more}")).unwrap_err(), expected);
        }
        for (events, part) in [
            ("[WorkbookCraeted]", "did you mean `WorkbookCreated`?"),
            ("[]", "name at least one event"),
            ("all", "`all` is neither `every` nor a list of names"),
        ] {
            let problem = parse(&LEAST.replace("[WorkbookCreated]", events)).unwrap_err();
            assert!(problem.contains("workflow.yaml: events: ") && problem.contains(part), "{problem}");
        }
        let typo = parse(&format!("{LEAST}tablaeu: true\n")).unwrap_err();
        assert!(typo.contains("workflow.yaml: line 4 column 1: unknown field `tablaeu`"), "{typo}");
        assert_eq!(typo.lines().count(), 1, "{typo}");
    }
}
