//! The command line of `events`.

use super::history::Outcome;
use super::ids::{dead_letter_id, event_id};
use super::time_range::TimeRangeOptions;
use crate::help;
use crate::names::{recorded_cause, recorded_name};
use crate::options::TargetOptions;
use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Args, Command, Subcommand, ValueEnum};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use tableau::EventName;

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// List events and their outcomes, newest first
    ///
    /// Shows one line for each event and workflow, of the last 24 hours unless --since says otherwise. Records are kept for 30
    /// days. Long columns are shortened to the width of the terminal and end with …; --wide shows them whole.
    #[command(after_help = help::EVENTS_LIST)]
    List(ListOptions),
    /// Show everything about one event: each workflow, each attempt, each error
    #[command(after_help = help::EVENTS_SHOW)]
    Show(ShowOptions),
    /// Send dead letters back to their workflows' queues. Finished work is not repeated
    ///
    /// --since and --until compare the time at which an event became a dead letter. For one that SQS itself moved, after too
    /// many receives, that is the time at which the event first arrived.
    #[command(after_help = help::EVENTS_REPLAY)]
    Replay(ReplayOptions),
    /// List, replay or delete events that workflows gave up on
    #[command(after_help = help::DEAD_LETTERS)]
    DeadLetters {
        #[command(subcommand)]
        command: DeadLettersCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List the dead letters, with the reason of each
    #[command(after_help = help::DEAD_LETTERS_LIST)]
    List(DeadLettersOptions),
    /// Send dead letters back to their workflows' queues; the same as `events replay`
    #[command(after_help = help::DEAD_LETTERS_REDRIVE)]
    Redrive(ReplayOptions),
    /// Delete dead letters, after you confirm. Their delivery records stay, with the outcome `dropped`
    ///
    /// Deletes all dead letters of an event, or the one message with the given id; a message that is not an event has only its
    /// message id. Prints what it deletes, with payloads. An event that never reached its workflow has no record.
    #[command(after_help = help::DEAD_LETTERS_DROP)]
    Drop(DropOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    pub(super) time_range: TimeRangeOptions,
    /// Only events of this name, such as DatasourceRefreshFailed
    #[arg(long, value_name = "NAME", value_parser = recorded_name)]
    pub(super) event: Option<EventName>,
    /// Only events of this workflow
    #[arg(long, value_name = "NAME")]
    pub(super) workflow: Option<String>,
    /// Only these outcomes, separated by commas
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',', value_parser = Trimmed)]
    pub(super) outcome: Vec<Outcome>,
    /// Only failed refreshes with these causes, separated by commas: classes such as Credentials, or NotFound. Reads each record
    #[arg(long, value_name = "CLASS", value_delimiter = ',', value_parser = recorded_cause)]
    pub(super) cause: Vec<String>,
    /// Only events of this resource: its LUID or the first 8 digits of it, or a part of its name
    #[arg(long, value_name = "TEXT")]
    pub(super) resource: Option<String>,
    /// The largest number of lines to show
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: u32,
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    pub(super) json: bool,
    /// Do not shorten columns to the width of the terminal (80 columns if there is no terminal)
    #[arg(long, conflicts_with = "json")]
    pub(super) wide: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ShowOptions {
    /// Id of the event. Its first 4 digits are enough if no other event of the last 24 hours has them
    #[arg(value_name = "EVENT_ID", value_parser = event_id)]
    pub(super) id: String,
    /// Print one JSON object per workflow, each on a line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

/// Which dead letters.
#[derive(Debug, Args)]
pub(crate) struct SelectorOptions {
    /// Ids of events or of SQS messages. The first 4 digits are enough where they are unique. Without ids: all dead letters
    #[arg(value_name = "EVENT_ID", value_parser = dead_letter_id)]
    ids: Vec<String>,
    /// Only events of this workflow
    #[arg(long, value_name = "NAME")]
    pub(super) workflow: Option<String>,
    /// Only events of this name, such as DatasourceRefreshFailed
    #[arg(long, value_name = "NAME", value_parser = recorded_name)]
    pub(super) event: Option<EventName>,
    #[command(flatten)]
    pub(super) time_range: TimeRangeOptions,
}

impl SelectorOptions {
    /// Beginnings of ids of events or messages; none: all.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        self.ids.iter().cloned().collect()
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReplayOptions {
    #[command(flatten)]
    pub(super) selector: SelectorOptions,
    /// List what would be replayed, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print one JSON object per line instead of a table, with the fields of `dead-letters list --json`
    #[arg(long)]
    pub(super) json: bool,
    /// Do not shorten columns to the width of the terminal (80 columns if there is no terminal)
    #[arg(long, conflicts_with = "json")]
    pub(super) wide: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct DeadLettersOptions {
    #[command(flatten)]
    pub(super) selector: SelectorOptions,
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    pub(super) json: bool,
    /// Do not shorten columns to the width of the terminal (80 columns if there is no terminal)
    #[arg(long, conflicts_with = "json")]
    pub(super) wide: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct DropOptions {
    /// Ids of events, or of SQS messages that are not events. The first 4 digits are enough where they are unique
    #[arg(value_name = "ID", value_parser = dead_letter_id, required = true)]
    pub(super) ids: Vec<String>,
    /// Only events of this workflow
    #[arg(long, value_name = "NAME")]
    pub(super) workflow: Option<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(super) yes: bool,
    /// Print one JSON object per line, with the fields of `dead-letters list --json` and the message as `body`
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

/// An outcome; blanks around it do not count, as behind the comma of a list.
#[derive(Clone, Copy, Debug)]
struct Trimmed;

impl TypedValueParser for Trimmed {
    type Value = Outcome;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Outcome, clap::Error> {
        let trimmed = value.to_str().map_or(value, |text| OsStr::new(text.trim()));
        EnumValueParser::new().parse_ref(command, argument, trimmed)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Outcome::value_variants().iter().filter_map(ValueEnum::to_possible_value)))
    }
}
