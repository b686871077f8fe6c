//! The command `certifications`: what happened to requests of `request-certification`.

use crate::events::Column;
use crate::log::Newest;
use crate::options::TargetOptions;
use crate::out::plain;
use crate::stack::Stack;
use clap::Args;
use serde::Deserialize;
use std::process::ExitCode;
use workflow::BoxError;

/// The partition of the table that the function writes.
const LOG: &str = "certification-log#request-certification";

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
    let wants = |line: &Logged| is_about(line, options.datasource.as_deref());
    let newest = Newest::read(&stack, "request-certification", LOG, options.limit, wants).await?;
    let columns = [
        Column::whole("WHEN (UTC)"),
        Column::whole("WHAT"),
        Column::cut("DATA SOURCE", 12),
        Column::cut("LINK OF", 10),
        Column::cut("NOTE", 8),
    ];
    let none = format!("no request was made at the stack `{}`, or none fits the options", stack.name);
    newest.print(options.json, columns, row, &none)?;
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
