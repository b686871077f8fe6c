//! The command line of `events`.

use super::history::Outcome;
use super::span::SpanOptions;
use crate::names::recorded_name;
use crate::options::PlaceOptions;
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
    /// days. Columns are cut to the width of the terminal, with … in place of what is left out; --wide shows all of it.
    List(ListOptions),
    /// Show everything about one event: each workflow, each attempt, each error
    Show(ShowOptions),
    /// Send dead letters back to their workflows' queues. Finished work is not repeated
    ///
    /// --since and --until compare the time at which an event became a dead letter. For one that SQS itself moved, after too
    /// many receives, that is the time at which the event first arrived.
    Replay(ReplayOptions),
    /// List, replay or delete events that workflows gave up on
    DeadLetters {
        #[command(subcommand)]
        command: DeadLettersCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List the dead letters, with the reason of each
    List(LettersOptions),
    /// Send dead letters back to their workflows' queues; the same as `events replay`
    Redrive(ReplayOptions),
    /// Delete dead letters, after you confirm. Their delivery records stay, with the outcome `dropped`
    ///
    /// Deletes all dead letters of an event, or the one message with the given id; a message that is not an event has only its
    /// message id. Prints what it deletes, with payloads. An event that never reached its workflow has no record.
    Drop(DropOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    pub(super) span: SpanOptions,
    /// Only events of this name, such as DatasourceRefreshFailed
    #[arg(long, value_name = "NAME", value_parser = recorded_name)]
    pub(super) event: Option<EventName>,
    /// Only events of this workflow
    #[arg(long, value_name = "NAME")]
    pub(super) workflow: Option<String>,
    /// Only these outcomes, separated by commas
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',', value_parser = Trimmed)]
    pub(super) outcome: Vec<Outcome>,
    /// Only events of this resource: its LUID or the first 8 digits of it, or a part of its name
    #[arg(long, value_name = "TEXT")]
    pub(super) resource: Option<String>,
    /// The most lines to show
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: u32,
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    pub(super) json: bool,
    /// Do not cut columns to the width of the terminal, which is 80 where there is none
    #[arg(long, conflicts_with = "json")]
    pub(super) wide: bool,
    #[command(flatten)]
    pub(super) place: PlaceOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ShowOptions {
    /// Id of the event; the first 8 digits are enough
    #[arg(value_name = "EVENT_ID", value_parser = event_id)]
    pub(super) id: String,
    /// Print one JSON object per workflow, each on a line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) place: PlaceOptions,
}

/// Which dead letters.
#[derive(Debug, Args)]
pub(crate) struct ChoiceOptions {
    /// Ids of events or of SQS messages; the first 8 digits are enough. Without an id: all
    #[arg(value_name = "EVENT_ID", value_parser = letter_id)]
    ids: Vec<String>,
    /// Only events of this workflow
    #[arg(long, value_name = "NAME")]
    pub(super) workflow: Option<String>,
    /// Only events of this name, such as DatasourceRefreshFailed
    #[arg(long, value_name = "NAME", value_parser = recorded_name)]
    pub(super) event: Option<EventName>,
    #[command(flatten)]
    pub(super) span: SpanOptions,
}

impl ChoiceOptions {
    /// Beginnings of ids of events or messages; none: all.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        self.ids.iter().cloned().collect()
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReplayOptions {
    #[command(flatten)]
    pub(super) choice: ChoiceOptions,
    /// List what would be replayed, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not cut columns to the width of the terminal, which is 80 where there is none
    #[arg(long)]
    pub(super) wide: bool,
    #[command(flatten)]
    pub(super) place: PlaceOptions,
}

#[derive(Debug, Args)]
pub(crate) struct LettersOptions {
    #[command(flatten)]
    pub(super) choice: ChoiceOptions,
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    pub(super) json: bool,
    /// Do not cut columns to the width of the terminal, which is 80 where there is none
    #[arg(long, conflicts_with = "json")]
    pub(super) wide: bool,
    #[command(flatten)]
    pub(super) place: PlaceOptions,
}

#[derive(Debug, Args)]
pub(crate) struct DropOptions {
    /// Ids of events, or of SQS messages that are not events; the first 8 digits are enough
    #[arg(value_name = "ID", value_parser = letter_id, required = true)]
    pub(super) ids: Vec<String>,
    /// Only events of this workflow
    #[arg(long, value_name = "NAME")]
    pub(super) workflow: Option<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) place: PlaceOptions,
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

fn event_id(text: &str) -> Result<String, String> {
    let digits = text.len();
    if text.bytes().all(|byte| byte.is_ascii_hexdigit()) && (8..=64).contains(&digits) {
        return Ok(text.to_ascii_lowercase());
    }
    Err("an event id has 64 hexadecimal digits, of which the first 8 or more are enough".to_owned())
}

/// The id of an event, or of an SQS message, which is a UUID.
fn letter_id(text: &str) -> Result<String, String> {
    let is_message = text.contains('-') && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    if is_message && (8..=32).contains(&digits) {
        return Ok(text.to_ascii_lowercase());
    }
    event_id(text)
        .map_err(|error| format!("{error}; a message's id is a UUID, of which the first 8 are enough"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_named_by_its_event_or_by_its_message() {
        for id in ["717BBC05A8F9", "717bbc05-a8f9-4b1c-9d2e-0123456789AB", "717bbc05-"] {
            assert_eq!(letter_id(id).unwrap(), id.to_ascii_lowercase());
        }
        for wrong in ["", "717bbc0-", "--------", "717bbc05-x", &format!("-{}", "a".repeat(33))] {
            assert!(letter_id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_event_id_may_be_cut_short_but_not_to_nothing() {
        assert_eq!(event_id("717BBC05A8F9").unwrap(), "717bbc05a8f9");
        for wrong in ["", "717bbc0", "717bbc05a8fg", &"a".repeat(65)] {
            assert!(event_id(wrong).is_err(), "{wrong}");
        }
    }
}
