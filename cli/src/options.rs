//! The command line.

use crate::events::EventsCommand;
use crate::table::TableCommand;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use url::Url;

/// Where the local stack's API listens, unless told otherwise.
pub(crate) const LOCAL_PORT: u16 = 8090;
/// How far behind it the local stack's AWS listens; Tableau and Slack are between.
pub(crate) const AWS_OFFSET: u16 = 3;

/// Tableau webhook automations: the local stack, and what an operator asks of a deployed one.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = "Without a command: `up`.")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) up: UpOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the local stack, send one failing refresh through it, and stay up
    Up(UpOptions),
    /// Post a realistic event to the local stack, or to a deployed one
    Send(SendOptions),
    /// What became of events, and sending those that failed for good round again
    Events {
        #[command(subcommand)]
        command: EventsCommand,
    },
    /// The table of a stack: what to do after a restore
    Table {
        #[command(subcommand)]
        command: TableCommand,
    },
    /// Look at a rules file
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
}

/// Which stack, and where.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaceOptions {
    /// The stack
    #[arg(long, value_name = "NAME", default_value = "tableau-webhooks")]
    pub(crate) stack: String,
    /// The stack's region, if not the one of AWS_REGION or the profile
    #[arg(long, value_name = "REGION", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) region: Option<String>,
    /// The profile with the credentials, if not the one of AWS_PROFILE
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) profile: Option<String>,
    /// Where AWS is, if not where it always is. With --local: which of several local stacks
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<Url>,
    /// The local stack that `up` has started, instead of a deployed one. Only of your own user: the keys of its run are in a
    /// file that only that user can read
    #[arg(long, conflicts_with_all = ["stack", "region", "profile"])]
    pub(crate) local: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Say whether a rules file is right, and what is wrong where if it is not
    Check(CheckOptions),
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// The rules file
    #[arg(default_value = "rules.yaml")]
    pub(crate) file: PathBuf,
    /// The template with the workflows that rules may name
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub(crate) template: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct UpOptions {
    /// End after the first event, for scripts
    #[arg(long)]
    pub(crate) once: bool,
    /// Port of the API; Tableau, Slack and AWS take the next three. 0 takes any that are free
    #[arg(long, value_name = "PORT", default_value_t = LOCAL_PORT, value_parser = clap::value_parser!(u16).range(0..=i64::from(u16::MAX - AWS_OFFSET)))]
    pub(crate) port: u16,
    /// The template whose routes, queues and functions are started
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub(crate) template: PathBuf,
    /// The rules file
    #[arg(long, value_name = "FILE", default_value = "rules.yaml")]
    pub(crate) rules: PathBuf,
    /// The folder with the functions' binaries [default: the folder of this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) binaries: Option<PathBuf>,
    /// How messages go to the simulated Slack. A bot can change them and reply, incoming webhooks only post [default:
    /// webhooks]
    #[arg(long, value_name = "BY")]
    pub(crate) slack: Option<SlackBy>,
    /// Settings for real destinations, as NAME=value lines: SLACK_WEBHOOK_URL or SLACK_BOT_TOKEN;
    /// TABLEAU_SERVER_URL, TABLEAU_SITE, TABLEAU_TOKEN_NAME and TABLEAU_TOKEN_SECRET. The environment goes first
    /// [default: .env, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
}

/// What a secret for Slack holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SlackBy {
    /// A bot token
    Bot,
    /// A URL for each channel
    #[default]
    Webhooks,
}

#[derive(Debug, Args)]
pub(crate) struct SendOptions {
    /// The event's name, such as DatasourceRefreshFailed
    pub(crate) event: String,
    /// Where to: a door's URL, with the token in its path or as ?token=…. In the variable it is not seen in the list of
    /// processes [default: the local stack that `up` has started]
    // A text: clap would repeat what is no URL, and with it the token.
    #[arg(long, value_name = "URL", env = "WEBHOOK_URL", hide_env_values = true)]
    pub(crate) to: Option<String>,
    /// Print the payload instead of sending it
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Where the local stack's AWS listens, unless it was started at other ports.
pub(crate) const LOCAL_AWS_PORT: u16 = LOCAL_PORT + AWS_OFFSET;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }
}
