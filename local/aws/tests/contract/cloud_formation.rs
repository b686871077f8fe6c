//! Contract of CloudFormation: lists the resources of a stack.

use crate::backend::{backends, unique};
use crate::refusal;

#[tokio::test]
async fn a_stack_lists_its_resources_under_the_names_of_the_template() {
    for backend in backends().await {
        let client = backend.cloud_formation();
        let name = unique("stack");
        backend.stack(&name, &["OrdersQueue", "OrdersDeadLetters"]).await;

        let listed = client.list_stack_resources().stack_name(&name).send().await.unwrap();

        let mut resources: Vec<_> = listed.stack_resource_summaries().iter().collect();
        resources.sort_by_key(|resource| resource.logical_resource_id());
        let ids: Vec<_> = resources.iter().filter_map(|resource| resource.logical_resource_id()).collect();
        assert_eq!(ids, ["OrdersDeadLetters", "OrdersQueue"]);
        assert!(resources.iter().all(|resource| resource.resource_type() == Some("AWS::SQS::Queue")));
        let url = resources.first().and_then(|resource| resource.physical_resource_id()).unwrap();
        backend.sqs().send_message().queue_url(url).message_body("x").send().await.unwrap();
        assert_eq!(listed.next_token(), None);
    }
}

#[tokio::test]
async fn a_stack_that_is_not_there_is_a_validation_error() {
    for backend in backends().await {
        let name = unique("absent");
        let request = backend.cloud_formation().list_stack_resources().stack_name(&name);
        let listed = refusal(request.send().await.unwrap_err());
        let request = backend.cloud_formation().describe_stacks().stack_name(&name);
        let described = refusal(request.send().await.unwrap_err());
        for (code, message) in [listed, described] {
            assert_eq!(code, "ValidationError");
            assert!(message.contains(&name) && message.ends_with("does not exist"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    for backend in backends().await {
        let client = backend.cloud_formation();
        let name = unique("stack");
        let ids: Vec<String> = (0..101).map(|n| format!("Orders{n}Queue")).collect();
        backend.stack(&name, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;

        let mut pages = client.list_stack_resources().stack_name(&name).into_paginator().send();
        let mut sizes = Vec::new();
        while let Some(page) = pages.next().await {
            sizes.push(page.unwrap().stack_resource_summaries().len());
        }
        assert_eq!(sizes, [100, 1]);
    }
}
