//! The HTTP API.

use crate::reading::{INGRESS, of_type, pascal, resources, takers, target};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_function_has_its_url_with_and_without_a_token() {
    let all = resources();
    let permissions: BTreeSet<(String, String)> = of_type(&all, "AWS::Lambda::Permission")
        .into_iter()
        .map(|(id, permission)| {
            let arn =
                permission["SourceArn"]["Fn::Sub"].as_str().unwrap_or_else(|| panic!("{id}: SourceArn"));
            let path = arn.split_once(":${HttpApi}/*/*").unwrap_or_else(|| panic!("{id}: {arn}")).1;
            (permission["FunctionName"]["Ref"].as_str().unwrap().to_owned(), path.to_owned())
        })
        .collect();
    let mut routes = BTreeSet::new();
    for (id, route) in of_type(&all, "AWS::ApiGatewayV2::Route") {
        let path = route["RouteKey"].as_str().and_then(|key| key.strip_prefix("ANY "));
        let path = path.unwrap_or_else(|| panic!("{id}: ANY, so that the function answers a wrong method"));
        let integration = route["Target"]["Fn::Sub"].as_str().unwrap();
        let integration = integration.trim_start_matches("integrations/${").trim_end_matches('}');
        let function = target(&all[integration]["Properties"]["IntegrationUri"]).unwrap();
        routes.insert((
            function.to_owned(),
            path.replace("{token}", "*").replace("{link}", "*").replace("{id}", "*"),
        ));
    }
    assert_eq!(routes, permissions, "every route has its permission, and no other has one");
    for folder in takers() {
        let path = match folder.as_str() {
            INGRESS => "/webhook".to_owned(),
            workflow => format!("/webhooks/{workflow}"),
        };
        for path in [path.clone(), format!("{path}/*")] {
            assert!(routes.contains(&(pascal(&folder), path.clone())), "{folder} has no route {path}");
        }
    }
}

#[test]
fn access_logs_leave_out_what_may_hold_the_token() {
    let all = resources();
    let stages = of_type(&all, "AWS::ApiGatewayV2::Stage");
    assert!(!stages.is_empty());
    for (id, stage) in stages {
        let format = stage["AccessLogSettings"]["Format"].as_str().unwrap();
        let fields: BTreeMap<String, String> = serde_json::from_str(format).unwrap();
        for variable in fields.values() {
            let lower = variable.to_lowercase();
            assert!(
                !["path", "query", "header", "body"].iter().any(|w| lower.contains(w)),
                "{id}: {variable}"
            );
        }
    }
}
