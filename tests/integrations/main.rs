//! Callers of the stack's API, against the stack of `template.yaml` on this machine: its document, and what is in `integrations/`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "says out loud what it checked, and what it skipped"
)]

mod newman;
mod postman;
mod scene;

use scene::Scene;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use testkit::repository::root;
use tokio::process::Command;

/// A setting of the test run, such as the path of Python. It is no setting of the product.
fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a setting of the run")]
    std::env::var(name).ok()
}

/// The Python interpreter that the caller set, with what it is for.
fn python(name: &str) -> Option<PathBuf> {
    let python = variable(name);
    if python.is_none() {
        eprintln!("SKIPPED: {name} is not set; `cargo xtask check` sets it");
    }
    python.map(PathBuf::from)
}

/// How long one suite may take.
const LONGEST: Duration = Duration::from_secs(600);

/// Runs a command of Python at the stack, in the folder of the repository.
async fn run(scene: &Scene, python: &str, arguments: &[&str]) {
    let Some(python) = self::python(python) else { return };
    let began = Instant::now();
    let mut command = Command::new(python);
    command.args(arguments).current_dir(root()).envs(scene.variables());
    // Python must not write bytecode files into the checkout.
    command.env("PYTHONDONTWRITEBYTECODE", "1").kill_on_drop(true);
    let ended = tokio::time::timeout(LONGEST, command.output()).await.expect("it takes too long").unwrap();
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    println!("{arguments:?} took {} s\n{}", began.elapsed().as_secs(), scene.without_keys(&out));
    assert!(ended.status.success(), "{arguments:?} at the stack failed\n{}", scene.without_keys(&err));
    scene.assert_no_key_in(&out);
}

/// Runs tests of Python at the stack. None may be skipped but for what the scene leaves out.
async fn suite(scene: &Scene, python: &str, folder: &str) {
    run(scene, python, &["-m", "pytest", "-q", "-rs", "--tb=short", "-p", "no:cacheprovider", folder]).await;
}

const OPENAPI: &str = "OPENAPI_PYTHON";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stack_answers_as_its_document_says() {
    if python(OPENAPI).is_none() {
        return;
    }
    let scene = Scene::start().await;
    suite(&scene, OPENAPI, "tests/openapi").await;
    scene.assert_no_key_in_logs();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing_at_the_stack() {
    if python(OPENAPI).is_none() {
        return;
    }
    let scene = Scene::start().await;
    run(&scene, OPENAPI, &["tests/openapi/run.py"]).await;
    scene.assert_no_key_in_logs();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snowflakes_procedures_and_the_scripts_work_at_the_stack() {
    if python(OPENAPI).is_none() {
        return;
    }
    let scene = Scene::start().await;
    suite(&scene, OPENAPI, "integrations/curl").await;
    suite(&scene, OPENAPI, "integrations/github").await;
    suite(&scene, "SNOWFLAKE_PYTHON", "integrations/snowflake").await;
    scene.assert_no_key_in_logs();
}

/// Of the full check: Airflow takes long to install.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn airflow_refreshes_at_the_stack() {
    if python("AIRFLOW_OPERATOR_PYTHON").is_none() {
        return;
    }
    let scene = Scene::start().await;
    suite(&scene, "AIRFLOW_OPERATOR_PYTHON", "integrations/airflow").await;
    scene.assert_no_key_in_logs();
}

/// Of the full check.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dbt_refreshes_at_the_stack() {
    if python("DBT_PYTHON").is_none() {
        return;
    }
    let scene = Scene::start().await;
    suite(&scene, "DBT_PYTHON", "integrations/dbt").await;
    scene.assert_no_key_in_logs();
}
