//! What the derived event `PdfPublished` says.

use crate::{EventName, Payload};
use serde::{Deserialize, Serialize};

/// The key of the payload.
const KEY: &str = "pdf";

/// PDF files that this stack published: one, or several in one folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedPdf {
    /// The name of the file, or of the first one. Made of names in Tableau: untrusted text.
    pub file: String,
    /// How many other files are in the folder.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others: usize,
    /// Where it is, for people: `SharePoint`, or the address in Amazon S3.
    pub place: String,
    /// The address in a browser, which begins with `https://`: of the file or, if there are others, of the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What people should know about the files: sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl PublishedPdf {
    /// The name of the file, and how many others there are.
    pub fn files(&self) -> String {
        match self.others {
            0 => self.file.clone(),
            others => format!("{} and {others} more", self.file),
        }
    }

    /// Puts this into the payload of the event `PdfPublished`.
    pub(crate) fn put_into(&self, payload: &mut Payload) {
        if let Ok(pdf) = serde_json::to_value(self) {
            payload.other.insert(KEY.to_owned(), pdf);
        }
    }

    /// The files that a payload is about; `None` for another event. A link that no browser may open safely is left out.
    pub(crate) fn of(name: &EventName, payload: &Payload) -> Option<Self> {
        if *name != EventName::PdfPublished {
            return None;
        }
        let pdf: Self = Self::deserialize(payload.other.get(KEY)?).ok()?;
        let is_safe = |link: &String| {
            link.starts_with("https://") && !link.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        Some(Self { link: pdf.link.filter(is_safe), ..pdf })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;
    use jiff::Timestamp;

    fn refresh() -> (Event, Timestamp) {
        let payload = Payload {
            resource: Some("EXTRACTS".to_owned()),
            event_type: Some("WorkbookRefreshSucceeded".to_owned()),
            resource_name: Some("Sales".to_owned()),
            site_luid: Some("s".to_owned()),
            resource_luid: Some("w".to_owned()),
            created_at: Some("2026-01-15T17:14:45Z".to_owned()),
            ..Payload::default()
        };
        (Event::try_from(&payload).unwrap(), "2026-01-15T17:14:45.25Z".parse().unwrap())
    }

    fn pdf(link: &str) -> PublishedPdf {
        PublishedPdf {
            file: "Sales.pdf".to_owned(),
            others: 0,
            place: "SharePoint".to_owned(),
            link: Some(link.to_owned()),
            note: None,
        }
    }

    #[test]
    fn what_is_said_of_a_file_comes_back() {
        let (refresh, refreshed) = refresh();
        let published = pdf("https://contoso.sharepoint.com/Sales.pdf");
        let payload = refresh.pdf_published(&published, refreshed);
        let event = Event::try_from(&Payload::parse(payload.canonical_json().as_bytes()).unwrap()).unwrap();
        assert_eq!(event.name, EventName::PdfPublished);
        assert_eq!((&event.subject, &event.site), (&refresh.subject, &refresh.site));
        assert_eq!(event.created_at, refresh.created_at);
        assert_eq!(event.pdf, Some(published.clone()));
        let again = refresh.pdf_published(&published, refreshed);
        assert_eq!(Event::try_from(&again).unwrap().id, event.id);
        let other = refresh.pdf_published(&pdf("https://contoso.sharepoint.com/Other.pdf"), refreshed);
        assert_ne!(Event::try_from(&other).unwrap().id, event.id);
    }

    #[test]
    fn a_link_that_is_no_address_of_the_web_is_left_out() {
        let (refresh, refreshed) = refresh();
        for link in ["javascript:alert(1)", "http://contoso.example/", "https://a b", "https://a\nb", ""] {
            let event = Event::try_from(&refresh.pdf_published(&pdf(link), refreshed)).unwrap();
            assert_eq!(event.pdf.unwrap().link, None, "{link}");
        }
    }

    #[test]
    fn of_several_files_it_says_how_many() {
        let one = pdf("https://contoso.sharepoint.com/Sales.pdf");
        assert_eq!(one.files(), "Sales.pdf");
        assert_eq!(PublishedPdf { others: 11, ..one }.files(), "Sales.pdf and 11 more");
    }

    #[test]
    fn no_other_event_has_files() {
        let (refresh, refreshed) = refresh();
        let published = refresh.pdf_published(&pdf("https://contoso.sharepoint.com/Sales.pdf"), refreshed);
        let of = |name: &str, payload: &Payload| {
            let payload = Payload { event_type: Some(name.to_owned()), ..payload.clone() };
            Event::try_from(&payload).unwrap().pdf
        };
        assert!(of("PdfPublished", &published).is_some());
        assert_eq!(of("WorkbookUpdated", &published), None);
        let mut broken = published.clone();
        broken.other.insert(KEY.to_owned(), serde_json::json!({ "file": 7 }));
        assert_eq!(of("PdfPublished", &broken), None);
        broken.other.clear();
        assert_eq!(of("PdfPublished", &broken), None);
    }
}
