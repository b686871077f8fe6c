//! Claims in DynamoDB: one item per workflow and event, one conditional write per move.

use super::{Claim, ClaimKey, ClaimStore, End, EventFacts, KEPT, StoreError};
use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// What may be claimed: nothing there yet, given back, failed for good, or left behind by a process that died.
const CLAIMABLE: &str = "attribute_not_exists(pk) OR #state IN (:released, :failed) \
                         OR (#state = :claimed AND #deadline < :now)";
/// Whose a record is: of the attempt that claimed it last.
const OURS: &str = "#state = :claimed AND #attempts = :attempt";
/// SQS and people need no more of a reason.
const REASON_LIMIT: usize = 1_000;

/// Claims in a DynamoDB table with the partition key `pk` and the time-to-live attribute `expires_at`.
#[derive(Clone, Debug)]
pub struct DynamoDbClaims {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

type Item = HashMap<String, AttributeValue>;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
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

    /// A change to a record that must still be ours.
    async fn change(&self, attempt: u32, request: UpdateItemFluentBuilder) -> Result<(), StoreError> {
        let request = request
            .condition_expression(OURS)
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#attempts", "attempts")
            .expression_attribute_values(":claimed", text("claimed"))
            .expression_attribute_values(":attempt", number(attempt));
        match request.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(UpdateItemError::ConditionalCheckFailedException(_)) => Err(StoreError::Superseded),
            Err(error) => Err(StoreError::Unavailable(Box::new(error))),
        }
    }

    async fn end(
        &self,
        key: &ClaimKey,
        attempt: u32,
        state: &str,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let reason: String = reason.unwrap_or("none").chars().take(REASON_LIMIT).collect();
        let request = self
            .update(key)
            .update_expression(
                "SET #state = :state, #reason = :reason, #updated_at = :updated_at, #expires_at = :expires_at \
                 REMOVE #deadline",
            )
            .expression_attribute_names("#reason", "reason")
            .expression_attribute_names("#updated_at", "updated_at")
            .expression_attribute_names("#expires_at", "expires_at")
            .expression_attribute_names("#deadline", "deadline_ms")
            .expression_attribute_values(":state", text(state))
            .expression_attribute_values(":reason", text(reason))
            .expression_attribute_values(":updated_at", text(now.to_string()))
            .expression_attribute_values(":expires_at", expires_at(now));
        self.change(attempt, request).await
    }
}

#[async_trait]
impl ClaimStore for DynamoDbClaims {
    async fn claim(
        &self,
        key: &ClaimKey,
        facts: &EventFacts,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Claim, StoreError> {
        const FIELDS: [&str; 9] = [
            "state",
            "deadline",
            "attempts",
            "name",
            "site",
            "resource",
            "resource_name",
            "updated_at",
            "expires_at",
        ];
        let mut request = self
            .update(key)
            .condition_expression(CLAIMABLE)
            .update_expression(
                "SET #state = :claimed, #deadline = :deadline, #attempts = if_not_exists(#attempts, :zero) + :one, \
                 #name = :name, #site = :site, #resource = :resource, #resource_name = :resource_name, \
                 first_seen_at = if_not_exists(first_seen_at, :updated_at), #updated_at = :updated_at, \
                 #expires_at = :expires_at",
            )
            .expression_attribute_values(":claimed", text("claimed"))
            .expression_attribute_values(":released", text("released"))
            .expression_attribute_values(":failed", text("failed"))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":deadline", number(deadline.as_millisecond()))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":name", text(&facts.name))
            .expression_attribute_values(":site", text(&facts.site))
            .expression_attribute_values(":resource", text(&facts.resource))
            .expression_attribute_values(":resource_name", text(&facts.resource_name))
            .expression_attribute_values(":updated_at", text(now.to_string()))
            .expression_attribute_values(":expires_at", expires_at(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for field in FIELDS {
            let attribute = match field {
                "deadline" => "deadline_ms",
                "name" => "event_name",
                other => other,
            };
            request = request.expression_attribute_names(format!("#{field}"), attribute);
        }
        match request.send().await.map_err(SdkError::into_service_error) {
            Ok(answer) => granted(answer.attributes()),
            Err(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(refused_claim(refused.item(), now))
            }
            Err(error) => Err(StoreError::Unavailable(Box::new(error))),
        }
    }

    async fn record_effect(&self, key: &ClaimKey, attempt: u32, effect: &str) -> Result<(), StoreError> {
        let request = self
            .update(key)
            .update_expression("ADD #effects :effect")
            .expression_attribute_names("#effects", "effects")
            .expression_attribute_values(":effect", AttributeValue::Ss(vec![effect.to_owned()]));
        self.change(attempt, request).await
    }

    async fn complete(
        &self,
        key: &ClaimKey,
        attempt: u32,
        end: &End,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.end(key, attempt, end.state(), end.reason(), now).await
    }

    async fn release(
        &self,
        key: &ClaimKey,
        attempt: u32,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.end(key, attempt, "released", Some(reason), now).await
    }
}

fn granted(item: Option<&Item>) -> Result<Claim, StoreError> {
    let field = |name: &str| item.and_then(|item| item.get(name));
    let attempts = field("attempts").and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok());
    let attempt = attempts.ok_or_else(|| StoreError::Unavailable("the item has no attempts".into()))?;
    let effects: BTreeSet<String> = match field("effects") {
        Some(AttributeValue::Ss(effects)) => effects.iter().cloned().collect(),
        _ => BTreeSet::new(),
    };
    Ok(Claim::Granted { attempt, effects })
}

fn refused_claim(item: Option<&Item>, now: Timestamp) -> Claim {
    let field = |name: &str| item.and_then(|item| item.get(name));
    let state = field("state").and_then(|value| value.as_s().ok());
    if state.is_some_and(|state| state == "done" || state == "skipped") {
        return Claim::Finished;
    }
    let deadline = field("deadline_ms").and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok());
    Claim::Busy { until: deadline.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(now) }
}
