//! The command line.

use crate::certifications::CertificationsOptions;
use crate::colour;
use crate::events::EventsCommand;
use crate::help;
use crate::history::{HistoryCommand, ReportOptions};
use crate::keys::KeysCommand;
use crate::refresh::RefreshOptions;
use crate::refreshes::RefreshesCommand;
use crate::resolve::ResolveOptions;
use crate::rules::RulesCommand;
use crate::table::TableCommand;
use crate::webhooks::WebhooksCommand;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::ffi::OsString;
use std::path::PathBuf;
use url::Url;

/// Where the local stack's API listens by default.
pub(crate) const LOCAL_PORT: u16 = 8090;
/// How far behind it the local stack's AWS listens; Tableau and Slack are between.
pub(crate) const AWS_OFFSET: u16 = 3;
/// The offset of the port of the simulated Teams.
pub(crate) const TEAMS_OFFSET: u16 = 4;
/// The offset of the port of the simulated ServiceNow.
pub(crate) const SERVICENOW_OFFSET: u16 = 5;
/// The offset of the port of the simulated PagerDuty.
pub(crate) const PAGERDUTY_OFFSET: u16 = 6;
/// The offset of the port of the simulated Twilio.
pub(crate) const TWILIO_OFFSET: u16 = 7;
/// The offset of the port of the simulated Microsoft Graph.
pub(crate) const GRAPH_OFFSET: u16 = 8;
/// The offset of the last port.
pub(crate) const LAST_OFFSET: u16 = GRAPH_OFFSET;

/// Tableau webhook automations: run the local stack, and operate a deployed one.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = help::PROGRAM)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) up: UpOptions,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    #[arg(
        long_help = "When to use colours: auto, always or never. With auto only on a terminal, and not if NO_COLOR is set or \
                       TERM is dumb; CLICOLOR_FORCE=1 turns them on everywhere"
    )]
    pub(crate) color: ColorChoice,
}

impl Options {
    /// Reads a command line. Where it asks for help, or is wrong, the program ends here.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let (arguments, color) = colour::arguments(arguments);
        let matches = Self::command().color(color).get_matches_from(arguments);
        let options = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        colour::choose(options.color);
        options
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the local stack, show one failing refresh, and keep running
    #[command(after_help = help::UP)]
    Up(UpOptions),
    /// Send a sample event to the local stack, or to a deployed one
    #[command(after_help = help::SEND)]
    Send(SendOptions),
    /// Look up events, and replay those that failed
    #[command(after_help = help::EVENTS)]
    Events {
        #[command(subcommand)]
        command: EventsCommand,
    },
    /// List who was asked to certify which data source, and what came of it
    #[command(after_help = help::CERTIFICATIONS)]
    Certifications(CertificationsOptions),
    /// Show the report of a week: what failed most, longest incidents, times to recovery and to messages
    #[command(after_help = help::REPORT)]
    Report(ReportOptions),
    /// Export the history to Amazon S3, download the files, or take a person out of them
    #[command(after_help = help::HISTORY)]
    History {
        #[command(subcommand)]
        command: HistoryCommand,
    },
    /// Make, list and revoke the keys with which pipelines call the stack
    #[command(after_help = help::KEYS)]
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Refresh a workbook or data source, or run a flow, and wait for the end
    #[command(after_help = help::REFRESH)]
    Refresh(Box<RefreshOptions>),
    /// List what callers of the API asked for, and what was answered
    #[command(after_help = help::REFRESHES)]
    Refreshes {
        #[command(subcommand)]
        command: RefreshesCommand,
    },
    /// Print the LUID of a workbook, data source or flow, by a browser's address or a name
    #[command(after_help = help::RESOLVE)]
    Resolve(ResolveOptions),
    /// Copy the stack's table after a restore
    #[command(after_help = help::TABLE)]
    Table {
        #[command(subcommand)]
        command: TableCommand,
    },
    /// Send a test notification through a function of the stack, and print what the destination answers
    #[command(after_help = help::TEST)]
    Test(TestOptions),
    /// Check, publish, explain and test rules
    #[command(after_help = help::RULES)]
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
    /// List, create, change, test and delete the webhooks of a Tableau site
    #[command(after_help = help::WEBHOOKS)]
    Webhooks {
        #[command(subcommand)]
        command: Box<WebhooksCommand>,
    },
    /// Print a script with which a shell completes the words of a command line
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// The shell that the script is for
        shell: Shell,
    },
}

/// The name of the stack, unless --stack gives another.
pub(crate) const STACK: &str = "tableau-webhooks";

/// Which stack, and where.
#[derive(Clone, Debug, Args)]
pub(crate) struct TargetOptions {
    /// Name of the CloudFormation stack
    #[arg(long, value_name = "NAME", default_value = STACK)]
    pub(crate) stack: String,
    /// AWS region of the stack [default: AWS_REGION, or the region of the profile]
    #[arg(long, value_name = "REGION", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) region: Option<String>,
    /// AWS profile with the credentials [default: AWS_PROFILE]
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) profile: Option<String>,
    /// AWS endpoint URL. With --local, it chooses one of several local stacks
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<Url>,
    /// Use the local stack that `up` started, instead of a deployed one. It has to run as the same user, because only that
    /// user can read the file with its keys
    #[arg(long, conflicts_with_all = ["stack", "region", "profile"])]
    pub(crate) local: bool,
}

impl TargetOptions {
    /// The local stack, or the one of several with this endpoint.
    pub(crate) fn local(endpoint_url: Option<Url>) -> Self {
        Self { stack: STACK.to_owned(), region: None, profile: None, endpoint_url, local: true }
    }
}

#[derive(Clone, Debug, Args)]
pub(crate) struct UpOptions {
    /// Stop after the first event; for scripts
    #[arg(long)]
    pub(crate) once: bool,
    /// Port of the API. Tableau, Slack, AWS, Teams, ServiceNow, PagerDuty, Twilio and Graph listen on the next eight ports. 0 means any
    /// free ports
    #[arg(long, value_name = "PORT", default_value_t = LOCAL_PORT, value_parser = clap::value_parser!(u16).range(0..=i64::from(u16::MAX - LAST_OFFSET)))]
    pub(crate) port: u16,
    /// The CloudFormation template with the routes, queues and functions to start
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    pub(crate) template: PathBuf,
    /// The rules file
    #[arg(long, value_name = "FILE", default_value = "rules.yaml")]
    pub(crate) rules: PathBuf,
    /// Folder with the functions' binaries [default: the folder of this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) binaries: Option<PathBuf>,
    /// How the simulated Slack receives messages. With a bot token, messages can be changed and replied to; incoming webhooks
    /// can only post [default: webhooks]
    #[arg(long, value_name = "BY")]
    pub(crate) slack: Option<SlackBy>,
    /// File with settings for a real Slack or Tableau, one NAME=value per line: SLACK_WEBHOOK_URL or SLACK_BOT_TOKEN;
    /// TABLEAU_SERVER_URL, TABLEAU_SITE, TABLEAU_TOKEN_NAME and TABLEAU_TOKEN_SECRET. An environment variable of the same
    /// name wins [default: .env, if it exists]
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
    /// Name of the event, such as DatasourceRefreshFailed
    pub(crate) event: String,
    /// The webhook URL of a stack, with the token in its path or as ?token=…. Set WEBHOOK_URL instead if other users can see the
    /// list of processes [default: WEBHOOK_URL, or else the local stack]
    // A text: clap would repeat what is no URL, and with it the token.
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
    /// Send it to the local stack that `up` started, also if WEBHOOK_URL is set
    #[arg(long, conflicts_with = "to")]
    pub(crate) local: bool,
    /// AWS endpoint URL of one of several local stacks
    #[arg(long, value_name = "URL", requires = "local")]
    pub(crate) endpoint_url: Option<Url>,
    /// Name of the object in the sample content that the event is about, such as "General Ledger" [default: the first one]
    #[arg(long, value_name = "NAME")]
    pub(crate) object: Option<String>,
    /// Number of objects of the sample content to send the event about, one after the other. With DatasourceRefreshFailed and 5 or
    /// more, most failures are announced together, in the message of an alert group
    #[arg(long, value_name = "COUNT", default_value_t = 1, conflicts_with = "object", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
    /// Print the payload instead of sending it
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print one JSON object per line for each event that is sent
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TestOptions {
    /// Name of the workflow, such as notify-slack
    pub(crate) workflow: String,
    /// Name of the target in the rules, such as a channel [default: every target that a rule names]
    #[arg(long, value_name = "TARGET", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) to: Option<String>,
    /// Print one JSON object per line for each target
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: TargetOptions,
}

/// Where the local stack's AWS listens, unless it was started at other ports.
pub(crate) const LOCAL_AWS_PORT: u16 = LOCAL_PORT + AWS_OFFSET;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }
}
