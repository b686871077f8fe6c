//! Exports a workbook or a view into a file on the function's disk.

use crate::exports::{Export, What};
use crate::notes::late;
use crate::pdf::{Look, Seen};
use crate::users::Session;
use circuit::Guarded;
use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;
use tableau_client::{Download, Error, ExportOptions, View, Workbook};
use tokio::time::Instant;
use workflow::{Failure, Invocation};

/// The largest file. Lambda's disk has 512 MB.
const LARGEST_BYTES: u64 = 450 * 1_000_000;
/// The waits before a rendering is tried again that has failed: it comes and goes at random.
///
/// Source: `tableau/server-client-python#1146`
const GAPS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];
/// The codes of a rendering that has failed. Their texts blame the id of the view.
const NOT_RENDERED: [&str; 3] = ["400074", "400080", "400130"];
/// The code where a data source has no password.
const NO_DATA: &str = "400074";
/// The codes of a site or server that allows no exports.
const OFF: [&str; 3] = ["403072", "403105", "403128"];

/// A whole PDF file, which vanishes with the process.
#[derive(Debug)]
pub(crate) struct Exported {
    pub(crate) file: File,
    pub(crate) seen: Seen,
    /// Whether the data may be missing: the first sheet of a dashboard has none with these filters.
    pub(crate) may_lack_data: bool,
}

/// What came of an export.
#[derive(Debug)]
pub(crate) enum Rendered {
    /// A file.
    File(Exported),
    /// Nothing is left with these filters.
    NoData,
}

/// What Tableau sent.
enum Received {
    /// A whole PDF, and what was seen of it.
    Whole(File, Seen),
    /// Something else, or a part of a PDF.
    NotWhole,
    /// It could not be written to the disk of the function.
    Disk(io::Error),
}

/// Exports, until `until`.
pub(crate) async fn export(
    session: &Session<'_>,
    workbook: &Workbook,
    export: &Export,
    until: Instant,
    invocation: &Invocation,
) -> Result<Rendered, Failure> {
    let Some(may_lack_data) = data(session, workbook, export, until, invocation).await? else {
        return Ok(Rendered::NoData);
    };
    let name = export.what.name(workbook);
    let time = until.saturating_duration_since(Instant::now());
    let whole = invocation.ends_at().duration_since(invocation.now).unsigned_abs();
    let has_time = time * 3 >= whole;
    let mut gaps = GAPS.iter();
    loop {
        let file = tempfile::tempfile()
            .map_err(|error| Failure::transient(format!("cannot make a file: {error}")))?;
        let attempt = into_file(session, workbook, export, file, invocation);
        let attempt = tokio::time::timeout_at(until, Box::pin(attempt)).await;
        let error = match attempt {
            Ok(Ok(Received::Whole(file, seen))) => {
                return Ok(Rendered::File(Exported { file, seen, may_lack_data }));
            }
            Ok(Ok(Received::NotWhole)) => {
                return Err(Failure::transient(format!(
                    "Tableau returned an incomplete PDF of `{name}`; nothing was published"
                )));
            }
            Ok(Ok(Received::Disk(error))) => {
                return Err(Failure::transient(format!(
                    "the export of `{name}` could not be written to the disk of the function: {error}"
                )));
            }
            Ok(Err(error)) => error,
            Err(_) => {
                let failure = Failure::transient(format!(
                    "the export of `{name}` took longer than this attempt has time"
                ));
                return Err(match has_time {
                    true => late(invocation, &export.key(workbook, session.name()), failure).await,
                    // Other exports took the time; they are not made again.
                    false => failure,
                });
            }
        };
        let is_not_rendered = matches!(&error, Guarded::Call(error) if error.code().is_some_and(|code| NOT_RENDERED.contains(&code)));
        match gaps.next().filter(|gap| is_not_rendered && Instant::now() + **gap < until) {
            Some(gap) => tokio::time::sleep(*gap).await,
            None => return Err(meaning(session, workbook, export, error, invocation).await),
        }
    }
}

type CallError = Guarded<guarded_tableau::TableauError>;

async fn into_file(
    session: &Session<'_>,
    workbook: &Workbook,
    export: &Export,
    mut file: File,
    invocation: &Invocation,
) -> Result<Received, CallError> {
    let tableau = session.tableau();
    let client = tableau.client();
    let download = async {
        let options = &export.options;
        let mut download: Download = match &export.what {
            What::Workbook => client.workbook_pdf(&workbook.id, options, LARGEST_BYTES).await?,
            What::View(view) => client.view_pdf(&view.id, options, LARGEST_BYTES).await?,
        };
        let mut look = Look::default();
        let mut written = Ok(());
        while let Some(piece) = download.piece().await? {
            look.see(&piece);
            // Writing goes to memory that the system empties to a local disk.
            written = file.write_all(&piece);
            if written.is_err() {
                break;
            }
        }
        Ok::<_, Error>((look, written))
    };
    let (look, written) = tableau.call(invocation, download).await?;
    if let Err(error) = written {
        return Ok(Received::Disk(error));
    }
    Ok(look.end().map_or(Received::NotWhole, |seen| Received::Whole(file, seen)))
}

/// Whether anything is left with the filters: `None` if nothing is, `Some(true)` if the sheets that were asked say nothing about the rest.
async fn data(
    session: &Session<'_>,
    workbook: &Workbook,
    export: &Export,
    until: Instant,
    invocation: &Invocation,
) -> Result<Option<bool>, Failure> {
    if export.options.filters.iter().all(|(_, value)| value.is_empty()) {
        return Ok(Some(false));
    }
    let views: &[View] = match &export.what {
        What::Workbook => &workbook.views,
        What::View(view) => std::slice::from_ref(view.as_ref()),
    };
    let mut has_dashboard = false;
    for view in views {
        // The data of a dashboard is that of its first sheet: tableau/server-client-python#1132
        let asked = tokio::time::timeout_at(until, rows(session, view, &export.options, invocation)).await;
        match asked.map_err(|_| Failure::transient("Tableau did not say in time whether there is data"))? {
            Ok(true) => return Ok(Some(false)),
            Ok(false) => has_dashboard |= !is_sheet(session, view, invocation).await?,
            // Without the right to see the data there is no way to tell.
            Err(Guarded::Call(error)) if !error.is_transient() => {
                tracing::warn!(
                    view = view.name,
                    reason = workflow::chain(&error),
                    "cannot ask whether there is data"
                );
                return Ok(Some(true));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(has_dashboard.then_some(true))
}

/// Whether a view is a sheet: the list of a workbook's views may not say it.
async fn is_sheet(session: &Session<'_>, view: &View, invocation: &Invocation) -> Result<bool, CallError> {
    let is_sheet = |kind: &str| kind == "view";
    if let Some(kind) = &view.sheet_type {
        return Ok(is_sheet(kind));
    }
    let tableau = session.tableau();
    let whole = tableau.call(invocation, tableau.client().view(&view.id)).await?;
    Ok(whole.sheet_type.as_deref().is_none_or(is_sheet))
}

/// Whether a view has a row of data, beside the names of its columns.
async fn rows(
    session: &Session<'_>,
    view: &View,
    options: &ExportOptions,
    invocation: &Invocation,
) -> Result<bool, CallError> {
    let tableau = session.tableau();
    let ask = async {
        let mut lines = 0;
        let mut has_text = false;
        let mut download = tableau.client().view_csv(&view.id, options, u64::MAX).await?;
        while let Some(piece) = download.piece().await? {
            for byte in piece {
                match byte {
                    b'\n' => lines += usize::from(std::mem::take(&mut has_text)),
                    byte if !byte.is_ascii_whitespace() => has_text = true,
                    _ => {}
                }
                if lines > 0 && has_text {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    };
    tableau.call(invocation, ask).await
}

/// What a failed export means, with the name of the view.
async fn meaning(
    session: &Session<'_>,
    workbook: &Workbook,
    export: &Export,
    error: CallError,
    invocation: &Invocation,
) -> Failure {
    let call = match error {
        Guarded::CircuitOpen(open) => return open.into(),
        Guarded::Call(call) => call,
    };
    let name = export.what.name(workbook);
    let kind = match export.what {
        What::Workbook => "workbook",
        What::View(_) => "view",
    };
    let said = workflow::chain(&call);
    let who = session
        .name()
        .map_or_else(|| "the user of the Tableau credential".to_owned(), |user| format!("`{user}`"));
    match call.code() {
        Some(NO_DATA) => match without_password(session, workbook, invocation).await {
            Some(connections) => Failure::permanent(format!(
                "the {kind} `{name}` cannot be rendered, and {connections}: probably it was lost when the workbook was published last. {} \
                 has to store it with the connection. {said}",
                owner(session, workbook, invocation).await
            )),
            None => {
                Failure::transient(format!("the {kind} `{name}` cannot be rendered at the moment: {said}"))
            }
        },
        Some(code) if NOT_RENDERED.contains(&code) => {
            Failure::transient(format!("the {kind} `{name}` cannot be rendered at the moment: {said}"))
        }
        Some(code) if OFF.contains(&code) => Failure::misconfigured(format!(
            "exports are off for the {kind} `{name}`: a site administrator can allow them. {said}"
        )),
        Some(_) if call.is_not_found() || call.lacks_right() => Failure::misconfigured(format!(
            "{who} may not export the {kind} `{name}`, or a part of it: give the right `Download Image/PDF` on it. {said}"
        )),
        _ => {
            let retry_after = call.retry_after();
            match Failure::from(call) {
                Failure::Transient { .. } => {
                    Failure::Transient { source: format!("the {kind} `{name}`: {said}").into(), retry_after }
                }
                Failure::Misconfigured { .. } => {
                    Failure::misconfigured(format!("the {kind} `{name}`: {said}"))
                }
                Failure::Permanent { .. } => Failure::permanent(format!("the {kind} `{name}`: {said}")),
            }
        }
    }
}

/// Which connections have a user and no stored password, as a part of a sentence.
async fn without_password(
    session: &Session<'_>,
    workbook: &Workbook,
    invocation: &Invocation,
) -> Option<String> {
    let tableau = session.tableau();
    let connections =
        tableau.call(invocation, tableau.client().workbook_connections(&workbook.id)).await.ok()?;
    let lacking =
        connections.iter().filter(|one| one.embed_password == Some(false) && !one.user_name.is_empty());
    let named: Vec<String> =
        lacking.map(|one| plain_text::one_line(&format!("{} {}", one.kind, one.server_address))).collect();
    (!named.is_empty()).then(|| format!("no password is stored with the connection to {}", named.join(", ")))
}

/// The owner of the workbook, for people.
async fn owner(session: &Session<'_>, workbook: &Workbook, invocation: &Invocation) -> String {
    let unknown = || "The owner of the workbook".to_owned();
    let Some(luid) = workbook.owner.as_ref().and_then(|owner| owner.id.as_ref()) else { return unknown() };
    let tableau = session.tableau();
    match tableau.call(invocation, tableau.client().owner(luid)).await {
        Ok(Some(owner)) => format!("The owner of the workbook, {},", plain_text::one_line(&owner.name)),
        _ => unknown(),
    }
}
