//! Routing by the rules, with the addresses of the people whom rules name.

use crate::recipients::{Found, People, asks, key, merged, of_rule, of_settings};
use alerting::RulesRouting;
use alerting::context::Context;
use alerting::impact::ImpactLookup;
use alerting::incident::RefreshKind;
use alerting::notifier::{Occurrence, Routed, Routing, Targeted};
use async_trait::async_trait;
use email::{MailTarget, Reason};
use facts::{Answer, FactLookups, Question, Unanswered, is_deletion};
use jiff::Timestamp;
use rules::settings::{Recipient, SendEmail};
use rules::{Address, LoadedRules, Matched, Rules, Site};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tableau::{Action, Event, Subject};
use tableau_client::RecycleBinLookup;
use workflow::{Failure, Invocation};

/// Routing by the rules. A target is a list of addresses, so what is stored about it needs no lookup later.
#[derive(Debug)]
pub struct MailRouting {
    by_rules: RulesRouting<SendEmail>,
    rules: LoadedRules,
}

impl MailRouting {
    /// Routing by `by_rules`, which follows `rules`.
    pub fn new(by_rules: RulesRouting<SendEmail>, rules: LoadedRules) -> Self {
        Self { by_rules, rules }
    }

    fn rules(&self) -> Result<Arc<Rules>, Failure> {
        self.rules.current().map_err(Failure::misconfigured)
    }

    /// The people of the event's object, as far as these rules ask for them.
    async fn people(
        &self,
        event: &Event,
        rules: &[Targeted<SendEmail>],
        invocation: &Invocation,
    ) -> Result<People, Failure> {
        let asks = |person: &Recipient| rules.iter().any(|rule| asks(&rule.settings, person));
        let wants_owner = asks(&Recipient::Owner);
        let wants_leader = asks(&Recipient::ProjectLeader);
        let has_people = matches!(event.subject, Subject::Workbook(_) | Subject::Datasource(_));
        if !has_people || !(wants_owner || wants_leader) {
            return Ok(People::default());
        }
        let question = Question::new(event, invocation);
        match question.in_time(self.ask(question, wants_owner, wants_leader)).await {
            Ok(people) => Ok(people),
            Err(Unanswered { failure, waits: true, .. }) => Err(failure),
            Err(Unanswered { failure, why, .. }) => {
                let reason = failure.reason();
                tracing::warn!(event.id = %event.id, reason, "no mail goes to the owner or project leader");
                Ok(People { owner: Found::Missing(why.clone()), leader: Found::Missing(why) })
            }
        }
    }

    async fn ask(&self, question: Question<'_>, wants_owner: bool, wants_leader: bool) -> Answer<People> {
        let facts = self.by_rules.facts();
        let mut people = People::default();
        if facts.is_of_another_site(question).await? {
            return Ok(people);
        }
        if is_deletion(question.event) {
            let deleted = FactLookups::found_or_why(question, facts.deletion(question).await)?;
            people.owner = match deleted {
                Ok(RecycleBinLookup::Found(item)) => {
                    Found::of(item.owner.as_ref().and_then(tableau_client::OwnerRef::person).as_ref())
                }
                Ok(not_found) => Found::Missing(not_found.to_string()),
                Err(why) => Found::Missing(why),
            };
            return Ok(people);
        }
        let item = match FactLookups::found_or_why(question, facts.item(question).await)? {
            Ok(Some(item)) => item,
            Ok(None) => return Ok(people),
            Err(why) => {
                return Ok(People { owner: Found::Missing(why.clone()), leader: Found::Missing(why) });
            }
        };
        if wants_owner {
            people.owner = match FactLookups::found_or_why(question, facts.owner(&item, question).await)? {
                Ok(owner) => Found::of(owner.as_ref()),
                Err(why) => Found::Missing(why),
            };
        }
        if wants_leader {
            let leader = facts.project_leader(&item, question).await;
            people.leader = match FactLookups::found_or_why(question, leader)? {
                Ok(leader) => Found::of(leader.as_ref()),
                Err(why) => Found::Missing(why),
            };
        }
        Ok(people)
    }

    /// The targets of a stored event: those that its rules still mean, and of people those who were found when it arrived.
    fn of_stored(&self, rules: &[Targeted<SendEmail>], keys: &[String]) -> Vec<Targeted<MailTarget>> {
        let mut targets: Vec<Targeted<MailTarget>> =
            rules.iter().flat_map(|rule| of_rule(rule, &People::default())).collect();
        // An address that a rule names is that rule's, and no owner's by another rule.
        let named: BTreeSet<String> = targets.iter().map(|target| target.key.clone()).collect();
        let keys_of_people: Vec<&String> = keys.iter().filter(|key| !named.contains(*key)).collect();
        for rule in rules {
            let Some(reason) = reason_of_people(&rule.settings) else { continue };
            let people =
                keys_of_people.iter().filter_map(|key| person(key, reason, fixed_reply_to(&rule.settings)));
            targets.extend(people.map(|person| rule.with(key(&person.to), person)));
        }
        // The first mail says who was left out.
        for target in &mut targets {
            target.settings.left_out.clear();
        }
        let is_stored = |target: &Targeted<MailTarget>| keys.is_empty() || keys.contains(&target.key);
        merged(targets).into_iter().filter(is_stored).collect()
    }
}

/// Why a person gets mail by a rule that names people.
fn reason_of_people(settings: &SendEmail) -> Option<Reason> {
    let to = settings.to.list();
    match (to.contains(&Recipient::Owner), to.contains(&Recipient::ProjectLeader)) {
        (true, true) => Some(Reason::OwnerOrProjectLeader),
        (true, false) => Some(Reason::Owner),
        (false, true) => Some(Reason::ProjectLeader),
        (false, false) => None,
    }
}

/// The target of one person, by its key.
fn person(key: &str, reason: Reason, reply_to: Option<Address>) -> Option<MailTarget> {
    let to = vec![Address::parse(key).ok()?];
    Some(MailTarget { to, reply_to, reason, left_out: Vec::new() })
}

/// Where answers go, if the rule says an address.
fn fixed_reply_to(settings: &SendEmail) -> Option<Address> {
    match &settings.reply_to {
        Some(Recipient::Address(address)) => Some(address.clone()),
        _ => None,
    }
}

#[async_trait]
impl Routing<MailTarget> for MailRouting {
    fn asks_for_failures(&self, event: &Event) -> Result<bool, Failure> {
        self.by_rules.asks_for_failures(event)
    }

    async fn route(
        &self,
        event: &Event,
        failures_in_a_row: Option<u32>,
        invocation: &Invocation,
    ) -> Result<Routed<MailTarget>, Failure> {
        let routed = self.by_rules.route(event, failures_in_a_row, invocation).await?;
        if routed.targets.is_empty() {
            return Ok(Routed { targets: Vec::new(), matched: routed.matched });
        }
        let people = self.people(event, &routed.targets, invocation).await?;
        let targets = routed.targets.iter().flat_map(|rule| of_rule(rule, &people)).collect();
        let targets = merged(targets);
        // An end is recorded in any case: those who got the failure learn of it.
        let is_end = matches!(event.name.action(), Some(Action::RefreshSucceeded | Action::Deleted));
        // A site, a user, a view and a label have no owner who could be asked for.
        let has_people = matches!(event.subject, Subject::Workbook(_) | Subject::Datasource(_));
        if targets.is_empty() && (is_end || !has_people) {
            return Ok(Routed { targets, matched: routed.matched });
        }
        if targets.is_empty() {
            return Err(Failure::permanent(format!(
                "no one to send a mail to: {}",
                no_recipients(&people, &routed.targets)
            )));
        }
        // The keys of the rules' targets, for a rule that has another name later, and those of the people.
        let found = targets.iter().map(|target| target.key.clone());
        let keys = routed.matched.targets.into_iter().chain(found).collect();
        Ok(Routed { targets, matched: Matched { targets: keys, ..routed.matched } })
    }

    fn targets(&self, event: &Occurrence, now: Timestamp) -> Result<Vec<Targeted<MailTarget>>, Failure> {
        let keys = event.matched.as_ref().map(|matched| matched.targets.clone()).unwrap_or_default();
        Ok(self.of_stored(&self.by_rules.targets(event, now)?, &keys))
    }

    fn failure_targets(&self, event: &Event, now: Timestamp) -> Result<Vec<Targeted<MailTarget>>, Failure> {
        Ok(self.of_stored(&self.by_rules.failure_targets(event, now)?, &[]))
    }

    /// The addresses that rules name. Whose an object is, and so who else gets a mail, only an event says.
    fn all(&self) -> Result<BTreeMap<String, MailTarget>, Failure> {
        let settings = self.rules()?.settings::<SendEmail>().map_err(Failure::misconfigured)?;
        let targets = settings.iter().flat_map(|settings| of_settings(settings, &People::default()));
        let named = targets.filter(|target| !target.to.is_empty());
        Ok(named.map(|target| (key(&target.to), MailTarget { left_out: Vec::new(), ..target })).collect())
    }

    /// The target with this key. A person's is the target of any rule that names people.
    fn named(&self, wanted: &str) -> Result<Option<MailTarget>, Failure> {
        for settings in self.rules()?.settings::<SendEmail>().map_err(Failure::misconfigured)? {
            let named = of_settings(&settings, &People::default());
            if let Some(target) = named.into_iter().find(|target| key(&target.to) == wanted) {
                return Ok(Some(MailTarget { left_out: Vec::new(), ..target }));
            }
            let person = reason_of_people(&settings)
                .and_then(|reason| person(wanted, reason, fixed_reply_to(&settings)));
            if person.is_some() {
                return Ok(person);
            }
        }
        Ok(None)
    }

    /// Mail goes to no address that no rule names.
    fn unnamed(&self, _: &str) -> Option<MailTarget> {
        None
    }

    fn site(&self, event: &Event) -> Option<Site> {
        self.by_rules.site(event)
    }

    async fn context(&self, event: &Event, invocation: &Invocation) -> Result<Context, Failure> {
        self.by_rules.context(event, invocation).await
    }

    async fn impact(
        &self,
        failure: &Event,
        context: &Context,
        invocation: &Invocation,
    ) -> Option<ImpactLookup> {
        self.by_rules.impact(failure, context, invocation).await
    }

    async fn last_success(
        &self,
        failure: &Event,
        kind: RefreshKind,
        invocation: &Invocation,
    ) -> Result<Option<Timestamp>, Failure> {
        self.by_rules.last_success(failure, kind, invocation).await
    }

    async fn success_kind(&self, success: &Event, invocation: &Invocation) -> Result<RefreshKind, Failure> {
        self.by_rules.success_kind(success, invocation).await
    }
}

/// Why there is no one, and what to do.
fn no_recipients(people: &People, rules: &[Targeted<SendEmail>]) -> String {
    let why = |found: &Found| match found {
        Found::Missing(why) => why.clone(),
        Found::At(_) => String::new(),
    };
    let asks = |person: &Recipient| rules.iter().any(|rule| rule.settings.to.list().contains(person));
    let owner = asks(&Recipient::Owner).then(|| format!("of the owner, {}", why(&people.owner)));
    let leader =
        asks(&Recipient::ProjectLeader).then(|| format!("of the project leader, {}", why(&people.leader)));
    let reasons: Vec<String> = owner.into_iter().chain(leader).collect();
    format!("{}. Add `to_if_unknown` with an address to the rule, or an address to `to`", reasons.join("; "))
}
