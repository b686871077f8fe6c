//! The command `rules check`, and reading the rules for other commands.

use crate::files::find;
use crate::options::CheckOptions;
use crate::out::{self, line, note, problem};
use jiff::Timestamp;
use local_aws::template::{Places, Plan, Template};
use rules::settings::NotifySlack;
use rules::{Error, Problem, Rules};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use workflow::BoxError;

/// Checks that the rules file is valid and that the template has every workflow it names. Prints a sentence or the
/// problems.
pub(crate) fn check(options: &CheckOptions) -> Result<ExitCode, BoxError> {
    let rules = match checked(&options.file, &options.template)? {
        Ok(rules) => rules,
        Err(problems) if options.json => {
            for Problem { line, rule, text } in &problems {
                finding(&options.file, "error", Some(*line), rule.as_deref(), text)?;
            }
            return Ok(ExitCode::FAILURE);
        }
        Err(problems) => return Err(reported(&options.file, &problems)),
    };
    if options.json {
        notes(&rules).iter().try_for_each(|text| finding(&options.file, "note", None, None, text))?;
        return Ok(ExitCode::SUCCESS);
    }
    let file = options.file.display();
    let count = match rules.len() {
        1 => "1 rule".to_owned(),
        count => format!("{count} rules"),
    };
    let sites = match rules.sites().len() {
        0 => "events of every site are accepted".to_owned(),
        1 => "events of 1 site are accepted".to_owned(),
        sites => format!("events of {sites} sites are accepted"),
    };
    line!("{file}: {count}; {sites}")?;
    notes(&rules).iter().for_each(|text| note(format!("note: {text}")));
    Ok(ExitCode::SUCCESS)
}

/// Notes about rules that are valid but may surprise.
fn notes(rules: &Rules) -> Vec<String> {
    let mut notes = Vec::new();
    if rules.is_empty() {
        notes.push("there are no rules, so no event leads to a message or an action".to_owned());
    }
    if rules.lists_no_site() {
        let text = "`sites` is empty, so events of every site are accepted, as without `sites`: list the sites whose events you want";
        notes.push(text.to_owned());
    }
    let quiet = |rule: &str| {
        format!(
            "the quiet hours of rule `{rule}` are in UTC: give them a `timezone`, or list your site with its own under `sites`"
        )
    };
    notes.extend(rules.quiet_without_timezone().map(quiet));
    for (rule, until) in rules.muted_before(Timestamp::now()) {
        notes.push(format!(
            "the rule `{rule}` is no longer muted: its `mute_until` was {until:.0}; remove it, or write a later time"
        ));
    }
    notes
}

/// Prints one problem or note as a JSON object. The names of the fields never change.
fn finding(
    file: &Path,
    severity: &str,
    line: Option<u64>,
    rule: Option<&str>,
    message: &str,
) -> Result<(), out::Error> {
    let file = file.display().to_string();
    let finding =
        json!({ "file": file, "severity": severity, "line": line, "rule": rule, "message": message });
    line!("{}", out::json(&finding))
}

/// Reads the rules from a file in this folder or one above. Fails if the file has a mistake or names a workflow that
/// the template does not have.
pub(crate) fn read(file: &Path, template: &Path) -> Result<Rules, BoxError> {
    checked(file, template)?.map_err(|problems| reported(file, &problems))
}

/// Returns the last problem as an error; prints the others to standard error.
fn reported(file: &Path, problems: &[Problem]) -> BoxError {
    let shown = file.display();
    let (last, others) = match problems.split_last() {
        Some((last, others)) => (last.to_string(), others),
        None => ("it has a mistake".to_owned(), problems),
    };
    others.iter().for_each(|other| problem(format!("{shown}, {other}")));
    format!("{shown}, {last}").into()
}

/// The rules in a file, or the problems in it.
fn checked(file: &Path, template: &Path) -> Result<Result<Rules, Vec<Problem>>, BoxError> {
    let rules = match Rules::check_file(&find(file)?) {
        Ok(rules) => rules,
        Err(Error::Wrong(problems)) => return Ok(Err(problems)),
        Err(error) => return Err(error.into()),
    };
    // A workflow is a function with a queue. The common ingress has none.
    let mappings = plan(&find(template)?)?.mappings;
    let known: Vec<String> = mappings.into_iter().map(|mapping| mapping.function).collect();
    let unknown = rules.workflows().find(|(name, _)| !known.iter().any(|known| known == name));
    let problem = unknown.map(|(name, line)| {
        let template = template.display();
        let text = format!("{template} has no workflow `{name}`; it has: {}", known.join(", "));
        Problem { line, rule: None, text }
    });
    Ok(match problem {
        Some(problem) => Err(vec![problem]),
        None => Ok(rules),
    })
}

/// The channels that the rules name, without `#`.
pub(crate) fn channels(rules: &Rules) -> Result<Vec<String>, BoxError> {
    let settings = rules.settings::<NotifySlack>()?;
    let mut channels: Vec<String> = settings.iter().map(|slack| slack.channel().to_owned()).collect();
    channels.sort();
    channels.dedup();
    Ok(channels)
}

/// The resources in the template with every workflow switched on. Only their names matter here: parameters have no
/// values yet.
pub(crate) fn plan(template: &Path) -> Result<Plan, BoxError> {
    let template = Template::read(template)?;
    let places = Places { endpoint_url: String::new(), api_url: String::new() };
    let mut parameters: BTreeMap<String, String> =
        template.parameters().into_iter().map(|p| (p.name, p.default.unwrap_or_default())).collect();
    parameters.extend(template.everything_on());
    Ok(template.plan(&parameters, &places)?)
}
