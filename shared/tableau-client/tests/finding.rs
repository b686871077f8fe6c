//! Content is found by name and path, by LUID, and by a browser's address, on a site with names that are hard to tell apart.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use simulator::{
    Datasource, Fault, Feature, Flow, SAMPLE_CONNECTED_APP, SAMPLE_PAT, TableauSimulator, User, Workbook,
};
use std::sync::Arc;
use tableau_client::{
    ConnectedApp, ContentKind, Error, FindBy, FindResult, FixedCredential, FoundContent, MemorySessionStore,
    NotFound, NotFoundReason, ProjectPath, Settings, TableauClient, TableauCredential,
};

fn client_with(simulator: &TableauSimulator, credential: TableauCredential) -> TableauClient {
    let settings = Settings::new(&simulator.url(), "marketing", "").unwrap();
    let credential = Arc::new(FixedCredential::new(credential));
    let http = http_client::client(None).unwrap();
    TableauClient::new(http, settings, credential, Arc::<MemorySessionStore>::default())
}

fn client(simulator: &TableauSimulator) -> TableauClient {
    client_with(simulator, TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1))
}

fn named(name: &str, project: &str) -> FindBy {
    let project = (!project.is_empty()).then(|| project.parse().unwrap());
    FindBy::Name { name: name.to_owned(), project }
}

fn found(result: FindResult) -> FoundContent {
    match result {
        FindResult::Found(found) => *found,
        other => panic!("{other:?}"),
    }
}

fn not_found(result: FindResult) -> NotFound {
    match result {
        FindResult::NotFound(nothing) => *nothing,
        other => panic!("{other:?}"),
    }
}

fn paths(result: FindResult) -> Vec<String> {
    match result {
        FindResult::Ambiguous(all) => all.iter().map(FoundContent::path).collect(),
        other => panic!("{other:?}"),
    }
}

// N01
#[tokio::test]
async fn equal_names_in_nested_projects_of_equal_names_are_told_apart_by_the_path() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let places = ["P/A/Ops", "P/B/Ops", "P/Ops"];
    let luids = places.map(|place| simulator.add(Datasource::named("ds").in_project(place)));
    let client = client(&simulator);
    let kind = Some(ContentKind::Datasource);

    for (place, luid) in places.iter().zip(&luids) {
        for spelt in [(*place).to_owned(), place.to_lowercase()] {
            let one = found(client.find(kind, &named("ds", &spelt)).await.unwrap());
            assert_eq!((one.luid.as_str(), one.path()), (luid.as_str(), format!("{place}/ds")));
        }
        let list = ProjectPath::of(place.split('/')).unwrap();
        let by = FindBy::Name { name: "DS".to_owned(), project: Some(list) };
        assert_eq!(found(client.find(None, &by).await.unwrap()).luid.as_str(), luid.as_str());
    }
    let all = paths(client.find(kind, &named("ds", "")).await.unwrap());
    assert_eq!(all, ["P/A/Ops/ds", "P/B/Ops/ds", "P/Ops/ds"]);
    // The end of a path is not a path.
    let nothing = not_found(client.find(kind, &named("ds", "Ops")).await.unwrap());
    assert!(matches!(nothing.reason, NotFoundReason::NoProject { .. }), "{nothing:?}");
    let said = "there is no project Ops; there is P/A/Ops/ds, P/B/Ops/ds, P/Ops/ds";
    assert!(nothing.to_string().starts_with(said), "{nothing}");
}

// N03
#[tokio::test]
async fn a_path_counts_although_the_name_is_unique_and_the_answer_says_where_it_is() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    simulator.add(Workbook::named("Sales").in_project("One"));
    simulator.add(Workbook::named("Other").in_project("Two"));
    let client = client(&simulator);

    let nothing = not_found(client.find(Some(ContentKind::Workbook), &named("Sales", "Two")).await.unwrap());

    assert!(matches!(nothing.reason, NotFoundReason::NotInProject { .. }), "{nothing:?}");
    assert_eq!(nothing.to_string(), "there is no workbook `Sales` in the project Two; there is One/Sales");
    assert_eq!(nothing.near.len(), 1);
    // Of another kind there is nothing at all.
    let nothing = not_found(client.find(Some(ContentKind::Flow), &named("Sales", "One")).await.unwrap());
    assert_eq!(nothing.to_string(), "there is no flow `Sales` in the project One");
    let nothing = not_found(client.find(None, &named("Sales", "Tow")).await.unwrap());
    assert_eq!(nothing.near_projects, [["Two"]]);
}

// N05
#[tokio::test]
async fn a_filter_that_is_refused_is_replaced_by_reading_the_list() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    simulator.allow(Feature::ContentUrlFilters, false);
    // The sheet is none of the listed ones, so the workbook is looked for by its name in addresses.
    let hidden = "https://10ay.online.tableau.com/#/site/marketing/views/Superstore/Hidden";
    let one = found(client.find(None, &FindBy::Url(hidden.to_owned())).await.unwrap());
    assert_eq!((one.name.as_str(), one.view), ("Superstore", None));
    for code in ["400065", "400000", "400008"] {
        for (kind, list, name) in [
            (ContentKind::Workbook, "workbooks", "Superstore"),
            (ContentKind::Datasource, "datasources", "Budget"),
            (ContentKind::Flow, "flows", "Load Ledger"),
        ] {
            simulator.fail_next(&format!("GET /sites/{{site}}/{list}"), 1, Fault::Error(code));
            let one = found(client.find(Some(kind), &named(name, "")).await.unwrap());
            assert_eq!((one.name.as_str(), one.kind()), (name, kind), "{code}");
        }
        simulator.fail_next("GET /sites/{site}/views", 1, Fault::Error(code));
        let view = "https://10ay.online.tableau.com/#/site/marketing/views/Superstore/Overview";
        let one = found(client.find(None, &FindBy::Url(view.to_owned())).await.unwrap());
        assert_eq!(one.view.unwrap().name, "Overview", "{code}");
    }
}

// N06
#[tokio::test]
async fn a_slash_may_belong_to_a_name() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let slash = simulator.add(Workbook::named("W").in_project(r"Ops/Q1\/Q2"));
    let client = client(&simulator);
    let list = ProjectPath::of(["Ops", "Q1/Q2"]).unwrap();
    let list = FindBy::Name { name: "W".to_owned(), project: Some(list) };

    for by in [named("W", r"Ops/Q1\/Q2"), named("W", "Ops/Q1/Q2"), named("w", "ops/q1/q2"), list] {
        let one = found(client.find(None, &by).await.unwrap());
        assert_eq!((one.luid.as_str(), one.path()), (slash.as_str(), r"Ops/Q1\/Q2/W".to_owned()));
    }
    // Where there are such projects too, they come first; where nothing of the name is in them, the literal name is tried.
    simulator.add(Workbook::named("V").in_project("Ops/Q1/Q2"));
    assert_eq!(found(client.find(None, &named("V", "Ops/Q1/Q2")).await.unwrap()).path(), "Ops/Q1/Q2/V");
    let one = found(client.find(None, &named("W", "Ops/Q1/Q2")).await.unwrap());
    assert_eq!(one.luid.as_str(), slash.as_str());
    let nested = simulator.add(Workbook::named("W").in_project("Ops/Q1/Q2"));
    let one = found(client.find(None, &named("W", "Ops/Q1/Q2")).await.unwrap());
    assert_eq!(one.luid.as_str(), nested.as_str());
    // A list of names says where each begins and ends.
    let list =
        FindBy::Name { name: "W".to_owned(), project: Some(ProjectPath::of(["Ops/Q1", "Q2"]).unwrap()) };
    assert!(matches!(client.find(None, &list).await.unwrap(), FindResult::NotFound(_)));
}

// N07
#[tokio::test]
async fn the_last_page_is_read_before_nothing_is_found() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    for at in 0..2_300 {
        simulator.add(Workbook::named(&format!("Report {at:04}")).in_project("Many"));
    }
    let last = simulator.add(Workbook::named("The, last & only").in_project("Many"));
    simulator.allow(Feature::MetadataApi, false);
    let client = client(&simulator);
    let one = found(client.find(Some(ContentKind::Workbook), &named("the, LAST & only", "")).await.unwrap());
    assert_eq!(one.luid.as_str(), last.as_str());

    let one = found(client.find(None, &FindBy::Url(one.link.unwrap())).await.unwrap());
    let nothing = not_found(
        client.find(None, &FindBy::Url("https://h/#/workbooks/99999999".to_owned())).await.unwrap(),
    );

    assert_eq!(one.luid.as_str(), last.as_str());
    assert_eq!(nothing.to_string(), "there is no workbook with the number 99999999");
    let near = not_found(client.find(Some(ContentKind::Workbook), &named("Report 9999", "")).await.unwrap());
    assert_eq!(near.near.len(), 5);
}

#[tokio::test]
async fn a_number_in_an_address_is_resolved_with_the_metadata_api_and_without_it() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    for (kind, name) in [
        (ContentKind::Workbook, "Month-End Close"),
        (ContentKind::Datasource, "Customer Master"),
        (ContentKind::Flow, "Load Ledger"),
    ] {
        simulator.allow(Feature::MetadataApi, true);
        let one = found(client.find(Some(kind), &named(name, "")).await.unwrap());
        let link = one.link.clone().unwrap();
        let (_, page) = link.split_once("/#/site/marketing/").unwrap();
        for address in [
            link.clone(),
            format!("{link}/views?:iid=1"),
            format!("https://10ay.online.tableau.com/#/{page}"),
            format!("https://10ay.online.tableau.com/site/marketing/{page}"),
        ] {
            let by = FindBy::Url(address.clone());
            for metadata in [true, false] {
                simulator.allow(Feature::MetadataApi, metadata);
                assert_eq!(found(client.find(None, &by).await.unwrap()), one, "{address} {metadata}");
            }
            simulator.allow(Feature::MetadataApi, true);
            for fault in [Fault::Html(404), Fault::Error("403000"), Fault::Partial("TIME_LIMIT_EXCEEDED")] {
                simulator.fail_next("POST /graphql", 1, fault.clone());
                assert_eq!(found(client.find(None, &by).await.unwrap()), one, "{address} {fault:?}");
            }
        }
    }
}

// N04
#[tokio::test]
async fn an_address_that_resolves_to_nothing_says_why() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    for (kind, address, said) in [
        (
            None,
            "https://h/#/projects/35",
            "the address shows project 35, and Tableau's APIs know no numbers of projects: say the project's path",
        ),
        (None, "https://h/#/site/marketing/home", "the address shows no workbook, data source, flow or view"),
        (None, "https://h/#/site/finance/workbooks/1", "the address is of another site, finance"),
        (None, "https://h/#/views/Superstore/Overview", "the address names no site"),
        (
            Some(ContentKind::Flow),
            "https://h/#/site/marketing/workbooks/1",
            "the address shows a workbook, not a flow",
        ),
        (
            None,
            "https://h/#/site/marketing/views/Nothing/Overview",
            "there is no view Overview in a workbook Nothing, as addresses name them",
        ),
        (None, "Superstore", "an address begins with https:// and a host"),
    ] {
        let nothing = not_found(client.find(kind, &FindBy::Url(address.to_owned())).await.unwrap());
        assert_eq!(nothing.to_string(), said, "{address}");
    }
    let elsewhere = Settings::new("https://tableau.example", "marketing", "3.29").unwrap();
    let credential = TableauCredential::personal_access_token("n", "s");
    let http = http_client::client(None).unwrap();
    let sessions = Arc::<MemorySessionStore>::default();
    let client = TableauClient::new(http, elsewhere, Arc::new(FixedCredential::new(credential)), sessions);
    let by = FindBy::Url("https://other.example/#/site/marketing/workbooks/1".to_owned());
    let nothing = not_found(client.find(None, &by).await.unwrap());
    assert_eq!(nothing.to_string(), "the address is of another server, other.example");
}

#[tokio::test]
async fn a_view_stands_for_its_workbook() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    for address in [
        "https://h/#/site/marketing/views/Superstore/ReturnsbyRegion?:iid=1",
        "https://h/t/marketing/views/superstore/returnsbyregion",
        "https://h/t/marketing/authoring/Superstore/ReturnsbyRegion",
    ] {
        let one = found(client.find(None, &FindBy::Url(address.to_owned())).await.unwrap());
        assert_eq!(Some(one.luid.as_str()), simulator.workbook("Superstore").as_ref().map(|w| w.as_str()));
        let view = one.view.unwrap();
        assert_eq!(
            (Some(view.luid), view.name.as_str()),
            (simulator.view("Returns by Region"), "Returns by Region")
        );
    }
}

#[tokio::test]
async fn names_with_every_character_are_found_and_no_other_name_is() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let names = [
        "R&D <Spend> | Q3 *draft*",
        "Sales, EMEA",
        "a:b:c",
        "\"quoted\" and 'single'",
        "name:eq:x",
        "[a,b]",
        "売上高",
        "Umsätze",
        "ÉTÉ",
        "100 % + more",
        "back\\slash / and slash",
        "emoji 📈",
        "مبيعات",
        "two  spaces",
        "*",
    ];
    for name in names {
        simulator.add(Workbook::named(name).in_project("A"));
        simulator.add(Datasource::named(name).in_project(r"B/Q1\/Q2 & more"));
        simulator.add(Flow::named(name));
    }
    let client = client(&simulator);
    for name in names {
        for (kind, project) in [
            (ContentKind::Workbook, "A"),
            (ContentKind::Datasource, r"B/Q1\/Q2 & more"),
            (ContentKind::Flow, "default"),
        ] {
            for spelt in [name.to_owned(), name.to_lowercase()] {
                let one = found(client.find(Some(kind), &named(&spelt, project)).await.unwrap());
                assert_eq!((one.name.as_str(), one.kind()), (name, kind));
            }
        }
        let ambiguous = client.find(None, &named(name, "")).await.unwrap();
        assert!(matches!(&ambiguous, FindResult::Ambiguous(all) if all.len() == 3), "{ambiguous:?}");
    }
    for other in ["R", "Sales", "a", "two spaces", "Umsatze", "Sales,  EMEA"] {
        let result = client.find(Some(ContentKind::Workbook), &named(other, "A")).await.unwrap();
        assert!(matches!(result, FindResult::NotFound(_)), "{other}: {result:?}");
    }
}

#[tokio::test]
async fn within_one_project_the_exact_spelling_is_meant() {
    let simulator = TableauSimulator::empty().start().await.unwrap();
    let lower = simulator.add(Workbook::named("sales").in_project("A"));
    let upper = simulator.add(Workbook::named("SALES").in_project("A"));
    simulator.add(Workbook::named("Sales").in_project("B"));
    let client = client(&simulator);
    let kind = Some(ContentKind::Workbook);

    for (spelt, luid) in [("sales", lower), ("SALES", upper)] {
        let one = found(client.find(kind, &named(spelt, "A")).await.unwrap());
        assert_eq!(one.luid.as_str(), luid.as_str());
        assert_eq!(
            paths(client.find(kind, &named(spelt, "")).await.unwrap()).len(),
            2,
            "one in each project"
        );
    }
    assert_eq!(paths(client.find(kind, &named("Sales", "A")).await.unwrap()), ["A/SALES", "A/sales"]);
    assert_eq!(paths(client.find(kind, &named("Sales", "")).await.unwrap()).len(), 3);
}

#[tokio::test]
async fn a_luid_is_enough() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    let flow = simulator.flow("Load Ledger").unwrap();
    let by = FindBy::Luid(format!(" {flow}"));
    let one = found(client.find(None, &by).await.unwrap());
    assert_eq!((one.path().as_str(), one.kind()), ("Finance/Month End/Load Ledger", ContentKind::Flow));
    for kind in [ContentKind::Workbook, ContentKind::Datasource] {
        let nothing = not_found(client.find(Some(kind), &by).await.unwrap());
        assert_eq!(nothing.to_string(), format!("there is no {kind} with the LUID {flow}"));
    }
    for text in ["", "../users", "a b", &"x".repeat(65)] {
        let nothing = client.find(None, &FindBy::Luid(text.to_owned())).await.unwrap();
        assert!(matches!(nothing, FindResult::NotFound(_)), "{text}");
    }
}

#[tokio::test]
async fn a_user_who_may_not_list_flows_finds_the_rest_and_is_told_of_flows() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    simulator.add(User::named("rita").with_password("rita's password"));
    let (client_id, secret_id, secret) = SAMPLE_CONNECTED_APP;
    let app = TableauCredential::ConnectedApp(ConnectedApp {
        client_id: client_id.to_owned(),
        secret_id: secret_id.to_owned(),
        secret_value: secret.to_owned().into(),
        user: "bea@example.com".to_owned(),
        scopes: vec!["tableau:content:read".to_owned()],
    });
    let client = client_with(&simulator, app);

    assert_eq!(found(client.find(None, &named("Budget", "")).await.unwrap()).name, "Budget");
    let error = client.find(Some(ContentKind::Flow), &named("Load Ledger", "")).await.unwrap_err();

    // R15: the scope is named.
    assert!(matches!(error, Error::SessionRefused { stolen: false, .. }), "{error}");
    assert!(error.to_string().contains("tableau:flows:read"), "{error}");
}

#[tokio::test]
async fn trouble_is_an_error_and_never_nothing() {
    let simulator = TableauSimulator::sample().start().await.unwrap();
    let client = client(&simulator);
    for list in ["workbooks", "projects"] {
        simulator.fail_always(&format!("GET /sites/{{site}}/{list}"), Fault::Status(503));
        let error =
            client.find(Some(ContentKind::Workbook), &named("Superstore", "Sales")).await.unwrap_err();
        assert!(error.is_transient(), "{list}: {error}");
        simulator.clear_faults();
    }
    // Without the projects, content is found where no path has to be checked.
    simulator.fail_always("GET /sites/{site}/projects", Fault::Error("403004"));
    let one = found(client.find(None, &named("Superstore", "")).await.unwrap());
    assert_eq!((one.project.as_ref(), one.path().as_str()), (None, "…/Superstore"));
    assert!(client.find(None, &named("Superstore", "Sales")).await.is_err());
}
