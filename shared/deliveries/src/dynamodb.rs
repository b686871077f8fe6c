//! Delivery records in DynamoDB: one item per workflow and event, and one conditional write per change.

use crate::attribute::{
    ATTEMPTS, CAUSE, DAY, DEADLINE, DEFERRALS, EFFECTS, EVENT_ID, EXPIRES_AT, FAILURES, FIRST_SEEN_AT,
    HISTORY, MISCONFIGURED_SINCE, OWNER, REASON, STATE, UPDATED_AT, WORKFLOW, day, expires_at, instant,
    item_key, milliseconds, number, text,
};
use crate::claim::{Claim, ClaimStore, Claimant, End, Ended, Progress, REASON_LIMIT, StoreError};
use crate::expression::{names, states};
use crate::facts::EventFacts;
use crate::history::{Entry, HISTORY_LIMIT};
use crate::key::DeliveryKey;
use crate::record::{LONGEST_CLAIM, Record};
use crate::state::State;
use async_trait::async_trait;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use std::collections::HashMap;
use workflow::Effect;

/// The condition for a claim. Claimable are a new event, one that failed, was released, dropped or ignored, and one
/// whose claim has expired, is this worker's own, or was made by a wrong clock. A record without a state, or a claim
/// without a deadline, is damaged and claimable too: nothing else would ever end it.
const CLAIMABLE: &str = "attribute_not_exists(#pk) OR NOT attribute_type(#state, :text) \
                         OR #state IN (:released, :misconfigured, :failed, :dropped, :ignored) OR DEFERRED \
                         OR (#state = :claimed AND (NOT attribute_type(#deadline_ms, :number) \
                         OR #deadline_ms < :now OR #deadline_ms > :latest OR #owner = :owner))";
/// The condition to claim a deferred event for a message that Tableau's delivery or a person has sent.
const DEFERRED: &str = "#state = :deferred";
/// The condition to claim a deferred event for a message that a deferred attempt has sent: no later attempt may have
/// sent a newer message.
const DEFERRED_BY_IT: &str = "(#state = :deferred AND #attempts <= :copy_of)";
/// The condition that this attempt still holds the claim: it was the last to claim the record.
const OURS: &str = "#state = :claimed AND #attempts = :attempt";
/// How many characters of an unknown state are shown.
const STATE_LIMIT: usize = 64;

/// Delivery records in a DynamoDB table with the keys `pk` and `sk` and the time-to-live attribute `expires_at`. An
/// index by `day` and `first_seen_at` lists them.
#[derive(Clone, Debug)]
pub struct DynamoDbClaims {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

/// How a write treats the counters and lists in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    /// Continues them.
    On,
    /// Starts them again, because they are damaged or too large. Recorded effects are kept.
    Anew,
}

impl Write {
    /// The expression that increments a counter.
    fn counted(self, name: &str) -> String {
        match self {
            Self::On => format!("if_not_exists(#{name}, :zero) + :one"),
            Self::Anew => ":one".to_owned(),
        }
    }
}

/// An update expression under construction.
#[derive(Debug, Default)]
struct Update {
    set: Vec<String>,
    remove: Vec<&'static str>,
    values: HashMap<String, AttributeValue>,
}

impl Update {
    /// Sets an attribute to an expression.
    fn set(&mut self, name: &str, expression: impl AsRef<str>) {
        self.set.push(format!("#{name} = {}", expression.as_ref()));
    }

    /// Sets an attribute to a value.
    fn put(&mut self, name: &str, value: AttributeValue) {
        self.set(name, format!(":{name}"));
        self.value(name, value);
    }

    fn value(&mut self, name: &str, value: AttributeValue) {
        self.values.insert(format!(":{name}"), value);
    }

    fn remove(&mut self, names: &[&'static str]) {
        self.remove.extend(names);
    }

    fn expression(&self) -> String {
        let remove: Vec<String> = self.remove.iter().map(|name| format!("#{name}")).collect();
        let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        format!("SET {}{remove}", self.set.join(", "))
    }
}

impl DynamoDbClaims {
    /// Delivery records kept in `table`.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Builds a request and fills in the placeholders of its expressions: attribute names, states, and the given
    /// values.
    fn request(
        &self,
        key: &DeliveryKey,
        condition: &str,
        update: &str,
        values: HashMap<String, AttributeValue>,
    ) -> UpdateItemFluentBuilder {
        let expressions = [condition, update];
        let values = states(&expressions).into_iter().chain(values).collect();
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item_key(key)))
            .condition_expression(condition)
            .update_expression(update)
            .set_expression_attribute_names(Some(names(&expressions)))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Changes a record that this attempt must still hold. `state` is set when the change ends the attempt: if the
    /// record already has that state, the change was made before and its answer was lost.
    async fn change(
        &self,
        key: &DeliveryKey,
        attempt: u32,
        state: Option<State>,
        update: &str,
        mut values: HashMap<String, AttributeValue>,
    ) -> Result<(), StoreError> {
        values.insert(":attempt".to_owned(), number(attempt));
        let error = match sent(self.request(key, OURS, update, values)).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                let record = refused.item().map(Record::read).unwrap_or_default();
                let is_ours = record.attempts == u64::from(attempt);
                let is_recorded = state.is_some() && record.state == state;
                if is_ours && is_recorded { Ok(()) } else { Err(StoreError::Superseded) }
            }
            _ => Err(unwritten(&error)),
        }
    }

    async fn claim_once(
        &self,
        key: &DeliveryKey,
        facts: &EventFacts,
        claimant: &Claimant,
        write: Write,
    ) -> Result<Claim, StoreError> {
        let Claimant { owner, now, deadline, copy_of } = claimant;
        let now = *now;
        let mut update = Update::default();
        update.set(STATE, ":claimed");
        update.put(OWNER, text(owner));
        update.put(DEADLINE, milliseconds(*deadline));
        update.set(ATTEMPTS, write.counted(ATTEMPTS));
        update.put(WORKFLOW, text(&*key.workflow));
        update.put(EVENT_ID, text(key.event.as_str()));
        for (name, fact) in facts.texts() {
            update.put(name, text(fact));
        }
        update.set(DAY, "if_not_exists(#day, :day)");
        update.value(DAY, day(now));
        update.set(FIRST_SEEN_AT, "if_not_exists(#first_seen_at, :updated_at)");
        update.put(UPDATED_AT, instant(now));
        update.put(EXPIRES_AT, expires_at(now));
        update.value("one", number(1));
        match write {
            Write::On => update.value("zero", number(0)),
            Write::Anew => update.remove(&[HISTORY, FAILURES, DEFERRALS, MISCONFIGURED_SINCE]),
        }
        let latest = now.checked_add(LONGEST_CLAIM).unwrap_or(Timestamp::MAX);
        update.value("text", text("S"));
        update.value("number", text("N"));
        update.value("now", milliseconds(now));
        update.value("latest", milliseconds(latest));
        if let Some(copy_of) = copy_of {
            update.value("copy_of", number(copy_of));
        }
        let deferred = if copy_of.is_some() { DEFERRED_BY_IT } else { DEFERRED };
        let condition = CLAIMABLE.replace("DEFERRED", deferred);
        let request = self.request(key, &condition, &update.expression(), update.values);
        let error = match sent(request.return_values(ReturnValue::AllNew)).await {
            Ok(answer) => return granted(answer.attributes().map(Record::read).unwrap_or_default()),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(refused_claim(&refused.item().map(Record::read).unwrap_or_default(), claimant))
            }
            _ => Err(unwritten(&error)),
        }
    }

    async fn end_once(&self, key: &DeliveryKey, ended: &Ended, write: Write) -> Result<(), StoreError> {
        let Ended { attempt, began, at, end, next_at, cause } = ended;
        let state = end.state();
        let reason = end.kept_reason();
        let mut update = Update::default();
        update.put(STATE, text(state.as_str()));
        update.put(UPDATED_AT, instant(*at));
        update.put(EXPIRES_AT, expires_at(*at));
        match end {
            End::Released(_) => {
                update.set(FAILURES, write.counted(FAILURES));
                update.remove(&[MISCONFIGURED_SINCE]);
            }
            End::Misconfigured(_) => {
                update.set(
                    MISCONFIGURED_SINCE,
                    match write {
                        Write::On => "if_not_exists(#misconfigured_since, :updated_at)",
                        Write::Anew => ":updated_at",
                    },
                );
                update.remove(&[FAILURES]);
            }
            End::Deferred(_) => {
                update.set(DEFERRALS, write.counted(DEFERRALS));
                update.remove(&[FAILURES, MISCONFIGURED_SINCE]);
            }
            End::Done | End::Skipped(_) | End::Ignored(_) | End::Failed(_) => {
                update.remove(&[FAILURES, MISCONFIGURED_SINCE, DEFERRALS]);
            }
        }
        if matches!(end, End::Released(_) | End::Deferred(_)) {
            update.value("one", number(1));
            if write == Write::On {
                update.value("zero", number(0));
            }
        }
        match &reason {
            Some(reason) => update.put(REASON, text(reason)),
            None => update.remove(&[REASON]),
        }
        match next_at {
            // The attribute says how long the state lasts: a claim until it expires, a waiting event until its next
            // attempt.
            Some(next_at) => update.put(DEADLINE, milliseconds(*next_at)),
            None => update.remove(&[DEADLINE]),
        }
        if let Some(cause) = cause {
            update.put(CAUSE, text(cause));
        }
        if *attempt <= HISTORY_LIMIT {
            let entry = Entry {
                attempt: u64::from(*attempt),
                began_at: Some(*began),
                ended_at: Some(*at),
                outcome: Some(state.clone()),
                reason: reason.unwrap_or_default(),
                next_at: *next_at,
            };
            update.value("entry", AttributeValue::L(vec![entry.to_attribute()]));
            match write {
                Write::On => {
                    update.set(HISTORY, "list_append(if_not_exists(#history, :none), :entry)");
                    update.value("none", AttributeValue::L(Vec::new()));
                }
                Write::Anew => update.set(HISTORY, ":entry"),
            }
        }
        self.change(key, *attempt, Some(state), &update.expression(), update.values).await
    }
}

#[async_trait]
impl ClaimStore for DynamoDbClaims {
    async fn claim(
        &self,
        key: &DeliveryKey,
        facts: &EventFacts,
        claimant: &Claimant,
    ) -> Result<Claim, StoreError> {
        match self.claim_once(key, facts, claimant, Write::On).await {
            Err(StoreError::Damaged(_)) => self.claim_once(key, facts, claimant, Write::Anew).await,
            claimed => claimed,
        }
    }

    async fn record_effect(
        &self,
        key: &DeliveryKey,
        attempt: u32,
        effect: &Effect,
    ) -> Result<(), StoreError> {
        let values = HashMap::from([(":effect".to_owned(), AttributeValue::Ss(vec![effect.to_string()]))]);
        let add = format!("ADD #{EFFECTS} :effect");
        match self.change(key, attempt, None, &add, values.clone()).await {
            Err(StoreError::Damaged(_)) => {
                let set = format!("SET #{EFFECTS} = :effect");
                self.change(key, attempt, None, &set, values).await
            }
            recorded => recorded,
        }
    }

    async fn end(&self, key: &DeliveryKey, ended: &Ended) -> Result<(), StoreError> {
        match self.end_once(key, ended, Write::On).await {
            Err(StoreError::Damaged(_)) => self.end_once(key, ended, Write::Anew).await,
            ended => ended,
        }
    }
}

async fn sent(
    request: UpdateItemFluentBuilder,
) -> Result<UpdateItemOutput, SdkError<UpdateItemError, HttpResponse>> {
    request.send().await
}

/// Why a write failed. DynamoDB reports a validation error if an attribute has another type than expected or the item
/// is full.
fn unwritten(error: &SdkError<UpdateItemError, HttpResponse>) -> StoreError {
    // DynamoDB's own error text is left out: it may repeat the request.
    let reason = aws_http::reason("dynamodb:UpdateItem", error).into();
    match error.code() {
        Some("ValidationException") => StoreError::Damaged(reason),
        _ => StoreError::Unavailable(reason),
    }
}

/// The claim that was granted, read from the updated record.
fn granted(record: Record) -> Result<Claim, StoreError> {
    let attempt = u32::try_from(record.attempts).ok().filter(|attempt| *attempt > 0);
    let attempt =
        attempt.ok_or_else(|| StoreError::Damaged("`attempts` must be a whole number from 1".into()))?;
    let last_reason = cut(&record.last_reason, REASON_LIMIT);
    let progress = Progress {
        effects: record.effects,
        failures: record.failures,
        deferrals: record.deferrals,
        misconfigured_since: record.misconfigured_since,
        last_reason: (!last_reason.is_empty()).then_some(last_reason),
        cause: (!record.cause.is_empty()).then_some(record.cause),
    };
    Ok(Claim::Granted { attempt, progress })
}

/// Shortens a text from a record for logs and dead letters.
fn cut(text: &str, limit: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(limit).collect()
}

/// Why `record` could not be claimed.
fn refused_claim(record: &Record, claimant: &Claimant) -> Claim {
    match &record.state {
        Some(State::Done | State::Skipped) => Claim::Finished,
        Some(State::Claimed) => Claim::Busy { until: record.deadline.unwrap_or(claimant.now) },
        // A deferred record is refused only if a later attempt has sent a newer message.
        Some(State::Deferred) => Claim::ExtraCopy,
        // The record was deleted between the refusal and the answer, or a newer version of this code wrote it.
        other => Claim::Unknown {
            state: other.as_ref().map_or_else(String::new, |state| cut(state.as_str(), STATE_LIMIT)),
        },
    }
}
