//! What workbooks and data sources connect to.

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use crate::tableau::model::Datasource;

/// A workbook connects to the published data sources that it uses; what is embedded in it is not simulated.
pub(crate) fn of_workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.workbook(call.id()).filter(|w| w.site == call.site());
    let workbook = found.ok_or_else(|| RestError::not_found("404006", "Workbook", call.id()))?;
    call.may_read(workbook.luid.as_str())?;
    let connections = call.model.datasources_of(workbook).map(|datasource| {
        let about = Element::new("datasource").with("id", datasource.luid.as_str());
        connection(datasource, "sqlproxy", "localhost").child(about.with("name", datasource.name.as_str()))
    });
    Ok(list(connections.collect()))
}

pub(crate) fn of_datasource(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.datasource(call.id()).filter(|d| d.site == call.site());
    let datasource = found.ok_or_else(|| RestError::not_found("404004", "Datasource", call.id()))?;
    call.may_read(datasource.luid.as_str())?;
    let about = Element::new("datasource").with("id", datasource.luid.as_str());
    let server = format!("{}.corp.example.com", datasource.kind);
    let connection = connection(datasource, &datasource.kind, &server);
    Ok(list(vec![connection.child(about.with("name", datasource.name.as_str()))]))
}

fn connection(datasource: &Datasource, kind: &str, server: &str) -> Element {
    // A data source has one connection, so it can lend it its LUID.
    Element::new("connection")
        .with("id", datasource.luid.as_str())
        .with("type", kind)
        .with("serverAddress", server)
        .with("serverPort", "")
        .with("userName", "svc_tableau")
        .with("embedPassword", true)
}

fn list(connections: Vec<Element>) -> Answer {
    Answer::ok(Element::root().child(Element::new("connections").many(connections)))
}
