//! Claims in DynamoDB: one item per workflow and event, one conditional write per move.

use super::{
    Claim, ClaimKey, ClaimStore, Claimant, End, Ended, EventFacts, KEPT, LONGEST_CLAIM, Progress,
    REASON_LIMIT, StoreError,
};
use async_trait::async_trait;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// What may be claimed: a new event, one that failed, was given back, dropped or ignored, and one whose claim is over, is ours, or was
/// made by a clock that is wrong. A record without a state, or a claim without an end, is damaged: nothing would ever end it.
const CLAIMABLE: &str = "attribute_not_exists(pk) OR NOT attribute_type(#state, :text) \
                         OR #state IN (:released, :misconfigured, :failed, :dropped, :ignored) OR DEFERRED \
                         OR (#state = :claimed AND (NOT attribute_type(#deadline, :number) OR #deadline < :now \
                         OR #deadline > :latest OR #owner = :owner))";
/// A deferred event, for a message that Tableau's delivery or a person sent.
const DEFERRED: &str = "#state = :deferred";
/// The same, for a message that a deferred attempt sent: no later attempt may have sent another.
const DEFERRED_BY_IT: &str = "(#state = :deferred AND #attempts <= :copy_of)";
/// Whose a record is: of the attempt that claimed it last.
const OURS: &str = "#state = :claimed AND #attempts = :attempt";
/// As many attempts are kept in an event's history, so that an item stays far below the 400 KB that DynamoDB takes.
const HISTORY_LIMIT: u32 = 100;
/// As much of a state that this version does not know is shown.
const STATE_LIMIT: usize = 64;

/// Claims in a DynamoDB table with the partition key `pk` and the time-to-live attribute `expires_at`. Its index by `day`
/// and `first_seen_at` lists them.
#[derive(Clone, Debug)]
pub struct DynamoDbClaims {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

type Item = HashMap<String, AttributeValue>;

/// How a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    /// What is counted and listed goes on from what is there.
    On,
    /// It begins again, because what is there is damaged, or too large for more. The effects that happened stay.
    Anew,
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An instant in the one form in which texts sort as instants do.
fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The day of an instant, in UTC.
fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn expires_at(now: Timestamp) -> AttributeValue {
    number(now.checked_add(KEPT).unwrap_or(Timestamp::MAX).as_second())
}

impl DynamoDbClaims {
    /// Claims in `table`.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    fn update(&self, key: &ClaimKey) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).key("pk", text(key.to_string()))
    }

    /// A change to a record that must still be ours. `state`: of an end, which may be on record already, when the answer to
    /// the first call was lost.
    async fn change(
        &self,
        attempt: u32,
        state: Option<&str>,
        request: UpdateItemFluentBuilder,
    ) -> Result<(), StoreError> {
        let request = request
            .condition_expression(OURS)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#attempts", "attempts")
            .expression_attribute_values(":claimed", text("claimed"))
            .expression_attribute_values(":attempt", number(attempt));
        let error = match request.send().await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                let field = |name: &str| refused.item().and_then(|item| item.get(name));
                let is_ours = field("attempts") == Some(&number(attempt));
                let is_recorded = state.is_some_and(|state| field("state") == Some(&text(state)));
                if is_ours && is_recorded { Ok(()) } else { Err(StoreError::Superseded) }
            }
            _ => Err(unwritten(&error)),
        }
    }

    async fn claim_once(
        &self,
        key: &ClaimKey,
        facts: &EventFacts,
        claimant: &Claimant,
        write: Write,
    ) -> Result<Claim, StoreError> {
        let Claimant { owner, now, deadline, copy_of } = claimant;
        let now = *now;
        let latest = now.checked_add(LONGEST_CLAIM).unwrap_or(Timestamp::MAX);
        let deferred = if copy_of.is_some() { DEFERRED_BY_IT } else { DEFERRED };
        let seen_at = instant(now);
        let facts = [
            ("event_name", &facts.name),
            ("site", &facts.site),
            ("resource", &facts.resource),
            ("resource_name", &facts.resource_name),
            ("created_at", &facts.created_at),
            ("payload", &facts.payload),
        ];
        let (attempts, remove) = match write {
            Write::On => ("if_not_exists(#attempts, :zero) + :one", ""),
            Write::Anew => (":one", " REMOVE #history, #failures, #deferrals, #misconfigured_since"),
        };
        let mut set = format!(
            "#state = :claimed, #owner = :owner, #deadline = :deadline, #attempts = {attempts}, \
             #workflow = :workflow, #event_id = :event_id, #day = if_not_exists(#day, :day), \
             #first_seen_at = if_not_exists(#first_seen_at, :seen_at), #updated_at = :seen_at, \
             #expires_at = :expires_at",
        );
        let mut request = self
            .update(key)
            .condition_expression(CLAIMABLE.replace("DEFERRED", deferred))
            .expression_attribute_values(":claimed", text("claimed"))
            .expression_attribute_values(":released", text("released"))
            .expression_attribute_values(":misconfigured", text("misconfigured"))
            .expression_attribute_values(":deferred", text("deferred"))
            .expression_attribute_values(":failed", text("failed"))
            .expression_attribute_values(":dropped", text("dropped"))
            .expression_attribute_values(":ignored", text("ignored"))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":deadline", number(deadline.as_millisecond()))
            .expression_attribute_values(":latest", number(latest.as_millisecond()))
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":text", text("S"))
            .expression_attribute_values(":number", text("N"))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":workflow", text(key.workflow))
            .expression_attribute_values(":event_id", text(key.event.as_str()))
            .expression_attribute_values(":day", text(day(now)))
            .expression_attribute_values(":seen_at", text(&seen_at))
            .expression_attribute_values(":expires_at", expires_at(now))
            .expression_attribute_names("#deadline", "deadline_ms")
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(copy_of) = copy_of {
            request = request.expression_attribute_values(":copy_of", number(copy_of));
        }
        let begun_again: &[&str] = match write {
            Write::On => {
                request = request.expression_attribute_values(":zero", number(0));
                &[]
            }
            Write::Anew => &["history", "failures", "deferrals", "misconfigured_since"],
        };
        let names = [
            "state",
            "owner",
            "attempts",
            "workflow",
            "event_id",
            "day",
            "first_seen_at",
            "updated_at",
            "expires_at",
        ];
        for name in names.iter().chain(begun_again).copied() {
            request = request.expression_attribute_names(format!("#{name}"), name);
        }
        for (name, fact) in facts {
            set.push_str(&format!(", #{name} = :{name}"));
            request = request
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), text(fact));
        }
        let request = request.update_expression(format!("SET {set}{remove}"));
        let error = match request.send().await {
            Ok(answer) => return granted(answer.attributes()),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(refused_claim(refused.item(), claimant))
            }
            _ => Err(unwritten(&error)),
        }
    }

    async fn end_once(&self, key: &ClaimKey, ended: &Ended, write: Write) -> Result<(), StoreError> {
        let Ended { attempt, began, at, end, next_at } = ended;
        let counted = |name: &str| match write {
            Write::On => format!(", #{name} = if_not_exists(#{name}, :zero) + :one"),
            Write::Anew => format!(", #{name} = :one"),
        };
        let reason = end.kept_reason();
        let mut set = String::from("#state = :state, #updated_at = :updated_at, #expires_at = :expires_at");
        let mut remove = Vec::new();
        let mut request = self
            .update(key)
            .expression_attribute_names("#reason", "reason")
            .expression_attribute_names("#updated_at", "updated_at")
            .expression_attribute_names("#expires_at", "expires_at")
            .expression_attribute_names("#deadline", "deadline_ms")
            .expression_attribute_values(":state", text(end.state()))
            .expression_attribute_values(":updated_at", text(instant(*at)))
            .expression_attribute_values(":expires_at", expires_at(*at));
        match end {
            End::Released(_) => {
                set.push_str(&counted("failures"));
                remove.push("#misconfigured_since");
            }
            End::Misconfigured(_) => {
                set.push_str(match write {
                    Write::On => ", #misconfigured_since = if_not_exists(#misconfigured_since, :updated_at)",
                    Write::Anew => ", #misconfigured_since = :updated_at",
                });
                remove.push("#failures");
            }
            End::Deferred(_) => {
                set.push_str(&counted("deferrals"));
                remove.extend(["#failures", "#misconfigured_since"]);
            }
            End::Done | End::Skipped(_) | End::Ignored(_) | End::Failed(_) => {
                remove.extend(["#failures", "#misconfigured_since", "#deferrals"]);
            }
        }
        for (placeholder, value) in [(":zero", 0), (":one", 1)] {
            if set.contains(placeholder) {
                request = request.expression_attribute_values(placeholder, number(value));
            }
        }
        for name in ["failures", "misconfigured_since", "deferrals"] {
            let placeholder = format!("#{name}");
            if set.contains(&placeholder) || remove.contains(&placeholder.as_str()) {
                request = request.expression_attribute_names(placeholder, name);
            }
        }
        match &reason {
            Some(reason) => {
                set.push_str(", #reason = :reason");
                request = request.expression_attribute_values(":reason", text(reason));
            }
            None => remove.push("#reason"),
        }
        match next_at {
            // Of a claim it is its end, of what waits the next attempt: each is until when the state lasts.
            Some(next_at) => {
                set.push_str(", #deadline = :next");
                request = request.expression_attribute_values(":next", number(next_at.as_millisecond()));
            }
            None => remove.push("#deadline"),
        }
        if *attempt <= HISTORY_LIMIT {
            let mut entry = HashMap::from([
                ("attempt".to_owned(), number(attempt)),
                ("began_at".to_owned(), text(instant(*began))),
                ("ended_at".to_owned(), text(instant(*at))),
                ("outcome".to_owned(), text(end.state())),
            ]);
            entry.extend(reason.map(|reason| ("reason".to_owned(), text(reason))));
            entry.extend(next_at.map(|next_at| ("next_at".to_owned(), text(instant(next_at)))));
            set.push_str(match write {
                Write::On => ", #history = list_append(if_not_exists(#history, :none), :entry)",
                Write::Anew => ", #history = :entry",
            });
            if write == Write::On {
                request = request.expression_attribute_values(":none", AttributeValue::L(Vec::new()));
            }
            request = request
                .expression_attribute_names("#history", "history")
                .expression_attribute_values(":entry", AttributeValue::L(vec![AttributeValue::M(entry)]));
        }
        let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        self.change(*attempt, Some(end.state()), request.update_expression(format!("SET {set}{remove}")))
            .await
    }
}

#[async_trait]
impl ClaimStore for DynamoDbClaims {
    async fn claim(
        &self,
        key: &ClaimKey,
        facts: &EventFacts,
        claimant: &Claimant,
    ) -> Result<Claim, StoreError> {
        match self.claim_once(key, facts, claimant, Write::On).await {
            Err(StoreError::Damaged(_)) => self.claim_once(key, facts, claimant, Write::Anew).await,
            claimed => claimed,
        }
    }

    async fn record_effect(&self, key: &ClaimKey, attempt: u32, effect: &str) -> Result<(), StoreError> {
        let record = |expression: &str| {
            let request = self
                .update(key)
                .update_expression(expression)
                .expression_attribute_names("#effects", "effects")
                .expression_attribute_values(":effect", AttributeValue::Ss(vec![effect.to_owned()]));
            self.change(attempt, None, request)
        };
        match record("ADD #effects :effect").await {
            Err(StoreError::Damaged(_)) => record("SET #effects = :effect").await,
            recorded => recorded,
        }
    }

    async fn end(&self, key: &ClaimKey, ended: &Ended) -> Result<(), StoreError> {
        match self.end_once(key, ended, Write::On).await {
            Err(StoreError::Damaged(_)) => self.end_once(key, ended, Write::Anew).await,
            ended => ended,
        }
    }
}

/// Why a write failed: DynamoDB calls it invalid when what is there is of another type, or there is no room for more.
/// The reason has none of its words, which may repeat the request.
fn unwritten(error: &SdkError<UpdateItemError, HttpResponse>) -> StoreError {
    let reason = aws_http::reason("dynamodb:UpdateItem", error).into();
    match error.code() {
        Some("ValidationException") => StoreError::Damaged(reason),
        _ => StoreError::Unavailable(reason),
    }
}

fn granted(item: Option<&Item>) -> Result<Claim, StoreError> {
    let field = |name: &str| item.and_then(|item| item.get(name));
    let count = |name: &str| field(name).and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok());
    let attempt =
        count("attempts").ok_or_else(|| StoreError::Damaged("`attempts` is no number of attempts".into()))?;
    let effects: BTreeSet<String> = match field("effects") {
        Some(AttributeValue::Ss(effects)) => effects.iter().cloned().collect(),
        _ => BTreeSet::new(),
    };
    let since = field("misconfigured_since").and_then(|value| value.as_s().ok());
    let progress = Progress {
        effects,
        failures: count("failures").unwrap_or_default(),
        deferrals: count("deferrals").unwrap_or_default(),
        misconfigured_since: since.and_then(|since| since.parse().ok()),
        last_reason: field("reason")
            .and_then(|value| value.as_s().ok())
            .map(|reason| cut(reason, REASON_LIMIT)),
    };
    Ok(Claim::Granted { attempt, progress })
}

/// What a record says goes into logs and dead letters.
fn cut(text: &str, limit: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(limit).collect()
}

fn refused_claim(item: Option<&Item>, claimant: &Claimant) -> Claim {
    let field = |name: &str| item.and_then(|item| item.get(name));
    let number =
        |name: &str| field(name).and_then(|value| value.as_n().ok()).and_then(|n| n.parse::<i64>().ok());
    let state = field("state").and_then(|value| value.as_s().ok()).map_or("", String::as_str);
    match state {
        "done" | "skipped" => Claim::Finished,
        "claimed" => {
            let deadline = number("deadline_ms").and_then(|ms| Timestamp::from_millisecond(ms).ok());
            Claim::Busy { until: deadline.unwrap_or(claimant.now) }
        }
        // Refused for the sake of a later copy alone.
        "deferred" => Claim::ExtraCopy,
        // The record has gone between the refusal and the answer, or another version wrote it.
        _ => Claim::Unknown { state: cut(state, STATE_LIMIT) },
    }
}
