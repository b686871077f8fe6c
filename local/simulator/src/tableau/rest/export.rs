//! Exports workbooks and views as files.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm>

use super::call::{Answer, Call, File};
use super::error::RestError;
use crate::clock::before;
use crate::tableau::events::seconds;
use crate::tableau::export::{self, Page};
use crate::tableau::model::{ExportContent, Feature, View, Workbook};
use std::time::Duration;

/// How long a rendering is cached, unless `maxAge` says otherwise.
const CACHED_MINUTES: u64 = 60;

/// The largest image, in pixels.
const LARGEST: u32 = 4000;

/// Paper sizes in points.
const PAPERS: [(&str, (u32, u32)); 14] = [
    ("legal", (612, 1008)),
    ("letter", (612, 792)),
    ("a3", (842, 1191)),
    ("a4", (595, 842)),
    ("a5", (420, 595)),
    ("b4", (709, 1001)),
    ("b5", (499, 709)),
    ("executive", (522, 756)),
    ("folio", (612, 936)),
    ("ledger", (1224, 792)),
    ("note", (540, 720)),
    ("quarto", (609, 780)),
    ("tabloid", (792, 1224)),
    ("unspecified", (1000, 800)),
];

pub(crate) fn workbook_pdf(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let workbook = workbook(call, call.id())?;
    let views: Vec<View> = call.model.views_of(&workbook).cloned().collect();
    // Without tabs, only the first view is exported.
    let shown = if workbook.show_tabs { views.len() } else { 1 };
    pdf(call, &workbook, &views[..shown.min(views.len())], &workbook.name)
}

pub(crate) fn view_pdf(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (view, workbook) = view(call, call.id(), IMAGE)?;
    pdf(call, &workbook, std::slice::from_ref(&view), &view.name)
}

fn pdf(call: &mut Call<'_>, workbook: &Workbook, views: &[View], name: &str) -> Result<Answer, RestError> {
    let paper = call.query("type").unwrap_or("legal").to_lowercase();
    let (_, (width, height)) = *PAPERS
        .iter()
        .find(|(known, _)| *known == paper)
        .ok_or_else(|| invalid(&format!("The page type '{paper}' is not known.")))?;
    // Without a page size, the page is as large as its content.
    let (width, height) = match size_asked_for(call)? {
        Some(size) if paper == "unspecified" => size,
        _ => (width, height),
    };
    let size = match call.query("orientation").unwrap_or("Portrait").to_lowercase().as_str() {
        "portrait" => (width, height),
        "landscape" => (height, width),
        other => return Err(invalid(&format!("The orientation '{other}' is not known."))),
    };
    let user = call.session.as_ref().and_then(|session| call.model.user(session.user.as_str()));
    let user = user.map(|user| user.name.clone());
    call.model.exported_by.extend(user);
    let shape = call.model.export_shapes.iter().rev().find(|(of, _)| of == name || of == "*");
    let shape = shape.map(|(_, shape)| shape.clone()).unwrap_or_default();
    let mut pages: Vec<Page> = {
        let lines = views.iter().map(|view| lines(call, workbook, Some(view)));
        lines.collect::<Result<Vec<_>, _>>()?.into_iter().map(|lines| Page { size, lines }).collect()
    };
    if shape.content == ExportContent::Blank {
        pages.iter_mut().for_each(|page| page.lines.clear());
    }
    let pages: Vec<Page> = pages.into_iter().flat_map(|page| vec![page; shape.pages]).collect();
    let mut bytes = export::pdf(&pages);
    match shape.content {
        ExportContent::Cut => bytes.truncate(bytes.len() / 2),
        ExportContent::Text => bytes = b"Something went wrong.".to_vec(),
        ExportContent::Whole | ExportContent::Blank => {}
    }
    // Before this word a comment of any length may stand, and all offsets in the file stay right.
    let at = bytes.windows(9).rposition(|part| part == b"startxref").unwrap_or(bytes.len());
    let padding = Some((at, shape.padding_bytes)).filter(|_| shape.padding_bytes > 0);
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || " -_".contains(*c)).collect();
    Ok(Answer::file(File {
        media_type: "application/pdf",
        name: format!("{}.pdf", name.trim()),
        bytes,
        padding,
        pause: shape.pause,
    }))
}

pub(crate) fn workbook_powerpoint(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let workbook = workbook(call, call.id())?;
    let title = lines(call, &workbook, None)?.join(" – ");
    let kind = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
    Ok(file(kind, &workbook.name, "pptx", export::powerpoint(&title)))
}

/// Preview images are small, and available even where exports are forbidden.
pub(crate) fn workbook_preview(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let workbook = find_workbook(call, call.id())?;
    call.may_read(call.id())?;
    Ok(file("image/png", &workbook.name, "png", export::png(300, 300, &workbook.name)))
}

/// The path contains the workbook first and the view last.
pub(crate) fn view_preview(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (view, workbook) = find_view(call, call.id())?;
    call.may_read(call.id())?;
    if call.path.get(1).map(String::as_str) != Some(workbook.luid.as_str()) {
        return Err(RestError::not_found("404011", "View", call.id()));
    }
    Ok(file("image/png", &view.name, "png", export::png(300, 300, &view.name)))
}

pub(crate) fn view_image(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (view, workbook) = view(call, call.id(), IMAGE)?;
    let lines = lines(call, &workbook, Some(&view))?;
    let scale = match call.query("resolution") {
        None => 1,
        Some(resolution) if resolution.eq_ignore_ascii_case("high") => 2,
        Some(_) => return Err(invalid("resolution is high.")),
    };
    let (width, height) = size_asked_for(call)?.unwrap_or((800, 600));
    let svg = match call.query("format").map(str::to_lowercase).as_deref() {
        None | Some("png") => false,
        Some("svg") => true,
        Some(_) => return Err(invalid("format is PNG or SVG.")),
    };
    if svg {
        return Ok(file("image/svg+xml", &view.name, "svg", export::svg(width, height, &lines).into_bytes()));
    }
    let image = export::png(width * scale, height * scale, &lines.join(" - "));
    Ok(file("image/png", &view.name, "png", image))
}

pub(crate) fn view_data(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (view, workbook) = view(call, call.id(), DATA)?;
    as_of(call, &workbook)?;
    let rows = export::rows(call.query("vf_Region"));
    Ok(file("text/csv;charset=utf-8", &view.name, "csv", export::csv(&rows).into_bytes()))
}

pub(crate) fn view_crosstab(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (view, workbook) = view(call, call.id(), DATA)?;
    as_of(call, &workbook)?;
    let rows = export::rows(call.query("vf_Region"));
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(file(kind, &view.name, "xlsx", export::workbook(&view.name, &rows)))
}

fn file(media_type: &'static str, name: &str, extension: &str, bytes: Vec<u8>) -> Answer {
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || " -_".contains(*c)).collect();
    let name = format!("{}.{extension}", name.trim());
    Answer::file(File { media_type, name, bytes, padding: None, pause: Duration::ZERO })
}

fn find_workbook(call: &Call<'_>, id: &str) -> Result<Workbook, RestError> {
    let found = call.model.workbook(id).filter(|w| w.site == call.site());
    found.cloned().ok_or_else(|| RestError::not_found("404006", "Workbook", id))
}

fn find_view(call: &Call<'_>, id: &str) -> Result<(View, Workbook), RestError> {
    let missing = || RestError::not_found("404011", "View", id);
    let view = call.model.view(id).filter(|v| v.site == call.site()).cloned().ok_or_else(missing)?;
    let workbook = call.model.workbook(view.workbook.as_str()).cloned().ok_or_else(missing)?;
    Ok((view, workbook))
}

fn allowed(call: &Call<'_>) -> Result<(), RestError> {
    let off = || RestError::new("403105", "Exporting is not allowed on this site.");
    if call.model.has(Feature::Exports) { Ok(()) } else { Err(off()) }
}

/// The data behind images and PDFs.
const IMAGE: &str = "ExportImage";
/// The data behind CSV files and crosstabs.
const DATA: &str = "ExportData";

fn workbook(call: &Call<'_>, id: &str) -> Result<Workbook, RestError> {
    let workbook = find_workbook(call, id)?;
    call.may_export(IMAGE, id)?;
    allowed(call).map(|()| workbook)
}

fn view(call: &Call<'_>, id: &str, capability: &str) -> Result<(View, Workbook), RestError> {
    let found = find_view(call, id)?;
    call.may_export(capability, id)?;
    allowed(call).map(|()| found)
}

fn invalid(detail: &str) -> RestError {
    RestError::new("400008", detail)
}

/// The requested width and height in pixels: both or none.
fn size_asked_for(call: &Call<'_>) -> Result<Option<(u32, u32)>, RestError> {
    let pixels = |name: &str| {
        let wrong = || invalid(&format!("{name} is a number of pixels, 1 to {LARGEST}."));
        let number = |text: &str| text.parse().ok().filter(|n| (1..=LARGEST).contains(n)).ok_or_else(wrong);
        call.query(name).map(number).transpose()
    };
    match (pixels("vizWidth")?, pixels("vizHeight")?) {
        (Some(width), Some(height)) => Ok(Some((width, height))),
        (None, None) => Ok(None),
        _ => Err(invalid("vizWidth and vizHeight go together.")),
    }
}

/// The lines on an exported page: its content, the age of the data, and what was left out.
fn lines(call: &mut Call<'_>, workbook: &Workbook, view: Option<&View>) -> Result<Vec<String>, RestError> {
    let mut lines = vec![workbook.name.clone()];
    lines.extend(view.map(|v| v.name.clone()));
    lines.push(format!("Data as of {}", as_of(call, workbook)?));
    let filters = call.query.iter().filter(|(name, _)| name.starts_with("vf_"));
    lines.extend(filters.map(|(name, value)| format!("{} = {value}", &name[3..])));
    Ok(lines)
}

/// The age of a rendering's data. It may be older than the last refresh, since renderings are cached.
fn as_of(call: &mut Call<'_>, workbook: &Workbook) -> Result<String, RestError> {
    let minutes = match call.query("maxAge") {
        None => CACHED_MINUTES,
        Some(text) => text
            .parse()
            .ok()
            .filter(|minutes| *minutes > 0)
            .ok_or_else(|| invalid("maxAge is a number of minutes, at least 1."))?,
    };
    let key = workbook.luid.to_string();
    let oldest = before(call.now, Duration::from_secs(minutes * 60));
    if let Some((_, data)) = call.model.rendered.get(&key).filter(|(at, _)| *at > oldest) {
        return Ok(seconds(*data));
    }
    let data = call.model.last_refreshed(workbook);
    call.model.rendered.insert(key, (call.now, data));
    Ok(seconds(data))
}
