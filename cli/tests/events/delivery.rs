//! Delivery records of a workflow, written by the runtime's own code.

use crate::environment::Environment;
use deliveries::{
    ClaimStore, Claimant, Content, DeliveryKey, DynamoDbClaims, Effect, End, Ended, EventFacts,
};
use jiff::{SignedDuration, Timestamp};

/// Records what a workflow did about one event, some seconds ago.
pub(crate) struct Delivery<'a> {
    pub(crate) claims: DynamoDbClaims,
    pub(crate) key: DeliveryKey,
    facts: EventFacts,
    pub(crate) environment: &'a Environment,
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    Timestamp::now().checked_sub(SignedDuration::from_secs(seconds)).unwrap()
}

pub(crate) const HOUR: i64 = 3_600;

pub(crate) fn failed() -> End {
    End::Failed("Slack does not know the channel #data-alerts: channel_not_found".to_owned())
}

impl<'a> Delivery<'a> {
    pub(crate) fn of(environment: &'a Environment, workflow: &'static str, body: &str) -> Self {
        let content = Content::received(body.as_bytes());
        let client = aws_sdk_dynamodb::Client::new(&environment.config);
        Self {
            claims: DynamoDbClaims::new(client, "DeliveryTable"),
            key: DeliveryKey::new(workflow, content.event_id()),
            facts: EventFacts::from(&content),
            environment,
        }
    }

    pub(crate) async fn claim(self, seconds: i64) -> Self {
        let owner = format!("invocation of {seconds} s ago");
        let claimant = Claimant { owner, now: ago(seconds), deadline: ago(seconds - 60), copy_of: None };
        self.claims.claim(&self.key, &self.facts, &claimant).await.unwrap();
        self
    }

    pub(crate) async fn end(self, attempt: u32, seconds: i64, end: End) -> Self {
        self.end_with(attempt, seconds, end, None).await
    }

    /// Ends an attempt that has found out the cause of the failure.
    pub(crate) async fn end_with(self, attempt: u32, seconds: i64, end: End, cause: Option<&str>) -> Self {
        let began = ago(seconds);
        let ended = Ended {
            attempt,
            began,
            at: began.checked_add(SignedDuration::from_secs(2)).unwrap(),
            end,
            next_at: None,
            cause: cause.map(str::to_owned),
        };
        self.claims.end(&self.key, &ended).await.unwrap();
        self
    }

    pub(crate) async fn effect(self, attempt: u32, effect: &str) -> Self {
        self.claims.record_effect(&self.key, attempt, &Effect::from(effect)).await.unwrap();
        self
    }

    /// Records one attempt with this outcome.
    pub(crate) async fn attempt(self, seconds: i64, end: End) -> &'a Environment {
        self.claim(seconds).await.end(1, seconds, end).await.environment
    }
}
