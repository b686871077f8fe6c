//! Tokens that are not ours, and requests that are neither a page nor a webhook.

use crate::support::{NAME, ORDERS, Stage, page_event};
use serde_json::json;
use testkit::{Request, TOKEN};

// M02
#[tokio::test]
async fn a_token_that_is_not_ours_gets_one_page_and_nothing_is_read_or_written() {
    let stage = Stage::asked().await;
    let (certify, decline) = stage.tokens();
    let reads = stage.environment.aws.calls("DynamoDB.GetItem");
    let first = stage.get("x").await;
    assert_eq!((first.status, first.title().as_str()), (404, "This link does not work"));
    let swapped = format!("{}{}", &certify[..16], &decline[16..37]);
    let cut = &certify[..37];
    let other = Stage::asked().await.tokens().0;
    let foreign = format!("{}{}", &certify[..16], &other[16..]);
    let long = "A".repeat(5_000);
    for token in ["", "-", cut, &swapped, &foreign, TOKEN, &long, "%00", "..", "ä", &certify.to_uppercase()]
    {
        if token.is_empty() {
            continue;
        }
        for method in ["GET", "POST"] {
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            let answer = stage.request(method, token, "choice=yes", &headers).await;
            assert_eq!((answer.status, &answer.html), (404, &first.html), "{method} {token}");
            assert_eq!(answer.headers, first.headers);
        }
    }
    assert_eq!(stage.environment.aws.calls("DynamoDB.GetItem"), reads, "the table is not asked");
}

#[tokio::test]
async fn a_link_stores_no_event_and_the_webhooks_token_opens_no_page() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let event = stage.event("DatasourceCreated", "Shipments").to_string();
    let queued = stage.environment.aws.messages("queue").len();

    // A webhook payload at a link, and at the page's path with the webhooks' token.
    for token in [certify.as_str(), TOKEN] {
        let mut request = page_event("POST", token, &event, &[("content-type", "application/json")]);
        request["rawQueryString"] = json!(format!("token={TOKEN}"));
        request["queryStringParameters"] = json!({ "token": TOKEN });
        let answer = stage.function.invoke(&request).await.unwrap();
        assert!(answer["statusCode"] == 400 || answer["statusCode"] == 404, "{answer}");
    }
    // A link at the webhooks' path.
    let mut request = Request::post(event.clone()).query_token(None).path_token(&certify).event();
    request["rawPath"] = json!(format!("/webhooks/{NAME}/{certify}"));
    let answer = stage.function.answer_to(&request).await;
    assert_eq!(answer.status, 403);
    assert_eq!(stage.environment.aws.messages("queue").len(), queued);

    // The webhook itself still works.
    assert_eq!(stage.function.answer(&Request::post(event)).await.status, 202);
    assert_eq!(stage.environment.aws.messages("queue").len(), queued + 1);
    assert_eq!(stage.stored()["about"]["name"], ORDERS);
    stage.assert_no_secret_in_the_log();
}

#[tokio::test]
async fn a_changed_key_ends_links_only_once_the_previous_one_is_taken_out() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let (old, new) = ("local-key-of-links-not-a-secret-0123456789", "n".repeat(43));
    let secret = |current: &str, previous: &str| {
        stage.environment.aws.create_secret("links", json!({ "current": current, "previous": previous }));
        stage.environment.queued_with(NAME, crate::support::BINARY, &[])
    };
    let status = async |function: &testkit::Function| {
        let answer = function.invoke(&page_event("GET", &certify, "", &[])).await.unwrap();
        answer["statusCode"].as_u64().unwrap()
    };
    assert_eq!(status(&secret(&new, old)).await, 200);
    assert_eq!(status(&secret(&new, "")).await, 404);
    let short = secret("short", "");
    let answer = short.invoke(&page_event("GET", &certify, "", &[])).await.unwrap();
    assert_eq!(answer["statusCode"], 409, "no alarm about events that were not stored");
    let log = short.logs().join("\n");
    assert!(log.contains("`current` has fewer than 32 characters"), "{log}");
}

// M10
#[tokio::test]
async fn what_a_service_adds_to_a_link_does_no_harm() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let mut tagged = page_event("GET", &certify, "", &[("sec-fetch-site", "cross-site"), ("cookie", "a=b")]);
    tagged["rawQueryString"] = json!("utm_source=mail&amp;data=05%7C01&token=x");
    tagged["queryStringParameters"] = json!({ "utm_source": "mail", "token": "x" });
    let answer = stage.function.invoke(&tagged).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    for end in [".", ">", "%3E", "),"] {
        assert_eq!(stage.get(&format!("{certify}{end}")).await.status, 200, "{end}");
    }
    let form = stage.form(&format!("{certify}.")).await;
    let done = stage.post(&format!("{certify}."), &[("form", &form), ("choice", "yes")]).await;
    assert_eq!(done.title(), "Sales Orders is certified");
}

#[tokio::test]
async fn a_person_who_may_write_the_table_makes_no_link_certify_anything_else() {
    for field in ["steward", "datasource", "site", "expires_at", "confirm"] {
        let stage = Stage::asked().await;
        let (certify, _) = stage.tokens();
        stage.forge(|stored| {
            stored[field] = match field {
                "steward" => json!("attacker@example.org"),
                "datasource" => json!(stage.environment.tableau.datasource("Shipments").unwrap().as_str()),
                "site" => json!("00000000-0000-4000-8000-000000000000"),
                "expires_at" => json!("2999-01-01T00:00:00Z"),
                _ => json!(true),
            };
            stored["outbox"] = json!(["reminder"]);
        });
        assert_eq!(stage.get(&certify).await.title(), "This link does not work", "{field}");
        assert_eq!(stage.post(&certify, &[("form", "x"), ("choice", "yes")]).await.status, 404);
        stage.fire().await;
        assert_eq!(stage.mails().len(), 1, "{field}");
    }
}
