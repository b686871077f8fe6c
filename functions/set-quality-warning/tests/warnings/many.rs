//! Many data sources at once.

use crate::support::{Person, RULES, handle, queued, start};
use testkit::simulator::TableauSimulator;

const MANY: usize = 500;
/// What a failure costs: the data source, its project and its owner, the job that failed, the warnings there are, and the new one.
const OF_A_FAILURE: usize = 6;
/// What a recovery costs: the jobs and the one that succeeded, the warnings there are, and the one that goes.
const OF_A_RECOVERY: usize = 4;
/// The sign-in, and the version of the server.
const ONCE: usize = 2;

#[tokio::test]
async fn five_hundred_failing_data_sources_have_a_warning_each_for_few_calls() {
    let environment = start(RULES, TableauSimulator::sample()).await;
    let function = queued(&environment);
    let person = Person::at(&environment, "");
    for n in 0..MANY {
        handle(&function, &environment.event_of_extract("DatasourceRefreshFailed", n, 0)).await;
    }
    assert_eq!(environment.tableau.calls("POST */dataQualityWarnings/*") as usize, MANY);
    let calls = environment.tableau.calls("*") as usize;
    println!("{calls} calls for {MANY} failures");
    assert!(calls <= OF_A_FAILURE * MANY + ONCE, "{calls}");
    assert_eq!(environment.tableau.sign_ins(testkit::simulator::SAMPLE_PAT.0), 1, "one session");
    for n in (0..MANY).step_by(50) {
        assert_eq!(person.texts(&environment, &format!("extract_{n:03}")).await.len(), 1);
    }
    let before = environment.tableau.calls("*") as usize;
    for n in 0..MANY {
        handle(&function, &environment.event_of_extract("DatasourceRefreshSucceeded", n, 1)).await;
    }
    let calls = environment.tableau.calls("*") as usize - before;
    println!("{calls} calls for {MANY} recoveries");
    assert!(calls <= OF_A_RECOVERY * MANY, "{calls}");
    for n in (0..MANY).step_by(50) {
        assert_eq!(person.texts(&environment, &format!("extract_{n:03}")).await, [""; 0]);
    }
    assert_eq!(environment.tableau.failed_calls(), 0);
}
