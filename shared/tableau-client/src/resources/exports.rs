//! Exports: PDF, PowerPoint, images and data.
//!
//! An export can be large and take minutes. It is read piece by piece, up to the size that the caller allows. A site
//! creates 20 exports at a time; a further one is refused with `429000`.

use crate::call::{Call, Path};
use crate::{Error, TableauClient};
use bytes::Bytes;
use reqwest::{Response, header};
use std::fmt;
use std::num::NonZeroU16;
use std::time::Duration;
use tableau::{ViewLuid, WorkbookLuid};
use tokio::time::Instant;

/// How long an export may take in total.
const EXPORT: Duration = Duration::from_secs(15 * 60);
/// How long each further piece of an export may take.
const PIECE: Duration = Duration::from_secs(60);

/// How old an export may be. Tableau keeps a created export for an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// Any age: Tableau may return a kept export.
    #[default]
    Any,
    /// At most this many minutes. With an older one, an export from before a refresh could be returned.
    Minutes(NonZeroU16),
}

impl Freshness {
    /// The shortest age that can be requested: one minute.
    pub const FRESH: Self = Self::Minutes(NonZeroU16::MIN);
}

/// The page size of a PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "names of paper sizes")]
#[non_exhaustive]
pub enum PageType {
    A3,
    A4,
    A5,
    B5,
    Executive,
    Folio,
    Ledger,
    Legal,
    Letter,
    Note,
    Quarto,
    Tabloid,
    /// As large as the exported content.
    Unspecified,
}

/// The page orientation of a PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say what they are")]
pub enum Orientation {
    Portrait,
    Landscape,
}

/// The options of an export. Each kind of export sends those that apply to it; the defaults are Tableau's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// How old the export may be.
    pub freshness: Freshness,
    /// Filters, as field and value; several values are separated by commas. For views in every version, for workbooks
    /// since 3.23.
    pub filters: Vec<(String, String)>,
    /// PDF only: the page size. The default is Legal.
    pub page_type: Option<PageType>,
    /// PDF only: the orientation. The default is portrait.
    pub orientation: Option<Orientation>,
    /// PDF and image only: width and height in pixels. Since REST API 3.26 (PDF) and 3.23 (image).
    pub viz_size: Option<(u32, u32)>,
    /// Image only: twice the resolution.
    pub high_resolution: bool,
    /// Image only: SVG in place of PNG. Since REST API 3.29.
    pub svg: bool,
}

impl ExportOptions {
    /// The default options with the shortest age, for an export after a refresh.
    pub fn fresh() -> Self {
        Self { freshness: Freshness::FRESH, ..Self::default() }
    }

    fn add_to<'a>(&self, mut call: Call<'a>, kind: Kind) -> Call<'a> {
        if kind == Kind::Preview {
            return call;
        }
        if let Freshness::Minutes(minutes) = self.freshness {
            call = call.query("maxAge", minutes.to_string());
        }
        if matches!(kind, Kind::Pdf | Kind::Image | Kind::Data) {
            for (field, value) in &self.filters {
                call = call.query(format!("vf_{field}"), value.as_str());
            }
        }
        if kind == Kind::Pdf {
            if let Some(page_type) = self.page_type {
                call = call.query("type", format!("{page_type:?}"));
            }
            if let Some(orientation) = self.orientation {
                call = call.query("orientation", format!("{orientation:?}"));
            }
        }
        if let Some((width, height)) = self.viz_size.filter(|_| matches!(kind, Kind::Pdf | Kind::Image)) {
            call = call.query("vizWidth", width.to_string()).query("vizHeight", height.to_string());
        }
        if self.high_resolution && kind == Kind::Image {
            call = call.query("resolution", "high");
        }
        if self.svg && kind == Kind::Image {
            call = call.query("format", "svg");
        }
        call
    }
}

/// Which options a kind of export accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pdf,
    PowerPoint,
    Preview,
    Image,
    Data,
}

/// A file that is downloaded piece by piece.
///
/// The pieces are exactly the bytes that the server sent. Unlike all other answers, they are not searched for the
/// client's secrets: a server that echoes requests could put the session's token into a file. Do not log the pieces.
pub struct Download {
    operation: &'static str,
    response: Option<Response>,
    limit: u64,
    taken: u64,
    deadline: Option<Instant>,
}

impl Download {
    /// The content type of the file, such as `application/pdf`.
    pub fn content_type(&self) -> Option<&str> {
        self.response.as_ref()?.headers().get(header::CONTENT_TYPE)?.to_str().ok()
    }

    /// The size of the file, if Tableau states it in advance.
    pub fn size_bytes(&self) -> Option<u64> {
        self.response.as_ref()?.content_length()
    }

    /// Returns the next piece; `None` at the end.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when the file exceeds the limit, [`Error::Unreachable`] when the download breaks off,
    /// [`Error::OutOfTime`] when a piece takes over a minute or the client's time limit is reached.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        let operation = self.operation;
        let Some(response) = self.response.as_mut() else { return Ok(None) };
        let idle = Instant::now() + PIECE;
        let until = self.deadline.map_or(idle, |deadline| deadline.min(idle));
        let url = response.url().clone();
        let piece = tokio::time::timeout_at(until, response.chunk()).await;
        let piece = piece.map_err(|_| Error::OutOfTime { operation, source: None })?;
        let Some(piece) = piece.map_err(|e| Error::unreachable(operation, &url, e))? else {
            return Ok(None);
        };
        self.taken = self.taken.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if self.taken > self.limit { Err(self.too_large()) } else { Ok(Some(piece)) }
    }

    /// Returns the whole file in memory.
    ///
    /// # Errors
    /// As [`Download::piece`].
    pub async fn bytes(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    fn too_large(&self) -> Error {
        let limit_bytes = usize::try_from(self.limit).unwrap_or(usize::MAX);
        Error::TooLarge { operation: self.operation, limit_bytes }
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("operation", &self.operation)
            .field("taken_bytes", &self.taken)
            .field("limit_bytes", &self.limit)
            .finish_non_exhaustive()
    }
}

impl TableauClient {
    async fn export(
        &self,
        operation: &'static str,
        path: &str,
        options: &ExportOptions,
        kind: Kind,
        limit_bytes: u64,
    ) -> Result<Download, Error> {
        let call = options.add_to(Call::get(operation, Path::Site(path)).timeout(EXPORT), kind);
        let response = self.open(call).await?;
        let download =
            Download { operation, response, limit: limit_bytes, taken: 0, deadline: self.deadline() };
        match download.size_bytes() {
            Some(size) if size > limit_bytes => Err(download.too_large()),
            _ => Ok(download),
        }
    }
}

macro_rules! exports {
    ($($(#[$doc:meta])* $name:ident($luid:ident: $type:ty) $operation:literal $path:literal $kind:ident $source:literal;)*) => {
        impl TableauClient {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// [`Error::Refused`] with code 404006 or 404011 when there is no such workbook or view, 403105, 403072 or
            /// 403128 when exporting is off, 429000 when 20 exports are under way; [`Error::TooLarge`] when it is over
            /// `limit_bytes`.
            ///
            #[doc = concat!("Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#", $source, ">")]
            pub async fn $name(
                &self,
                $luid: &$type,
                options: &ExportOptions,
                limit_bytes: u64,
            ) -> Result<Download, Error> {
                self.export($operation, &format!($path), options, Kind::$kind, limit_bytes).await
            }
        )*}
    };
}

exports! {
    /// A workbook as PDF. It holds all views only if the workbook shows its sheets as tabs: see
    /// [`Workbook::show_tabs`](crate::Workbook::show_tabs), and ask view by view otherwise. REST API 3.4+; JWT scope
    /// `tableau:workbooks:download`.
    workbook_pdf(workbook: WorkbookLuid) "export the workbook as PDF" "workbooks/{workbook}/pdf" Pdf
        "download_workbook_pdf";
    /// A workbook as PowerPoint. REST API 3.8+; JWT scope `tableau:workbooks:download`.
    workbook_powerpoint(workbook: WorkbookLuid) "export the workbook as PowerPoint" "workbooks/{workbook}/powerpoint"
        PowerPoint "download_workbook_powerpoint";
    /// A small picture of a workbook, as PNG; it has no options. REST API 2.0+; JWT scope `tableau:workbooks:download`.
    workbook_preview(workbook: WorkbookLuid) "fetch the workbook's preview" "workbooks/{workbook}/previewImage"
        Preview "query_workbook_preview_img";
    /// A view as PDF. REST API 2.8+; JWT scope `tableau:views:download`.
    view_pdf(view: ViewLuid) "export the view as PDF" "views/{view}/pdf" Pdf "query_view_pdf";
    /// A view as PNG, or as SVG if asked for. REST API 2.5+; JWT scope `tableau:views:download`.
    view_image(view: ViewLuid) "export the view as an image" "views/{view}/image" Image "query_view_image";
    /// The data of a view as CSV. REST API 2.8+; JWT scope `tableau:views:download`.
    view_csv(view: ViewLuid) "export the view's data" "views/{view}/data" Data "query_view_data";
    /// A view as an Excel crosstab. REST API 3.9+; JWT scope `tableau:views:download`.
    view_crosstab(view: ViewLuid) "export the view as a crosstab" "views/{view}/crosstab/excel" Data
        "download_view_crosstab_excel";
}
