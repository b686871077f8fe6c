//! What Tableau says about a data source, and who its steward is.

use crate::request::{About, Listed, StewardIs};
use facts::{FactLookups, Question};
use rules::Address;
use rules::settings::{self, Recipient};
use tableau::DatasourceLuid;
use tableau_client::{Connection, Item, Owner};
use workflow::Failure;

/// How many workbooks, and how many connections, are named.
const NAMED: usize = 5;

/// Who is asked, and who gets the result.
pub(crate) struct People {
    pub(crate) steward: Address,
    pub(crate) steward_is: StewardIs,
    pub(crate) owner: Option<Owner>,
}

/// Finds out who is asked.
///
/// # Errors
/// When Tableau does not answer, and when there is no one to ask: then a person has to change the rule, or Tableau.
pub(crate) async fn people(
    facts: &FactLookups,
    settings: &settings::RequestCertification,
    item: &Item,
    question: Question<'_>,
) -> Result<People, Failure> {
    let owner = facts.owner(item, question).await?;
    let (who, steward_is, found) = match &settings.steward {
        Recipient::Address(address) => ("", StewardIs::Named, Ok(address.clone())),
        Recipient::Owner => ("the owner", StewardIs::Owner, facts::mail_address(owner.as_ref())),
        Recipient::ProjectLeader => {
            let leader = facts.project_leader(item, question).await?;
            ("the project leader", StewardIs::ProjectLeader, facts::mail_address(leader.as_ref()))
        }
    };
    let in_place = settings.steward_if_unknown.as_ref().and_then(Recipient::address);
    let (steward, steward_is) = match (found, in_place) {
        (Ok(steward), _) => (steward, steward_is),
        (Err(_), Some(other)) => (other.clone(), StewardIs::InPlace),
        (Err(why), None) => {
            return Err(Failure::misconfigured(format!(
                "no one to ask: of {who}, {why}. Add `steward_if_unknown` with an address to the rule, or write an address as `steward`"
            )));
        }
    };
    Ok(People { steward, steward_is, owner })
}

/// Describes a data source for the mail and the page. What cannot be found out is said to be unknown; nothing waits for it.
pub(crate) async fn about(
    facts: &FactLookups,
    luid: &DatasourceLuid,
    item: &Item,
    owner: Option<&Owner>,
    question: Question<'_>,
) -> Result<About, Failure> {
    let tableau = facts.tableau();
    let listed = tableau.call(question.invocation, tableau.client().datasource_connections(luid)).await;
    let connections = match FactLookups::found_or_why(question, listed)? {
        Ok(connections) => of_connections(&connections),
        Err(why) => Listed { unknown: Some(why), ..Listed::default() },
    };
    let used_by = match facts.dependents_of(luid, question).await {
        Ok(dependents) => {
            let names = dependents.workbooks.iter().filter_map(|workbook| workbook.name.clone());
            Listed { names: names.take(NAMED).collect(), total: dependents.total, unknown: None }
        }
        Err(unknown) => Listed { unknown: Some(unknown.why), ..Listed::default() },
    };
    let project = item.project.as_ref().map(|project| project.name.clone());
    Ok(About {
        name: item.name.clone(),
        project: project.filter(|name| !name.is_empty()),
        owner: owner.map(shown),
        link: item.link.clone(),
        connections,
        used_by,
    })
}

fn shown(owner: &Owner) -> String {
    match owner.email.as_deref().filter(|email| *email != owner.name) {
        Some(email) => format!("{} ({email})", owner.name),
        None => owner.name.clone(),
    }
}

fn of_connections(connections: &[Connection]) -> Listed {
    let mut names: Vec<String> = connections.iter().filter_map(of_connection).collect();
    names.sort();
    names.dedup();
    let total = names.len();
    names.truncate(NAMED);
    Listed { names, total, unknown: None }
}

fn of_connection(connection: &Connection) -> Option<String> {
    let part = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
    match (part(&connection.kind), part(&connection.server_address)) {
        (Some(kind), Some(server)) => Some(format!("{kind} at {server}")),
        (one, other) => one.or(other),
    }
}
