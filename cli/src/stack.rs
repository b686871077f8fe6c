//! A deployed stack: CloudFormation lists its queues and its table.

use crate::aws::Account;
use crate::options::TargetOptions;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudformation::types::ResourceStatus;
use std::collections::BTreeMap;
use workflow::BoxError;

/// The table's logical id in the template.
const TABLE: &str = "DeliveryTable";
/// The template's name for the bucket with the exported history.
const HISTORY_BUCKET: &str = "ReportHistoryBucket";
/// The template's name for the secret with which functions sign in to Tableau.
const TABLEAU_SECRET: &str = "TableauSecret";
/// The template's name for the secret with the token in webhook URLs.
const WEBHOOK_SECRET: &str = "WebhookSecret";

/// The output with the URL of the common ingress, without the token.
const WEBHOOK_URL: &str = "WebhookUrl";

/// The output with a URL of the function that takes refreshes. It is there if the function is.
const REFRESH_URL: (&str, &str) = ("RefreshExtractUrl", "/webhooks/refresh-extract");

/// Asks CloudFormation where the API of a stack is.
pub(crate) async fn api_address(account: &Account, name: &str) -> Result<String, BoxError> {
    let client = aws_sdk_cloudformation::Client::new(&account.config);
    let described = client.describe_stacks().stack_name(name).send().await.map_err(|error| -> BoxError {
        if is_no_stack(&error) {
            return format!("there is no stack `{name}` in {}", account.target).into();
        }
        account.explain("cloudformation:DescribeStacks", error)
    })?;
    let (key, path) = REFRESH_URL;
    let mut outputs = described.stacks().iter().flat_map(|stack| stack.outputs());
    let url =
        outputs.find(|output| output.output_key() == Some(key)).and_then(|output| output.output_value());
    url.and_then(|url| url.strip_suffix(path)).map(str::to_owned).ok_or_else(|| {
        format!(
            "the stack `{name}` in {} takes no refreshes: deploy it with RefreshExtractEnabled=true, or give --server",
            account.target
        )
        .into()
    })
}

fn is_no_stack<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().is_some_and(|error| {
        error.code() == Some("ValidationError")
            && error.message().is_some_and(|message| message.contains("does not exist"))
    })
}

/// A stack that was found.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) account: Account,
    /// The name of the table with the delivery records.
    pub(crate) table: Option<String>,
    /// The id of the secret with which functions sign in to Tableau.
    pub(crate) tableau_secret: Option<String>,
    /// The id of the secret with the token in webhook URLs.
    pub(crate) webhook_secret: Option<String>,
    /// The name of the bucket with the exported history.
    pub(crate) history_bucket: Option<String>,
    /// The physical names of functions by name.
    functions: BTreeMap<String, String>,
    /// At least one, by name of the workflow.
    pub(crate) workflows: Vec<WorkflowQueues>,
}

/// What CloudFormation says of a stack.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    /// Its ARN.
    pub(crate) id: String,
    /// Whether a deletion is under way or has failed.
    pub(crate) is_being_deleted: bool,
    /// The values of its parameters.
    pub(crate) parameters: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
}

/// The two queues of a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkflowQueues {
    /// The workflow's name.
    pub(crate) workflow: String,
    /// The URL of the workflow's queue.
    pub(crate) queue: String,
    /// The URL of the workflow's dead-letter queue.
    pub(crate) dead_letters: String,
}

impl Stack {
    /// Asks CloudFormation for the stack's queues.
    pub(crate) async fn find(options: &TargetOptions) -> Result<Self, BoxError> {
        let name = if options.local { local_aws::STACK } else { options.stack.as_str() };
        let account = Account::find(options).await?;
        let client = aws_sdk_cloudformation::Client::new(&account.config);
        let mut pages = client.list_stack_resources().stack_name(name).into_paginator().send();
        let mut queues = Vec::new();
        let mut functions = BTreeMap::new();
        let mut table = None;
        let mut tableau_secret = None;
        let mut webhook_secret = None;
        let mut history_bucket = None;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| -> BoxError {
                if is_no_stack(&error) {
                    return format!("there is no stack `{name}` in {}", account.target).into();
                }
                account.explain("cloudformation:ListStackResources", error)
            })?;
            // CloudFormation also lists resources of a workflow that was removed from the template.
            let there = page
                .stack_resource_summaries()
                .iter()
                .filter(|resource| resource.resource_status() != Some(&ResourceStatus::DeleteComplete));
            for resource in there {
                let ids = (resource.logical_resource_id(), resource.physical_resource_id());
                let (Some(id), Some(physical_id)) = ids else { continue };
                match resource.resource_type() {
                    Some("AWS::SQS::Queue") => queues.push((id.to_owned(), physical_id.to_owned())),
                    // The local stack names resources as the template does.
                    Some("AWS::Lambda::Function" | "AWS::Serverless::Function") => {
                        functions.insert(kebab(id), physical_id.to_owned());
                    }
                    Some("AWS::DynamoDB::Table") if id == TABLE => table = Some(physical_id.to_owned()),
                    Some("AWS::S3::Bucket") if id == HISTORY_BUCKET => {
                        history_bucket = Some(physical_id.to_owned());
                    }
                    Some("AWS::SecretsManager::Secret") if id == TABLEAU_SECRET => {
                        tableau_secret = Some(physical_id.to_owned());
                    }
                    Some("AWS::SecretsManager::Secret") if id == WEBHOOK_SECRET => {
                        webhook_secret = Some(physical_id.to_owned());
                    }
                    _ => {}
                }
            }
        }
        let workflows = paired(queues);
        if workflows.is_empty() {
            return Err(format!(
                "the stack `{name}` in {} has no queues of a workflow: check --stack",
                account.target
            )
            .into());
        }
        let name = name.to_owned();
        Ok(Self {
            name,
            account,
            table,
            tableau_secret,
            webhook_secret,
            history_bucket,
            functions,
            workflows,
        })
    }

    /// The table with deliveries and rules.
    pub(crate) fn table(&self) -> Result<&str, BoxError> {
        self.table.as_deref().ok_or_else(|| {
            format!(
                "the stack `{}` in {} has no table `{TABLE}`: check --stack",
                self.name, self.account.target
            )
            .into()
        })
    }

    /// The physical name of a function, of a workflow or another; `None` if it is switched off.
    pub(crate) fn function(&self, name: &str) -> Option<&str> {
        self.functions.get(name).map(String::as_str)
    }

    /// The physical name of a workflow's function.
    pub(crate) fn function_of(&self, workflow: &str) -> Result<&str, BoxError> {
        self.queues_of(Some(workflow))?;
        self.function(workflow).ok_or_else(|| {
            format!("the stack `{}` has no function of {workflow}: check --stack", self.name).into()
        })
    }

    /// Asks CloudFormation what the stack is.
    pub(crate) async fn describe(&self) -> Result<Description, BoxError> {
        let client = aws_sdk_cloudformation::Client::new(&self.account.config);
        let described = client.describe_stacks().stack_name(&self.name).send().await;
        let described =
            described.map_err(|error| self.account.explain("cloudformation:DescribeStacks", error))?;
        let stacks = described.stacks();
        let parameters = stacks.iter().flat_map(|stack| stack.parameters());
        let outputs = stacks.iter().flat_map(|stack| stack.outputs());
        let first = stacks.first();
        Ok(Description {
            id: first.and_then(|stack| stack.stack_id()).unwrap_or_default().to_owned(),
            is_being_deleted: first
                .and_then(|stack| stack.stack_status())
                .is_some_and(|status| status.as_str().starts_with("DELETE_")),
            parameters: pairs(parameters.map(|one| (one.parameter_key(), one.parameter_value()))),
            outputs: pairs(outputs.map(|one| (one.output_key(), one.output_value()))),
        })
    }

    /// The URL of the common ingress, without the token.
    pub(crate) fn webhook_url<'d>(&self, described: &'d Description) -> Result<&'d str, BoxError> {
        described.outputs.get(WEBHOOK_URL).map(String::as_str).ok_or_else(|| {
            let target = &self.account.target;
            format!("the stack `{}` in {target} has no output `{WEBHOOK_URL}`: check --stack", self.name)
                .into()
        })
    }

    /// The queues of the given workflow, or of all workflows.
    pub(crate) fn queues_of(&self, workflow: Option<&str>) -> Result<Vec<&WorkflowQueues>, BoxError> {
        let Some(workflow) = workflow else { return Ok(self.workflows.iter().collect()) };
        let found = self.workflows.iter().find(|queues| queues.workflow == workflow);
        found.map(|queues| vec![queues]).ok_or_else(|| {
            let known: Vec<&str> = self.workflows.iter().map(|queues| queues.workflow.as_str()).collect();
            let known = known.join(", ");
            format!("the stack `{}` has no workflow `{workflow}`; there are: {known}", self.name).into()
        })
    }
}

/// The pairs that are whole.
fn pairs<'p>(pairs: impl Iterator<Item = (Option<&'p str>, Option<&'p str>)>) -> BTreeMap<String, String> {
    pairs.filter_map(|(key, value)| Some((key?.to_owned(), value?.to_owned()))).collect()
}

/// Pairs queues by their logical ids: `NotifySlackQueue` and `NotifySlackDeadLetters` belong to `notify-slack`. A
/// queue without its counterpart belongs to no workflow.
fn paired(queues: Vec<(String, String)>) -> Vec<WorkflowQueues> {
    let queues: BTreeMap<String, String> = queues.into_iter().collect();
    let pairs = queues.iter().filter_map(|(id, queue)| {
        let name = id.strip_suffix("Queue").filter(|name| !name.is_empty())?;
        let dead_letters = queues.get(&format!("{name}DeadLetters"))?.clone();
        Some(WorkflowQueues { workflow: kebab(name), queue: queue.clone(), dead_letters })
    });
    pairs.collect()
}

/// Converts `NotifySlack` to `notify-slack`.
fn kebab(pascal: &str) -> String {
    let mut kebab = String::with_capacity(pascal.len() + 4);
    for c in pascal.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_paired_by_their_names_in_the_template() {
        let ids = ["UpdateBroadcastDeadLetters", "NotifySlackQueue", "Queue", "OrdersQueue", "DeadLetters"];
        let more = ["NotifySlackDeadLetters", "UpdateBroadcastQueue"];
        let queues = ids.iter().chain(&more).map(|id| ((*id).to_owned(), format!("https://sqs/{id}")));
        let expected = [("notify-slack", "NotifySlack"), ("update-broadcast", "UpdateBroadcast")];
        let expected = expected.map(|(workflow, id)| WorkflowQueues {
            workflow: workflow.to_owned(),
            queue: format!("https://sqs/{id}Queue"),
            dead_letters: format!("https://sqs/{id}DeadLetters"),
        });
        assert_eq!(paired(queues.collect()), expected);
    }
}
