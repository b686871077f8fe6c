//! The alerting engine on DynamoDB: the scenarios, their requests, and whether the workflow's role allows these
//! requests.

use crate::crashes::{Deaths, check, events_of};
use crate::environment::{EDITS, Environment, FAILED, FOR_EVER, POSTS, SUCCEEDED, WORKFLOW, at, event};
use alerting::Capabilities;
use local_aws::Aws;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use store::records::DynamoDbRecords;
use testkit::dynamodb::{client, create_table};
use testkit::repository::root;

const TABLE: &str = "table";
const HOUR: i64 = 3_600;

/// Statistics of the environments of a test, from the AWS double.
#[derive(Default)]
struct Seen {
    /// The partition keys of all stored items.
    partitions: BTreeSet<String>,
    /// The kinds of all requested items, including missing ones.
    kinds: BTreeSet<String>,
    operations: BTreeSet<String>,
    listed: BTreeSet<String>,
}

impl Seen {
    fn add(&mut self, aws: &Aws, table: &str, environment: &Environment) {
        let items = aws.items(table);
        self.partitions.extend(items.iter().map(|item| item["pk"]["S"].as_str().unwrap().to_owned()));
        for (operation, kinds) in aws.requests().into_keys() {
            // A query counts under its index's name; for the table itself the name is empty.
            if operation != "Query" {
                self.kinds.extend(kinds.split('+').map(str::to_owned));
            }
            self.operations.insert(operation);
        }
        self.listed.extend(environment.listed());
    }
}

fn environment(aws: &Aws, table: &str, capabilities: Capabilities) -> Environment {
    create_table(aws, table);
    Environment::on(Arc::new(DynamoDbRecords::new(client(aws), table, WORKFLOW)), capabilities)
}

/// The key patterns in the alerting statements of a workflow's role: keys that it may read and write, and keys that it
/// may list.
fn patterns() -> [BTreeSet<String>; 2] {
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    let (_, rest) = template.split_once("# Alerting's records of its own").unwrap();
    let (passage, _) = rest.split_once("# Of the table's items its own").unwrap();
    let statements: Vec<&str> = passage.split("- Effect: Allow").skip(1).collect();
    let keys = |statement: &str| {
        let lines = statement.lines().map(str::trim);
        lines.filter_map(|line| line.strip_prefix("- \"")?.strip_suffix("*\"")).map(str::to_owned).collect()
    };
    [keys(statements[0]), keys(statements[1])]
}

/// How many requests the failures of each storm took.
async fn storm(aws: &Aws, seen: &mut Seen) -> Vec<usize> {
    let mut all = Vec::new();
    for (table, capabilities) in [("storm-edits", EDITS), ("storm-posts", POSTS)] {
        let mut environment = environment(aws, table, capabilities);
        let object = |n: i64| format!("object-{n:03}");
        let failed = (0..150).map(|n| (n / 30, event(FAILED, &object(n), n / 30))).collect();
        let before: usize = aws.requests().values().sum();
        environment.run(failed, &Deaths::new(), at(FOR_EVER)).await;
        let requests = aws.requests().values().sum::<usize>() - before;
        all.push(requests);
        assert!(requests <= 150 * 2, "with claim and completion at most 4 an event: {requests}");
        assert_eq!(environment.shown_failing(|_| false).len(), 150, "{:?}", environment.headlines());
        assert_eq!(environment.messages().len(), 2, "{:?}", environment.headlines());
        let succeeded = (0..150).map(|n| (HOUR + n, event(SUCCEEDED, &object(n), HOUR + n))).collect();
        environment.run(succeeded, &Deaths::new(), at(FOR_EVER)).await;
        assert_eq!(
            environment.messages().len() + environment.replies().len(),
            3,
            "{:?}",
            environment.headlines()
        );
        seen.add(aws, table, &environment);
    }
    all
}

async fn quiet_night(aws: &Aws, seen: &mut Seen) {
    for (table, capabilities) in [("night-edits", EDITS), ("night-posts", POSTS)] {
        let mut environment = environment(aws, table, capabilities);
        environment.rules(|rules| rules.quiet = Some((at(0), at(13 * HOUR))));
        let events = (0..40).flat_map(|n| {
            let second = HOUR + n * 600;
            let object = format!("object-{n:03}");
            let failed = (second, event(FAILED, &object, second));
            let succeeded = (second + 90, event(SUCCEEDED, &object, second + 90));
            // The last five objects still fail in the morning.
            if n < 35 { vec![failed, succeeded] } else { vec![failed] }
        });
        environment.run(events.collect(), &Deaths::new(), at(FOR_EVER)).await;
        assert_eq!(environment.messages().len(), 1, "{:?}", environment.headlines());
        assert_eq!(environment.messages()[0].shown.title, "75 events in quiet hours");
        assert!(environment.timer_messages <= 10, "{}", environment.timer_messages);
        seen.add(aws, table, &environment);
    }
}

async fn sweep(aws: &Aws, seen: &mut Seen) {
    let mut environment = environment(aws, "sweep", EDITS);
    for n in 0..5 {
        environment.one(FAILED, &format!("object-{n}"), n).await;
    }
    environment.lose_timers();
    environment.sweep(400).await.unwrap();
    environment.run(Vec::new(), &Deaths::new(), at(FOR_EVER)).await;
    assert_eq!(environment.shown_failing(|_| false).len(), 5, "{:?}", environment.headlines());
    seen.add(aws, "sweep", &environment);
}

#[tokio::test]
async fn on_dynamodb_a_storm_is_three_messages_a_quiet_night_one_and_the_role_allows_all_they_ask_for() {
    let aws = Aws::start().await.unwrap();
    let mut seen = Seen::default();
    let requests = storm(&aws, &mut seen).await;
    println!("storms of 150 on DynamoDB: {requests:?} requests");
    quiet_night(&aws, &mut seen).await;
    sweep(&aws, &mut seen).await;

    let [reached, listed] = patterns();
    for partition in &seen.partitions {
        let is_reached = reached.iter().any(|pattern| partition.starts_with(pattern.as_str()));
        assert!(is_reached, "no statement reaches {partition}");
    }
    let own: BTreeSet<String> = reached.into_iter().filter(|pattern| pattern != "content#").collect();
    let pattern = |kind: &String| format!("{kind}#{WORKFLOW}#");
    assert_eq!(
        seen.kinds.iter().map(pattern).collect::<BTreeSet<_>>(),
        own,
        "all that is needed and no more"
    );
    assert_eq!(seen.listed.iter().map(pattern).collect::<BTreeSet<_>>(), listed, "what is listed");
    let operations = ["BatchGetItem", "GetItem", "Query", "TransactWriteItems", "UpdateItem"];
    assert_eq!(
        seen.operations,
        operations.map(str::to_owned).into(),
        "tests/template/policies.rs allows these"
    );
}

#[tokio::test]
async fn on_dynamodb_a_worker_that_dies_between_any_two_steps_loses_nothing() {
    let aws = Aws::start().await.unwrap();
    for (name, capabilities) in [("storm that ends", EDITS), ("morning", POSTS)] {
        for arrival in [0, 1, 2, 4, 6, 9] {
            for calls in 0..7 {
                let happens = calls % 2 == 0;
                let table = format!("{TABLE}-{}-{arrival}-{calls}", name.replace(' ', "-"));
                let mut environment = environment(&aws, &table, capabilities);
                let events = events_of(name, &environment);
                let deaths = Deaths::from([(arrival, (calls, happens))]);
                environment.run(events.clone(), &deaths, at(FOR_EVER)).await;
                let context =
                    format!("{name}, arrival {arrival} dies after {calls} calls, happens: {happens}");
                check(&environment, &events, 1, &context);
            }
        }
    }
}
