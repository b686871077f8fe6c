//! Machines that follow the links of mails, and that send what they find there.

use crate::support::Stage;

/// The state of everything that a machine must not change.
fn state(stage: &Stage) -> (Vec<serde_json::Value>, u32, usize, usize) {
    let items = ["certification#", "certification-of#", "certification-log#"];
    let items = items.iter().flat_map(|prefix| stage.items(prefix)).collect();
    let tableau = &stage.environment.tableau;
    (
        items,
        tableau.calls("PUT *"),
        stage.mails().len(),
        stage.environment.aws.calls("DynamoDB.UpdateItem")
            + stage.environment.aws.calls("DynamoDB.TransactWriteItems"),
    )
}

// M02, M03
#[tokio::test]
async fn gets_and_heads_change_write_and_count_nothing() {
    let stage = Stage::asked().await;
    let (certify, decline) = stage.tokens();
    let before = state(&stage);
    let sessions = stage.environment.tableau.sessions();
    for token in [&certify, &decline] {
        for method in ["HEAD", "GET", "GET", "HEAD"] {
            let answer = stage.request(method, token, "", &[]).await;
            assert_eq!(answer.status, 200, "{method}");
            assert_eq!(answer.html.is_empty(), method == "HEAD");
            assert!(answer.headers.get("set-cookie").is_none() && answer.headers.get("location").is_none());
        }
        // A cut token gets the neutral page.
        assert_eq!(stage.get(&token[..30]).await.status, 404);
    }
    assert_eq!(state(&stage), before);
    assert_eq!(stage.environment.tableau.sessions(), sessions, "no page asks Tableau");
    // The person comes last.
    assert_eq!(stage.choose(&certify, "yes", "").await.title(), "Sales Orders is certified");
}

// M04
#[tokio::test]
async fn a_machine_that_sends_the_form_as_it_finds_it_decides_nothing() {
    let stage = Stage::asked().await;
    let (certify, decline) = stage.tokens();
    let before = state(&stage);
    for token in [&certify, &decline] {
        let form = stage.form(token).await;
        let fields: [&[(&str, &str)]; 12] = [
            // As it is: no radio button is chosen.
            &[("form", &form), ("note", "")],
            &[("form", &form), ("choice", ""), ("note", "")],
            &[("form", &form), ("choice", "on"), ("note", "test")],
            // The first of each group.
            &[("form", &form), ("choice", "no"), ("note", "test")],
            // The last, as a machine ends on that clicks each in a browser.
            &[("form", &form), ("choice", "unsure"), ("note", "")],
            // Every text field.
            &[("form", &form), ("choice", "yes"), ("note", "test"), ("website", "test")],
            &[("form", &form), ("choice", "unsure"), ("note", "test"), ("website", "https://example.org")],
            // Every one of a group.
            &[("form", &form), ("choice", "no"), ("choice", "yes"), ("note", "")],
            &[("form", &form), ("choice", "yes"), ("choice", "yes"), ("note", "")],
            // Without a page, or with that of the other link.
            &[("choice", "yes"), ("note", "")],
            &[("form", token), ("choice", "yes")],
            &[],
        ];
        for fields in fields {
            let answer = stage.post(token, fields).await;
            assert!(
                !answer.html.contains("is certified") && !answer.html.contains("You can close"),
                "{fields:?}"
            );
        }
        let other = stage.get(if token == &certify { &decline } else { &certify }).await.form();
        assert_eq!(stage.post(token, &[("form", &other), ("choice", "yes")]).await.status, 400);
    }
    // At once.
    let page = stage.get(&certify).await;
    let answer = stage.post(&certify, &[("form", &page.form()), ("choice", "yes"), ("note", "")]).await;
    assert!(answer.html.contains("sent faster than a person chooses"), "{}", answer.html);
    let (first, last) = (page.html.find("value=\"no\""), page.html.find("value=\"unsure\""));
    assert!(first < page.html.find("value=\"yes\"") && page.html.find("value=\"yes\"") < last);
    assert_eq!(state(&stage), before);
    assert!(!stage.datasource().await.is_certified);
}

// M04
#[tokio::test]
async fn a_form_is_taken_from_our_own_page_alone() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let form = stage.form(&certify).await;
    let body = format!("form={form}&choice=yes&note=");
    let urlencoded = ("content-type", "application/x-www-form-urlencoded");
    let before = state(&stage);
    for headers in [
        vec![],
        vec![("content-type", "application/json")],
        vec![("content-type", "text/plain")],
        vec![("content-type", "multipart/form-data; boundary=x")],
        vec![urlencoded, ("sec-fetch-site", "cross-site")],
        vec![urlencoded, ("sec-fetch-site", "same-site")],
    ] {
        let answer = stage.request("POST", &certify, &body, &headers).await;
        assert_eq!((answer.status, answer.title().as_str()), (400, "Nothing was changed"), "{headers:?}");
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let answer = stage.request(method, &certify, &body, &[urlencoded]).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "GET, HEAD, POST");
    }
    let long = format!("{body}{}", "x".repeat(20_000));
    assert_eq!(stage.request("POST", &certify, &long, &[urlencoded]).await.status, 413);
    assert_eq!(state(&stage), before);
    let ours = [
        ("content-type", "application/x-www-form-urlencoded; charset=UTF-8"),
        ("sec-fetch-site", "same-origin"),
    ];
    assert_eq!(stage.request("POST", &certify, &body, &ours).await.title(), "Sales Orders is certified");
}

#[tokio::test]
async fn a_page_that_was_open_for_too_long_asks_again_and_keeps_what_was_typed() {
    let stage = Stage::asked().await;
    let (certify, _) = stage.tokens();
    let answer =
        stage.post(&certify, &[("form", "old"), ("choice", "yes"), ("note", "Kept </textarea><b>")]).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.html.contains("role=\"alert\"") && answer.html.contains("nothing was decided"),
        "{}",
        answer.html
    );
    assert!(answer.html.contains("Kept &lt;/textarea&gt;&lt;b&gt;</textarea>"), "{}", answer.html);
    let long = "x".repeat(501);
    let answer = stage.choose(&certify, "yes", &long).await;
    assert!(answer.status == 400 && answer.html.contains("500 characters at most"), "{}", answer.html);
    assert_eq!(stage.choose(&certify, "yes", &long[..500]).await.status, 200);
}
