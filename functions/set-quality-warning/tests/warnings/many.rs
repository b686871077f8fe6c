//! Many data sources at once.

use crate::support::{Person, RULES, handle, queued, start};
use testkit::simulator::TableauSimulator;

const MANY: usize = 500;
/// What one failure may cost: the data source, its project and owner, the jobs of its refreshes and the last one, the workbooks that use
/// it, the warnings there are, and the new one.
const CALLS: usize = 9;

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
    assert!(calls < CALLS * MANY, "{calls}");
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
    assert!(calls < CALLS * MANY, "{calls}");
    for n in (0..MANY).step_by(50) {
        assert_eq!(person.texts(&environment, &format!("extract_{n:03}")).await, [""; 0]);
    }
    assert_eq!(environment.tableau.failed_calls(), 0);
}
