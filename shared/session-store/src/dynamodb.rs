//! Sessions in DynamoDB: one item per key, one conditional write per move.

use async_trait::async_trait;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use tableau_client::{Entry, Lease, Refusal, SecureUrl, Session, SessionStore};
use workflow::BoxError;

/// How long an item is kept after the last sign-in, for the next one to count on. Without it the count starts anew.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Nobody has the right to publish, or only by a clock that is wrong, or we do: an answer that was lost makes the SDK ask
/// twice. A lease whose end is no number is damaged, and would never end.
const FREE_OR_OURS: &str =
    "(NOT attribute_type(#until, :number) OR #until <= :now OR #until > :latest OR #holder = :holder)";
/// The lease is still the one that counts.
const HELD: &str = "#version = :version AND #holder = :holder";

/// The newest version that is believed: no client signs in so often. One beyond it, or that is no number, is damaged, and no
/// condition on it would ever hold.
const MOST_VERSIONS: u64 = 1 << 53;
/// How often a damaged version is mended before the item is left alone.
const TRIES: u32 = 3;
/// Enough of a reason for a person.
const REASON_LIMIT: usize = 1_000;
/// The longest session token that is believed. Tableau's have less than 100 characters.
const LONGEST_TOKEN: usize = 4_096;

/// Sessions in a DynamoDB table with the partition key `pk` and the time-to-live attribute `expires_at`.
#[derive(Clone, Debug)]
pub struct DynamoDbSessionStore {
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

/// An error without the answer's words, which may hold the token.
fn unavailable<E>(action: &str, error: &SdkError<E, HttpResponse>) -> BoxError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    format!("the table does not answer: {}", aws_http::reason(action, error)).into()
}

impl DynamoDbSessionStore {
    /// Sessions in `table`.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    fn pk(key: &str) -> AttributeValue {
        text(format!("session#{key}"))
    }

    /// Writes version 1 in the place of one that is damaged, unless another process has done so.
    async fn mend_version(&self, key: &str, damaged: AttributeValue) -> Result<(), BoxError> {
        tracing::warn!("the version of the shared Tableau session is damaged, and begins anew");
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", Self::pk(key))
            .condition_expression("#version = :damaged")
            .update_expression("SET #version = :first")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":damaged", damaged)
            .expression_attribute_values(":first", number(1));
        decide(request).await.map(|_| ())
    }

    /// A write by whoever has or wants the lease.
    fn update(&self, key: &str, lease: &Lease) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", Self::pk(key))
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#holder", "lease_holder")
            .expression_attribute_names("#until", "leased_until_ms")
            .expression_attribute_values(":version", number(lease.version))
            .expression_attribute_values(":holder", text(lease.holder.to_string()))
    }
}

fn expires_at(lease: &Lease) -> AttributeValue {
    number(lease.until.checked_add(KEPT).unwrap_or(Timestamp::MAX).as_second())
}

/// Sends a write. `false` when its condition did not hold.
async fn decide(request: UpdateItemFluentBuilder) -> Result<bool, BoxError> {
    match request.send().await {
        Ok(_) => Ok(true),
        Err(error) if is_condition(&error) => Ok(false),
        Err(error) => Err(unavailable("dynamodb:UpdateItem", &error)),
    }
}

fn is_condition<R>(error: &SdkError<UpdateItemError, R>) -> bool {
    matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_)))
}

#[async_trait]
impl SessionStore for DynamoDbSessionStore {
    async fn read(&self, key: &str) -> Result<Entry, BoxError> {
        for _ in 0..TRIES {
            let get = self.client.get_item().table_name(&self.table).key("pk", Self::pk(key));
            let answer = get.consistent_read(true).send().await;
            let answer = answer.map_err(|error| unavailable("dynamodb:GetItem", &error))?;
            let Some(item) = answer.item() else { return Ok(Entry::default()) };
            match item.get("version").filter(|version| is_damaged(version)) {
                None => return Ok(entry(item)),
                Some(damaged) => self.mend_version(key, damaged.clone()).await?,
            }
        }
        Err("the version of the shared session is damaged".into())
    }

    async fn lease(&self, key: &str, lease: &Lease, now: Timestamp) -> Result<bool, BoxError> {
        // Before the first session there may be no item at all.
        let version = match lease.version {
            0 => "(attribute_not_exists(#version) OR #version = :version)",
            _ => "#version = :version",
        };
        let request = self
            .update(key, lease)
            .condition_expression(format!("{version} AND {FREE_OR_OURS}"))
            .update_expression(
                "SET #version = :version, #holder = :holder, #until = :until, #expires_at = :expires_at",
            )
            .expression_attribute_names("#expires_at", "expires_at")
            .expression_attribute_values(":number", text("N"))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":latest", number(lease.latest().as_millisecond()))
            .expression_attribute_values(":until", number(lease.until.as_millisecond()))
            .expression_attribute_values(":expires_at", expires_at(lease));
        decide(request).await
    }

    async fn publish(&self, key: &str, lease: &Lease, session: &Session) -> Result<bool, BoxError> {
        // All of it: a field that is missing here would be missing for everyone but the one who signed in.
        let Session { token, site, user, api_version, server, signed_in_at } = session;
        let signed_in_at = signed_in_at.map_or(AttributeValue::Null(true), |at| number(at.as_millisecond()));
        let request = self
            .update(key, lease)
            .condition_expression(HELD)
            .update_expression(
                "SET #version = :next, #token = :token, #site = :site, #user = :user, \
                 #api_version = :api_version, #server = :server, #signed_in_at = :signed_in_at, \
                 #expires_at = :expires_at \
                 REMOVE #holder, #until",
            )
            .expression_attribute_names("#token", "token")
            .expression_attribute_names("#site", "site")
            .expression_attribute_names("#user", "user")
            .expression_attribute_names("#api_version", "api_version")
            .expression_attribute_names("#server", "server")
            .expression_attribute_names("#signed_in_at", "signed_in_at_ms")
            .expression_attribute_names("#expires_at", "expires_at")
            .expression_attribute_values(":next", number(lease.version + 1))
            .expression_attribute_values(":token", text(token.expose_secret()))
            .expression_attribute_values(":site", text(site.as_str()))
            .expression_attribute_values(":user", text(user.as_str()))
            .expression_attribute_values(":api_version", text(api_version.to_string()))
            .expression_attribute_values(
                ":server",
                text(server.as_ref().map_or("", |server| server.as_str())),
            )
            .expression_attribute_values(":signed_in_at", signed_in_at)
            .expression_attribute_values(":expires_at", expires_at(lease));
        decide(request).await
    }

    async fn release(&self, key: &str, lease: &Lease) -> Result<(), BoxError> {
        let request =
            self.update(key, lease).condition_expression(HELD).update_expression("REMOVE #holder, #until");
        decide(request).await.map(|_| ())
    }

    async fn refuse(&self, key: &str, lease: &Lease, refusals: &[Refusal]) -> Result<(), BoxError> {
        let refusals = refusals.iter().map(|Refusal { credential, until, reason }| {
            let refusal = [
                ("credential", number(credential)),
                ("until_ms", number(until.as_millisecond())),
                ("reason", text(reason)),
            ];
            AttributeValue::M(refusal.map(|(name, value)| (name.to_owned(), value)).into())
        });
        let request = self
            .update(key, lease)
            .condition_expression(HELD)
            .update_expression("SET #version = :next, #refusals = :refusals REMOVE #holder, #until")
            .expression_attribute_values(":next", number(lease.version + 1))
            .expression_attribute_names("#refusals", "refusals")
            .expression_attribute_values(":refusals", AttributeValue::L(refusals.collect()));
        decide(request).await.map(|_| ())
    }
}

fn is_damaged(version: &AttributeValue) -> bool {
    let version = version.as_n().ok().and_then(|version| version.parse::<u64>().ok());
    version.is_none_or(|version| version > MOST_VERSIONS)
}

fn entry(item: &Item) -> Entry {
    let version = item.get("version").and_then(|value| value.as_n().ok());
    let refusals = item.get("refusals").and_then(|value| value.as_l().ok());
    let refusals = refusals.into_iter().flatten().filter_map(|value| value.as_m().ok());
    Entry {
        version: version.and_then(|n| n.parse().ok()).unwrap_or_default(),
        session: session(item),
        leased_until: instant(item, "leased_until_ms"),
        refusals: refusals.filter_map(refusal).collect(),
    }
}

fn instant(item: &Item, name: &str) -> Option<Timestamp> {
    let milliseconds = item.get(name)?.as_n().ok()?.parse().ok()?;
    Timestamp::from_millisecond(milliseconds).ok()
}

/// `None` for one that another version of this code wrote otherwise: the credential is tried once more.
fn refusal(item: &Item) -> Option<Refusal> {
    Some(Refusal {
        credential: item.get("credential")?.as_n().ok()?.parse().ok()?,
        until: instant(item, "until_ms")?,
        reason: item
            .get("reason")?
            .as_s()
            .ok()?
            .chars()
            .filter(|c| !c.is_control())
            .take(REASON_LIMIT)
            .collect(),
    })
}

/// Whether a header can hold the token. One that cannot would fail every call, and never be replaced.
fn can_be_sent(token: &str) -> bool {
    (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The session of an item. `None` before the first, for one that another version of this code wrote otherwise, and for one
/// whose token no request can carry: it is replaced like one that is over.
fn session(item: &Item) -> Option<Session> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    Some(Session {
        token: text("token").filter(|token| can_be_sent(token))?.as_str().into(),
        site: text("site")?.parse().ok()?,
        user: text("user")?.parse().ok()?,
        api_version: text("api_version")?.parse().ok()?,
        server: match text("server").map(String::as_str) {
            None | Some("") => None,
            // The store never writes a server that no secret may be sent to: the item is forged or damaged.
            Some(url) => Some(url.parse::<SecureUrl>().ok()?.origin_only()),
        },
        signed_in_at: instant(item, "signed_in_at_ms"),
    })
}
