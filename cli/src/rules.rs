//! `rules check`, and the rules as other commands read them.

use crate::files::find;
use crate::options::CheckOptions;
use crate::out::{line, note};
use destinations::slack::MessageOptions;
use local_aws::template::{Places, Plan, Template};
use rules::{Error, Rules};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use tableau_client::BroadcastOptions;
use workflow::BoxError;

/// Looks at what all rules say to one workflow.
type CheckSettings = fn(&Rules, workflow: &str) -> Result<(), Error>;

/// The workflows whose settings are known here. A new one has them in its own function, which finds out at its first
/// event.
const SETTINGS: [(&str, CheckSettings); 2] = [
    (NOTIFY_SLACK, |rules, workflow| rules.settings::<MessageOptions>(workflow).map(drop)),
    ("update-broadcast", |rules, workflow| rules.settings::<BroadcastOptions>(workflow).map(drop)),
];
const NOTIFY_SLACK: &str = "notify-slack";

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
    for workflow in unknown_settings(&rules) {
        note(format!("note: the settings of `{workflow}` are its own, and are not checked here"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The rules of a file, here or in a folder above, that are right and name nothing but workflows of the template.
pub(crate) fn read(file: &Path, template: &Path) -> Result<Rules, BoxError> {
    let shown = file.display();
    let located = |error: Error| -> BoxError {
        match error {
            Error::Wrong { .. } | Error::Settings { .. } => format!("{shown}, {error}").into(),
            error => error.into(),
        }
    };
    let rules = Rules::read(&find(file)?).map_err(located)?;
    // A workflow is a function that works on a queue; a door is none.
    let mappings = plan(&find(template)?)?.mappings;
    let known: Vec<String> = mappings.into_iter().map(|mapping| mapping.function).collect();
    if let Some((name, line)) = rules.workflows().find(|(name, _)| !known.iter().any(|known| known == name)) {
        let known = known.join(", ");
        return Err(format!("{shown}, line {line}: there is no workflow `{name}`; there are: {known}").into());
    }
    SETTINGS.iter().try_for_each(|(workflow, check)| check(&rules, workflow)).map_err(located)?;
    Ok(rules)
}

/// The channels that rules name, without `#`.
pub(crate) fn channels(rules: &Rules) -> Result<Vec<String>, BoxError> {
    let options = rules.settings::<MessageOptions>(NOTIFY_SLACK)?;
    let mut channels: Vec<String> =
        options.into_iter().map(|options| options.channel.trim_start_matches('#').to_owned()).collect();
    channels.sort();
    channels.dedup();
    Ok(channels)
}

/// The workflows that rules name and whose settings are not known here.
fn unknown_settings(rules: &Rules) -> Vec<&str> {
    let names = rules.workflows().map(|(name, _)| name);
    let mut unknown: Vec<&str> =
        names.filter(|name| !SETTINGS.iter().any(|(known, _)| known == name)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
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
