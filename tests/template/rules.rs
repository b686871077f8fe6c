//! What a deploy refuses before it changes anything: the section `Rules`, with parameters as an operator gives them.

use crate::reading::{pascal, read, takers};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a new account may run at the same time.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const NEW_ACCOUNT: u64 = 10;
/// The executions that the URLs keep: receive-webhook's, and the workflows' own. Half of them are enough for a storm:
/// an answer takes some ten milliseconds.
const FOR_URLS: u64 = 6;

type Parameters = BTreeMap<String, String>;

/// The values of a deploy that gives these, as CloudFormation completes them.
fn parameters(template: &Value, given: &[(&str, &str)]) -> Parameters {
    let all = template["Parameters"].as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut values: Parameters =
        all.filter_map(|(name, body)| Some((name.clone(), text(body.get("Default")?)))).collect();
    for (name, value) in given {
        let body = &template["Parameters"][name];
        assert!(!body.is_null(), "there is no parameter {name}");
        let allowed = body["AllowedValues"].as_array();
        assert!(allowed.is_none_or(|all| all.iter().any(|one| text(one) == *value)), "{name}={value}");
        values.insert((*name).to_owned(), (*value).to_owned());
    }
    values
}

/// What CloudFormation's functions for rules give.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html>
fn value(expression: &Value, parameters: &Parameters) -> Value {
    let Some((function, argument)) = expression.as_object().and_then(|map| map.iter().next()) else {
        return match expression {
            Value::Array(items) => items.iter().map(|item| value(item, parameters)).collect(),
            plain => plain.clone(),
        };
    };
    let parts: Vec<Value> = match argument {
        Value::Array(items) => items.iter().map(|item| value(item, parameters)).collect(),
        _ => Vec::new(),
    };
    let holds = |part: &Value| part.as_bool().unwrap_or_else(|| panic!("not a condition: {part}"));
    let members = |list: &Value| list.as_array().unwrap_or_else(|| panic!("not a list: {list}")).clone();
    let limited = |parts: &[Value]| assert!((2..=10).contains(&parts.len()), "AWS takes 2 to 10: {argument}");
    match function.as_str() {
        "Ref" => json!(parameters[argument.as_str().unwrap()]),
        "Fn::Equals" => json!(parts[0] == parts[1]),
        "Fn::Not" => json!(!holds(&parts[0])),
        "Fn::And" => {
            limited(&parts);
            json!(parts.iter().all(holds))
        }
        "Fn::Or" => {
            limited(&parts);
            json!(parts.iter().any(holds))
        }
        "Fn::Contains" => json!(members(&parts[0]).contains(&parts[1])),
        "Fn::EachMemberEquals" => json!(members(&parts[0]).iter().all(|member| *member == parts[1])),
        other => panic!("{other} may not be used in Rules, or this test does not know it"),
    }
}

/// The errors of a deploy with these parameters; empty if it goes on.
fn refusals(template: &Value, given: &[(&str, &str)]) -> Vec<String> {
    let parameters = parameters(template, given);
    let mut refusals = Vec::new();
    for rule in template["Rules"].as_object().unwrap().values() {
        let condition = &rule["RuleCondition"];
        if !condition.is_null() && value(condition, &parameters) != json!(true) {
            continue;
        }
        for assertion in rule["Assertions"].as_array().unwrap() {
            if value(&assertion["Assert"], &parameters) != json!(true) {
                refusals.push(assertion["AssertDescription"].as_str().unwrap().to_owned());
            }
        }
    }
    refusals
}

fn switches() -> Vec<String> {
    let workflows = takers().into_iter().filter(|name| name != crate::reading::INGRESS);
    workflows.map(|name| format!("{}Enabled", pascal(&name))).collect()
}

/// Every way to switch the workflows on and off.
fn combinations(switches: &[String]) -> Vec<Vec<(&str, &str)>> {
    let numbers = 0..1_usize << switches.len();
    let combination = |number: usize| {
        let value = |at: usize| if number >> at & 1 == 1 { "true" } else { "false" };
        switches.iter().enumerate().map(|(at, name)| (name.as_str(), value(at))).collect()
    };
    numbers.map(combination).collect()
}

/// 11-A2.
#[test]
fn what_a_new_account_is_not_asked_to_confirm_fits_its_ten_executions() {
    let template = read("template.yaml");
    let switches = switches();
    let sizes = template["Parameters"]["WorkflowMaximumConcurrency"]["AllowedValues"].as_array().unwrap();
    let mut most = 0;
    for combination in combinations(&switches) {
        let on = combination.iter().filter(|(_, value)| *value == "true").count();
        for size in sizes.iter().map(|size| size.as_str().unwrap()) {
            let sender = [("EmailFrom", "alerts@example.com"), ("EmailIdentity", "example.com")];
            let given = [combination.as_slice(), &[("WorkflowMaximumConcurrency", size)], &sender].concat();
            let at_queues = on as u64 * size.parse::<u64>().unwrap();
            let refused = refusals(&template, &given);
            if refused.is_empty() {
                assert!(at_queues + FOR_URLS <= NEW_ACCOUNT, "{given:?} does not fit");
                most = most.max(on);
            } else {
                assert!(on > 2 || size != "2", "{given:?} fits: {refused:?}");
                let advice = ["Concurrent executions", "Service Quotas", "ConcurrencyQuotaConfirmed=true"];
                assert!(
                    refused.iter().all(|text| advice.iter().all(|part| text.contains(part))),
                    "{refused:?}"
                );
            }
            let confirmed = [given.as_slice(), &[("ConcurrencyQuotaConfirmed", "true")]].concat();
            assert_eq!(refusals(&template, &confirmed), Vec::<String>::new(), "{given:?}");
        }
    }
    assert_eq!(most, 2, "two workflows fit");
}

#[test]
fn e_mails_without_a_sender_are_refused() {
    let template = read("template.yaml");
    let on = ("SendEmailEnabled", "true");
    let sender = [("EmailFrom", "alerts@example.com"), ("EmailIdentity", "example.com")];
    for given in [vec![on], vec![on, sender[0]], vec![on, sender[1]]] {
        let refused =
            refusals(&template, &[given.as_slice(), &[("UpdateBroadcastEnabled", "false")]].concat());
        assert!(refused.len() == 1 && refused[0].contains("EmailFrom"), "{refused:?}");
    }
    assert_eq!(refusals(&template, &[on, sender[0], sender[1]]), Vec::<String>::new());
}

/// A new account refuses reservations itself, in the middle of a deploy.
#[test]
fn a_new_account_is_refused_with_the_reason_that_it_cannot_reserve() {
    let template = read("template.yaml");
    for reserved in [("IngressReservedConcurrency", "5"), ("WorkflowReservedConcurrency", "3")] {
        let refused = refusals(&template, &[reserved]);
        assert!(refused.len() == 1 && refused[0].contains("reserved concurrency"), "{refused:?}");
        let confirmed = refusals(&template, &[reserved, ("ConcurrencyQuotaConfirmed", "true")]);
        assert_eq!(confirmed, Vec::<String>::new());
    }
}

/// A function that may not run often enough for its queue would never answer its own URL.
#[test]
fn reserved_concurrency_is_more_than_what_works_on_a_queue() {
    let template = read("template.yaml");
    let values = |name: &str| -> Vec<String> {
        let all = template["Parameters"][name]["AllowedValues"].as_array().unwrap();
        all.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    for size in values("WorkflowMaximumConcurrency") {
        for reserved in values("WorkflowReservedConcurrency") {
            let given = [
                ("WorkflowMaximumConcurrency", size.as_str()),
                ("WorkflowReservedConcurrency", reserved.as_str()),
                ("ConcurrencyQuotaConfirmed", "true"),
            ];
            let fits = reserved == "0" || reserved.parse::<u64>().unwrap() > size.parse::<u64>().unwrap();
            assert_eq!(refusals(&template, &given).is_empty(), fits, "{given:?}");
        }
    }
}

/// 11-A4.
#[test]
fn a_vpc_has_subnets_and_security_groups_or_neither() {
    let template = read("template.yaml");
    let subnets = ("SubnetIds", "subnet-0a1b,subnet-0c2d");
    let groups = ("SecurityGroupIds", "sg-0a1b");
    assert!(refusals(&template, &[]).is_empty() && refusals(&template, &[subnets, groups]).is_empty());
    for half in [subnets, groups] {
        assert_eq!(refusals(&template, &[half]), ["Give both SubnetIds and SecurityGroupIds, or neither."]);
    }
}

/// The throttle of the stage lets a storm of 500 events within a second pass, and its repetition by Tableau, and
/// asks for no more than an account has in the smallest regions.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
#[test]
fn a_storm_of_500_events_within_a_second_is_not_throttled() {
    let template = read("template.yaml");
    let default = |name: &str| template["Parameters"][name]["Default"].as_u64().unwrap();
    let rate = default("ThrottlingRateLimit");
    let burst = default("ThrottlingBurstLimit");
    assert!(burst >= 500 + 500 && rate >= 500, "{rate} {burst}");
    assert!(burst <= 1250 && rate <= 2500, "{rate} {burst}");
    let settings = &template["Resources"]["HttpApiStage"]["Properties"]["DefaultRouteSettings"];
    let expected = json!({
        "ThrottlingRateLimit": { "Ref": "ThrottlingRateLimit" },
        "ThrottlingBurstLimit": { "Ref": "ThrottlingBurstLimit" },
    });
    assert_eq!(*settings, expected);
}

#[test]
fn callers_of_an_api_cannot_take_the_ten_executions_of_a_new_account() {
    let template = read("template.yaml");
    let all = &template["Resources"];
    let stage = &all["HttpApiStage"];
    let [condition, settings, otherwise] =
        stage["Properties"]["RouteSettings"]["Fn::If"].as_array().unwrap().as_slice()
    else {
        panic!("three parts")
    };
    assert_eq!(*otherwise, json!({ "Ref": "AWS::NoValue" }));
    let (mut routes, mut held, mut bursts) = (0, 0, 0);
    for (id, route) in all.as_object().unwrap() {
        let is_of_api = id.ends_with("ApiRoute") || id.ends_with("ApiItemRoute");
        if route["Type"] != "AWS::ApiGatewayV2::Route" || !is_of_api {
            continue;
        }
        routes += 1;
        // A stage with settings of a route that is not there is refused.
        assert_eq!(route["Condition"], *condition, "{id}");
        let named = stage["Properties"]["Description"]["Fn::If"][1]["Fn::Sub"].as_str().unwrap();
        assert!(named.contains(&format!("${{{id}}}")), "{id}");
        let settings = &settings[route["Properties"]["RouteKey"].as_str().unwrap()];
        let limits = |name: &str| settings[name]["Fn::If"].as_array().unwrap().clone();
        let (rate, burst) = (limits("ThrottlingRateLimit"), limits("ThrottlingBurstLimit"));
        assert_eq!([&rate[0], &burst[0]], ["HasConcurrencyQuota"; 2]);
        let function = id.strip_suffix("ApiRoute").or_else(|| id.strip_suffix("ApiItemRoute")).unwrap();
        let wait = &all[function]["Properties"]["Environment"]["Variables"]["MOST_WAIT_SECONDS"];
        let wait: u64 = wait["Fn::If"][2].as_str().unwrap().parse().unwrap();
        held += rate[2].as_u64().unwrap() * wait;
        bursts += burst[2].as_u64().unwrap();
    }
    // With those of two queues, two executions are left for the ingress.
    assert!(held <= 4 && bursts <= 4, "{held} {bursts}");
    assert_eq!(routes, settings.as_object().unwrap().len());
    assert!(routes > 0);
}
