//! The inventory of an AWS account.

use crate::cloud::Cloud;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// AWS operations that list resources which cost money or block a new deployment: the service, the operation, the list
/// in the answer, and the name of an entry (an entry without a name is its own name).
const LISTS: &[(&str, &str, &str, &str)] = &[
    ("apigatewayv2", "get_apis", "Items", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("dynamodb", "list_tables", "TableNames", ""),
    ("events", "list_event_buses", "EventBuses", "Name"),
    ("events", "list_rules", "Rules", "Name"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_layers", "Layers", "LayerName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
    ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sqs", "list_queues", "QueueUrls", ""),
];

/// The resources of an account.
#[derive(Debug)]
pub(crate) struct Inventory(BTreeSet<String>);

impl Inventory {
    /// Lists all current resources.
    pub(crate) async fn take(cloud: &Cloud) -> Self {
        let mut found = BTreeSet::new();
        for (service, operation, list, name) in LISTS {
            let answer = cloud.call(service, operation, json!({})).await;
            let entries = answer[list].as_array().cloned().unwrap_or_default();
            found.extend(entries.iter().map(|entry| format!("{service}: {}", called(entry, name))));
        }
        found.extend(
            buckets(cloud).await.into_iter().filter(|name| !is_sams(name)).map(|name| format!("s3: {name}")),
        );
        Self(found)
    }

    /// The resources that another inventory does not have.
    pub(crate) fn without(self, other: &Self) -> BTreeSet<String> {
        self.0.difference(&other.0).cloned().collect()
    }
}

/// The bytes in the bucket that SAM creates for itself: packages of earlier deployments, which `sam delete` does not
/// remove.
pub(crate) async fn kept_by_sam(cloud: &Cloud) -> u64 {
    let mut bytes = 0;
    for bucket in buckets(cloud).await.into_iter().filter(|name| is_sams(name)) {
        let objects = cloud.call("s3", "list_objects_v2", json!({ "Bucket": bucket })).await;
        bytes += objects["Contents"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|o| o["Size"].as_u64())
            .sum::<u64>();
    }
    bytes
}

async fn buckets(cloud: &Cloud) -> Vec<String> {
    let answer = cloud.call("s3", "list_buckets", json!({})).await;
    answer["Buckets"].as_array().into_iter().flatten().map(|bucket| called(bucket, "Name")).collect()
}

fn is_sams(bucket: &str) -> bool {
    bucket.starts_with("aws-sam-cli-managed-default-")
}

fn called(entry: &Value, name: &str) -> String {
    let named = if name.is_empty() { entry } else { &entry[name] };
    named.as_str().unwrap_or_else(|| panic!("no {name} in {entry}")).to_owned()
}
