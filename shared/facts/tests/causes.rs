//! The classes of causes: what Tableau's client finds is what rules can ask for.

use rules::settings::{CAUSES, cause};
use std::collections::BTreeSet;
use tableau_client::CauseClass;

// Issue 16, 4
#[test]
fn rules_know_every_class_of_causes_and_no_other() {
    let classes: BTreeSet<&str> = CauseClass::ALL.iter().map(|class| class.name()).collect();
    assert_eq!(classes, CAUSES.into_iter().collect());
    assert_eq!(classes.len(), CauseClass::ALL.len(), "two classes have one name");
    assert_eq!(cause("Other"), Some(CauseClass::Unknown.name()));
}
