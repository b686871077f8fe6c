//! Prints dead letters as rows of a table or as JSON.

use super::dead_letter::{Content, DeadLetter};
use super::facts::DeadLetterFacts;
use crate::events::options::{DeadLettersOptions, ReplayOptions};
use crate::events::table::{Column, Table, age, cell, event_id, message_id, name};
use crate::out::{self, line, note, plain};
use jiff::Timestamp;
use workflow::BoxError;

/// The columns of the table. At a width of 80 every column is shown.
const COLUMNS: [Column; 6] = [
    Column::whole("WAITS FOR"),
    Column::cut("WORKFLOW", 10),
    Column::cut_in_the_middle("EVENT", 14),
    Column::cut("NAME", 8),
    Column::whole("EVENT ID"),
    Column::cut("REASON", 20),
];

/// How dead letters are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As a table of at most this width; `None` means that nothing is cut.
    Table { width: Option<usize> },
    /// As one JSON object per line.
    Json,
    /// As one JSON object per line that includes the whole message.
    JsonWithBody,
}

impl Form {
    fn of(json: bool, wide: bool) -> Self {
        if json { Self::Json } else { Self::Table { width: (!wide).then(out::width) } }
    }
}

impl DeadLettersOptions {
    pub(super) fn form(&self) -> Form {
        Form::of(self.json, self.wide)
    }
}

impl ReplayOptions {
    pub(super) fn form(&self) -> Form {
        Form::of(self.json, self.wide)
    }
}

/// Prints dead letters as lines: table rows below a header, or JSON.
#[derive(Debug)]
pub(super) struct Lines {
    form: Form,
    table: Table<6>,
    now: Timestamp,
    begun: bool,
}

impl Lines {
    pub(super) fn new(form: Form, now: Timestamp) -> Self {
        let width = if let Form::Table { width } = form { width } else { None };
        Self { form, table: Table::new(COLUMNS, width), now, begun: false }
    }

    /// The lines for some dead letters.
    pub(super) fn of<'l>(
        &mut self,
        workflow: &str,
        letters: impl Iterator<Item = &'l DeadLetter>,
    ) -> Vec<String> {
        match self.form {
            Form::Json => letters.map(|letter| out::json(&DeadLetterFacts::of(letter, workflow))).collect(),
            Form::JsonWithBody => {
                letters.map(|letter| out::json(&DeadLetterFacts::whole(letter, workflow))).collect()
            }
            Form::Table { .. } => self.rows(letters.map(|letter| (letter, workflow))),
        }
    }

    fn rows<'l>(&mut self, letters: impl Iterator<Item = (&'l DeadLetter, &'l str)>) -> Vec<String> {
        let is_narrow = self.table.is_narrow();
        let row = |(letter, workflow): (&DeadLetter, &str)| row(letter, workflow, self.now, is_narrow);
        let rows: Vec<_> = letters.map(row).collect();
        self.table.fit(&rows);
        let head = (!self.begun && !rows.is_empty()).then(|| self.table.head());
        self.begun |= !rows.is_empty();
        head.into_iter().chain(rows.iter().map(|row| self.table.line(row))).collect()
    }

    /// Prints further sentences: below a table, but on standard error if the output is JSON.
    pub(super) fn say(&self, sentences: &[String], needed: bool) -> Result<(), BoxError> {
        if let Form::Table { .. } = self.form {
            return say(sentences, needed);
        }
        sentences.iter().for_each(note);
        Ok(())
    }
}

/// The cells of a dead letter's row.
fn row(letter: &DeadLetter, workflow: &str, now: Timestamp, is_narrow: bool) -> [String; 6] {
    let message = || message_id(&letter.message_id, is_narrow);
    let [event, name, id] = match &letter.content {
        Content::Event(event) => {
            [cell(&event.name), name(&event.resource), event_id(event.id.as_str(), is_narrow)]
        }
        Content::Timer(timer) => {
            let (what, place) = timer.words();
            [cell(&what), name(&place), message()]
        }
        Content::NoEvent(_) => [cell(""), cell(""), message()],
    };
    [age(letter.sent_at, now), workflow.to_owned(), event, name, id, plain(&letter.why())]
}

/// Prints lines. `needed` says whether the command must stop if its output cannot be written.
pub(super) fn say(lines: &[String], needed: bool) -> Result<(), BoxError> {
    for text in lines {
        match line!("{text}") {
            Err(error) if error.reader_has_gone() && !needed => return Ok(()),
            said => said?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::dead_letter::EventFacts;
    use super::*;
    use tableau::{EventId, Payload};

    #[test]
    fn a_letter_cannot_steer_the_terminal() {
        let id = EventId::of(&Payload::default());
        let event = EventFacts { id, name: "X\u{1b}[31m".to_owned(), resource: "a\nb ".repeat(40) };
        let letter = DeadLetter {
            message_id: "m".to_owned(),
            content: Content::Event(event),
            body: String::new(),
            sent_at: Some(Timestamp::UNIX_EPOCH),
            reason: "\u{1b}]0;title\u{7}no".to_owned(),
        };
        let row = row(&letter, "notify-slack", Timestamp::UNIX_EPOCH, false);
        assert_eq!([row[0].as_str(), &row[2], &row[5]], ["0 s", "X", "]0;titleno"]);
        assert!(row[3].starts_with("a b a b"), "{}", row[3]);
    }
}
