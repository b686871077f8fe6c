//! The same API in XML, which is what Tableau speaks unless it is asked for JSON.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod support;

use reqwest::Method;
use simulator::{Fault, SAMPLE_PAT, TableauSimulator};
use support::Caller;

async fn xml(caller: &Caller, method: Method, path: &str, body: &str) -> (u16, String) {
    let request = caller.http.request(method, format!("{}{path}", caller.base)).body(body.to_owned());
    let request = request.header("content-type", "text/xml").header("x-tableau-auth", &caller.token);
    let response = request.send().await.unwrap();
    let kind = response.headers().get("content-type").map(|k| k.to_str().unwrap().to_owned());
    assert!(kind.is_none_or(|kind| kind == "application/xml;charset=utf-8"));
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn signing_in_takes_and_gives_xml() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let stranger = Caller::stranger(&tableau);
    let (name, secret) = SAMPLE_PAT;
    let body = format!(
        "<tsRequest><credentials personalAccessTokenName=\"{name}\" personalAccessTokenSecret=\"{secret}\">\
         <site contentUrl=\"marketing\"/></credentials></tsRequest>"
    );

    let (status, answer) = xml(&stranger, Method::POST, "/api/3.29/auth/signin", &body).await;

    assert_eq!(status, 200);
    assert!(
        answer.starts_with(
            "<?xml version='1.0' encoding='UTF-8'?><tsResponse xmlns=\"http://tableau.com/api\""
        )
    );
    assert!(
        answer.contains("<credentials token=\"") && answer.contains("contentUrl=\"marketing\"/>"),
        "{answer}"
    );
}

#[tokio::test]
async fn lists_webhooks_and_errors_come_in_xml() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let site = format!("/api/3.29/sites/{}", caller.site);

    let (_, list) = xml(&caller, Method::GET, &format!("{site}/workbooks?pageSize=2"), "").await;
    assert!(list.contains(
        "<pagination pageNumber=\"1\" pageSize=\"2\" totalAvailable=\"7\"/><workbooks><workbook id="
    ));
    assert!(list.contains("<tags><tag label=\"critical\"/><tag label=\"broadcast\"/></tags>"), "{list}");

    let body = "<tsRequest><webhook name=\"w\" event=\"SiteUpdated\"><webhook-destination>\
                <webhook-destination-http method=\"POST\" url=\"https://example.com/\"/></webhook-destination>\
                </webhook></tsRequest>";
    let (status, made) = xml(&caller, Method::POST, &format!("{site}/webhooks"), body).await;
    assert_eq!(status, 201);
    assert!(made.contains("<webhook-source><webhook-source-event-site-updated/></webhook-source>"), "{made}");
    assert_eq!(tableau.webhooks()[0].name, "w");

    let (status, error) = xml(&caller, Method::GET, &format!("{site}/jobs/none"), "").await;
    let expected = "<error code=\"404018\"><summary>Resource Not Found</summary>\
                    <detail>Job &apos;none&apos; could not be found.</detail></error></tsResponse>";
    assert!(status == 404 && error.ends_with(expected), "{error}");
    let broken = xml(&caller, Method::POST, &format!("{site}/webhooks"), "<tsRequest><webhook>").await;
    assert!(broken.0 == 400 && broken.1.contains("code=\"400000\""));
    tableau.fail_next("*", 1, Fault::TooManyRequests { retry_after: None });
    assert!(xml(&caller, Method::GET, &site, "").await.1.contains("<error code=\"429000\">"));
}
