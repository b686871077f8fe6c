#![doc = include_str!("../README.md")]

mod config;
mod request;

pub use config::Config;
pub use request::Request;

use custom_resource::{Answer, RequestType};
use jiff::Timestamp;
use published_rules::{Deployed, InForce, PublishError, PublishedRules};
use request::{Data, PHYSICAL_ID, rolled_back_layer};
use std::path::PathBuf;
use workflow::{BoxError, chain};

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
        let done = match request.request_type {
            // The table keeps its versions.
            RequestType::Delete => Ok(None),
            RequestType::Create | RequestType::Update => self.deploy(request).await.map(Some),
        };
        let answer = match done {
            Ok(None) => {
                Answer::success(request, PHYSICAL_ID, "the versions of the rules stay in the table", None)
            }
            Ok(Some(Deployed::Published(version))) => {
                tracing::info!(rules.version = version.number, source = %version.source, "rules published");
                let reason = format!("published as version {} ({})", version.number, version.source);
                Answer::success(request, PHYSICAL_ID, &reason, Some(Data::new(Some(&version))))
            }
            Ok(Some(Deployed::Unchanged(in_force))) => {
                let version = match &in_force {
                    InForce::Version(version, _) => Some(&**version),
                    InForce::Nothing | InForce::Damaged(..) => None,
                };
                let number = version.map(|version| version.number);
                tracing::info!(rules.version = number, "nothing is published; the version in force stays");
                let reason = match version {
                    Some(version) => format!("nothing published: version {} stays in force", version.number),
                    None => "nothing published: no version that can be read is in force".to_owned(),
                };
                Answer::success(request, PHYSICAL_ID, &reason, Some(Data::new(version)))
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
                Answer::failure(request, PHYSICAL_ID, &reason)
            }
        };
        answer.send(&self.http, request).await
    }

    /// Publishes the file, or takes back what the deploy that is rolled back has published. CloudFormation may request the same
    /// twice.
    async fn deploy(&self, request: &Request) -> Result<Deployed, PublishError> {
        let now = Timestamp::now();
        if let Some(layer) = rolled_back_layer(request) {
            return self.published.roll_back_stack(layer, CLOUDFORMATION, now).await;
        }
        let text = rules::read_file(&self.rules_file)?;
        let layer = request.resource_properties.layer.as_deref();
        self.published.deploy_stack(&text, layer, CLOUDFORMATION, now).await
    }
}
