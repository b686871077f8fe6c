use tableau_client::{Error, ExportOptions, PageType, TableauClient, WorkbookLuid};

/// The size of a workbook's PDF with the newest data; `None` when there is no such workbook.
pub(crate) async fn pdf_bytes(
    client: &TableauClient,
    workbook: &WorkbookLuid,
) -> Result<Option<usize>, Error> {
    // `fresh`: without it, an export right after a refresh may show the old data.
    let options = ExportOptions { page_type: Some(PageType::A4), ..ExportOptions::fresh() };
    let mut pdf = match client.workbook_pdf(workbook, &options, 50 << 20).await {
        Err(error) if error.is_not_found() => return Ok(None),
        // Of the other errors, `is_transient` says which are temporary, and `retry_after` when to try again.
        other => other?,
    };
    let mut size = 0;
    while let Some(piece) = pdf.piece().await? {
        size += piece.len();
    }
    Ok(Some(size))
}
