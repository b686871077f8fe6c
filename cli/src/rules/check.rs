//! `rules check`, and the rules as other commands read them.

use super::options::CheckOptions;
use super::problems::reported;
use super::webhooks;
use crate::files::find;
use crate::out::{self, line, note};
use crate::stack::Stack;
use crate::stack_tableau;
use jiff::Timestamp;
use local_aws::template::{Places, Plan, Template};
use rules::settings::{ForwardEvent, NotifySlack};
use rules::{Error, Position, Problem, Rules};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use workflow::BoxError;

/// The template that is looked for where the command line names none.
pub(super) const TEMPLATE: &str = "template.yaml";

/// A rules file that has no mistake.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) text: String,
    pub(super) rules: Rules,
}

/// The mistakes of a rules file.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) text: String,
    pub(super) problems: Vec<Problem>,
}

/// Prints whether the file is valid and the template has every workflow that it names: a sentence, or the problems.
pub(super) async fn check(options: &CheckOptions) -> Result<ExitCode, BoxError> {
    let file = &options.file;
    let checked = match of_template(checked(file)?, &options.template)? {
        Ok(checked) => checked,
        Err(wrong) if options.json => {
            for Problem { at, rule, text } in &wrong.problems {
                finding(file, "error", Some(*at), rule.as_deref(), text)?;
            }
            return Ok(ExitCode::FAILURE);
        }
        Err(wrong) => return Err(reported(file, &wrong.text, &wrong.problems)),
    };
    let mut notes = notes(&checked.rules);
    if options.webhooks {
        let tableau = stack_tableau::client(&Stack::find(&options.target).await?).await?;
        notes.extend(webhooks::unsent(&checked.rules, &tableau).await?);
    }
    if options.json {
        notes.iter().try_for_each(|text| finding(file, "note", None, None, text))?;
        return Ok(ExitCode::SUCCESS);
    }
    line!("{}", summary(file, &checked.rules))?;
    notes.iter().for_each(|text| note(format!("note: {text}")));
    if !options.webhooks {
        line!("{}", webhooks::HINT)?;
    }
    if let Some(text) = of_forward_secret(&checked.rules)? {
        line!("{text}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a valid file has, in a sentence.
pub(super) fn summary(file: &Path, rules: &Rules) -> String {
    let file = file.display();
    let count = count(rules.len());
    let sites = match rules.sites().len() {
        0 => "events of every site are accepted".to_owned(),
        1 => "events of 1 site are accepted".to_owned(),
        sites => format!("events of {sites} sites are accepted"),
    };
    format!("{file}: {count}; {sites}")
}

/// So many rules, in words.
pub(super) fn count(rules: usize) -> String {
    out::counted(rules, "rule")
}

/// What is valid and may surprise.
pub(super) fn notes(rules: &Rules) -> Vec<String> {
    let mut notes = Vec::new();
    if rules.is_empty() {
        notes.push("there are no rules, so no event leads to a message or an action".to_owned());
    }
    if rules.lists_no_site() {
        let text = "`sites` is empty, so events of every site are accepted, as without `sites`: list the sites whose events you want";
        notes.push(text.to_owned());
    }
    let in_utc = |what: String| {
        format!("{what} are in UTC: give them a `timezone`, or list your site with its own under `sites`")
    };
    let without = rules.without_timezone().into_iter();
    notes.extend(without.map(in_utc));
    for rule in rules.channels_that_must_be_keys() {
        notes.push(format!(
            "a channel of rule `{rule}` has a space or a capital letter, which no Slack channel has: it must be a key of \
             `webhook_urls` in the Slack secret"
        ));
    }
    for (rule, until) in rules.muted_before(Timestamp::now()) {
        notes.push(format!(
            "the rule `{rule}` is no longer muted: its `mute_until` was {until:.0}; remove it, or write a later time"
        ));
    }
    notes
}

/// What only a request can show: whether the forward secret has the targets that rules name.
fn of_forward_secret(rules: &Rules) -> Result<Option<String>, BoxError> {
    let settings = rules.settings::<ForwardEvent>()?;
    let targets: BTreeSet<&str> = settings.iter().filter_map(|settings| settings.target.as_deref()).collect();
    let names = targets.iter().map(|target| format!("`{target}`")).collect::<Vec<_>>();
    let start = "not checked: whether the forward secret has the target";
    let to = "tableau-webhooks test forward-event";
    Ok(match (targets.first(), names.as_slice()) {
        (Some(target), [name]) => Some(format!("{start} {name}; {to} --to {target} sends a request to it")),
        (Some(_), names) => Some(format!("{start}s {}; {to} sends a request to each", names.join(", "))),
        (None, _) => None,
    })
}

/// Prints one finding as a JSON object. The names of the fields stay as they are.
fn finding(
    file: &Path,
    severity: &str,
    at: Option<Position>,
    rule: Option<&str>,
    message: &str,
) -> Result<(), out::Error> {
    let known = |place: u64| Some(place).filter(|place| *place > 0);
    let finding = json!({
        "file": file.display().to_string(),
        "severity": severity,
        "line": at.and_then(|at| known(at.line)),
        "column": at.and_then(|at| known(at.column)),
        "rule": rule,
        "message": message,
    });
    line!("{}", out::json(&finding))
}

/// The rules of a file, here or in a folder above, that has no mistake and names only workflows of the template.
pub(crate) fn read(file: &Path, template: &Path) -> Result<Rules, BoxError> {
    match of_template(checked(file)?, template)? {
        Ok(checked) => Ok(checked.rules),
        Err(wrong) => Err(reported(file, &wrong.text, &wrong.problems)),
    }
}

/// The rules of a file, here or in a folder above, that has no mistake.
pub(super) fn without_mistakes(file: &Path) -> Result<Checked, BoxError> {
    checked(file)?.map_err(|wrong| reported(file, &wrong.text, &wrong.problems))
}

fn checked(file: &Path) -> Result<Result<Checked, Wrong>, BoxError> {
    let text = rules::read_file(&find(file)?)?;
    match Rules::check_text(&text) {
        Ok(rules) => Ok(Ok(Checked { text, rules })),
        Err(Error::Wrong(problems)) => Ok(Err(Wrong { text, problems })),
        Err(error) => Err(error.into()),
    }
}

/// The same, if the template has every workflow that the rules name.
fn of_template(checked: Result<Checked, Wrong>, template: &Path) -> Result<Result<Checked, Wrong>, BoxError> {
    let Ok(Checked { text, rules }) = checked else { return Ok(checked) };
    let path = match find(template) {
        Ok(path) => path,
        // Rules can be written without a clone of the repository. The workflows of this version are known all the same.
        Err(_) if template == Path::new(TEMPLATE) => return Ok(Ok(Checked { text, rules })),
        Err(error) => return Err(error),
    };
    // A workflow is a function that works on a queue. The ingress does not.
    let mappings = plan(&path)?.mappings;
    let known: Vec<String> = mappings.into_iter().map(|mapping| mapping.function).collect();
    let unknown = rules.workflows().filter(|(name, _)| !known.iter().any(|known| known == name));
    let problem = |(name, at): (&str, Position)| {
        let template = template.display();
        let text = format!("{template} has no workflow `{name}`; it has: {}", known.join(", "));
        Problem { at, rule: None, text }
    };
    let problems: Vec<Problem> = unknown.map(problem).collect();
    Ok(if problems.is_empty() { Ok(Checked { text, rules }) } else { Err(Wrong { text, problems }) })
}

/// The channels that rules name, without `#`.
pub(crate) fn channels(rules: &Rules) -> Result<Vec<String>, BoxError> {
    let settings = rules.settings::<NotifySlack>()?;
    let mut channels: Vec<String> = settings.iter().map(|slack| slack.channel().to_owned()).collect();
    channels.sort();
    channels.dedup();
    Ok(channels)
}

/// What the template describes, with every workflow on. Only names count here: its parameters have no values yet.
pub(crate) fn plan(template: &Path) -> Result<Plan, BoxError> {
    let template = Template::read(template)?;
    let places = Places { endpoint_url: String::new(), api_url: String::new() };
    let mut parameters: BTreeMap<String, String> =
        template.parameters().into_iter().map(|p| (p.name, p.default.unwrap_or_default())).collect();
    parameters.extend(template.everything_on());
    Ok(template.plan(&parameters, &places)?)
}
