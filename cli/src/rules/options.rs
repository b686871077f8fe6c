//! The command line of `rules`.

use super::check::TEMPLATE;
use super::given::Given;
use crate::help;
use crate::options::TargetOptions;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Validate a rules file: all mistakes at once, each with its line
    #[command(after_help = help::RULES_CHECK)]
    Check(CheckOptions),
    /// Check a rules file, show the difference from the rules in force, and publish it after you confirm
    ///
    /// Functions use the new version within a minute. It is published in the name of the user of this computer (USER).
    #[command(after_help = help::RULES_DEPLOY)]
    Deploy(DeployOptions),
    /// Show which version of the rules is in force, and where it differs from the file
    #[command(after_help = help::RULES_SHOW)]
    Show(ShowOptions),
    /// List the versions of the rules, newest first
    #[command(after_help = help::RULES_HISTORY)]
    History(HistoryOptions),
    /// Publish an earlier version of the rules again, after you confirm
    #[command(after_help = help::RULES_ROLLBACK)]
    Rollback(RollbackOptions),
    /// Say of each rule whether it matches an event, and why not
    ///
    /// What conditions ask about the object is looked up at the Tableau of the stack, unless --fact says it.
    #[command(after_help = help::RULES_EXPLAIN)]
    Explain(ExplainOptions),
    /// Run the cases in files: which event is to lead to which actions
    ///
    /// Nothing is looked up: a case says what its event's object is like. The exit code is 1 if a case fails.
    #[command(after_help = help::RULES_TEST)]
    Test(TestOptions),
    /// Print the JSON Schema of the rules file, for editors
    #[command(after_help = help::RULES_SCHEMA)]
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// The rules file
    #[arg(default_value = "rules.yaml")]
    pub(super) file: PathBuf,
    /// The CloudFormation template, which says which workflows there are, if it is there
    #[arg(long, value_name = "FILE", default_value = TEMPLATE)]
    pub(super) template: PathBuf,
    /// Print one JSON object per line for each mistake and each note
    #[arg(long)]
    pub(super) json: bool,
    /// Ask the Tableau of the stack which events no enabled webhook sends. The options below say which stack
    #[arg(long)]
    pub(super) webhooks: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct DeployOptions {
    /// The rules file
    #[arg(default_value = "rules.yaml")]
    pub(super) file: PathBuf,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(super) yes: bool,
    /// Ask the Tableau of the stack which events no enabled webhook sends
    #[arg(long)]
    pub(super) webhooks: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ShowOptions {
    /// Another version than the one in force
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) version: Option<u64>,
    /// The file that it is compared with, if there is one
    #[arg(long, value_name = "FILE", default_value = "rules.yaml", conflicts_with = "text")]
    pub(super) file: PathBuf,
    /// Print the text of the version, and nothing else
    #[arg(long)]
    pub(super) text: bool,
    /// Print one JSON object
    #[arg(long, conflicts_with = "text")]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryOptions {
    /// The most versions to show
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: u32,
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackOptions {
    /// The version to publish again [default: the one before the version in force]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) version: Option<u64>,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainOptions {
    /// A file with the event's payload, - for standard input, the name of an event for a sample of it, or the id of an event
    /// that the stack has recorded, of which the first 4 digits are enough if they are unique
    pub(super) event: String,
    /// The rules file [default: the rules in force]
    #[arg(long, value_name = "FILE")]
    pub(super) rules: Option<PathBuf>,
    /// What to take as known of the event's object, such as project=Finance/Reports, tags=critical,finance,
    /// owner=ana@example.com, owner_group=Finance, certified=true, cause=Credentials or failures_in_a_row=3. Can be repeated
    #[arg(long = "fact", value_name = "NAME=VALUE", value_parser = Given::read)]
    pub(super) facts: Vec<Given>,
    /// Do not ask Tableau: what no --fact says is unknown, and such a condition counts as matched
    #[arg(long)]
    pub(super) offline: bool,
    /// When the event is handled, such as "2026-11-29 03:00" by a clock at the site, or 2026-11-29T03:00Z [default: the time in
    /// the event]
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// Show the body that forward-event would send, with sample values for what Tableau says and no --fact gives
    #[arg(long)]
    pub(super) body: bool,
    /// Print one JSON object per line for each rule
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct TestOptions {
    /// Files with cases
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// The rules file
    #[arg(long, value_name = "FILE", default_value = "rules.yaml")]
    pub(super) rules: PathBuf,
    /// Print one JSON object per line for each case
    #[arg(long)]
    pub(super) json: bool,
}
