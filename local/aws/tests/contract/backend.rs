//! The backends that the contract suite runs on, and their set-up: the AWS double and the emulator.

use crate::sdk::{config, config_of};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use local_aws::{
    Aws, DeadLetters, IndexSpec, KeyAttribute, KeySchema, QueueSpec, StackResource, TableSpec, Target,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Once;
use std::time::Duration;

/// A backend of the contract suite.
pub(crate) struct Backend {
    config: SdkConfig,
    double: Option<Aws>,
}

#[expect(clippy::disallowed_methods, reason = "the one setting of this suite")]
fn emulator() -> Option<String> {
    std::env::var("AWS_CONTRACT_URL").ok()
}

/// The AWS double, and the emulator if one is configured.
pub(crate) async fn backends() -> Vec<Backend> {
    static SAID: Once = Once::new();
    let double = Aws::start().await.unwrap();
    let mut backends = vec![Backend { config: config_of(&double), double: Some(double) }];
    match emulator() {
        Some(url) => {
            let any = Credentials::new("test", "test", None, None, "test");
            backends.push(Backend { config: config(&url, any), double: None });
        }
        // Write to standard error directly: the test harness captures `eprintln!`.
        None => SAID.call_once(|| {
            let note =
                "SKIPPED: half of the contract suite. Set AWS_CONTRACT_URL to run it on an AWS emulator too.";
            let mut stderr = std::io::stderr();
            writeln!(stderr, "\n{note}\n").unwrap();
        }),
    }
    backends
}

/// A name that no other test uses.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::new_v4().simple())
}

impl Backend {
    pub(crate) fn is_double(&self) -> bool {
        self.double.is_some()
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    pub(crate) fn events(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }

    pub(crate) fn scheduler(&self) -> aws_sdk_scheduler::Client {
        aws_sdk_scheduler::Client::new(&self.config)
    }

    /// Creates a group of schedules.
    pub(crate) async fn schedule_group(&self, name: &str) {
        match &self.double {
            Some(aws) => aws.create_schedule_group(name),
            None => {
                self.scheduler().create_schedule_group().name(name).send().await.unwrap();
            }
        }
    }

    pub(crate) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    pub(crate) fn ses(&self) -> aws_sdk_sesv2::Client {
        aws_sdk_sesv2::Client::new(&self.config)
    }

    pub(crate) fn cloud_formation(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.config)
    }

    /// Creates a stack of queues with these logical ids.
    pub(crate) async fn stack(&self, name: &str, queues: &[&str]) {
        let kind = "AWS::SQS::Queue";
        if let Some(aws) = &self.double {
            let resources = queues.iter().map(|id| {
                aws.create_queue(QueueSpec::new(*id));
                let physical_id = aws.queue_url(id);
                StackResource { logical_id: (*id).to_owned(), kind: kind.to_owned(), physical_id }
            });
            aws.create_stack(name, resources.collect());
            return;
        }
        let resources: serde_json::Map<_, _> =
            queues.iter().map(|id| ((*id).to_owned(), json!({ "Type": kind }))).collect();
        let template = json!({ "Resources": resources }).to_string();
        let client = self.cloud_formation();
        client.create_stack().stack_name(name).template_body(template).send().await.unwrap();
        loop {
            let described = client.describe_stacks().stack_name(name).send().await.unwrap();
            let status = described.stacks().first().and_then(|stack| stack.stack_status()).cloned().unwrap();
            match status.as_str() {
                "CREATE_IN_PROGRESS" => tokio::time::sleep(Duration::from_millis(100)).await,
                "CREATE_COMPLETE" => return,
                other => panic!("the stack is {other}"),
            }
        }
    }

    pub(crate) async fn secret(&self, name: &str, value: &str) {
        match &self.double {
            Some(aws) => drop(aws.create_secret(name, json!(value))),
            None => {
                self.secrets().create_secret().name(name).secret_string(value).send().await.unwrap();
            }
        }
    }

    /// Lets mails be sent from a domain.
    pub(crate) async fn verify(&self, domain: &str) {
        match &self.double {
            Some(aws) => aws.verify_identity(domain),
            None => {
                self.ses().create_email_identity().email_identity(domain).send().await.unwrap();
            }
        }
    }

    /// Creates a queue and returns its URL.
    pub(crate) async fn queue(&self, name: &str, dead_letters: Option<(&str, u32)>) -> String {
        if let Some(aws) = &self.double {
            let dead_letters = dead_letters
                .map(|(queue, max)| DeadLetters { queue: queue.to_owned(), max_receive_count: max });
            let visibility_timeout = Duration::from_secs(30);
            aws.create_queue(QueueSpec { name: name.to_owned(), visibility_timeout, dead_letters });
            return aws.queue_url(name);
        }
        let mut create = self.sqs().create_queue().queue_name(name);
        if let Some((queue, max)) = dead_letters {
            let target = format!("arn:aws:sqs:us-east-1:000000000000:{queue}");
            let policy = json!({ "deadLetterTargetArn": target, "maxReceiveCount": max });
            create = create.attributes(QueueAttributeName::RedrivePolicy, policy.to_string());
        }
        create.send().await.unwrap().queue_url.unwrap()
    }

    /// Creates a table with the key `pk` and the index `by-day` on `day` and `moment`, which also carries the
    /// attribute `carried`.
    pub(crate) async fn table(&self, name: &str) {
        if let Some(aws) = &self.double {
            let key = KeySchema { partition: KeyAttribute::string("pk"), sort: None };
            let by_day = KeySchema {
                partition: KeyAttribute::string("day"),
                sort: Some(KeyAttribute::string("moment")),
            };
            let carries = Some(BTreeSet::from(["carried".to_owned()]));
            let indexes = BTreeMap::from([("by-day".to_owned(), IndexSpec { key: by_day, carries })]);
            aws.create_table_with(TableSpec { name: name.to_owned(), key, indexes });
            return;
        }
        let key = |name: &str, kind: KeyType| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        };
        let by_day = GlobalSecondaryIndex::builder()
            .index_name("by-day")
            .key_schema(key("day", KeyType::Hash))
            .key_schema(key("moment", KeyType::Range))
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::Include)
                    .non_key_attributes("carried")
                    .build(),
            );
        let mut create =
            self.dynamodb().create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        for name in ["pk", "day", "moment"] {
            let attribute =
                AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
            create = create.attribute_definitions(attribute.build().unwrap());
        }
        let create =
            create.key_schema(key("pk", KeyType::Hash)).global_secondary_indexes(by_day.build().unwrap());
        create.send().await.unwrap();
    }

    /// Creates a table with the keys `pk` and `sk`.
    pub(crate) async fn sorted_table(&self, name: &str) {
        if let Some(aws) = &self.double {
            let partition = KeyAttribute::string("pk");
            let key = KeySchema { partition, sort: Some(KeyAttribute::string("sk")) };
            aws.create_table_with(TableSpec { name: name.to_owned(), key, indexes: BTreeMap::new() });
            return;
        }
        let mut create =
            self.dynamodb().create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
            let attribute =
                AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
            let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
            create =
                create.attribute_definitions(attribute.build().unwrap()).key_schema(key.build().unwrap());
        }
        create.send().await.unwrap();
    }

    pub(crate) async fn bus(&self, name: &str) {
        match &self.double {
            Some(aws) => aws.create_bus(name),
            None => {
                self.events().create_event_bus().name(name).send().await.unwrap();
            }
        }
    }

    /// Creates a rule with one queue as its target.
    pub(crate) async fn rule(
        &self,
        bus: &str,
        pattern: serde_json::Value,
        queue: &str,
        input_path: Option<&str>,
    ) {
        let name = unique("rule");
        if let Some(aws) = &self.double {
            let target = Target { queue: queue.to_owned(), input_path: input_path.map(str::to_owned) };
            aws.put_rule(bus, &name, &pattern, vec![target]).unwrap();
            return;
        }
        let events = self.events();
        let put = events.put_rule().event_bus_name(bus).name(&name).event_pattern(pattern.to_string());
        put.send().await.unwrap();
        let target = aws_sdk_eventbridge::types::Target::builder()
            .id("queue")
            .arn(format!("arn:aws:sqs:us-east-1:000000000000:{queue}"))
            .set_input_path(input_path.map(str::to_owned));
        let put = events.put_targets().event_bus_name(bus).rule(&name).targets(target.build().unwrap());
        put.send().await.unwrap();
    }
}
