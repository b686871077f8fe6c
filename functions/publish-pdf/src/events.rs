//! The event `PdfPublished`, which rules announce.
//!
//! The files that one attempt publishes for one rule into one folder are a batch, and a batch is one event. Each file is noted in the delivery
//! record when it is there. So a later attempt sends the events that an earlier one did not, with the same payload: an event that is sent again
//! is the same event.

use crate::exports::{Target, hash};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use plain_text::one_line;
use publishing::Uploaded;
use runtime::DerivedEvents;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tableau::{Event, PublishedPdf};
use workflow::{Effect, Failure, Invocation};

const INCOMPLETE: &str = "It may lack data: it is smaller than earlier files, or could not be checked";
const NOTED: &str = "noted-file";
/// How many characters of a name are kept: there may be hundreds of files, and the record has to stay small.
const NAME_LIMIT: usize = 120;
/// How many files of a batch may have a note in its event.
const MOST_NOTES: usize = 5;

/// A published file, as the delivery record keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublishedFile {
    /// The attempt that published it.
    attempt: u32,
    /// What names its rule and folder.
    batch: String,
    file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Where it is. Only the first file of a batch has it: addresses are long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<Address>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Address {
    /// When the refresh was.
    refreshed: Timestamp,
    /// For people.
    place: String,
    /// In a browser; an object in Amazon S3 has none.
    link: Option<String>,
    /// The folder: in a browser or, without `link`, for people.
    folder: Option<String>,
}

/// One event to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// When the refresh was.
    pub(crate) refreshed: Timestamp,
    /// What the event says.
    pub(crate) pdf: PublishedPdf,
    /// The effect that it was sent.
    pub(crate) sent: Effect,
}

impl PublishedFile {
    /// A file that this attempt has published, after `others`.
    pub(crate) fn of(
        target: &Target,
        uploaded: &Uploaded,
        notes: (&str, bool),
        refreshed: Timestamp,
        invocation: &Invocation,
        others: &[Self],
    ) -> Self {
        let (note, looks_incomplete) = notes;
        let notes = [note, if looks_incomplete { INCOMPLETE } else { "" }];
        let notes: Vec<&str> = notes.into_iter().filter(|note| !note.is_empty()).collect();
        let name = one_line(&uploaded.name);
        let file = if name.is_empty() { format!("{}.pdf", target.file.stem) } else { name };
        let (place, link) = match target.service() {
            "s3" => (uploaded.id.clone(), None),
            _ => ("SharePoint".to_owned(), uploaded.link.clone()),
        };
        let folder = folder(link.as_deref().unwrap_or(&place), &file);
        // A file whose folder is not known has an event of its own.
        let batch = hash(&format!("{} {}", target.rule, folder.clone().unwrap_or_else(|| target.key())));
        let address = Address { refreshed, place, link, folder };
        let attempt = invocation.attempt;
        let is_first = !others.iter().any(|other| other.batch == batch);
        Self {
            attempt,
            batch,
            file: cut(&file),
            note: (!notes.is_empty()).then(|| notes.join(". ")),
            address: is_first.then_some(address),
        }
    }

    /// Notes it for later attempts.
    pub(crate) async fn note(&self, invocation: &Invocation) -> Result<(), Failure> {
        let text = serde_json::to_string(self).map_err(Failure::permanent)?;
        let effect = Effect::from(format!("{NOTED}/{text}").as_str());
        invocation.once(effect, async { Ok::<_, Failure>(()) }).await?;
        Ok(())
    }
}

/// The address without its last part, if that is the file's name. In a URL it may be encoded, and a query may follow.
fn folder(address: &str, file: &str) -> Option<String> {
    if let Some(folder) = address.strip_suffix(file).and_then(|folder| folder.strip_suffix('/')) {
        return Some(folder.to_owned());
    }
    let path = address.split(['?', '#']).next()?;
    let (folder, last) = path.rsplit_once('/')?;
    (percent_decode_str(last).decode_utf8_lossy() == file).then(|| folder.to_owned())
}

fn cut(name: &str) -> String {
    name.chars().take(NAME_LIMIT).collect()
}

/// The events that earlier attempts did not get to send.
pub(crate) fn pending(invocation: &Invocation) -> Vec<Batch> {
    let read = |effect: &Effect| -> Option<PublishedFile> {
        let text = effect.to_string();
        serde_json::from_str(text.strip_prefix(NOTED)?.strip_prefix('/')?).ok()
    };
    let mut batches = batches(invocation.happened().filter_map(read).collect());
    batches.retain(|batch| !invocation.has_happened(&batch.sent));
    batches
}

/// The events about these files. In the order of the names, so that the same files give the same event.
pub(crate) fn batches(files: Vec<PublishedFile>) -> Vec<Batch> {
    let mut batches: BTreeMap<(u32, String), Vec<PublishedFile>> = BTreeMap::new();
    for file in files {
        batches.entry((file.attempt, file.batch.clone())).or_default().push(file);
    }
    let batch = |((attempt, name), mut files): ((u32, String), Vec<PublishedFile>)| {
        files.sort_by(|one, other| one.file.cmp(&other.file));
        let address = files.iter().find_map(|file| file.address.clone())?;
        let others = files.len() - 1;
        let noted = files.iter().filter_map(|file| Some((&file.file, file.note.as_ref()?)));
        let notes: Vec<String> = noted
            .take(MOST_NOTES)
            .map(|(file, note)| if others > 0 { format!("{file}: {note}") } else { note.clone() })
            .collect();
        let Address { refreshed, place, link, folder } = address;
        let (place, link) = match (others, link) {
            (0, link) => (place, link),
            (_, Some(_)) => (place, folder),
            (_, None) => (folder.unwrap_or(place), None),
        };
        let pdf = PublishedPdf {
            file: files.first()?.file.clone(),
            others,
            place,
            link,
            note: (!notes.is_empty()).then(|| notes.join(". ")),
        };
        let sent = Effect::from(format!("event-sent/{attempt}/{name}").as_str());
        Some(Batch { refreshed, pdf, sent })
    };
    batches.into_iter().filter_map(batch).collect()
}

/// Sends these events. One that cannot be sent keeps no other back.
///
/// # Errors
/// [`Failure`] if the bus did not confirm one of them.
pub(crate) async fn send(
    batches: Vec<Batch>,
    refresh: &Event,
    bus: &DerivedEvents,
    invocation: &Invocation,
) -> Result<(), Failure> {
    let mut failed = None;
    for Batch { refreshed, pdf, sent } in batches {
        match invocation.once(sent, bus.send(refresh.pdf_published(&pdf, refreshed))).await {
            Ok(Some(false)) => {
                tracing::info!(file = pdf.file, "there is no event bus: nothing announces the file");
            }
            Ok(_) => {}
            Err(failure) => failed = Some(Failure::worse(failed.take(), failure)),
        }
    }
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(link: Option<&str>, place: &str, file: &str) -> Address {
        Address {
            refreshed: Timestamp::UNIX_EPOCH,
            place: place.to_owned(),
            link: link.map(str::to_owned),
            folder: folder(link.unwrap_or(place), file),
        }
    }

    fn file(attempt: u32, batch: &str, name: &str, address: Option<Address>) -> PublishedFile {
        PublishedFile { attempt, batch: batch.to_owned(), file: name.to_owned(), note: None, address }
    }

    #[test]
    fn a_folder_is_an_address_without_the_name_of_the_file() {
        for (address, file, expected) in [
            (
                "https://c.sharepoint.com/sites/bi/Shared%20Documents/A/x.pdf",
                "x.pdf",
                Some("https://c.sharepoint.com/sites/bi/Shared%20Documents/A"),
            ),
            (
                "https://c.sharepoint.com/L/Umsatz%20%C3%BCber%20R%26D.pdf?web=1",
                "Umsatz über R&D.pdf",
                Some("https://c.sharepoint.com/L"),
            ),
            ("https://c.sharepoint.com/sites/bi/_layouts/15/Doc.aspx?sourcedoc=x", "x.pdf", None),
            ("https://c.sharepoint.com/:b:/r/sites/bi/EabcDEF", "x.pdf", None),
            ("s3://reports/A/R&D #1.pdf", "R&D #1.pdf", Some("s3://reports/A")),
            ("s3://reports/A/x.pdf", "x.pdf", Some("s3://reports/A")),
        ] {
            assert_eq!(folder(address, file).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn the_files_of_a_batch_are_one_event_with_the_address_of_the_folder() {
        let share = address(Some("https://c.sharepoint.com/Reports/b.pdf?web=1"), "SharePoint", "b.pdf");
        let bucket = address(None, "s3://reports/A/c.pdf", "c.pdf");
        let mut noted = file(1, "x", "a.pdf", None);
        noted.note = Some("Late".to_owned());
        let all = vec![
            file(1, "x", "b.pdf", Some(share.clone())),
            noted,
            file(1, "y", "c.pdf", Some(bucket.clone())),
            file(1, "y", "d.pdf", None),
            file(2, "x", "b.pdf", Some(share)),
            file(2, "y", "c.pdf", Some(bucket)),
        ];
        let events = batches(all.clone());
        let said = |batch: &Batch| {
            let pdf = &batch.pdf;
            (
                pdf.files(),
                pdf.place.clone(),
                pdf.link.clone().unwrap_or_default(),
                pdf.note.clone().unwrap_or_default(),
            )
        };
        let expected = [
            ("a.pdf and 1 more", "SharePoint", "https://c.sharepoint.com/Reports", "a.pdf: Late"),
            ("c.pdf and 1 more", "s3://reports/A", "", ""),
            ("b.pdf", "SharePoint", "https://c.sharepoint.com/Reports/b.pdf?web=1", ""),
            ("c.pdf", "s3://reports/A/c.pdf", "", ""),
        ];
        let expected = expected.map(|(files, place, link, note)| {
            (files.to_owned(), place.to_owned(), link.to_owned(), note.to_owned())
        });
        assert_eq!(events.iter().map(said).collect::<Vec<_>>(), expected);
        // In whatever order they were noted.
        assert_eq!(batches(all.into_iter().rev().collect()), events);
    }

    #[test]
    fn the_record_of_many_files_stays_small() {
        let long = "売".repeat(400);
        let link = format!("https://c.sharepoint.com/{}", "%E5%A3%B2".repeat(400));
        let mut all =
            vec![file(1, "0123456789abcdef", &cut(&long), Some(address(Some(&link), "SharePoint", &long)))];
        all.extend((0..199).map(|n| file(1, "0123456789abcdef", &cut(&format!("{n}{long}")), None)));
        let bytes: usize = all.iter().map(|file| serde_json::to_string(file).unwrap().len()).sum();
        assert!(bytes < 100_000, "{bytes}");
    }
}
