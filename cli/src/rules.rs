//! `rules check`, and the rules as other commands read them.

use crate::files::find;
use crate::options::CheckOptions;
use crate::out::{line, note, problem};
use jiff::Timestamp;
use local_aws::template::{Places, Plan, Template};
use rules::settings::NotifySlack;
use rules::{Error, Rules};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use workflow::BoxError;

/// Says whether the file is right, and whether the template has every workflow that it names.
pub(crate) fn check(options: &CheckOptions) -> Result<ExitCode, BoxError> {
    let rules = read(&options.file, &options.template)?;
    let file = options.file.display();
    let count = match rules.len() {
        1 => "1 rule".to_owned(),
        count => format!("{count} rules"),
    };
    let sites = match rules.sites().len() {
        0 => "events of every site are taken".to_owned(),
        1 => "events of 1 site are taken".to_owned(),
        sites => format!("events of {sites} sites are taken"),
    };
    line!("{file}: {count}; {sites}")?;
    if rules.is_empty() {
        note("note: without a rule nothing happens about any event");
    }
    if rules.lists_no_site() {
        note(
            "note: `sites` is empty, so events of every site are taken, as without `sites`: list the sites whose events count",
        );
    }
    for rule in rules.quiet_without_timezone() {
        note(format!(
            "note: the quiet hours of rule `{rule}` are in UTC: give them a `timezone`, or list your site with its own \
             under `sites`"
        ));
    }
    for (rule, until) in rules.muted_before(Timestamp::now()) {
        note(format!(
            "note: the rule `{rule}` is no longer muted: its `mute_until` was {until:.0}; remove it, or write a later time"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The rules of a file, here or in a folder above, that has no mistake and names only workflows of the template. Of several
/// mistakes the last one is the error; the others are on standard error already.
pub(crate) fn read(file: &Path, template: &Path) -> Result<Rules, BoxError> {
    let shown = file.display();
    let rules = Rules::check_file(&find(file)?).map_err(|error| -> BoxError {
        let Error::Wrong(problems) = &error else { return error.into() };
        let Some((last, others)) = problems.split_last() else { return error.into() };
        others.iter().for_each(|other| problem(format!("{shown}, {other}")));
        format!("{shown}, {last}").into()
    })?;
    // A workflow is a function that works on a queue. The ingress does not.
    let mappings = plan(&find(template)?)?.mappings;
    let known: Vec<String> = mappings.into_iter().map(|mapping| mapping.function).collect();
    if let Some((name, line)) = rules.workflows().find(|(name, _)| !known.iter().any(|known| known == name)) {
        let known = known.join(", ");
        let template = template.display();
        let message = format!("{shown}, line {line}: {template} has no workflow `{name}`; it has: {known}");
        return Err(message.into());
    }
    Ok(rules)
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
