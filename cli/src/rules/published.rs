//! The versions of the rules at a stack.

use crate::options::TargetOptions;
use crate::out::plain;
use crate::stack::Stack;
use jiff::Timestamp;
use published_rules::{InForce, Publication, PublishError, PublishedRules, Source, Version};
use std::env::var_os;
use std::sync::Arc;
use store::records::DynamoDbRecords;
use workflow::{BoxError, chain};

/// The longest name of a user that is noted.
const LONGEST_NAME: usize = 64;

/// The versions of the rules at a stack.
#[derive(Debug)]
pub(super) struct StackRules {
    pub(super) stack: Stack,
    published: PublishedRules,
}

impl StackRules {
    /// The versions at a stack.
    pub(super) async fn find(target: &TargetOptions) -> Result<Self, BoxError> {
        Self::of(Stack::find(target).await?)
    }

    pub(super) fn of(stack: Stack) -> Result<Self, BoxError> {
        let client = aws_sdk_dynamodb::Client::new(&stack.account.config);
        let records = DynamoDbRecords::new(client, stack.table()?, "rules");
        Ok(Self { published: PublishedRules::new(Arc::new(records)), stack })
    }

    fn unreadable(&self, error: &BoxError) -> BoxError {
        format!("cannot read the rules in {}: {}", self.stack.account.target, chain(error.as_ref())).into()
    }

    /// What is in force.
    pub(super) async fn in_force(&self) -> Result<InForce, BoxError> {
        self.published.in_force().await.map_err(|error| self.unreadable(&error))
    }

    /// The version in force.
    ///
    /// # Errors
    /// Also when there is none, or it is damaged: what to do.
    pub(super) async fn current(&self) -> Result<Version, BoxError> {
        let name = &self.stack.name;
        let why = match self.in_force().await? {
            InForce::Version(version, _) => return Ok(*version),
            InForce::Damaged(why, _) => format!("the version in force cannot be read ({why})"),
            InForce::Nothing if self.newest(1).await?.is_empty() => {
                return Err(format!(
                    "no rules are published at the stack `{name}`: `rules deploy` publishes a file"
                )
                .into());
            }
            InForce::Nothing => format!("the version in force is missing in the table of the stack `{name}`"),
        };
        Err(format!(
            "{why}; functions use the last good one: `rules rollback` or `rules deploy` publishes another"
        )
        .into())
    }

    /// The newest versions that can be read, newest first.
    pub(super) async fn newest(&self, limit: usize) -> Result<Vec<Version>, BoxError> {
        let mut history = self.published.history();
        let mut versions = Vec::new();
        while versions.len() < limit
            && let Some(version) = history.next().await.map_err(|error| self.unreadable(&error))?
        {
            versions.push(version);
        }
        Ok(versions)
    }

    /// The newest version before another one; the newest that can be read if none is given.
    pub(super) async fn before(&self, number: Option<u64>) -> Result<Option<Version>, BoxError> {
        let mut history = match number {
            Some(number) => self.published.history_before(number),
            None => self.published.history(),
        };
        history.next().await.map_err(|error| self.unreadable(&error))
    }

    /// One version.
    pub(super) async fn version(&self, number: u64) -> Result<Version, BoxError> {
        let found = self.published.version(number).await.map_err(|error| self.unreadable(&error))?;
        found.ok_or_else(|| {
            format!("there is no version {number} of the rules: `rules history` lists them").into()
        })
    }

    /// Publishes a text in place of the version that was shown.
    pub(super) async fn publish(
        &self,
        text: &str,
        source: Source,
        seen: &InForce,
    ) -> Result<Version, BoxError> {
        let user = user();
        let publication = Publication { text, source, published_by: &user, at: Timestamp::now() };
        self.published.publish(&publication, Some(seen)).await.map_err(|error| match error {
            PublishError::Conflict => {
                "not published: another version has been published since this difference was shown; run the command again to \
                 see what it would change now"
                    .into()
            }
            PublishError::Table(error) => {
                let target = &self.stack.account.target;
                format!("cannot write the rules in {target}: {}", chain(error.as_ref())).into()
            }
            PublishError::Rules(error) => {
                format!("not published: the text has mistakes for this version of the program: {error}").into()
            }
            error => format!("not published: {error}").into(),
        })
    }
}

/// Who runs the program, as the operating system names the user; empty if it does not.
fn user() -> String {
    let names = ["USER", "LOGNAME", "USERNAME"].map(|name| var_os(name).unwrap_or_default());
    let name = names.iter().map(|name| plain(name.to_string_lossy().trim())).find(|name| !name.is_empty());
    name.unwrap_or_default().chars().take(LONGEST_NAME).collect()
}
