//! Tells of published files: the event `PdfPublished`, for rules to announce.

use crate::exports::Target;
use plain_text::one_line;
use publishing::Uploaded;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tableau::PublishedPdf;
use workflow::{Effect, Failure, Invocation};

const INCOMPLETE: &str = "It may lack data: it is smaller than earlier files, or could not be checked";
const TO_TELL: &str = "to-tell";

/// A file that is there and was not told of. The record of the event keeps it in this form for later attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToTell {
    /// What names the file in the record of the event.
    key: String,
    /// The address of its folder, for people.
    folder: String,
    pdf: PublishedPdf,
}

impl ToTell {
    /// What to tell of a file.
    pub(crate) fn of(target: &Target, uploaded: &Uploaded, note: &str, looks_incomplete: bool) -> Self {
        let notes = [note, if looks_incomplete { INCOMPLETE } else { "" }];
        let notes: Vec<&str> = notes.into_iter().filter(|note| !note.is_empty()).collect();
        let is_object = target.service() == "s3";
        let name = one_line(&uploaded.name);
        let pdf = PublishedPdf {
            file: if name.is_empty() { format!("{}.pdf", target.file.stem) } else { name },
            others: 0,
            place: if is_object { uploaded.id.clone() } else { "SharePoint".to_owned() },
            link: uploaded.link.clone(),
            note: (!notes.is_empty()).then(|| notes.join(". ")),
        };
        let address = if is_object { Some(&uploaded.id) } else { uploaded.link.as_ref() };
        let folder = address.and_then(|address| folder(address)).unwrap_or_default();
        Self { key: key(target), folder, pdf }
    }

    /// Notes it for a later attempt.
    pub(crate) async fn note(&self, invocation: &Invocation) -> Result<(), Failure> {
        let text = serde_json::to_string(self).map_err(Failure::permanent)?;
        let effect = Effect::from(format!("{TO_TELL}/{text}").as_str());
        invocation.once(effect, async { Ok::<_, Failure>(()) }).await?;
        Ok(())
    }

    /// The effect that the file was told of.
    pub(crate) fn told(&self) -> Effect {
        told(&self.key)
    }
}

fn key(target: &Target) -> String {
    format!("{}/{}", target.service(), target.key())
}

fn told(key: &str) -> Effect {
    Effect::from(format!("told/{key}").as_str())
}

/// The address without its last part.
fn folder(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next()?;
    path.rsplit_once('/').map(|(folder, _)| folder.to_owned())
}

/// What an earlier attempt noted of this file and has not told.
pub(crate) fn noted(invocation: &Invocation, target: &Target) -> Option<ToTell> {
    let key = key(target);
    if invocation.has_happened(&told(&key)) {
        return None;
    }
    let read = |effect: &Effect| -> Option<ToTell> {
        let text = effect.to_string();
        serde_json::from_str(text.strip_prefix(TO_TELL)?.strip_prefix('/')?).ok()
    };
    invocation.happened().filter_map(read).find(|noted| noted.key == key)
}

/// One event for each folder, with the files that it tells of. In the order of the names, so that the same files give the same event.
pub(crate) fn by_folder(files: Vec<ToTell>) -> Vec<(PublishedPdf, Vec<ToTell>)> {
    let mut folders: BTreeMap<String, Vec<ToTell>> = BTreeMap::new();
    for file in files {
        // A file without an address has no folder that could be opened.
        let folder = if file.folder.is_empty() { file.key.clone() } else { file.folder.clone() };
        folders.entry(folder).or_default().push(file);
    }
    let event = |(folder, mut files): (String, Vec<ToTell>)| {
        files.sort_by(|one, other| one.pdf.file.cmp(&other.pdf.file));
        let mut pdf = files.first()?.pdf.clone();
        pdf.others = files.len() - 1;
        if pdf.others > 0 {
            let notes: Vec<String> = files
                .iter()
                .filter_map(|file| Some(format!("{}: {}", file.pdf.file, file.pdf.note.as_ref()?)))
                .collect();
            pdf.note = (!notes.is_empty()).then(|| notes.join(". "));
            match pdf.link {
                Some(_) => pdf.link = Some(folder),
                None => pdf.place = folder,
            }
        }
        Some((pdf, files))
    };
    folders.into_iter().filter_map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(key: &str, link: Option<&str>, place: &str, note: Option<&str>) -> ToTell {
        let address = link.unwrap_or(place);
        let path = address.split('?').next().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let (place, link, note) = (place.to_owned(), link.map(str::to_owned), note.map(str::to_owned));
        let pdf = PublishedPdf { file: name, others: 0, place, link, note };
        ToTell { key: key.to_owned(), folder: folder(address).unwrap_or_default(), pdf }
    }

    #[test]
    fn files_of_one_folder_are_one_event_with_the_address_of_the_folder() {
        let share = |name: &str, note| {
            file(
                name,
                Some(&format!("https://contoso.sharepoint.com/Reports/{name}?web=1")),
                "SharePoint",
                note,
            )
        };
        let events = by_folder(vec![
            share("b.pdf", Some("Late")),
            file("c", None, "s3://reports/A/c.pdf", None),
            share("a.pdf", None),
            file("d", None, "s3://reports/A/d.pdf", None),
            file("e", None, "s3://reports/B/e.pdf", None),
        ]);
        let told: Vec<(String, &str, Option<&str>, Option<&str>)> = events
            .iter()
            .map(|(pdf, _)| (pdf.files(), pdf.place.as_str(), pdf.link.as_deref(), pdf.note.as_deref()))
            .collect();
        let several = (
            "a.pdf and 1 more".to_owned(),
            "SharePoint",
            Some("https://contoso.sharepoint.com/Reports"),
            Some("b.pdf: Late"),
        );
        assert_eq!(
            told,
            [
                several,
                ("c.pdf and 1 more".to_owned(), "s3://reports/A", None, None),
                ("e.pdf".to_owned(), "s3://reports/B/e.pdf", None, None),
            ]
        );
        assert_eq!(events[0].1.len(), 2);
    }

    #[test]
    fn files_without_an_address_are_told_of_one_by_one() {
        let bare = |key: &str| ToTell { folder: String::new(), ..file(key, None, "SharePoint", None) };
        assert_eq!(by_folder(vec![bare("x"), bare("y")]).len(), 2);
    }
}
