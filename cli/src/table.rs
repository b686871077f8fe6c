//! The command `table copy`: copies the items of another table into the stack's, after a restore or from a deleted
//! stack.

use crate::aws::Account;
use crate::help;
use crate::options::TargetOptions;
use crate::out::line;
use crate::stack::Stack;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use published_rules::IN_FORCE_KEY;
use std::collections::HashMap;
use std::process::ExitCode;
use tokio::task::JoinSet;
use workflow::BoxError;

/// The beginning of the keys of all versions of the rules.
const RULES: &str = "rules#";
/// How many items are written at the same time.
const AT_ONCE: usize = 25;

#[derive(Debug, Subcommand)]
pub(crate) enum TableCommand {
    /// Copy items from another table into the stack's table. Existing items are not changed
    #[command(after_help = help::TABLE_COPY)]
    Copy(CopyOptions),
}

#[derive(Debug, Args)]
pub(crate) struct CopyOptions {
    /// The table to copy from: a restored table, or the one that a deleted stack left
    #[arg(long, value_name = "TABLE", value_parser = NonEmptyStringValueParser::new())]
    from: String,
    #[command(flatten)]
    target: TargetOptions,
}

type Item = HashMap<String, AttributeValue>;

/// How many items were copied, skipped, …, so far.
#[derive(Debug, Default)]
struct Tally {
    copied: usize,
    there: usize,
    expired: usize,
    rules: usize,
    webhooks: usize,
}

/// What an item of the other table is.
#[derive(Debug, PartialEq, Eq)]
enum Sorted {
    Live,
    Expired,
    /// A version of rules, and the stack has some.
    OtherRules,
    /// What another stack knows of its webhooks. They are not this stack's.
    OtherWebhooks,
    /// The version of the rules in force.
    InForce,
}

/// Runs a `table` command.
pub(crate) async fn run(command: TableCommand) -> Result<ExitCode, BoxError> {
    let TableCommand::Copy(options) = command;
    copy(&options).await
}

/// Copies page by page. After an interruption it can be run again: items that were copied exist already and are
/// skipped. The version of the rules in force comes last: until it is there, the rules count as not copied.
async fn copy(options: &CopyOptions) -> Result<ExitCode, BoxError> {
    let stack = Stack::find(&options.target).await?;
    let account = &stack.account;
    let to = stack.table()?;
    let from = &options.from;
    if from == to {
        return Err(format!("`{from}` is the table of the stack `{}` itself", stack.name).into());
    }
    let client = Client::new(&account.config);
    let now = Timestamp::now().as_second();
    // Versions of two tables would mix: their numbers are the same.
    let has_rules = has_rules(account, &client, to).await?;
    let mut tally = Tally::default();
    let mut in_force = Vec::new();
    let scan = client.scan().table_name(from).consistent_read(true);
    let mut pages = scan.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| account.explain("dynamodb:Scan", error))?;
        let mut live = Vec::new();
        for item in page.items.unwrap_or_default() {
            match sorted(&item, now, has_rules) {
                Some(Sorted::Expired) => tally.expired += 1,
                Some(Sorted::OtherRules) => tally.rules += 1,
                Some(Sorted::OtherWebhooks) => tally.webhooks += 1,
                Some(Sorted::InForce) => in_force.push(item),
                Some(Sorted::Live) => live.push(item),
                None => {
                    return Err(format!(
                        "`{from}` is not a table of a stack: its items have no `pk` and `sk`"
                    )
                    .into());
                }
            }
        }
        write(account, &client, to, live, &mut tally).await?;
    }
    write(account, &client, to, in_force, &mut tally).await?;
    let Tally { copied, there, expired, rules, webhooks } = tally;
    line!("{copied} items copied into {to}; {there} were there already, {expired} had expired")?;
    if rules > 0 {
        line!(
            "{rules} items of rules were left out: the stack has rules of its own; `tableau-webhooks rules show` prints them"
        )?;
    }
    if webhooks > 0 {
        line!(
            "the record of the other stack's webhooks was left out: `tableau-webhooks webhooks plan` shows what this stack needs"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What an item is; `None` if the table is none of a stack. `now` is Unix time in seconds. `has_rules`: whether the stack's table has
/// rules.
fn sorted(item: &Item, now: i64, has_rules: bool) -> Option<Sorted> {
    let (Some(AttributeValue::S(key)), Some(AttributeValue::S(_))) = (item.get("pk"), item.get("sk")) else {
        return None;
    };
    Some(match key.as_str() {
        _ if is_expired(item, now) => Sorted::Expired,
        key if has_rules && key.starts_with(RULES) => Sorted::OtherRules,
        webhooks::ITEM => Sorted::OtherWebhooks,
        IN_FORCE_KEY => Sorted::InForce,
        _ => Sorted::Live,
    })
}

/// Whether the table has a version of the rules in force.
async fn has_rules(account: &Account, client: &Client, table: &str) -> Result<bool, BoxError> {
    let get = client.get_item().table_name(table).consistent_read(true);
    let get = get.key("pk", AttributeValue::S(IN_FORCE_KEY.to_owned()));
    let get = get.key("sk", AttributeValue::S("-".to_owned()));
    let found = get.send().await.map_err(|error| account.explain("dynamodb:GetItem", error))?;
    Ok(found.item.is_some())
}

/// Writes the items that do not exist yet, some at a time.
async fn write(
    account: &Account,
    client: &Client,
    table: &str,
    items: Vec<Item>,
    tally: &mut Tally,
) -> Result<(), BoxError> {
    let mut rest = items.into_iter();
    let mut writing = JoinSet::new();
    loop {
        while writing.len() < AT_ONCE {
            let Some(item) = rest.next() else { break };
            let put = client.put_item().table_name(table).set_item(Some(item));
            let put = put.condition_expression("attribute_not_exists(pk)");
            writing.spawn(put.send());
        }
        let Some(written) = writing.join_next().await else { return Ok(()) };
        match written? {
            Ok(_) => tally.copied += 1,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                tally.there += 1;
            }
            Err(error) => return Err(account.explain("dynamodb:PutItem", error)),
        }
    }
}

/// Whether an item has expired. DynamoDB takes up to two days to delete it. `now` is Unix time in seconds.
fn is_expired(item: &Item, now: i64) -> bool {
    let Some(AttributeValue::N(at)) = item.get("expires_at") else { return false };
    at.parse::<f64>().is_ok_and(|at| at < now as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(expires_at: Option<AttributeValue>) -> Item {
        let mut item = Item::from([("pk".to_owned(), AttributeValue::S("delivery#x".to_owned()))]);
        item.extend(expires_at.map(|at| ("expires_at".to_owned(), at)));
        item
    }

    #[test]
    fn only_what_dynamodb_would_have_deleted_has_expired() {
        let number = |text: &str| Some(AttributeValue::N(text.to_owned()));
        assert!(is_expired(&item(number("999")), 1_000));
        assert!(!is_expired(&item(number("1000")), 1_000));
        assert!(!is_expired(&item(number("1001")), 1_000));
        assert!(!is_expired(&item(None), 1_000));
        assert!(!is_expired(&item(Some(AttributeValue::S("1".to_owned()))), 1_000));
    }
    #[test]
    fn rules_come_last_or_not_at_all_and_the_webhooks_of_another_stack_stay_behind() {
        let keyed = |key: &str| {
            let pair = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
            Item::from([pair("pk", key), pair("sk", "-")])
        };
        for (key, has_rules, expected) in [
            ("delivery#x", true, Sorted::Live),
            ("rules#current", false, Sorted::InForce),
            ("rules#current", true, Sorted::OtherRules),
            ("rules#history", true, Sorted::OtherRules),
            ("rules#history", false, Sorted::Live),
            ("webhook#stack", false, Sorted::OtherWebhooks),
        ] {
            assert_eq!(sorted(&keyed(key), 1_000, has_rules), Some(expected), "{key} {has_rules}");
        }
        assert_eq!(sorted(&item(None), 1_000, false), None, "without `sk`");
    }
}
