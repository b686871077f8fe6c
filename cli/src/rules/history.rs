//! `rules history`.

use super::options::HistoryOptions;
use super::published::StackRules;
use super::show::{author, digits, facts, rules_in};
use crate::events::{Column, Table};
use crate::out::{self, line, note};
use published_rules::Source;
use std::process::ExitCode;
use workflow::BoxError;

/// Lists the versions, newest first.
pub(super) async fn history(options: &HistoryOptions) -> Result<ExitCode, BoxError> {
    let published = StackRules::find(&options.target).await?;
    let in_force = published.in_force().await?.number();
    let limit = usize::try_from(options.limit).unwrap_or(usize::MAX);
    // One more says whether there are more.
    let mut versions = published.newest(limit.saturating_add(1)).await?;
    let has_more = versions.len() > limit;
    versions.truncate(limit);
    if options.json {
        for version in &versions {
            line!("{}", out::json(&facts(version, in_force == Some(version.number))))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if versions.is_empty() {
        let name = &published.stack.name;
        note(format!("no rules are published at the stack `{name}`: `rules deploy` publishes a file"));
        return Ok(ExitCode::SUCCESS);
    }
    let columns = [
        Column::whole("VERSION"),
        Column::whole("PUBLISHED"),
        Column::cut("BY", 6),
        Column::cut("HOW", 12),
        Column::whole("RULES"),
        Column::whole("SHA256"),
    ];
    let mut table = Table::new(columns, Some(out::width()));
    let rows: Vec<[String; 6]> = versions
        .iter()
        .map(|version| {
            let mark = if in_force == Some(version.number) { " *" } else { "" };
            [
                format!("{}{mark}", version.number),
                format!("{:.0}", version.published_at),
                author(version),
                how(version.source),
                rules_in(version).to_string(),
                digits(version),
            ]
        })
        .collect();
    table.fit(&rows);
    line!("{}", table.head())?;
    rows.iter().try_for_each(|row| line!("{}", table.line(row)))?;
    if has_more {
        note(format!("older ones are not shown: --limit {} shows more", options.limit.saturating_mul(2)));
    }
    note("* is in force");
    Ok(ExitCode::SUCCESS)
}

/// How it was published, in short, so that a row fits into 80 columns.
fn how(source: Source) -> String {
    match source {
        Source::Rollback(of) => format!("rollback to {of}"),
        other => other.to_string(),
    }
}
