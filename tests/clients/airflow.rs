//! Runs Airflow's Tableau operator and sensor against the simulator.

use super::{NAME, PASSWORD, Site, file, python, run, script};
use serde_json::json;
use testkit::simulator::{ConnectedApp, SAMPLE_CONTENT_URL, notes};

const APP: (&str, &str, &str) = ("airflow-app", "airflow-secret-id", "airflow-secret-for-this-test-alone");

#[tokio::test]
async fn airflows_operator_waits_for_the_end_of_a_refresh_and_says_how_it_went() {
    let Some(python) = python("AIRFLOW_PYTHON") else { return };
    let site = Site::start().await;
    site.tableau.break_refreshes(site.tableau.datasource("Budget").unwrap(), Some(notes::MISSING_COLUMN));
    site.tableau.break_refreshes(site.tableau.workbook("Pipeline Review").unwrap(), Some(notes::NO_SPACE));
    site.tableau.add(ConnectedApp::new(APP.0, APP.1, APP.2));
    let before = site.tableau.jobs().len();

    script(&site, &python, "airflow/operators.py", &[APP.0, APP.1, APP.2]).await;

    let asked_for = site.asked_for(before);
    let asked_for: Vec<(&str, &str)> = asked_for.iter().map(|(name, how)| (name.as_str(), *how)).collect();
    assert_eq!(
        asked_for,
        [
            ("Budget", "Failed"),
            ("Cash Flow Forecast", "Success"),
            ("Delivery Punctuality", "Success"),
            ("Pipeline Review", "Failed"),
            ("Sales Orders", "Success"),
            ("Superstore", "Success"),
        ]
    );
    assert!(site.looks() > 3 * 5, "{} looks at jobs: each was seen running", site.looks());
}

#[tokio::test]
async fn airflows_operator_reports_a_refresh_that_is_cancelled_or_takes_too_long() {
    let Some(python) = python("AIRFLOW_PYTHON") else { return };
    let site = Site::that_never_ends().await;
    let before = site.tableau.jobs().len();

    script(&site, &python, "airflow/open_jobs.py", &[]).await;

    let asked_for = site.asked_for(before);
    let cancelled = |name: &str| asked_for.contains(&(name.to_owned(), "Cancelled"));
    assert!(cancelled("Sales Orders") && cancelled("Superstore"), "{asked_for:?}");
    assert!(asked_for.contains(&("Shipments".to_owned(), "Pending")), "{asked_for:?}");
}

#[tokio::test]
async fn a_dag_hands_the_job_of_a_refresh_to_airflows_sensor_which_waits_for_its_end() {
    let Some(python) = python("AIRFLOW_PYTHON") else { return };
    let site = Site::start().await;
    site.tableau.break_refreshes(site.tableau.datasource("Budget").unwrap(), Some(notes::MISSING_COLUMN));
    let before = site.tableau.jobs().len();
    let airflow = async |arguments: &[&str]| {
        let mut airflow = site.command(python.with_file_name("airflow"));
        let connection = json!({ "conn_type": "tableau", "host": site.tableau.url(), "login": NAME,
            "password": PASSWORD, "extra": { "site_id": SAMPLE_CONTENT_URL } });
        airflow.env("AIRFLOW_CONN_TABLEAU_DEFAULT", connection.to_string());
        airflow.env("AIRFLOW__CORE__LOAD_EXAMPLES", "False").env("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR");
        airflow.env("AIRFLOW__CORE__DAGS_FOLDER", file("airflow/dags")).args(arguments);
        run(airflow).await
    };
    assert_eq!(airflow(&["db", "migrate"]).await.code, Some(0));
    assert_eq!(airflow(&["dags", "reserialize"]).await.code, Some(0));

    let dag = airflow(&["dags", "test", "refresh_and_wait"]).await;

    assert!(dag.printed.contains("TableauJobFailedException"), "a sensor has failed");
    let runs = airflow(&["dags", "list-runs", "refresh_and_wait", "--output", "json"]).await.json();
    let run_id = runs[0]["run_id"].as_str().unwrap();
    let tasks = ["tasks", "states-for-dag-run", "refresh_and_wait", run_id, "--output", "json"];
    let tasks = airflow(&tasks).await.json();
    let state = |name: &str| {
        let tasks = tasks.as_array().unwrap();
        tasks.iter().find(|task| task["task_id"] == name).map(|task| task["state"].clone())
    };
    for (task, expected) in [
        ("refresh_workbooks", "success"),
        ("wait_for_workbooks", "success"),
        ("refresh_datasources", "success"),
        ("wait_for_datasources", "failed"),
    ] {
        assert_eq!(state(task), Some(json!(expected)), "{task}");
    }
    let asked_for = site.asked_for(before);
    assert_eq!(asked_for, [("Budget".to_owned(), "Failed"), ("Superstore".to_owned(), "Success")]);
}
