//! Lines that a function writes into the stack's table, the newest first.

use crate::events::{Column, Table};
use crate::out::{self, line, note};
use crate::stack::Stack;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::records::{DynamoDbRecords, Records};
use workflow::{BoxError, chain};

/// A sort key behind all others: they begin with a year.
const BEHIND_ALL: &str = "9999";
/// How many lines one request reads at most.
const PAGE: usize = 500;

/// The newest lines that are wanted.
pub(crate) struct Newest<T> {
    /// As the function wrote them, and as this version reads them.
    lines: Vec<(Value, T)>,
    limit: u32,
    has_more: bool,
}

impl<T: DeserializeOwned> Newest<T> {
    /// Reads the lines of a partition until `limit` wanted ones are found. `function`: the one that writes them.
    pub(crate) async fn read(
        stack: &Stack,
        function: &'static str,
        partition: &str,
        limit: u32,
        wants: impl Fn(&T) -> bool,
    ) -> Result<Self, BoxError> {
        let client = aws_sdk_dynamodb::Client::new(&stack.account.config);
        let records = DynamoDbRecords::new(client, stack.table()?, function);
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut lines: Vec<(Value, T)> = Vec::new();
        let mut before = BEHIND_ALL.to_owned();
        // One more says whether there are more.
        while lines.len() <= most {
            let page = records.newest(partition, &before, PAGE).await.map_err(|error| {
                let target = &stack.account.target;
                format!("cannot read the lines of {function} in {target}: {}", chain(error.as_ref()))
            })?;
            let Some((last, _)) = page.last() else { break };
            before.clone_from(last);
            let read = page.iter().filter_map(|(_, record)| {
                let line: Value = serde_json::from_str(&record.text).ok()?;
                let typed = T::deserialize(&line).ok()?;
                Some((line, typed))
            });
            lines.extend(read.filter(|(_, line)| wants(line)));
        }
        let has_more = lines.len() > most;
        lines.truncate(most);
        Ok(Self { lines, limit, has_more })
    }

    /// Prints the lines as a table, or one JSON object a line. `none`: the note if there is none.
    pub(crate) fn print<const N: usize>(
        &self,
        as_json: bool,
        columns: [Column; N],
        row: impl Fn(&T) -> [String; N],
        none: &str,
    ) -> Result<(), BoxError> {
        if as_json {
            self.lines.iter().try_for_each(|(line, _)| line!("{}", out::json(line)))?;
            return Ok(());
        }
        if self.lines.is_empty() {
            note(none);
            return Ok(());
        }
        let mut table = Table::new(columns, Some(out::width()));
        let rows: Vec<[String; N]> = self.lines.iter().map(|(_, line)| row(line)).collect();
        table.fit(&rows);
        line!("{}", table.head())?;
        rows.iter().try_for_each(|row| line!("{}", table.line(row)))?;
        if self.has_more {
            let more = self.limit.saturating_mul(2);
            note(format!("older ones are not shown: --limit {more} shows more"));
        }
        Ok(())
    }
}
