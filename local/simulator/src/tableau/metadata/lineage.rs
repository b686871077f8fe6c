//! The objects between workbooks and published data sources: sheets, dashboards, and embedded data sources.
//!
//! Source: <https://help.tableau.com/current/api/metadata_api/en-us/reference/sheet.doc.html>

use super::node::{Found, Node, without_connection};
use crate::tableau::events::seconds;
use crate::tableau::model::{Datasource, Model, View, Workbook};
use serde_json::json;

fn is_sheet(view: &View) -> bool {
    view.sheet_type == "view"
}

pub(super) fn sheets<'a>(model: &'a Model, workbook: &'a Workbook) -> Found<'a> {
    let sheets = model.views_of(workbook).filter(|view| is_sheet(view));
    Found::Many("Sheet", sheets.map(Node::View).collect())
}

pub(super) fn dashboards<'a>(model: &'a Model, workbook: &'a Workbook) -> Found<'a> {
    let dashboards = model.views_of(workbook).filter(|view| !is_sheet(view));
    Found::Many("Dashboard", dashboards.map(Node::View).collect())
}

/// A workbook has one embedded data source for each published data source that it uses. Its own data is not simulated.
pub(super) fn embedded<'a>(model: &'a Model, workbook: &'a Workbook) -> Found<'a> {
    let embedded = model.datasources_of(workbook).map(|used| Node::Embedded(workbook, used));
    Found::Many("EmbeddedDatasource", embedded.collect())
}

/// Tables need Tableau Catalog, which is not simulated; without it the lists are empty.
pub(super) fn tables<'a>() -> Found<'a> {
    Found::Many("DatabaseTable", Vec::new())
}

/// A sheet uses every data source of its workbook; a dashboard shows every sheet of its workbook.
pub(super) fn of_view<'a>(model: &'a Model, view: &'a View, name: &str) -> Option<Found<'a>> {
    let workbook = model.workbook(view.workbook.as_str())?;
    Some(match name {
        "luid" => Found::Value(json!(view.luid)),
        "name" => Found::Value(json!(view.name)),
        "path" => Found::Value(json!(view.content_url.replace("/sheets", ""))),
        "createdAt" => Found::Value(json!(seconds(workbook.created_at))),
        "updatedAt" => Found::Value(json!(seconds(workbook.updated_at))),
        name => match without_connection(name) {
            "sheets" if !is_sheet(view) => sheets(model, workbook),
            "parentEmbeddedDatasources" if is_sheet(view) => embedded(model, workbook),
            _ => return None,
        },
    })
}

/// An embedded data source has no extract: the published data source has it.
pub(super) fn of_embedded<'a>(published: &'a Datasource, name: &str) -> Option<Found<'a>> {
    Some(match name {
        "name" => Found::Value(json!(published.name)),
        "hasExtracts" => Found::Value(json!(false)),
        name => match without_connection(name) {
            "parentPublishedDatasources" => {
                Found::Many("PublishedDatasource", vec![Node::Datasource(published)])
            }
            "upstreamTables" => tables(),
            _ => return None,
        },
    })
}
