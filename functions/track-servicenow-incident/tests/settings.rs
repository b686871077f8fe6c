//! The example of the readme, and what the secret is called.

use rules::Rules;
use rules::settings::{OnRecovery, TrackServicenowIncident};
use testkit::repository;

#[test]
fn the_rule_of_the_readme_resolves_incidents_of_a_group() {
    let readme = repository::root().join("functions/track-servicenow-incident/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let rule = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let rules = Rules::of_json(&Rules::to_json(rule).unwrap()).unwrap();
    let settings = rules.settings::<TrackServicenowIncident>().unwrap();
    let settings = settings.first().unwrap();
    assert_eq!(settings.assignment_group.as_deref(), Some("BI Platform"));
    assert_eq!(
        (settings.urgency, settings.impact, settings.on_recovery),
        (Some(2), Some(2), OnRecovery::Resolve)
    );
    let secret = readme.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    for form in secret.trim().lines() {
        let form = form.trim();
        let taken = serde_json::from_str::<destinations::servicenow::ServiceNowCredential>(form);
        assert!(taken.is_ok(), "{form}: {taken:?}");
    }
}
