//! Workbooks and data sources.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm>,
//! <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_data_sources.htm>

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::filter::{COMPARE, EQ, EQ_IN, Field, Filter, Spec, sort};
use super::version::RestVersion;
use super::{page, tags, views};
use crate::tableau::events::seconds;
use crate::tableau::model::{Datasource, Model, Workbook};
use jiff::Timestamp;
use tableau::{ProjectLuid, UserLuid};

const PUBLISHED: Spec = &[
    ("name", EQ_IN),
    ("contentUrl", EQ_IN),
    ("projectName", EQ_IN),
    ("ownerName", EQ_IN),
    ("ownerEmail", EQ_IN),
    ("tags", EQ_IN),
    ("createdAt", COMPARE),
    ("updatedAt", COMPARE),
];

/// The same with what only data sources have. `projectName` comes first so that it can be left out.
const DATASOURCE: Spec = &[
    ("projectName", EQ_IN),
    ("name", EQ_IN),
    ("contentUrl", EQ_IN),
    ("ownerName", EQ_IN),
    ("ownerEmail", EQ_IN),
    ("tags", EQ_IN),
    ("isCertified", EQ),
    ("type", EQ),
    ("createdAt", COMPARE),
    ("updatedAt", COMPARE),
];

/// The versions that do not filter data sources by project.
const WITHOUT_PROJECT: std::ops::RangeInclusive<RestVersion> =
    RestVersion { major: 3, minor: 13 }..=RestVersion { major: 3, minor: 17 };

/// What workbooks and data sources have in common.
struct Common<'a> {
    name: &'a str,
    content_url: &'a str,
    project: &'a ProjectLuid,
    owner: &'a UserLuid,
    tags: &'a [String],
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
            "ownerEmail" => text(owner.map(|u| u.email.as_deref().unwrap_or(&u.name))),
            "tags" => Field::Texts(self.tags.to_vec()),
            "createdAt" => Field::Time(Some(self.created_at)),
            _ => Field::Time(Some(self.updated_at)),
        }
    }

    /// Project, owner and tags. Of the owner only the id, unless `?fields=` asks for more.
    fn children(&self, to: Element, model: &Model, fields: &str) -> Element {
        let asks = |field: &str| fields.split(',').any(|f| f == field || f == "_all_" || f == "owner._all_");
        let project = Element::new("project").with("id", self.project.as_str());
        let project = project.with_some("name", model.project(self.project).map(|p| p.name.as_str()));
        let user = model.user(self.owner.as_str());
        let email = user.map(|u| u.email.as_deref().unwrap_or(&u.name));
        let owner = Element::new("owner")
            .with("id", self.owner.as_str())
            .with_some("name", user.map(|u| u.name.as_str()).filter(|_| asks("owner.name")))
            .with_some("fullName", user.map(|u| u.full_name.as_str()).filter(|_| asks("owner.fullName")))
            .with_some("email", email.filter(|_| asks("owner.email")));
        to.child(project).child(owner).child(tags::element(self.tags))
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
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

fn web_page(call: &Call<'_>, kind: &str, number: u32) -> String {
    let site = call.model.site(call.site().as_str()).map(|s| s.content_url.clone()).unwrap_or_default();
    let tail = if kind == "workbooks" { "/views" } else { "" };
    format!("{}/#/site/{site}/{kind}/{number}{tail}", call.settings.web_url)
}

pub(crate) fn workbook_element(call: &Call<'_>, workbook: &Workbook) -> Element {
    let default_view = call.model.views_of(workbook).next().map(|v| v.luid.as_str());
    let element = Element::new("workbook")
        .with("id", workbook.luid.as_str())
        .with("name", workbook.name.as_str())
        .with_some("description", workbook.description.as_deref())
        .with("contentUrl", workbook.content_url.as_str())
        .with("webpageUrl", web_page(call, "workbooks", workbook.number))
        // A flag that Tableau writes as a text.
        .with("showTabs", workbook.show_tabs.to_string())
        .with("size", 1_u8)
        .with("hasExtracts", workbook.has_extracts)
        .with("createdAt", seconds(workbook.created_at))
        .with("updatedAt", seconds(workbook.updated_at))
        .with_some("defaultViewId", default_view);
    workbook.common().children(element, call.model, call.query("fields").unwrap_or_default())
}

pub(crate) fn datasource_element(call: &Call<'_>, datasource: &Datasource) -> Element {
    let element = Element::new("datasource")
        .with("id", datasource.luid.as_str())
        .with("name", datasource.name.as_str())
        .with_some("description", datasource.description.as_deref())
        .with("contentUrl", datasource.content_url.as_str())
        .with("webpageUrl", web_page(call, "datasources", datasource.number))
        .with("type", datasource.kind.as_str())
        .with("hasExtracts", datasource.has_extracts)
        .with("isCertified", datasource.certified.is_some())
        .with_some("certificationNote", datasource.certified.as_deref())
        .with("createdAt", seconds(datasource.created_at))
        .with("updatedAt", seconds(datasource.updated_at));
    datasource.common().children(element, call.model, call.query("fields").unwrap_or_default())
}

pub(crate) fn workbooks(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let filter = Filter::parse(call.query("filter"), PUBLISHED)?;
    let (model, site) = (&*call.model, call.site());
    let field = |w: &&Workbook, name: &str| w.common().field(model, name);
    let workbooks = model.workbooks.iter().filter(|w| w.site == site && call.sees(w.luid.as_str()));
    let mut rows: Vec<&Workbook> = workbooks.collect();
    rows.retain(|w| filter.passes(|name| field(w, name)));
    sort(&mut rows, call.query("sort"), PUBLISHED, field)?;
    page::answer(call, "workbooks", &rows, |w| workbook_element(call, w))
}

pub(crate) fn workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.workbook(call.id()).filter(|w| w.site == call.site());
    let workbook = found.ok_or_else(|| RestError::not_found("404006", "Workbook", call.id()))?;
    call.may_read(workbook.luid.as_str())?;
    let views = views::of_workbook(call, workbook);
    Ok(Answer::ok(Element::root().child(workbook_element(call, workbook).child(views))))
}

pub(crate) fn datasources(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let spec = if WITHOUT_PROJECT.contains(&call.version) { &DATASOURCE[1..] } else { DATASOURCE };
    let filter = Filter::parse(call.query("filter"), spec)?;
    let (model, site) = (&*call.model, call.site());
    let field = |d: &&Datasource, name: &str| match name {
        "isCertified" => Field::Text(d.certified.is_some().to_string()),
        "type" => Field::Text(d.kind.clone()),
        name => d.common().field(model, name),
    };
    let datasources = model.datasources.iter().filter(|d| d.site == site && call.sees(d.luid.as_str()));
    let mut rows: Vec<&Datasource> = datasources.collect();
    rows.retain(|d| filter.passes(|name| field(d, name)));
    sort(&mut rows, call.query("sort"), spec, field)?;
    page::answer(call, "datasources", &rows, |d| datasource_element(call, d))
}

pub(crate) fn datasource(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.datasource(call.id()).filter(|d| d.site == call.site());
    let datasource = found.ok_or_else(|| RestError::not_found("404004", "Datasource", call.id()))?;
    call.may_read(datasource.luid.as_str())?;
    Ok(Answer::ok(Element::root().child(datasource_element(call, datasource))))
}
