//! The command `refreshes`: what callers of the API asked for, and what was answered.

use crate::events::{Column, Table};
use crate::help;
use crate::options::TargetOptions;
use crate::out::{self, line, note, plain};
use crate::stack::Stack;
use clap::{Args, Subcommand};
use refreshes::{Asked, HISTORY};
use serde::Deserialize;
use serde_json::Value;
use std::process::ExitCode;
use store::records::{DynamoDbRecords, Records};
use workflow::{BoxError, chain};

/// A sort key behind all others: they begin with a year.
const BEHIND_ALL: &str = "9999";
/// The most lines that one request reads.
const PAGE: usize = 500;

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
    let client = aws_sdk_dynamodb::Client::new(&stack.account.config);
    let records = DynamoDbRecords::new(client, stack.table()?, "refresh-extract");
    let limit = usize::try_from(options.limit).unwrap_or(usize::MAX);
    let mut found: Vec<(Value, Asked)> = Vec::new();
    let mut before = BEHIND_ALL.to_owned();
    // One more says whether there are more.
    while found.len() <= limit {
        let page = records.newest(HISTORY, &before, PAGE).await.map_err(|error| {
            format!("cannot read the history in {}: {}", stack.account.target, chain(error.as_ref()))
        })?;
        let Some((last, _)) = page.last() else { break };
        before.clone_from(last);
        let lines = page.iter().filter_map(|(_, record)| serde_json::from_str::<Value>(&record.text).ok());
        let lines = lines.filter_map(|line| Some((line.clone(), Asked::deserialize(&line).ok()?)));
        found.extend(lines.filter(|(_, asked)| options.wants(asked)));
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    if options.json {
        found.iter().try_for_each(|(line, _)| line!("{}", out::json(line)))?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        note(format!(
            "no caller has asked the stack `{}` for a refresh, or none that is asked for",
            stack.name
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let columns = [
        Column::whole("WHEN (UTC)"),
        Column::cut("CALLER", 10),
        Column::whole("ASKED"),
        Column::cut("OBJECT", 16),
        Column::whole("ANSWER"),
        Column::cut("ID", 8),
    ];
    let mut table = Table::new(columns, Some(out::width()));
    let rows: Vec<[String; 6]> = found.iter().map(|(_, asked)| row(asked)).collect();
    table.fit(&rows);
    line!("{}", table.head())?;
    rows.iter().try_for_each(|row| line!("{}", table.line(row)))?;
    if has_more {
        note(format!("older ones are not shown: --limit {} shows more", options.limit.saturating_mul(2)));
    }
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
