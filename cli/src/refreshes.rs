//! The command `refreshes`: what callers of the API asked for, and what was answered.

use crate::events::Column;
use crate::help;
use crate::log::Newest;
use crate::options::TargetOptions;
use crate::out::plain;
use crate::stack::Stack;
use clap::{Args, Subcommand};
use refreshes::{Asked, HISTORY};
use std::process::ExitCode;
use workflow::BoxError;

#[derive(Debug, Subcommand)]
pub(crate) enum RefreshesCommand {
    /// List what callers asked for, the newest first
    #[command(after_help = help::REFRESHES_LIST)]
    List(ListOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// Only requests of this caller: its name, or the id of its key
    #[arg(long, value_name = "CALLER")]
    caller: Option<String>,
    /// Only requests about objects with this text in their name, or with this LUID
    #[arg(long, value_name = "NAME")]
    resource: Option<String>,
    /// Only requests that were refused
    #[arg(long)]
    refused: bool,
    /// The most lines to show
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetOptions,
}

pub(crate) async fn run(command: RefreshesCommand) -> Result<ExitCode, BoxError> {
    let RefreshesCommand::List(options) = command;
    let stack = Stack::find(&options.target).await?;
    let wants = |asked: &Asked| options.wants(asked);
    let newest = Newest::read(&stack, "refresh-extract", HISTORY, options.limit, wants).await?;
    let columns = [
        Column::whole("WHEN (UTC)"),
        Column::cut("CALLER", 10),
        Column::whole("ASKED"),
        Column::cut("OBJECT", 16),
        Column::whole("ANSWER"),
        Column::whole("ID"),
    ];
    let none =
        format!("no caller has asked the stack `{}` for a refresh, or none fits the options", stack.name);
    newest.print(options.json, columns, row, &none)?;
    Ok(ExitCode::SUCCESS)
}

impl ListOptions {
    fn wants(&self, asked: &Asked) -> bool {
        let is_of = |wanted: &String| asked.caller == *wanted || asked.key == *wanted;
        let is_about = |wanted: &String| {
            asked.name.to_lowercase().contains(&wanted.to_lowercase())
                || asked.luid.eq_ignore_ascii_case(wanted)
        };
        self.caller.as_ref().is_none_or(is_of)
            && self.resource.as_ref().is_none_or(is_about)
            && !(self.refused && asked.code.is_empty())
    }
}

fn row(asked: &Asked) -> [String; 6] {
    let at: String = asked.at.chars().take(19).collect();
    let object = match (asked.project.as_str(), asked.name.as_str()) {
        (_, "") => asked.luid.clone(),
        ("", name) => name.to_owned(),
        (project, name) => format!("{project}/{name}"),
    };
    let object = if asked.kind.is_empty() { object } else { format!("{} {object}", asked.kind) };
    let answer = if asked.code.is_empty() { "taken".to_owned() } else { asked.code.clone() };
    [
        plain(&at).replace('T', " "),
        plain(&asked.caller),
        plain(&asked.what),
        plain(&object),
        plain(&answer),
        plain(&asked.refresh),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_caller_object_and_answer_on_one_line() {
        let asked = Asked {
            at: "2026-11-30T06:12:40.123Z".to_owned(),
            caller: "nightly\u{1b}[2J load".to_owned(),
            what: "refresh".to_owned(),
            status: 404,
            code: "not_found".to_owned(),
            kind: "datasource".to_owned(),
            name: "Orders".to_owned(),
            project: "Finance".to_owned(),
            ..Asked::default()
        };
        let expected =
            ["2026-11-30 06:12:40", "nightly load", "refresh", "datasource Finance/Orders", "not_found", ""];
        assert_eq!(row(&asked), expected);
        let taken = Asked { luid: "l-1".to_owned(), ..Asked::default() };
        assert_eq!((row(&taken)[3].as_str(), row(&taken)[4].as_str()), ("l-1", "taken"));
    }
}
