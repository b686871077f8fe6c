//! `rules check`.

use crate::options::CheckOptions;
use crate::out::line;
use local_aws::template::{Places, Plan, Template};
use rules::{Error, Rules};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use workflow::BoxError;

/// Says whether the file is right, and whether the template has every workflow that it names.
pub(crate) fn check(options: &CheckOptions) -> Result<ExitCode, BoxError> {
    let file = options.file.display();
    let rules = Rules::read(&options.file).map_err(|error| -> BoxError {
        match error {
            Error::Wrong { .. } => format!("{file}, {error}").into(),
            error => error.into(),
        }
    })?;
    // A workflow is a function that works on a queue; a door is none.
    let known: Vec<String> =
        plan(&options.template)?.mappings.into_iter().map(|mapping| mapping.function).collect();
    if let Some((name, line)) = rules.workflows().find(|(name, _)| !known.iter().any(|known| known == name)) {
        let known = known.join(", ");
        return Err(format!("{file}, line {line}: there is no workflow `{name}`; there are: {known}").into());
    }
    let sites = match rules.sites().len() {
        0 => "events of every site are taken".to_owned(),
        1 => "events of 1 site are taken".to_owned(),
        sites => format!("events of {sites} sites are taken"),
    };
    line!("{file}: {} rules; {sites}", rules.len())?;
    Ok(ExitCode::SUCCESS)
}

/// What the template describes. Only names count here: its parameters have no values yet.
pub(crate) fn plan(template: &Path) -> Result<Plan, BoxError> {
    let template = Template::read(template)?;
    let places = Places { endpoint_url: String::new(), api_url: String::new() };
    let parameters: BTreeMap<String, String> =
        template.parameters().into_iter().map(|p| (p.name, p.default.unwrap_or_default())).collect();
    Ok(template.plan(&parameters, &places)?)
}
