//! The connections of workbooks and data sources.

use super::call::{Answer, Call};
use super::content::server_name;
use super::element::Element;
use super::error::RestError;
use crate::tableau::model::{Datasource, Model};

/// A workbook connects to the published data sources that it uses; embedded data sources are not simulated.
pub(crate) fn of_workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.workbook(call.id()).filter(|w| w.site == call.site());
    let workbook = found.ok_or_else(|| RestError::not_found("404006", "Workbook", call.id()))?;
    call.may_read(workbook.luid.as_str())?;
    let of = workbook.luid.to_string();
    let used: Vec<Datasource> = call.model.datasources_of(workbook).cloned().collect();
    let connections =
        used.iter().map(|datasource| connection(call.model, &of, datasource, "sqlproxy", "localhost"));
    Ok(list(connections.collect()))
}

pub(crate) fn of_datasource(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.datasource(call.id()).filter(|d| d.site == call.site());
    let datasource = found.ok_or_else(|| RestError::not_found("404004", "Datasource", call.id()))?;
    call.may_read(datasource.luid.as_str())?;
    let datasource = datasource.clone();
    let of = datasource.luid.to_string();
    let connection = connection(call.model, &of, &datasource, &datasource.kind, &server_name(&datasource));
    Ok(list(vec![connection]))
}

/// The connection of a workbook or data source. The connection has an id of its own.
fn connection(model: &mut Model, of: &str, datasource: &Datasource, kind: &str, server: &str) -> Element {
    let key = (of.to_owned(), datasource.luid.to_string());
    let id = model.connections.entry(key).or_insert_with(|| uuid::Uuid::new_v4().to_string()).clone();
    let about = Element::new("datasource").with("id", datasource.luid.as_str());
    Element::new("connection")
        .with("id", id.as_str())
        .with("type", kind)
        .with("serverAddress", server)
        .with("serverPort", "")
        .with("userName", "svc_tableau")
        .with("embedPassword", !model.without_passwords.contains(of))
        .child(about.with("name", datasource.name.as_str()))
}

fn list(connections: Vec<Element>) -> Answer {
    Answer::ok(Element::root().child(Element::new("connections").many(connections)))
}
