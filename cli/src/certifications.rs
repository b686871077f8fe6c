//! The command `certifications`: what happened to requests of `request-certification`.

use crate::events::{Column, Table};
use crate::options::TargetOptions;
use crate::out::{self, line, note, plain};
use crate::stack::Stack;
use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use std::process::ExitCode;
use store::records::{DynamoDbRecords, Records};
use workflow::{BoxError, chain};

/// The partition of the table that the function writes.
const LOG: &str = "certification-log#request-certification";
/// A sort key behind all others: they begin with a year.
const BEHIND_ALL: &str = "9999";

#[derive(Debug, Args)]
pub(crate) struct CertificationsOptions {
    /// The most lines to show
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Only lines about data sources with this text in their name, or with this LUID
    #[arg(long, value_name = "NAME")]
    datasource: Option<String>,
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetOptions,
}

/// One line, as the function writes it. What a later version adds is shown as JSON only.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Logged {
    at: String,
    what: String,
    datasource: String,
    name: String,
    steward: String,
    note: String,
}

/// Lists what happened, newest first.
pub(crate) async fn certifications(options: CertificationsOptions) -> Result<ExitCode, BoxError> {
    let stack = Stack::find(&options.target).await?;
    let client = aws_sdk_dynamodb::Client::new(&stack.account.config);
    let records = DynamoDbRecords::new(client, stack.table()?, "request-certification");
    let limit = usize::try_from(options.limit).unwrap_or(usize::MAX);
    let mut found: Vec<(Value, Logged)> = Vec::new();
    let mut before = BEHIND_ALL.to_owned();
    // One more says whether there are more.
    while found.len() <= limit {
        let page = records.newest(LOG, &before, limit.saturating_add(1)).await;
        let page = page.map_err(|error| {
            format!("cannot read the log in {}: {}", stack.account.target, chain(error.as_ref()))
        })?;
        let Some((last, _)) = page.last() else { break };
        before.clone_from(last);
        let lines = page.iter().filter_map(|(_, record)| serde_json::from_str::<Value>(&record.text).ok());
        let lines = lines.filter_map(|line| Some((line.clone(), Logged::deserialize(&line).ok()?)));
        found.extend(lines.filter(|(_, line)| is_about(line, options.datasource.as_deref())));
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    if options.json {
        for (line, _) in &found {
            line!("{}", out::json(line))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        note(format!("no request was made at the stack `{}`, or none that is asked for", stack.name));
        return Ok(ExitCode::SUCCESS);
    }
    let columns = [
        Column::whole("WHEN (UTC)"),
        Column::whole("WHAT"),
        Column::cut("DATA SOURCE", 12),
        Column::cut("LINK OF", 10),
        Column::cut("NOTE", 8),
    ];
    let mut table = Table::new(columns, Some(out::width()));
    let rows: Vec<[String; 5]> = found.iter().map(|(_, line)| row(line)).collect();
    table.fit(&rows);
    line!("{}", table.head())?;
    rows.iter().try_for_each(|row| line!("{}", table.line(row)))?;
    if has_more {
        note(format!("older ones are not shown: --limit {} shows more", options.limit.saturating_mul(2)));
    }
    Ok(ExitCode::SUCCESS)
}

fn is_about(line: &Logged, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| line.name.contains(wanted) || line.datasource.eq_ignore_ascii_case(wanted))
}

fn row(line: &Logged) -> [String; 5] {
    let at: String = line.at.chars().take(16).collect();
    [
        plain(&at).replace('T', " "),
        plain(&line.what),
        plain(&line.name),
        plain(&line.steward),
        plain(&line.note),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_when_what_whose_link_and_the_note_on_one_line() {
        let line: Logged = serde_json::from_value(serde_json::json!({
            "at": "2026-11-30T14:05:09.123Z", "what": "declined", "datasource": "D-1", "name": "Sales\u{1b}[2J\norders",
            "steward": "steward@example.com", "note": "Two regions\nare missing", "project": "Sales", "later": 1,
        }))
        .unwrap();
        let row = row(&line);
        assert_eq!(
            (row[0].as_str(), row[1].as_str(), row[3].as_str()),
            ("2026-11-30 14:05", "declined", "steward@example.com")
        );
        assert!(row.iter().all(|cell| !cell.contains(['\u{1b}', '\n'])), "{row:?}");
        for (wanted, expected) in
            [(None, true), (Some("Sales"), true), (Some("d-1"), true), (Some("Finance"), false)]
        {
            assert_eq!(is_about(&line, wanted), expected, "{wanted:?}");
        }
    }
}
