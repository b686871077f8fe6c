//! What rules say to `publish-pdf`.

mod filters;
mod pattern;

pub use filters::{FilterValue, FilterValues};
pub use pattern::{Placeholder, PublishPattern, PublishPiece};

use crate::workflow::{Invalid, WorkflowSettings};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use tableau::EventName;

/// The largest width and height of a view, in pixels.
const LARGEST: u32 = 4_000;
/// The longest name of a user.
const LONGEST_USER: usize = 255;

/// `publish-pdf: { to: sharepoint, folder: "Reports/{yyyy}/{MM}", paper: a4, orientation: landscape }`.
///
/// Rules that want the same views with the same filters, for the same user, share one export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PublishPdf {
    /// Where the PDF goes: `sharepoint` or `s3`. Required.
    pub to: Option<PdfDestination>,
    /// The id of the document library in SharePoint. Default: `drive` of the SharePoint secret.
    pub drive: Option<String>,
    /// The bucket in Amazon S3, which the parameter `PdfObjectArns` has to allow.
    pub bucket: Option<String>,
    /// The folder, which may have `{yyyy}`, `{MM}`, `{dd}`, `{HH}`, `{mm}`, `{workbook}`, `{view}`, `{project}` and `{luid}`. Default:
    /// `{project}`, the path of the workbook's project.
    pub folder: Option<PublishPattern>,
    /// The name of the file without `.pdf`, which may have the same. Default: `{workbook}`, and `{workbook} - {view}` for a view.
    pub name: Option<PublishPattern>,
    /// What happens to a file of this name in SharePoint: `replace` (default), `rename` (the new file gets a number) or `keep` (the new
    /// one is not published). S3 only replaces.
    pub if_exists: IfExists,
    /// The names of the views. Default: every sheet that Tableau lists.
    pub views: Vec<String>,
    /// Filters: a field, and the value or values that it may have. Dates as 2025-04-03.
    pub filters: BTreeMap<String, FilterValues>,
    /// Fields whose filters, as saved in the workbook, are lifted.
    pub lift_filters: Vec<String>,
    /// The size of the paper. Default: legal.
    pub paper: Paper,
    /// `portrait` (default) or `landscape`. A wide table needs landscape, or its right columns are cut off.
    pub orientation: PdfOrientation,
    /// Width and height of the views in pixels. Since Tableau 2025.2.
    pub size: Option<VizSize>,
    /// Whether the function sends no event `PdfPublished` for the files. Default: false.
    pub silent: bool,
    /// The name of a user: the PDF has what that user sees.
    #[serde(rename = "as", deserialize_with = "given")]
    pub user: Option<String>,
}

/// Where a PDF goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum PdfDestination {
    /// A document library in SharePoint, through Microsoft Graph.
    Sharepoint,
    /// A bucket in Amazon S3.
    S3,
}

/// What happens to a file that has the name already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum IfExists {
    /// The new file replaces it.
    #[default]
    Replace,
    /// The new file gets a number.
    Rename,
    /// It stays, and the new file is not published.
    Keep,
}

/// A size of paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "names of sizes")]
pub enum Paper {
    A3,
    A4,
    A5,
    B5,
    Executive,
    Folio,
    Ledger,
    #[default]
    Legal,
    Letter,
    Note,
    Quarto,
    Tabloid,
    /// As large as the view.
    Unspecified,
}

/// An orientation of paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum PdfOrientation {
    /// Upright.
    #[default]
    Portrait,
    /// Across.
    Landscape,
}

/// Width and height of a view, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields, expecting = "{ width: 1200, height: 800 }")]
pub struct VizSize {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A text that is there: a key without a value is a mistake.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    String::deserialize(value).map(Some)
}

impl PublishPdf {
    /// The filters as Tableau's REST API takes them: field and value, sorted by field. A lifted filter has an empty value.
    ///
    /// Commas between values mean "or"; a comma inside a value has a backslash.
    pub fn query(&self) -> Vec<(String, String)> {
        let lifted = self.lift_filters.iter().map(|field| (field.clone(), String::new()));
        let mut all: Vec<_> = self
            .filters
            .iter()
            .map(|(field, values)| (field.clone(), values.query()))
            .chain(lifted)
            .collect();
        all.sort();
        all
    }

    fn check_place(&self) -> Result<(), Invalid> {
        let invalid = |field, problem: &str| Err(Invalid { field, problem: problem.to_owned() });
        match self.to {
            None => return invalid("to", "say where the PDF goes: sharepoint or s3"),
            Some(PdfDestination::Sharepoint) if self.bucket.is_some() => {
                return invalid("bucket", "it is for `to: s3`: remove it, or write `to: s3`");
            }
            Some(PdfDestination::S3) if self.drive.is_some() => {
                return invalid("drive", "it is for `to: sharepoint`: remove it, or write `to: sharepoint`");
            }
            Some(PdfDestination::S3) if self.if_exists != IfExists::Replace => {
                return invalid("if_exists", "S3 only replaces: remove it, or put a date into `name`");
            }
            Some(PdfDestination::S3) => match self.bucket.as_deref() {
                Some(bucket) if is_bucket(bucket) => {}
                Some(_) => {
                    return invalid(
                        "bucket",
                        "it is no name of a bucket: 3 to 63 small letters, digits, dots and hyphens",
                    );
                }
                None => {
                    return invalid(
                        "bucket",
                        "name the bucket, which the parameter `PdfObjectArns` has to allow",
                    );
                }
            },
            Some(PdfDestination::Sharepoint) => {}
        }
        let is_drive = |drive: &str| {
            let may_be = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'-' | b'_');
            (1..=200).contains(&drive.len()) && drive.bytes().all(may_be)
        };
        if self.drive.as_deref().is_some_and(|drive| !is_drive(drive)) {
            return invalid(
                "drive",
                "it is no id of a document library, such as b!abc: an id has letters, digits, `!`, `-` and `_`",
            );
        }
        if self.folder.as_ref().is_some_and(|folder| folder.has_empty_part()) {
            return invalid(
                "folder",
                "a part of the path is empty: write Reports/{yyyy}, without `/` at the ends and without `//`",
            );
        }
        if self.name.as_ref().is_some_and(|name| name.has_slash()) {
            return invalid("name", "it has a `/`: folders belong in `folder`");
        }
        if self.name.as_ref().is_some_and(PublishPattern::is_empty) {
            return invalid("name", "it is empty: write a name, or leave it out");
        }
        if self.name.as_ref().is_some_and(|name| name.ends_with_pdf()) {
            return invalid("name", "it ends with .pdf, which is added: leave it out");
        }
        Ok(())
    }

    fn check_content(&self) -> Result<(), Invalid> {
        let invalid = |field, problem: String| Err(Invalid { field, problem });
        for (at, view) in self.views.iter().enumerate() {
            if view.trim().is_empty() {
                return invalid("views", "a name is empty".to_owned());
            }
            if self.views[..at].contains(view) {
                return invalid("views", format!("`{view}` is in it twice"));
            }
        }
        for (field, values) in &self.filters {
            filters::check_field(field).map_err(|problem| Invalid { field: "filters", problem })?;
            values
                .check()
                .map_err(|problem| Invalid { field: "filters", problem: format!("`{field}`: {problem}") })?;
        }
        for (at, field) in self.lift_filters.iter().enumerate() {
            filters::check_field(field).map_err(|problem| Invalid { field: "lift_filters", problem })?;
            if self.filters.contains_key(field) {
                return invalid(
                    "lift_filters",
                    format!("`{field}` has a value in `filters` too: write one of the two"),
                );
            }
            if self.lift_filters[..at].contains(field) {
                return invalid("lift_filters", format!("`{field}` is in it twice"));
            }
        }
        if let Some(VizSize { width, height }) = self.size
            && !((1..=LARGEST).contains(&width) && (1..=LARGEST).contains(&height))
        {
            return invalid("size", format!("width and height are 1 to {LARGEST} pixels"));
        }
        match self.user.as_deref() {
            Some(user) if user.trim() != user || user.is_empty() => {
                invalid("as", "write the name of a user, as in Tableau's list of users".to_owned())
            }
            Some(user) if user.chars().any(char::is_control) || user.len() > LONGEST_USER => {
                invalid("as", "it is no name of a user".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn is_bucket(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    let outer = |byte: Option<&u8>| byte.is_some_and(|byte| inner(*byte) && !matches!(byte, b'-' | b'.'));
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| inner(*byte))
        && outer(bytes.first())
        && outer(bytes.last())
        && !name.contains("..")
}

impl WorkflowSettings for PublishPdf {
    const WORKFLOW: &'static str = "publish-pdf";
    const EVENTS: &'static [EventName] = &[EventName::WorkbookRefreshSucceeded];

    fn check(&self) -> Result<(), Invalid> {
        self.check_place()?;
        self.check_content()
    }

    fn repeats(&self, earlier: &Self) -> bool {
        self == earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(settings: Value) -> Result<PublishPdf, String> {
        let settings: PublishPdf = serde_json::from_value(settings).map_err(|error| error.to_string())?;
        settings.check().map_err(|invalid| format!("{}: {}", invalid.field, invalid.problem))?;
        Ok(settings)
    }

    fn with(more: Value) -> Result<PublishPdf, String> {
        let mut settings = json!({ "to": "sharepoint" });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(settings)
    }

    fn query(filters: Value) -> Vec<(String, String)> {
        with(json!({ "filters": filters })).unwrap().query()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_place_is_named_once_and_in_full() {
        for (settings, expected) in [
            (json!({}), "to: say where the PDF goes"),
            (json!({ "to": "s3" }), "bucket: name the bucket"),
            (json!({ "to": "s3", "bucket": "Re ports" }), "bucket: it is no name of a bucket"),
            (json!({ "to": "s3", "bucket": "re..ports" }), "bucket: it is no name of a bucket"),
            (json!({ "to": "s3", "bucket": "reports", "drive": "b!1" }), "drive: it is for `to: sharepoint`"),
            (json!({ "to": "s3", "bucket": "reports", "if_exists": "keep" }), "if_exists: S3 only replaces"),
            (json!({ "to": "sharepoint", "bucket": "reports" }), "bucket: it is for `to: s3`"),
            (json!({ "to": "sharepoint", "drive": "b!1/root" }), "drive: it is no id"),
            (json!({ "to": "sharepoint", "folder": "/Reports" }), "folder: a part of the path is empty"),
            (
                json!({ "to": "sharepoint", "folder": "Reports//{yyyy}" }),
                "folder: a part of the path is empty",
            ),
            (json!({ "to": "sharepoint", "name": "a/b" }), "name: it has a `/`"),
            (json!({ "to": "sharepoint", "name": "" }), "name: it is empty"),
            (json!({ "to": "sharepoint", "name": "Sales.PDF" }), "name: it ends with .pdf"),
            (
                json!({ "to": "sharepoint", "name": "{workbok}" }),
                "there is no `{workbok}`; did you mean `{workbook}`?",
            ),
            (json!({ "to": "sharepoint", "name": "{workbook" }), "a `{` without its `}`"),
        ] {
            let problem = read(settings.clone()).unwrap_err();
            assert!(problem.starts_with(expected), "{settings}: {problem}");
        }
        for settings in [
            json!({ "to": "sharepoint" }),
            json!({ "to": "sharepoint", "drive": "b!x-Y_9", "folder": "Reports/{yyyy}/{MM}", "if_exists": "rename" }),
            json!({ "to": "s3", "bucket": "my.reports-1", "folder": "", "name": "{workbook} {yyyy}-{MM}-{dd}" }),
        ] {
            read(settings).unwrap();
        }
    }

    // E11, E13, E14
    #[test]
    fn a_value_of_a_filter_reaches_tableau_as_it_is_meant() {
        assert_eq!(
            query(json!({ "Colour": "Red, Green", "Active": true, "Closed": "True", "Year": 2025 })),
            pairs(&[("Active", "true"), ("Closed", "true"), ("Colour", r"Red\, Green"), ("Year", "2025")])
        );
        assert_eq!(
            query(json!({ "Colour": ["Red", "Green, pale"] })),
            pairs(&[("Colour", r"Red,Green\, pale")])
        );
        assert_eq!(
            query(json!({ "Path": r"a\,b", "End": [r"c\", "d"] })),
            pairs(&[("End", r"c\\,d"), ("Path", r"a\\\,b")])
        );
        assert_eq!(
            query(json!({ "Note": "a=b", "Client": "Smith & Sons", "Share": "5 %2C" })),
            pairs(&[("Client", "Smith & Sons"), ("Note", "a=b"), ("Share", "5 %2C")])
        );
        let lifted = with(json!({ "lift_filters": ["Region"], "filters": { "Year": 2025 } })).unwrap();
        assert_eq!(lifted.query(), pairs(&[("Region", ""), ("Year", "2025")]));
    }

    // E11, E15
    #[test]
    fn a_filter_that_tableau_would_ignore_or_take_otherwise_is_refused_with_what_to_write() {
        for (filters, expected) in [
            (json!({ "Region": "" }), "filters: `Region`: an empty value lifts"),
            (json!({ "Region": [] }), "filters: `Region`: the list is empty"),
            (json!({ "Name": "Ann*" }), "filters: `Name`: `*` matches nothing"),
            (json!({ "Day": "03/04/2025" }), "filters: `Day`: Tableau takes one exact day"),
            (json!({ "Day": "3.4.2025" }), "filters: `Day`: Tableau takes one exact day"),
            (json!({ "Day": "2025/04/03" }), "filters: `Day`: Tableau takes one exact day"),
            (json!({ "Day": "2025-13-03" }), "filters: `Day`: Tableau takes one exact day"),
            (json!({ "Day": "last 7 days" }), "filters: `Day`: Tableau takes one exact day"),
            (json!({ "Day": "Yesterday" }), "filters: `Day`: Tableau takes one exact day"),
            (json!({ "Day": "2025-04-01 to 2025-04-03" }), "filters: `Day`: Tableau takes one exact day"),
            (json!({ "Day": "2025-04-01..2025-04-03" }), "filters: `Day`: Tableau takes one exact day"),
            (json!({ "vf_Region": "West" }), "filters: write `Region`, without vf_"),
            (json!({ " ": "West" }), "filters: the name of a field is empty"),
        ] {
            let problem = with(json!({ "filters": filters })).unwrap_err();
            assert!(problem.starts_with(expected), "{filters}: {problem}");
        }
        for (settings, expected) in [
            (
                json!({ "lift_filters": ["A"], "filters": { "A": 1 } }),
                "lift_filters: `A` has a value in `filters` too",
            ),
            (json!({ "lift_filters": ["A", "A"] }), "lift_filters: `A` is in it twice"),
            (json!({ "views": ["A", "A"] }), "views: `A` is in it twice"),
            (json!({ "views": [""] }), "views: a name is empty"),
            (json!({ "size": { "width": 0, "height": 10 } }), "size: width and height"),
            (json!({ "as": "" }), "as: write the name of a user"),
            (json!({ "as": null }), "invalid type: null"),
        ] {
            let problem = with(settings.clone()).unwrap_err();
            assert!(problem.starts_with(expected), "{settings}: {problem}");
        }
        assert_eq!(
            query(json!({ "Day": "2025-04-03", "Part": "1/2", "At": "2025-04-03 10:00:00" })).len(),
            3
        );
    }
}
