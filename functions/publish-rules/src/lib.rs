#![doc = include_str!("../README.md")]

mod config;
mod request;

pub use config::Config;
pub use request::{Request, RequestType};

use jiff::Timestamp;
use published_rules::{PublishError, PublishedRules, Source, Version};
use request::{Answer, Data};
use std::path::PathBuf;
use std::time::Duration;
use workflow::{BoxError, chain};

/// How long CloudFormation may take to accept the answer.
const TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 3;
/// Who published, as the history has it.
const CLOUDFORMATION: &str = "CloudFormation";

/// Publishes the rules file of a stack deploy.
#[derive(Debug)]
pub struct Publisher {
    /// The versions in the stack's table.
    pub published: PublishedRules,
    /// Where the file is.
    pub rules_file: PathBuf,
    /// For the answer.
    pub http: reqwest::Client,
}

impl Publisher {
    /// Does what CloudFormation requests, and answers it, also when that fails: without an answer the deploy would hang for an
    /// hour.
    ///
    /// # Errors
    /// When CloudFormation does not take the answer.
    pub async fn handle(&self, request: &Request) -> Result<(), BoxError> {
        let published = match request.request_type {
            // The table keeps its versions.
            RequestType::Delete => Ok(None),
            RequestType::Create | RequestType::Update => self.publish().await.map(Some),
        };
        let answer = match published {
            Ok(version) => {
                let number = version.as_ref().map(|version| version.number);
                tracing::info!(rules.version = number, "the rules of the deploy are in force");
                Answer::success(request, version.map(|version| Data::new(&version)))
            }
            Err(error) => {
                let reason = chain(&error);
                tracing::error!(reason, "the rules of the deploy are refused; those of before stay in force");
                let reason = match &error {
                    PublishError::Rules(rules::Error::Wrong(problems)) => {
                        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
                        format!(
                            "rules.yaml has mistakes; the rules of before stay in force: {}",
                            all.join("; ")
                        )
                    }
                    _ => format!("the rules are not published: {reason}"),
                };
                Answer::failure(request, &reason)
            }
        };
        self.answer(request, &answer).await
    }

    /// Publishes the file, unless it is in force already: CloudFormation may request the same twice.
    async fn publish(&self) -> Result<Version, PublishError> {
        let text = rules::read_file(&self.rules_file)?;
        let in_force = match self.published.current().await {
            Ok(version) => version,
            Err(error) => {
                tracing::warn!(
                    reason = chain(error.as_ref()),
                    "the version in force cannot be read and is replaced"
                );
                None
            }
        };
        if let Some(version) = in_force.filter(|version| version.text == text) {
            return Ok(version);
        }
        self.published.publish(&text, Source::StackDeploy, CLOUDFORMATION, None, Timestamp::now()).await
    }

    async fn answer(&self, request: &Request, answer: &Answer<'_>) -> Result<(), BoxError> {
        let body = serde_json::to_vec(answer)?;
        let mut failed = None;
        for attempt in 0..ATTEMPTS {
            tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
            // The URL is signed for an empty content type.
            let call =
                self.http.put(request.response_url.reveal()).header("content-type", "").timeout(TIMEOUT);
            match call.body(body.clone()).send().await.and_then(reqwest::Response::error_for_status) {
                Ok(_) => return Ok(()),
                // The URL is a credential.
                Err(error) => failed = Some(error.without_url()),
            }
        }
        Err(failed.map_or_else(|| "no attempt was made".into(), BoxError::from))
    }
}
