//! Runs dagster's Tableau integration, which always uses https, against the simulator.

use super::{Site, python, script};
use testkit::simulator::{ConnectedApp, notes};

const APP: (&str, &str, &str) = ("dagster-app", "dagster-secret-id", "dagster-secret-for-this-test-alone");

#[tokio::test]
async fn dagsters_client_waits_for_the_end_of_a_refresh_and_says_how_it_went() {
    let Some(python) = python("DAGSTER_PYTHON") else { return };
    let site = Site::start().await;
    site.tableau.add(ConnectedApp::new(APP.0, APP.1, APP.2));
    site.tableau.break_refreshes(site.tableau.datasource("Budget").unwrap(), Some(notes::MISSING_COLUMN));
    site.tableau.break_refreshes(site.tableau.workbook("Pipeline Review").unwrap(), Some(notes::NO_SPACE));
    let before = site.tableau.jobs().len();

    script(&site, &python, "dagster/refreshes.py", &[APP.0, APP.1, APP.2]).await;

    let expected = [
        ("Budget", "Failed"),
        ("Inventory Positions", "Success"),
        ("Pipeline Review", "Failed"),
        ("Sales Orders", "Success"),
        ("Shipments", "Success"),
        ("Superstore", "Success"),
    ];
    assert_eq!(site.asked_for(before), expected.map(|(name, how)| (name.to_owned(), how)));
    assert!(site.looks() > 3 * 5, "{} looks at jobs: each was seen running", site.looks());
}

#[tokio::test]
async fn dagsters_client_reports_a_refresh_that_is_cancelled_or_takes_too_long() {
    let Some(python) = python("DAGSTER_PYTHON") else { return };
    let site = Site::that_never_ends().await;
    site.tableau.add(ConnectedApp::new(APP.0, APP.1, APP.2));
    let before = site.tableau.jobs().len();

    tokio::join!(
        script(&site, &python, "dagster/cancelled.py", &[APP.0, APP.1, APP.2]),
        site.cancel_once_it_was_looked_at("Superstore"),
    );

    let expected = [("Shipments".to_owned(), "Pending"), ("Superstore".to_owned(), "Cancelled")];
    assert_eq!(site.asked_for(before), expected);
}

#[tokio::test]
async fn dagster_reads_the_site_as_assets_and_refreshes_them() {
    let Some(python) = python("DAGSTER_PYTHON") else { return };
    let site = Site::start().await;
    site.tableau.add(ConnectedApp::new(APP.0, APP.1, APP.2));
    let before = site.tableau.jobs().len();

    script(&site, &python, "dagster/assets.py", &[APP.0, APP.1, APP.2]).await;

    assert_eq!(site.asked_for(before), [("Sales Orders".to_owned(), "Success")]);
}
