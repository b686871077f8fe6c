//! The parts of `template.yaml` that each workflow has: its switch, its block of resources and an output. No I/O.

use super::definition::Definition;
use super::fit;
use super::place::{self, Entry, Place};
use super::text;
use crate::name::Name;
use crate::repository::Problem;

const BLOCK: &str = include_str!("../../templates/block.yaml.tmpl");

/// The parts beside the block, in the order in which they stand in `template.yaml`: what each is, how it is found, its
/// text.
const ENTRIES: [(&str, Entry, &str); 5] = [
    (
        "In Metadata, in the group Workflows",
        Entry { section: "Metadata:", around: ("          - ", "Enabled") },
        include_str!("../../templates/group.yaml.tmpl"),
    ),
    (
        "In Parameters",
        Entry { section: "Parameters:", around: ("  ", "Enabled:") },
        include_str!("../../templates/parameter.yaml.tmpl"),
    ),
    (
        "In Conditions",
        Entry { section: "Conditions:", around: ("  ", "On: ") },
        include_str!("../../templates/condition.yaml.tmpl"),
    ),
    (
        "In Outputs",
        Entry { section: "Outputs:", around: ("  ", "Url:") },
        include_str!("../../templates/output.yaml.tmpl"),
    ),
    (
        "In Resources, in the widgets of Dashboard",
        Entry { section: "Resources:", around: ("          - !If [", "On, !Sub '") },
        include_str!("../../templates/alarms.yaml.tmpl"),
    ),
];

/// The whole `template.yaml`.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    /// Its text.
    pub(crate) text: String,
}

impl Stack {
    /// The text with the parts of these workflows and of no other.
    ///
    /// # Errors
    /// When the template lacks a section, or a workflow names a secret or parameter that the template does not have.
    pub(crate) fn of(&self, workflows: &[Definition]) -> Result<String, Problem> {
        let mut stack = self.clone();
        for workflow in workflows {
            stack.text = stack.with(workflow)?;
        }
        let lines: Vec<&str> = stack.text.lines().collect();
        let is_gone = |name: &&str| !workflows.iter().any(|workflow| workflow.name.pascal() == *name);
        let gone: Vec<String> =
            place::workflows(&lines)?.into_iter().filter(is_gone).map(str::to_owned).collect();
        for name in gone {
            stack.text = stack.without(&name)?;
        }
        stack.fitted()
    }

    /// The text with the workflow's parts in it: in place of those that are there, or where the alphabet puts them.
    ///
    /// # Errors
    /// As [`Stack::of`].
    pub(crate) fn with(&self, workflow: &Definition) -> Result<String, Problem> {
        self.check(workflow)?;
        let mut lines: Vec<String> = self.text.trim_end().lines().map(str::to_owned).collect();
        let pascal = workflow.name.pascal();
        for (_, entry, template) in &ENTRIES {
            let text = lines.join("\n");
            let there = entry.range(&text, &pascal)?;
            let range = match there {
                Some(range) => range,
                None => {
                    let line = entry.place(&text, &workflow.name)?.line;
                    line..line
                }
            };
            lines.splice(range, filled(template, workflow).lines().map(str::to_owned));
        }
        let text = lines.join("\n");
        let mut block: Vec<String> = block(workflow).lines().map(str::to_owned).collect();
        let there = place::range_of_block(&text, &pascal)?;
        let range = match there {
            Some(range) => range,
            None => {
                let Place { line, before } = place::of_block(&text, &workflow.name)?;
                let blank = if before.is_some() { block.len() } else { 0 };
                block.insert(blank, String::new());
                line..line
            }
        };
        lines.splice(range, block);
        Self { text: lines.join("\n") + "\n" }.fitted()
    }

    /// The text without the parts of a workflow, by what the names of its resources begin with.
    fn without(&self, pascal: &str) -> Result<String, Problem> {
        let mut lines: Vec<&str> = self.text.trim_end().lines().collect();
        // The block first: the switch in Conditions says which workflows there are, so it has to be there until the end.
        if let Some(block) = place::range_of_block(&self.text, pascal)? {
            let has_blank_before = block.start > 0 && lines[block.start - 1].is_empty();
            lines.drain(block.start - usize::from(has_blank_before)..block.end);
        }
        for (_, entry, _) in ENTRIES.iter().rev() {
            let text = lines.join("\n");
            if let Some(range) = entry.range(&text, pascal)? {
                lines.drain(range);
            }
        }
        Ok(lines.join("\n") + "\n")
    }

    /// The text with the rule of what fits a new account.
    fn fitted(&self) -> Result<String, Problem> {
        let lines: Vec<&str> = self.text.lines().collect();
        let mut all: Vec<String> = place::workflows(&lines)?.into_iter().map(str::to_owned).collect();
        all.sort_unstable();
        fit::with_rule(&self.text, &all)
    }

    /// Refuses a name that the template does not have.
    fn check(&self, workflow: &Definition) -> Result<(), Problem> {
        let lines: Vec<&str> = self.text.lines().collect();
        for (key, section, names) in [
            ("secrets", "Resources:", &workflow.secrets),
            ("parameters", "Parameters:", &workflow.parameters),
        ] {
            let range = place::section(&lines, section)?;
            for name in names.values() {
                if !range.clone().any(|line| lines[line] == format!("  {name}:")) {
                    let file = format!("functions/{}/workflow.yaml", workflow.name);
                    return Err(format!("{file}: {key}: template.yaml has no `{name}` in {section}").into());
                }
            }
        }
        check_secrets(&lines, workflow)?;
        check_variables(&lines, workflow)?;
        self.check_names(&lines, workflow)
    }

    /// The resources that another text of the template has no longer: a deploy deletes them.
    pub(crate) fn lost(&self, wanted: &str) -> Result<Vec<String>, Problem> {
        let kept = place::resources(wanted)?;
        let lost = place::resources(&self.text)?.into_iter().filter(|name| !kept.contains(name));
        Ok(lost.map(str::to_owned).collect())
    }

    /// Refuses a new workflow of which a resource, parameter or output has the name of one that is there: `timers` would have
    /// a second `TimersUndeliveredAlarm`.
    fn check_names(&self, lines: &[&str], workflow: &Definition) -> Result<(), Problem> {
        let pascal = workflow.name.pascal();
        let has_block = place::range_of_block(&self.text, &pascal)?.is_some();
        if has_block || place::workflows(lines)?.contains(&pascal.as_str()) {
            return Ok(());
        }
        let parts = ENTRIES.iter().map(|(_, _, template)| filled(template, workflow));
        let parts: String = parts.chain([block(workflow)]).collect();
        let is_own = |line: &&str| line.starts_with(&format!("  {pascal}")) && line.ends_with(':');
        match parts.lines().filter(is_own).find(|line| lines.contains(line)) {
            Some(taken) => {
                let taken = taken.trim().trim_end_matches(':');
                Err(format!("the name `{}` is taken: template.yaml has `{taken}`", workflow.name).into())
            }
            None => Ok(()),
        }
    }

    /// All parts, with comments that say where to paste them.
    pub(crate) fn to_paste(&self, workflow: &Definition) -> String {
        let name = &workflow.name;
        let before = |place: Result<Place, Problem>, otherwise: &str| match place.ok().and_then(|p| p.before)
        {
            Some(line) => format!("before `{}`", line.trim()),
            None => otherwise.to_owned(),
        };
        let mut all = String::new();
        for (section, entry, template) in &ENTRIES {
            let at = before(entry.place(&self.text, name), "after those of the other workflows");
            all.push_str(&format!("# {section}, {at}:\n{}\n", filled(template, workflow)));
        }
        if let Some(rule) = self.workflows_with(name).ok().and_then(|all| fit::rule(&all)) {
            all.push_str(&format!("# In Rules, in place of the rule of that name, or at the end:\n{rule}\n"));
        }
        let at = before(place::of_block(&self.text, name), "at the end");
        all + &format!("# In Resources, {at}:\n{}", block(workflow))
    }

    /// The workflows there will be, as the alphabet has them.
    fn workflows_with(&self, name: &Name) -> Result<Vec<String>, Problem> {
        let lines: Vec<&str> = self.text.lines().collect();
        let mut all: Vec<String> = place::workflows(&lines)?.into_iter().map(str::to_owned).collect();
        all.push(name.pascal());
        all.sort_unstable();
        Ok(all)
    }
}

/// Refuses a resource that is no secret, and a secret that is there only while another workflow is on.
fn check_secrets(lines: &[&str], workflow: &Definition) -> Result<(), Problem> {
    let wrong = |name: &str, problem: &str| -> Problem {
        format!("functions/{}/workflow.yaml: secrets: `{name}` {problem}", workflow.name).into()
    };
    for name in workflow.secrets.values() {
        let own = place::range_of_resource(lines, name)?.unwrap_or_default();
        let own = &lines[own];
        if !own.contains(&"    Type: AWS::SecretsManager::Secret") {
            return Err(wrong(name, "is not a secret of template.yaml"));
        }
        let switch = own.iter().find_map(|line| line.strip_prefix("    Condition: ")?.strip_suffix("On"));
        if let Some(other) = switch.filter(|other| *other != workflow.name.pascal()) {
            return Err(wrong(name, &format!("is there only while {other} is on: add a secret of its own")));
        }
    }
    Ok(())
}

/// Refuses a variable that the block or `Globals` sets, and those that belong to Lambda.
fn check_variables(lines: &[&str], workflow: &Definition) -> Result<(), Problem> {
    let globals = &lines[place::section(lines, "Globals:")?];
    let is_set = |variable: &String| {
        let key = format!("{variable}: ");
        let mut all = BLOCK.lines().chain(globals.iter().copied());
        variable.starts_with("AWS_") || all.any(|line| line.trim_start().starts_with(&key))
    };
    match workflow.secrets.keys().chain(workflow.parameters.keys()).find(|variable| is_set(variable)) {
        Some(variable) => Err(format!(
            "functions/{}/workflow.yaml: `{variable}` is set for every workflow, or by Lambda: choose another name",
            workflow.name
        )
        .into()),
        None => Ok(()),
    }
}

/// The resources of a workflow.
fn block(workflow: &Definition) -> String {
    let name = &workflow.name;
    let sections = |section: &str| match section {
        "routes" => workflow.routes.is_some(),
        "tableau" => workflow.tableau,
        "alerting" => workflow.alerting,
        "timers" => workflow.timers,
        "sends_events" => workflow.sends_events,
        "pages" => workflow.pages.is_some(),
        "public" => workflow.pages.is_some() || workflow.routes.is_some(),
        "every_event" => workflow.events.is_none(),
        _ => false,
    };
    let secrets = workflow.secrets.iter().map(|(variable, id)| format!("{variable}: !GetAtt {id}.Id"));
    let parameters = workflow.parameters.iter().map(|(variable, id)| format!("{variable}: !Ref {id}"));
    let memory = workflow.memory_mb.map(|memory| format!("MemorySize: {memory}"));
    let timeout = workflow.timeout_seconds.map(|seconds| format!("Timeout: {seconds}"));
    let events = workflow.events.iter().flat_map(|events| events.iter());
    let lists: [(&str, Vec<String>); 5] = [
        ("variables", secrets.chain(parameters).collect()),
        ("secrets", workflow.secrets.values().map(|id| format!("- !GetAtt {id}.Id")).collect()),
        ("statements", workflow.statements.lines().map(str::to_owned).collect()),
        ("limits", memory.into_iter().chain(timeout).collect()),
        ("event_items", events.map(|event| format!("- {event}")).collect()),
    ];
    let values = [
        ("name", name.to_string()),
        ("Name", name.pascal()),
        ("heading", format!("{:-<81}", format!("  # --- {name} "))),
        ("note", workflow.note.clone()),
        ("pages", workflow.pages.clone().unwrap_or_default()),
        ("routes", workflow.routes.clone().unwrap_or_default()),
        ("summary", text::scalar(&workflow.summary)),
        ("visibility_timeout", workflow.visibility_timeout().to_string()),
        // A schedule's name has room for this much of the workflow's: shared/timer.
        ("schedule_prefix", name.as_str().chars().take(16).collect()),
    ];
    text::render(&text::with_lists(&text::with_sections(BLOCK, sections), &lists), &values)
}

/// A part beside the block.
fn filled(template: &str, workflow: &Definition) -> String {
    let name = &workflow.name;
    let values = [
        ("name", name.to_string()),
        ("Name", name.pascal()),
        ("enabled", workflow.enabled_by_default.to_string()),
    ];
    let is_true = |section: &str| section == "routes" && workflow.routes.is_some();
    text::render(&text::with_sections(template, is_true), &values)
}

#[cfg(test)]
#[path = "stack_tests.rs"]
mod tests;
