//! Conditions that hold for no event of their rule. No I/O.

use super::node::At;
use crate::conditions::Conditions;
use crate::error::Problem;
use crate::rule::Rule;
use crate::workflow::list;
use tableau::{Action, EventName, Object};

/// A condition, whether it is there, the events for which it can hold, and what to say of them.
type Check = (&'static str, fn(&Conditions) -> bool, fn(&EventName) -> bool, &'static str);

const REFRESH_FAILED: &str =
    "only failed refreshes have it: add RefreshFailed to `on`, or remove the condition";
const CONTENT: &str = "users, sites and webhooks have none: add events of workbooks or data sources to `on`, or remove the condition";
const CERTIFIED: &str =
    "only data sources are certified: add events of data sources to `on`, or remove the condition";

const CHECKS: [Check; 7] = [
    ("failures_in_a_row", |all| all.failures_in_a_row.is_some(), is_failure, REFRESH_FAILED),
    ("cause", |all| !all.cause.is_empty(), is_failure, REFRESH_FAILED),
    ("tags", |all| !all.tags_any.is_empty() || !all.tags_all.is_empty(), is_of_content, CONTENT),
    ("project", |all| !all.project.is_empty(), is_of_content, CONTENT),
    ("owner", |all| !all.owner.is_empty(), is_of_content, CONTENT),
    ("owner_group", |all| !all.owner_group.is_empty(), is_of_content, CONTENT),
    ("certified", |all| all.certified == Some(true), may_be_certified, CERTIFIED),
];

fn is_failure(event: &EventName) -> bool {
    event.action() == Some(Action::RefreshFailed)
}

fn is_of_content(event: &EventName) -> bool {
    !matches!(event.object(), Some(Object::User | Object::Site | Object::Webhook))
}

/// After a deletion it is not known, and what is not known counts as matched.
fn may_be_certified(event: &EventName) -> bool {
    let is_deleted = event.action() == Some(Action::Deleted);
    is_of_content(event) && (event.object() != Some(Object::Workbook) || is_deleted)
}

/// What is wrong with the conditions of a rule at `at`: in `where` the rule never matches, in `unless` they have no effect.
pub(super) fn problems(rule: &Rule, at: At<'_>) -> Vec<Problem> {
    let unless = rule.unless.iter().enumerate();
    let groups = unless.map(|(index, conditions)| (conditions, at.key("unless").item(index)));
    let all = std::iter::once((&rule.conditions, at.key("where"))).chain(groups);
    all.flat_map(|(conditions, at)| of_group(rule, conditions, at)).collect()
}

fn of_group(rule: &Rule, conditions: &Conditions, at: At<'_>) -> Vec<Problem> {
    if rule.on.is_empty() {
        return Vec::new();
    }
    let never = CHECKS
        .iter()
        .filter(|(_, is_there, can_hold, _)| is_there(conditions) && !rule.on.iter().any(can_hold));
    let problem = |(key, _, _, why): &Check| {
        let events = list(&rule.on, "or");
        let text = format!("`{key}` never holds for {events}: {why}");
        Problem::of_rule(at.key(key).key_position(), &rule.name, text)
    };
    never.map(problem).collect()
}
