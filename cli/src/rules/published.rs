//! The versions of the rules at a stack.

use crate::options::TargetOptions;
use crate::out::plain;
use crate::stack::Stack;
use jiff::Timestamp;
use published_rules::{PublishError, PublishedRules, Source, Version};
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

/// What is in force.
#[derive(Debug)]
pub(super) enum InForce {
    /// Nothing has been published.
    Nothing,
    /// This version.
    Version(Box<Version>),
    /// A version that cannot be read, and why.
    Damaged(String),
}

impl InForce {
    /// The number that a publication has to follow, so that nothing is overwritten that was not seen. `None` where it is not
    /// known.
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Nothing => Some(0),
            Self::Version(version) => Some(version.number),
            Self::Damaged(_) => None,
        }
    }

    /// The text, as far as there is one.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Version(version) => &version.text,
            Self::Nothing | Self::Damaged(_) => "",
        }
    }
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
        match self.published.current().await {
            Ok(None) => Ok(InForce::Nothing),
            Ok(Some(version)) => Ok(InForce::Version(Box::new(version))),
            Err(error) => {
                // A table that does not answer says nothing about the version.
                self.history().await?;
                Ok(InForce::Damaged(chain(error.as_ref())))
            }
        }
    }

    /// The version in force.
    ///
    /// # Errors
    /// Also when there is none, or it is damaged: what to do.
    pub(super) async fn current(&self) -> Result<Version, BoxError> {
        match self.in_force().await? {
            InForce::Version(version) => Ok(*version),
            InForce::Nothing => {
                let name = &self.stack.name;
                Err(format!("no rules are published at the stack `{name}`: `rules deploy` publishes a file").into())
            }
            InForce::Damaged(why) => Err(format!(
                "the version in force cannot be read ({why}); functions use the last good one: `rules rollback` or `rules \
                 deploy` publishes another"
            )
            .into()),
        }
    }

    /// All versions that can be read, oldest first.
    pub(super) async fn history(&self) -> Result<Vec<Version>, BoxError> {
        self.published.history().await.map_err(|error| self.unreadable(&error))
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
        after: Option<u64>,
    ) -> Result<Version, BoxError> {
        let published = self.published.publish(text, source, &user(), after, Timestamp::now()).await;
        published.map_err(|error| match error {
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
