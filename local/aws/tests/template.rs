//! Templates: the fixture template, templates that are refused, and the template of this repository.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

use local_aws::template::{Parameter, Places, Plan, SecretContent, Template, Throttling};
use local_aws::{DeadLetters, Error, KeyKind};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const FIXTURE: &str = include_str!("fixtures/template.yaml");

fn places() -> Places {
    Places { endpoint_url: "http://127.0.0.1:4566".to_owned(), api_url: "http://127.0.0.1:8080".to_owned() }
}

fn planned(text: &str, parameters: &[(&str, &str)]) -> Result<Plan, Error> {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Template::parse(text)?.plan(&parameters.collect(), &places())
}

fn plan(parameters: &[(&str, &str)]) -> Plan {
    planned(FIXTURE, &[&[("Greeting", "hello")], parameters].concat()).unwrap()
}

#[test]
fn a_function_gets_its_own_settings_over_those_of_all() {
    let plan = plan(&[]);
    let [echo] = plan.functions.as_slice() else { panic!("{:?}", plan.functions) };

    assert_eq!((echo.logical_id.as_str(), echo.name.as_str()), ("Echo", "echo-bootstrap"));
    assert_eq!((echo.timeout, echo.memory_mb), (Duration::from_secs(15), 256));
    let expected = [
        ("API", "http://127.0.0.1:8080/echo/${literal}"),
        ("BUS", "local"),
        ("BUS_ARN", "arn:aws:events:us-east-1:000000000000:event-bus/local"),
        ("JOINED", "a/y"),
        ("LEVEL", "debug"),
        ("NUMBER", "7"),
        ("QUEUE_ARN", "arn:aws:sqs:us-east-1:000000000000:EchoQueue"),
        ("QUEUE_URL", "http://127.0.0.1:4566/000000000000/EchoQueue"),
        ("SECRET", "arn:aws:secretsmanager:us-east-1:000000000000:secret:Token"),
        ("SHARED", "hello"),
        ("TABLE_NAME", "Deliveries"),
        ("WITH_VARIABLES", "hi-us-east-1"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(echo.environment, BTreeMap::from(expected));
}

#[test]
fn what_is_connected_with_what_is_read_from_references() {
    let plan = plan(&[]);

    let mapping = &plan.mappings[0];
    assert_eq!((mapping.function.as_str(), mapping.queue.as_str()), ("echo-bootstrap", "EchoQueue"));
    assert!(mapping.reports_failures && mapping.batch_size == 5);
    assert_eq!(mapping.maximum_concurrency, Some(5));
    assert_eq!(plan.throttling, Some(Throttling { rate_per_second: 10, burst: 20 }));
    let routes: Vec<_> = plan.routes.iter().map(|r| (r.key.to_string(), r.function.as_str())).collect();
    let expected = ["ANY /echo", "POST /echo/{token}"].map(|key| (key.to_owned(), "echo-bootstrap"));
    assert_eq!(routes, expected);
    assert_eq!(plan.routes[0].timeout, Duration::from_secs(10));
    let queue = plan.queues.iter().find(|queue| queue.name == "EchoQueue").unwrap();
    let letters = DeadLetters { queue: "local-letters".to_owned(), max_receive_count: 2 };
    assert_eq!((queue.visibility_timeout, &queue.dead_letters), (Duration::from_secs(1), &Some(letters)));
    let rule = &plan.rules[0];
    assert_eq!((rule.bus.as_str(), rule.targets[0].queue.as_str()), ("local", "EchoQueue"));
    assert_eq!(rule.targets[0].input_path.as_deref(), Some("$.detail"));
    let index = &plan.tables[0].indexes["by-day"];
    let sort = index.key.sort.as_ref().map(|key| (key.name.as_str(), key.kind));
    assert_eq!(
        (sort, index.carries.as_ref()),
        (Some(("moment", KeyKind::N)), Some(&["who".to_owned()].into()))
    );
}

#[test]
fn a_schedule_of_a_function_and_a_group_of_schedules_are_read() {
    let plan = plan(&[]);
    let [daily] = plan.repeated.as_slice() else { panic!("{:?}", plan.repeated) };
    assert_eq!((daily.function.as_str(), daily.every), ("echo-bootstrap", Duration::from_secs(86_400)));
    assert_eq!(daily.input, serde_json::json!({ "do": "process" }));
    assert_eq!(plan.schedule_groups, ["Timers"]);
    let minutes = FIXTURE.replace("rate(1 day)", "rate(15 minutes)");
    let plan = planned(&minutes, &[("Greeting", "x")]).unwrap();
    assert_eq!(plan.repeated[0].every, Duration::from_secs(900));
}

#[test]
fn a_function_says_whether_it_may_invoke_itself() {
    assert!(!plan(&[]).functions[0].recursion_allowed);
    assert!(plan(&[("Recursion", "Allow")]).functions[0].recursion_allowed);
    assert!(
        !planned(&FIXTURE.replace("      RecursiveLoop: !Ref Recursion\n", ""), &[("Greeting", "x")])
            .unwrap()
            .functions[0]
            .recursion_allowed
    );
}

#[test]
fn secrets_say_what_they_begin_with() {
    let plan = plan(&[]);
    let content = |id: &str| {
        let secret = plan.secrets.iter().find(|secret| secret.logical_id == id).unwrap();
        (secret.name.clone(), secret.content.clone())
    };

    let within =
        Some((serde_json::Map::from_iter([("previous".to_owned(), "".into())]), "current".to_owned()));
    assert_eq!(content("Token"), ("Token".to_owned(), SecretContent::Generated { length: 43, within }));
    assert_eq!(content("Plain").1, SecretContent::Generated { length: 43, within: None });
    assert_eq!(content("Later").1, SecretContent::Empty);
    let text = SecretContent::Text(r#"{"token_name":""}"#.to_owned());
    assert_eq!(content("Given"), ("tableau/pat".to_owned(), text));
}

#[test]
fn conditions_leave_resources_and_values_out() {
    let quiet = plan(&[]);
    let loud = plan(&[("Mode", "loud")]);
    let has_queue = |plan: &Plan| plan.queues.iter().any(|queue| queue.name == "LoudQueue");

    assert_eq!((has_queue(&quiet), has_queue(&loud)), (false, true));
    assert_eq!(loud.functions[0].environment["ONLY_LOUD"], "yes");
}

#[test]
fn outputs_are_resolved_and_left_out_as_resources_are() {
    let outputs = |parameters: &[(&str, &str)]| -> Vec<String> {
        plan(parameters).outputs.into_iter().map(|(name, value)| format!("{name} {value}")).collect()
    };
    let echo = "EchoUrl http://127.0.0.1:8080/echo";
    let queue = "http://127.0.0.1:4566/000000000000/LoudQueue";
    assert_eq!(outputs(&[]), [echo]);
    let queue = format!("LoudQueueUrl {queue}");
    assert_eq!(outputs(&[("Mode", "loud")]), [echo, &queue, "TopicOrLoud loud"]);
    assert_eq!(outputs(&[("AlarmTopicArn", "arn:x")]), [echo, "TopicOrLoud arn:x"]);
}

#[test]
fn parameters_are_listed_and_checked() {
    let template = Template::parse(FIXTURE).unwrap();
    let greeting =
        Parameter { name: "Greeting".to_owned(), default: None, description: "What to say.".to_owned() };
    assert!(template.parameters().contains(&greeting));

    let message = |parameters: &[(&str, &str)]| planned(FIXTURE, parameters).unwrap_err().to_string();
    assert_eq!(message(&[]), "Parameters: Greeting: has no default: give it a value");
    let unknown = message(&[("Greeting", "x"), ("Gretting", "x")]);
    assert_eq!(unknown, "Parameters: Gretting: there is no such parameter");
    let mode = message(&[("Greeting", "x"), ("Mode", "quiet")]);
    assert_eq!(mode, "Parameters: Mode: `quiet` is not one of its allowed values");
}

/// Event source mappings are read. A setting that the template's rules refuse for an AWS account runs here.
#[test]
fn a_mapping_gives_a_number_and_rules_about_an_account_are_left_out() {
    let text = FIXTURE.replace("\nMappings:\n", "\nMappings:\n  Sizes:\n    \"2\": { Number: 4 }\n");
    let text = text.replace("BatchSize: 5", "BatchSize: !FindInMap [Sizes, \"2\", Number]");
    let refusing = format!(
        "{text}Rules:\n  Never:\n    Assertions:\n      - Assert: !Equals [\"1\", \"2\"]\n        AssertDescription: no\n"
    );
    let plan = planned(&refusing, &[("Greeting", "hello")]).unwrap();
    assert_eq!(plan.mappings[0].batch_size, 4);
    let missing = text.replace("[Sizes, \"2\"", "[Sizes, \"3\"");
    let message = planned(&missing, &[("Greeting", "hello")]).unwrap_err().to_string();
    assert!(message.ends_with("Fn::FindInMap: there is no Sizes.3.Number"), "{message}");
}

/// Most workflows are off until an operator enables them; the local stack enables all of them.
#[test]
fn every_switch_of_a_workflow_can_be_turned_on_at_once() {
    let switch = "\n  SendFaxEnabled:\n    Type: String\n    Default: \"false\"\n    AllowedValues: [\"true\", \"false\"]\n";
    let named_alike = "  LegacyEnabled:\n    Type: String\n    Default: never\n";
    let sender = "  EmailFrom:\n    Type: String\n    Default: \"\"\n";
    let text = FIXTURE.replacen("\nParameters:\n", &format!("\nParameters:{switch}{named_alike}{sender}"), 1);
    let on = Template::parse(&text).unwrap().everything_on();
    let expected = [("EmailFrom", "tableau-webhooks@example.com"), ("SendFaxEnabled", "true")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(on, BTreeMap::from(expected));
}

#[test]
fn what_is_not_understood_is_one_error_that_names_resource_and_property() {
    for (before, after, expected) in [
        (
            "!Ref EchoQueue\n",
            "!Ref EchoQueu\n",
            "Echo: Environment.Variables.QUEUE_URL: there is no parameter or resource `EchoQueu`",
        ),
        (
            "!GetAtt EchoQueue.Arn\n          TABLE",
            "!GetAtt EchoQueue.Size\n          TABLE",
            "Echo: Environment.Variables.QUEUE_ARN: `EchoQueue` (AWS::SQS::Queue) has no attribute Size here",
        ),
        (
            "!Ref EchoQueue\n",
            "!Ref LoudQueue\n",
            "Echo: Environment.Variables.QUEUE_URL: `LoudQueue` is left out by its condition IsLoud",
        ),
        (
            "[IsLoud, \"yes\"",
            "[IsLowd, \"yes\"",
            "Echo: Environment.Variables.ONLY_LOUD: there is no condition `IsLowd`",
        ),
        ("VisibilityTimeout: 1\n", "FifoQueue: true\n", "EchoQueue: FifoQueue: is not understood here"),
        (
            "VisibilityTimeout: 1\n",
            "VisibilityTimeout: soon\n",
            "EchoQueue: VisibilityTimeout: `soon` is not a whole number",
        ),
        (
            "RouteKey: \"ANY /echo\"",
            "RouteKey: /echo",
            "EchoRoute: RouteKey: `/echo` is not a method and a path",
        ),
        (
            "PayloadFormatVersion: \"2.0\"",
            "PayloadFormatVersion: \"1.0\"",
            "EchoIntegration: PayloadFormatVersion: only 2.0 is understood here",
        ),
        (
            "ThrottlingRateLimit: 10",
            "ThrottlingRateLimit: ten",
            "Stage: DefaultRouteSettings.ThrottlingRateLimit: `ten`",
        ),
        (
            "MaximumConcurrency: 5",
            "MaximumConcurrency: 1",
            "Echo.Events.Queue: ScalingConfig.MaximumConcurrency: must be from 2 to 1000",
        ),
        (
            "RecursiveLoop: !Ref Recursion",
            "RecursiveLoop: true",
            "Echo: RecursiveLoop: must be Allow or Terminate",
        ),
        ("StageName: $default", "StageName: prod", "Stage: StageName: only $default is understood here"),
        (
            "Daily: { Type: Schedule",
            "Daily: { Type: S3",
            "Echo.Events.Daily: Type: S3 is not understood here",
        ),
        ("rate(1 day)", "rate(1 days)", "Echo.Events.Daily: Schedule: `rate(1 days)` is not understood here"),
        ("rate(1 day)", "cron(0 1 * * ? *)", "Echo.Events.Daily: Schedule: `cron(0 1 * * ? *)`"),
        ("'{\"do\":\"process\"}'", "process", "Echo.Events.Daily: Input: is not JSON"),
        (
            "Type: AWS::Scheduler::ScheduleGroup",
            "Type: AWS::Scheduler::Schedule",
            "Timers: Type: AWS::Scheduler::Schedule is not understood here",
        ),
        (
            "Type: AWS::CloudWatch::Alarm\n    Condition: HasTopic",
            "Type: AWS::RDS::DBInstance",
            "EchoAlarm: Type: AWS::RDS::DBInstance is not understood here",
        ),
        (
            "InputPath: $.detail",
            "InputTransformer: {}",
            "EchoRule: Targets[0].InputTransformer: is not understood here",
        ),
        ("Name: !Ref AWS::StackName }\n  LoudQueue", "Name: !Ref Bus }\n  LoudQueue", "refers to itself"),
        ("IsLoud: !Equals [!Ref Mode, loud]", "IsLoud: !Not [!Condition IsLoud]", "refers to itself"),
        (
            "    Condition: IsLoud\n    Value: !Ref",
            "    Value: !Ref",
            "Outputs.LoudQueueUrl: Value: `LoudQueue` is left out by its condition IsLoud",
        ),
    ] {
        assert!(FIXTURE.contains(before), "{before}");
        let text = FIXTURE.replacen(before, after, 1);
        let message = planned(&text, &[("Greeting", "x")]).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

/// The resolved plan of this repository's template.
fn our_plan(parameters: &[(&str, &str)]) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = Template::read(&path).unwrap();
    let required = template.parameters().into_iter().filter(|parameter| parameter.default.is_none());
    let mut all = template.everything_on();
    all.extend(required.map(|parameter| (parameter.name, "https://tableau.example.com".to_owned())));
    all.extend(parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    template.plan(&all, &places()).unwrap()
}

#[test]
fn a_workflow_of_this_repository_that_is_switched_off_leaves_nothing_behind() {
    let whole = our_plan(&[]);
    let without = our_plan(&[("NotifySlackEnabled", "false")]);

    let left = |plan: &Plan| format!("{plan:?}").to_lowercase().replace('-', "").contains("notifyslack");
    assert!(left(&whole) && !left(&without), "{without:#?}");
    assert!(whole.outputs.contains_key("SlackSecretArn") && !without.outputs.contains_key("SlackSecretArn"));
    assert_eq!(without.functions.len() + 1, whole.functions.len());
    assert_eq!(without.mappings.len() + 1, whole.mappings.len());
    assert_eq!((without.queues.len() + 2, without.rules.len() + 1), (whole.queues.len(), whole.rules.len()));
    assert_eq!(without.secrets.len() + 1, whole.secrets.len());
}

#[test]
fn the_template_of_this_repository_is_understood() {
    let plan = our_plan(&[]);

    assert!(!plan.functions.is_empty() && !plan.routes.is_empty() && !plan.tables.is_empty());
    for mapping in &plan.mappings {
        assert!(plan.functions.iter().any(|function| function.name == mapping.function), "{mapping:?}");
        assert!(plan.queues.iter().any(|queue| queue.name == mapping.queue), "{mapping:?}");
    }
    for rule in &plan.rules {
        assert!(plan.buses.contains(&rule.bus), "{rule:?}");
    }
}
