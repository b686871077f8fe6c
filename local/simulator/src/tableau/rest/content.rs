//! Workbooks and data sources.
//!
//! Sources: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm>,
//! <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_data_sources.htm>; for attributes and elements
//! `tableau/server-client-python`, `test/assets/workbook_*.xml` and `datasource_*.xml`

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::fields::Fields;
use super::filter::{COMPARE, EQ, EQ_IN, Field, Spec, sort};
use super::parts::{SIZE, email, owner, project};
use super::{page, tags, views};
use crate::tableau::events::seconds;
use crate::tableau::model::{Datasource, Model, Workbook};
use crate::tableau::version::RestVersion;
use jiff::Timestamp;
use tableau::{ProjectLuid, UserLuid};

/// The base of each `webpageUrl`.
const WEB_URL: &str = "https://10ay.online.tableau.com";

pub(crate) const WORKBOOK: Spec = &[
    ("name", EQ_IN),
    ("contentUrl", EQ_IN),
    ("projectName", EQ_IN),
    ("ownerName", EQ_IN),
    ("ownerEmail", EQ_IN),
    ("tags", EQ_IN),
    ("displayTabs", EQ),
    ("hasExtracts", EQ),
    ("sheetCount", COMPARE),
    ("size", COMPARE),
    ("favoritesTotal", COMPARE),
    ("createdAt", COMPARE),
    ("updatedAt", COMPARE),
];

/// `projectName` comes first, so that older versions can leave it out.
pub(crate) const DATASOURCE: Spec = &[
    ("projectName", EQ_IN),
    ("name", EQ_IN),
    ("description", EQ_IN),
    ("contentUrl", EQ_IN),
    ("ownerName", EQ_IN),
    ("ownerEmail", EQ),
    ("serverName", EQ_IN),
    ("tags", EQ_IN),
    ("hasExtracts", EQ),
    ("isCertified", EQ),
    ("isPublished", EQ),
    ("type", EQ),
    ("size", COMPARE),
    ("favoritesTotal", COMPARE),
    ("createdAt", COMPARE),
    ("updatedAt", COMPARE),
];

/// The REST versions that cannot filter data sources by project.
const WITHOUT_PROJECT: std::ops::RangeInclusive<RestVersion> =
    RestVersion { major: 3, minor: 13 }..=RestVersion { major: 3, minor: 17 };

const WORKBOOK_FIELDS: Fields = Fields {
    row: "workbook",
    by_default: &[
        "id",
        "name",
        "description",
        "contentUrl",
        "webpageUrl",
        "showTabs",
        "size",
        "createdAt",
        "updatedAt",
        "encryptExtracts",
        "defaultViewId",
        "project.id",
        "project.name",
        "owner.id",
        "tags",
        "dataAccelerationConfig",
    ],
    more: &[
        "sheetCount",
        "hasExtracts",
        "shareDescription",
        "lastPublishedAt",
        "project.description",
        "location",
        "owner.name",
        "owner.fullName",
        "owner.email",
        "owner.siteRole",
        "owner.lastLogin",
    ],
};

const DATASOURCE_FIELDS: Fields = Fields {
    row: "datasource",
    by_default: &[
        "id",
        "name",
        "description",
        "contentUrl",
        "webpageUrl",
        "type",
        "size",
        "encryptExtracts",
        "hasExtracts",
        "isCertified",
        "certificationNote",
        "useRemoteQueryAgent",
        "createdAt",
        "updatedAt",
        "project.id",
        "project.name",
        "owner.id",
        "tags",
    ],
    more: &[
        "connectedWorkbooksCount",
        "favoritesTotal",
        "hasAlert",
        "isPublished",
        "serverName",
        "project.description",
        "owner.name",
        "owner.fullName",
        "owner.email",
        "owner.siteRole",
        "owner.lastLogin",
    ],
};

/// The attributes that workbooks and data sources share.
struct Common<'a> {
    name: &'a str,
    content_url: &'a str,
    project: &'a ProjectLuid,
    owner: &'a UserLuid,
    tags: &'a [String],
    has_extracts: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Common<'_> {
    fn field(&self, model: &Model, name: &str) -> Field {
        let owner = model.user(self.owner.as_str());
        let text = |text: Option<&str>| Field::Text(text.unwrap_or_default().to_owned());
        match name {
            "name" => text(Some(self.name)),
            "contentUrl" => text(Some(self.content_url)),
            "projectName" => text(model.project(self.project).map(|p| p.name.as_str())),
            "ownerName" => text(owner.map(|u| u.full_name.as_str())),
            "ownerEmail" => text(owner.map(email)),
            "tags" => Field::Texts(self.tags.to_vec()),
            "hasExtracts" => Field::Text(self.has_extracts.to_string()),
            "size" => Field::Number(SIZE.into()),
            "favoritesTotal" => Field::Number(0),
            "createdAt" => Field::Time(Some(self.created_at)),
            _ => Field::Time(Some(self.updated_at)),
        }
    }
}

impl Workbook {
    fn common(&self) -> Common<'_> {
        Common {
            name: &self.name,
            content_url: &self.content_url,
            project: &self.project,
            owner: &self.owner,
            tags: &self.tags,
            has_extracts: self.has_extracts,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl Datasource {
    fn common(&self) -> Common<'_> {
        Common {
            name: &self.name,
            content_url: &self.content_url,
            project: &self.project,
            owner: &self.owner,
            tags: &self.tags,
            has_extracts: self.has_extracts,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// The database server of a data source.
pub(crate) fn server_name(datasource: &Datasource) -> String {
    format!("{}.corp.example.com", datasource.kind)
}

pub(crate) fn web_page(call: &Call<'_>, kind: &str, number: u32) -> String {
    let site = call.model.site(call.site().as_str()).map(|s| s.content_url.clone()).unwrap_or_default();
    format!("{WEB_URL}/#/site/{site}/{kind}/{number}")
}

/// A workbook element with all fields.
fn whole_workbook(call: &Call<'_>, workbook: &Workbook) -> Element {
    let model = &*call.model;
    let default_view = model.views_of(workbook).next().map(|v| v.luid.as_str());
    let location = model.project(&workbook.project).map(|project| {
        let location = Element::new("location").with("id", project.luid.as_str()).with("type", "Project");
        location.with("name", project.name.as_str())
    });
    let (enabled, now) = workbook.acceleration.unzip();
    let acceleration = Element::new("dataAccelerationConfig")
        .with_some("accelerationEnabled", enabled)
        .with_some("accelerateNow", now);
    Element::new("workbook")
        .with("id", workbook.luid.as_str())
        .with("name", workbook.name.as_str())
        .with_some("description", workbook.description.as_deref())
        .with("contentUrl", workbook.content_url.as_str())
        .with("webpageUrl", web_page(call, "workbooks", workbook.number))
        // Tableau writes this flag as text.
        .with("showTabs", workbook.show_tabs.to_string())
        .with("size", SIZE)
        .with("createdAt", seconds(workbook.created_at))
        .with("updatedAt", seconds(workbook.updated_at))
        .with("sheetCount", model.views_of(workbook).count())
        .with("hasExtracts", workbook.has_extracts)
        .with("encryptExtracts", workbook.encrypt_extracts)
        .with_some("defaultViewId", default_view)
        .with("shareDescription", workbook.name.as_str())
        .with("lastPublishedAt", seconds(workbook.updated_at))
        .child(project(model, &workbook.project))
        .child_some(location)
        .child(owner(model, &workbook.owner))
        .child(tags::element(&workbook.tags))
        .child(acceleration)
}

/// The element of a single workbook.
pub(crate) fn workbook_element(call: &Call<'_>, workbook: &Workbook) -> Result<Element, RestError> {
    Ok(WORKBOOK_FIELDS.asked(None)?.of(whole_workbook(call, workbook)))
}

/// A data source element with all fields.
fn whole_datasource(call: &Call<'_>, datasource: &Datasource) -> Element {
    let model = &*call.model;
    let uses = |w: &&Workbook| model.datasources_of(w).any(|d| d.luid == datasource.luid);
    Element::new("datasource")
        .with("id", datasource.luid.as_str())
        .with("name", datasource.name.as_str())
        .with_some("description", datasource.description.as_deref())
        .with("contentUrl", datasource.content_url.as_str())
        .with("webpageUrl", web_page(call, "datasources", datasource.number))
        .with("type", datasource.kind.as_str())
        .with("size", SIZE)
        .with("encryptExtracts", datasource.encrypt_extracts)
        .with("hasExtracts", datasource.has_extracts)
        .with("isCertified", datasource.certified.is_some())
        .with_some("certificationNote", datasource.certified.as_deref().or(datasource.kept_note.as_deref()))
        .with("useRemoteQueryAgent", datasource.use_remote_query_agent)
        .with("createdAt", seconds(datasource.created_at))
        .with("updatedAt", seconds(datasource.updated_at))
        .with("connectedWorkbooksCount", model.workbooks.iter().filter(uses).count())
        .with("favoritesTotal", 0_u8)
        .with("hasAlert", false)
        .with("isPublished", true)
        .with("serverName", server_name(datasource))
        .child(project(model, &datasource.project))
        .child(owner(model, &datasource.owner))
        .child(tags::element(&datasource.tags))
}

/// The element of a single data source.
pub(crate) fn datasource_element(call: &Call<'_>, datasource: &Datasource) -> Result<Element, RestError> {
    Ok(DATASOURCE_FIELDS.asked(None)?.of(whole_datasource(call, datasource)))
}

pub(crate) fn workbooks(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let filter = call.filter(WORKBOOK)?;
    let asked = WORKBOOK_FIELDS.asked(call.query("fields"))?;
    let model = &*call.model;
    let site = call.site();
    let field = |w: &&Workbook, name: &str| match name {
        "displayTabs" => Field::Text(w.show_tabs.to_string()),
        "sheetCount" => Field::Number(model.views_of(w).count().try_into().unwrap_or(i64::MAX)),
        name => w.common().field(model, name),
    };
    let workbooks = model.workbooks.iter().filter(|w| w.site == site && call.sees(w.luid.as_str()));
    let mut rows: Vec<&Workbook> = workbooks.collect();
    rows.retain(|w| filter.passes(|name| field(w, name)));
    sort(&mut rows, call.query("sort"), WORKBOOK, field)?;
    page::answer(call, "workbooks", &rows, |w| asked.of(whole_workbook(call, w)))
}

pub(crate) fn workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.workbook(call.id()).filter(|w| w.site == call.site());
    let workbook = found.ok_or_else(|| RestError::not_found("404006", "Workbook", call.id()))?;
    call.may_read(workbook.luid.as_str())?;
    let views = views::of_workbook(call, workbook, false);
    Ok(Answer::ok(Element::root().child(workbook_element(call, workbook)?.child(views))))
}

pub(crate) fn datasources(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let spec = if WITHOUT_PROJECT.contains(&call.version) { &DATASOURCE[1..] } else { DATASOURCE };
    let filter = call.filter(spec)?;
    let asked = DATASOURCE_FIELDS.asked(call.query("fields"))?;
    let model = &*call.model;
    let site = call.site();
    let field = |d: &&Datasource, name: &str| match name {
        "isCertified" => Field::Text(d.certified.is_some().to_string()),
        "isPublished" => Field::Text("true".to_owned()),
        "description" => Field::Text(d.description.clone().unwrap_or_default()),
        "serverName" => Field::Text(server_name(d)),
        "type" => Field::Text(d.kind.clone()),
        name => d.common().field(model, name),
    };
    let datasources = model.datasources.iter().filter(|d| d.site == site && call.sees(d.luid.as_str()));
    let mut rows: Vec<&Datasource> = datasources.collect();
    rows.retain(|d| filter.passes(|name| field(d, name)));
    sort(&mut rows, call.query("sort"), spec, field)?;
    page::answer(call, "datasources", &rows, |d| asked.of(whole_datasource(call, d)))
}

pub(crate) fn datasource(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.datasource(call.id()).filter(|d| d.site == call.site());
    let datasource = found.ok_or_else(|| RestError::not_found("404004", "Datasource", call.id()))?;
    call.may_read(datasource.luid.as_str())?;
    Ok(Answer::ok(Element::root().child(datasource_element(call, datasource)?)))
}
