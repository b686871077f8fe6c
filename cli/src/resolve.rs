//! The command `resolve`: the LUID of content, by a browser's address or a name.

use crate::options::TargetOptions;
use crate::out::{self, line, plain};
use crate::stack::Stack;
use crate::stack_tableau;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;
use tableau_client::{
    BrowserUrl, ContentKind, FindBy, FindResult, FoundContent, NotFound, ProjectPath, TableauClient,
};
use workflow::BoxError;

/// How long Tableau may take for all that is asked: lists of a large site have many pages.
const TIMEOUT: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub(crate) struct ResolveOptions {
    /// Address of a page as the browser shows it, or a name, or a LUID
    #[arg(value_name = "URL OR NAME", value_parser = NonEmptyStringValueParser::new())]
    what: String,
    /// Kind of content: workbook, datasource or flow [default: any]
    #[arg(long, value_name = "KIND")]
    kind: Option<ContentKind>,
    /// Path of the project that the name is in, such as Finance/Europe; \/ is a slash within a name
    #[arg(long, value_name = "PATH")]
    project: Option<ProjectPath>,
    /// Print one JSON object, also of what was not found
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetOptions,
}

/// Finds content, and prints its LUID.
pub(crate) async fn resolve(options: ResolveOptions) -> Result<ExitCode, BoxError> {
    let by = options.by()?;
    let tableau = stack_tableau::client(&Stack::find(&options.target).await?).await?.within(TIMEOUT);
    let result = find(&tableau, options.kind, by).await?;
    if options.json {
        line!("{}", out::json(&object(&result)))?;
        let is_found = matches!(result, FindResult::Found(_));
        return Ok(if is_found { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    match result {
        FindResult::Found(found) => {
            lines(&found).iter().try_for_each(|text| line!("{text}"))?;
            Ok(ExitCode::SUCCESS)
        }
        FindResult::Ambiguous(all) => {
            let lines: Vec<String> = all.iter().map(candidate).collect();
            lines.iter().try_for_each(|text| line!("{text}"))?;
            let hint = if options.kind.is_none() { "--project or --kind" } else { "--project" };
            Err(format!("{} are meant: say which with {hint}, or by LUID", all.len()).into())
        }
        FindResult::NotFound(nothing) => Err(nothing.to_string().into()),
    }
}

impl ResolveOptions {
    fn by(&self) -> Result<FindBy, BoxError> {
        if !BrowserUrl::is_meant(&self.what) {
            return Ok(FindBy::Name { name: self.what.clone(), project: self.project.clone() });
        }
        if self.project.is_some() {
            return Err("--project goes with a name, not with an address".into());
        }
        Ok(FindBy::Url(self.what.clone()))
    }
}

/// A name that nothing has may be a LUID.
async fn find(
    tableau: &TableauClient,
    kind: Option<ContentKind>,
    by: FindBy,
) -> Result<FindResult, BoxError> {
    let result = tableau.find(kind, &by).await?;
    if let (FindResult::NotFound(_), FindBy::Name { name, project: None }) = (&result, by)
        && name.len() == 36
        && let found @ FindResult::Found(_) = tableau.find(kind, &FindBy::Luid(name)).await?
    {
        return Ok(found);
    }
    Ok(result)
}

fn lines(found: &FoundContent) -> Vec<String> {
    let mut lines = vec![
        found.luid.to_string(),
        format!("  kind     {}", found.kind()),
        format!("  name     {}", plain(&found.name)),
        format!("  path     {}", plain(&found.path())),
    ];
    if let Some(view) = &found.view {
        lines.push(format!("  view     {} {}", view.luid, plain(&view.name)));
    }
    if let Some(link) = &found.link {
        lines.push(format!("  page     {}", plain(link)));
    }
    lines
}

fn candidate(found: &FoundContent) -> String {
    format!("{}  {:<11}  {}", found.luid, found.kind().to_string(), plain(&found.path()))
}

fn described(found: &FoundContent) -> Value {
    json!({
        "luid": found.luid.as_str(), "kind": found.kind(), "name": found.name, "project": found.project,
        "page": found.link,
        "view": found.view.as_ref().map(|view| json!({ "luid": view.luid, "name": view.name })),
    })
}

fn object(result: &FindResult) -> Value {
    let all = |found: &[FoundContent]| found.iter().map(described).collect::<Value>();
    match result {
        FindResult::Found(found) => described(found),
        FindResult::Ambiguous(found) => json!({ "error": "ambiguous", "candidates": all(found) }),
        FindResult::NotFound(nothing) => {
            let NotFound { near, near_projects, .. } = &**nothing;
            json!({
                "error": "not_found", "message": nothing.to_string(), "candidates": all(near),
                "near_projects": near_projects,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(what: &str, project: Option<&str>) -> ResolveOptions {
        ResolveOptions {
            what: what.to_owned(),
            kind: None,
            project: project.map(|project| project.parse().unwrap()),
            json: false,
            target: TargetOptions {
                stack: String::new(),
                region: None,
                profile: None,
                endpoint_url: None,
                local: true,
            },
        }
    }

    #[test]
    fn an_address_is_told_from_a_name_and_takes_no_project() {
        assert!(matches!(options("https://h/#/workbooks/1", None).by(), Ok(FindBy::Url(_))));
        assert!(matches!(options("https", Some("A")).by(), Ok(FindBy::Name { project: Some(_), .. })));
        let error = options("https://h/#/workbooks/1", Some("A")).by().unwrap_err();
        assert_eq!(error.to_string(), "--project goes with a name, not with an address");
    }
}
