//! The sample site. Names, users and addresses are invented.

use super::content::{
    ConnectedApp, Content, Datasource, Flow, Group, ModelHandle, PatCredential, User, Workbook,
};
use super::events::About;
use super::model::{Model, Site, SiteRole, fixed, mint};
use super::{sample_jobs, sample_report};
use crate::clock::before;
use jiff::Timestamp;
use std::time::Duration;
use tableau::{DisabledWebhook, Event, EventName, Payload, PublishedPdf, SiteLuid};

/// The age of the sites.
const SITE_AGE: Duration = Duration::from_secs(400 * 86_400);

/// LUID of the sample site `Marketing`, whose content URL is [`SAMPLE_CONTENT_URL`].
pub const SAMPLE_SITE: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";

/// The sample site's name.
const SAMPLE_NAME: &str = "Marketing";

/// The sample site's content URL: the part after `/site/` in a browser's URL. A sign-in names the site by it.
pub const SAMPLE_CONTENT_URL: &str = "marketing";

/// Name and secret of the PAT of the sample site's administrator. It also exists on an empty simulator, and signs in
/// to the site [`SAMPLE_CONTENT_URL`].
pub const SAMPLE_PAT: (&str, &str) = ("webhook-automations", "pat-secret-for-local-use");

/// Client id, secret id and secret of a connected app of the sample site. It also exists on an empty simulator.
pub const SAMPLE_CONNECTED_APP: (&str, &str, &str) = (
    "0f6b2c1e-8d1a-4f0e-9a53-6c2b7f0a4d11",
    "5a1b9c3d-2e4f-4a6b-8c7d-9e0f1a2b3c4d",
    "connected-app-secret-for-local-use",
);

/// The body of a delivery of this event about an object on the sample site; `None` for an unknown event name.
///
/// The result depends only on the arguments.
pub fn sample_payload(event: &EventName, at: Timestamp) -> Option<String> {
    sample_payloads(event, at).into_iter().next().map(|(_, body)| body)
}

/// The delivery bodies of this event, one per suitable object on the sample site, each with the object's name. The
/// first is that of [`sample_payload`]. Empty for an unknown event name. The sample site has no webhooks and no
/// history; those of `WebhookDisabled` and the week of `WeeklyReport` are invented.
///
/// The result depends only on the arguments.
pub fn sample_payloads(event: &EventName, at: Timestamp) -> Vec<(String, String)> {
    if *event == EventName::WebhookDisabled {
        return disabled_webhooks(at).map(|webhook| (webhook.name.clone(), of_webhook(&webhook))).into();
    }
    if *event == EventName::WeeklyReport {
        let site: SiteLuid = fixed(SAMPLE_SITE);
        let body = sample_report::report(at).payload(&site, SAMPLE_NAME, at).canonical_json();
        return vec![(SAMPLE_NAME.to_owned(), body)];
    }
    let model = model(at);
    let luids = About::luids(&model, event);
    let about = luids.iter().filter_map(|luid| About::find(&model, event, luid));
    about.map(|about| (about.name.clone(), body(&about, event, at))).collect()
}

/// The body that Tableau posts or, for a derived event, the one that a function makes.
fn body(about: &About, event: &EventName, at: Timestamp) -> String {
    let name = if event.is_derived() { &EventName::WorkbookRefreshSucceeded } else { event };
    let body = about.body(name, at);
    let refresh = Payload::parse(body.as_bytes()).ok().and_then(|payload| Event::try_from(&payload).ok());
    match refresh.filter(|_| *event == EventName::PdfPublished) {
        Some(refresh) => {
            let pdf = PublishedPdf {
                file: format!("{}.pdf", about.name),
                others: 0,
                place: "SharePoint".to_owned(),
                link: Some(
                    "https://contoso.sharepoint.com/sites/bi/Shared%20Documents/Sample.pdf".to_owned(),
                ),
                note: None,
            };
            refresh.pdf_published(&pdf, refresh.created_at.unwrap_or(at)).canonical_json()
        }
        None => body,
    }
}

/// A webhook that stays disabled, and one that was enabled again.
fn disabled_webhooks(at: Timestamp) -> [DisabledWebhook; 2] {
    let of = |luid: &str, event: EventName| DisabledWebhook {
        webhook: fixed(luid),
        name: format!("tableau-webhooks {event}"),
        event,
        owner: Some("Bea Larsson".to_owned()),
        reason: "Webhook disabled after 4 failed delivery attempts".to_owned(),
        last_enabled: Some(before(at, Duration::from_secs(15 * 60))),
        found: at,
        enabled_again: None,
        note: String::new(),
    };
    let disabled = of("4f1c9d0e-7a52-4c1b-9a86-3f1d2b7c5e90", EventName::WorkbookRefreshFailed);
    let enabled = of("a83d6b17-0c2e-4d75-8e49-51f0c7a2d6b4", EventName::DatasourceRefreshFailed);
    [
        DisabledWebhook {
            note: "Its URL does not answer. It is enabled again when its URL answers.".to_owned(),
            ..disabled
        },
        DisabledWebhook { enabled_again: Some(at), ..enabled },
    ]
}

/// The body that a function makes of it.
fn of_webhook(webhook: &DisabledWebhook) -> String {
    let site: SiteLuid = fixed(SAMPLE_SITE);
    webhook.payload(&site).canonical_json()
}

/// The site `Marketing` with its administrator and no content.
pub(super) fn empty(now: Timestamp) -> Model {
    let site = |luid: &str, name: &str, url: &str| Site {
        luid: fixed(luid),
        name: name.to_owned(),
        content_url: url.to_owned(),
    };
    let mut model = Model::new(site(SAMPLE_SITE, SAMPLE_NAME, SAMPLE_CONTENT_URL), before(now, SITE_AGE));
    let add = &mut ModelHandle { model: &mut model, now };
    let administrator =
        User::named("bea").called("Bea Larsson").with_role(SiteRole::SiteAdministratorCreator);
    let administrator = administrator.with_password("correct horse battery staple");
    administrator.with_luid(fixed("6513270e-269e-4d37-b2a7-4de452e6b438")).add_to(add);
    let (client_id, secret_id, secret) = SAMPLE_CONNECTED_APP;
    ConnectedApp::new(client_id, secret_id, secret).add_to(add);
    PatCredential::new(SAMPLE_PAT.0, SAMPLE_PAT.1, "bea").add_to(add);
    model
}

/// The sample site, and a second site for tests across sites.
pub(super) fn model(now: Timestamp) -> Model {
    let mut model = empty(now);
    let sandbox = Site { luid: mint(), name: "Sandbox".to_owned(), content_url: "sandbox".to_owned() };
    model.add_site(sandbox, before(now, SITE_AGE));
    let add = &mut ModelHandle { model: &mut model, now };
    let administrator =
        User::named("bea").called("Bea Larsson").with_role(SiteRole::SiteAdministratorCreator);
    administrator.on_site("sandbox").add_to(add);
    people(add);
    workbooks(add);
    datasources(add);
    flows(add);
    sample_jobs::add_to(add.model, now);
    model
}

fn people(add: &mut ModelHandle<'_>) {
    let people = [
        ("ana", "Ana Ferreira", SiteRole::Creator, "d23f0824-128b-4f33-8c5c-7fd0a6a3a450"),
        ("jonas", "Jonas Weber", SiteRole::Creator, "9531985d-5d9d-49f8-9818-e811892f902b"),
        ("priya", "Priya Nair", SiteRole::ExplorerCanPublish, "36f675cc-81e7-4ef5-a8e2-5d940ed90475"),
        ("marcus", "Marcus O'Brien", SiteRole::Creator, "6b0d549b-6f03-475a-9600-a35a099950d8"),
        ("yuki", "Yuki Tanaka", SiteRole::Viewer, "8d116ece-1738-47d9-bd9c-172411e20b8f"),
    ];
    for (name, full_name, role, luid) in people {
        let user = User::named(name).called(full_name).with_role(role).with_luid(fixed(luid));
        user.with_password(&format!("{name}'s password")).add_to(add);
    }
    Group::named("Finance Analysts").with("ana").with("jonas").add_to(add);
    Group::named("Data Stewards").with("bea").with("ana").add_to(add);
}

fn workbooks(add: &mut ModelHandle<'_>) {
    let workbook = |name: &str, luid: &str| Workbook::named(name).with_luid(fixed(luid));
    workbook("Superstore", "5998aaaf-1abe-4d38-b4d9-bc53e85bdd13")
        .in_project("Sales")
        .owned_by("ana")
        .tagged("critical")
        .tagged("broadcast")
        .described("Orders, profit and returns by region")
        .using("Sales Orders")
        .with_fixed_view("Overview", "90c192cf-d3ac-44af-8f21-ddb66cad4a26")
        .with_fixed_view("Returns by Region", "a170b338-3926-4059-b28c-105d1fb17c23")
        .add_to(add);
    workbook("Month-End Close", "0fd630f1-f29d-4da9-953f-48f1a09f76b5")
        .in_project("Finance/Month End")
        .owned_by("jonas")
        .tagged("critical")
        .using("General Ledger")
        .with_tabs()
        .with_fixed_view("Close Checklist", "0cb1e29c-658c-4a14-95e6-0af593bd04cf")
        .with_fixed_view("Accruals", "8e81973e-0bec-47b0-b898-d190f9ebdacc")
        .add_to(add);
    workbook("Cash Flow Forecast", "6b4cb242-4a23-4596-a217-beaddbc496cb")
        .in_project("Finance")
        .owned_by("jonas")
        .using("General Ledger")
        .using("Budget")
        .with_fixed_view("13 Weeks", "92276658-1e27-41c0-8a6a-63ec24ede6a4")
        .add_to(add);
    workbook("Pipeline Review", "ae97ba94-d0ed-482f-8f6d-05584ef8aa38")
        .in_project("Sales")
        .owned_by("priya")
        .tagged("weekly")
        .using("Sales Orders")
        .with_fixed_view("Pipeline", "923a7369-94e3-4f91-9a61-dbe22e44158b")
        .add_to(add);
    workbook("Warehouse Throughput", "18f135d2-5f55-4203-b018-50c5a38fd547")
        .in_project("Operations")
        .owned_by("marcus")
        .with_fixed_view("Throughput", "907a70c3-1012-4037-b64c-e4228c38fb29")
        .add_to(add);
    workbook("Delivery Punctuality", "7f150524-34b9-45df-9e77-69b10f4205b4")
        .in_project("Operations")
        .owned_by("marcus")
        .tagged("daily")
        .with_fixed_view("On Time", "c6f87718-6d76-407e-881e-d162ae2eb154")
        .add_to(add);
    workbook("R&D <Spend> | Q3 *draft*", "ec66a787-95e7-41d1-b731-af10506bf2ef")
        .in_project("Finance")
        .owned_by("ana")
        .live()
        .with_fixed_view("Spend", "3f98e277-4cbd-47ad-9c90-a9587403e430")
        .add_to(add);
}

fn datasources(add: &mut ModelHandle<'_>) {
    let datasource = |name: &str, luid: &str| Datasource::named(name).with_luid(fixed(luid));
    datasource("Sales Orders", "c7a2ea20-b2f1-4c94-ae05-319acb5c7427")
        .in_project("Sales")
        .owned_by("ana")
        .of_kind("snowflake")
        .tagged("critical")
        .certified("Reviewed by the sales data stewards")
        .add_to(add);
    datasource("General Ledger", "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb")
        .in_project("Finance/Month End")
        .owned_by("jonas")
        .tagged("critical")
        .tagged("month-end")
        .certified("Ties to the trial balance")
        .add_to(add);
    datasource("Budget", "57ee05cd-e009-42c7-bebf-f20686734721")
        .in_project("Finance")
        .owned_by("jonas")
        .of_kind("excel-direct")
        .add_to(add);
    datasource("Inventory Positions", "9be4bcfc-49b6-4a08-b2e6-cc3ababced20")
        .in_project("Operations")
        .owned_by("marcus")
        .of_kind("postgres")
        .tagged("daily")
        .add_to(add);
    datasource("Shipments", "830e07bc-1e39-4f10-92bd-4acefaecbd38")
        .in_project("Operations")
        .owned_by("marcus")
        .of_kind("postgres")
        .add_to(add);
    datasource("Customer Master", "5790f82e-c1d3-4cff-aa3a-f4d46b0a18e8")
        .in_project("Sales")
        .owned_by("priya")
        .described("Loaded from head office through Tableau Bridge")
        .add_to(add);
    datasource("Exchange Rates", "6bf46c69-7d2c-4f82-aeea-cbe226e87555")
        .in_project("Finance")
        .owned_by("ana")
        .of_kind("snowflake")
        .live()
        .add_to(add);
}

fn flows(add: &mut ModelHandle<'_>) {
    let flow = |name: &str, luid: &str| Flow::named(name).with_luid(fixed(luid));
    flow("Clean Customers", "3d2c9a44-6f0a-4f57-9a6b-0d2fd1a0c9e1")
        .in_project("Sales")
        .owned_by("priya")
        .described("Removes duplicate customers before Customer Master is loaded")
        .tagged("daily")
        .add_to(add);
    flow("Load Ledger", "b6a1d9f2-57c3-4f0e-8d3a-7c1e5f2b9a60")
        .in_project("Finance/Month End")
        .owned_by("jonas")
        .add_to(add);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_event_has_a_payload_that_is_an_event() {
        let at = "2026-03-02T06:14:44.512Z".parse().unwrap();
        for name in EventName::ALL {
            let body = sample_payload(&name, at).unwrap();
            let event = Event::try_from(&Payload::parse(body.as_bytes()).unwrap()).unwrap();

            assert_eq!((event.name, event.site.as_str()), (name.clone(), SAMPLE_SITE));
            assert_eq!(sample_payload(&name, at).unwrap(), body, "the same again");
        }
        assert_eq!(sample_payload(&EventName::from("FlowRunFailed"), at), None);
    }
}
