//! Signing in with the JWT of a connected app, and impersonating another user.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use simulator::{ConnectedApp, SAMPLE_CONNECTED_APP, SAMPLE_PAT, SiteRole, TableauSimulator, User};
use support::{Answer, Caller, manual_clock};

fn claims(tableau: &TableauSimulator, id: &str, scopes: &[&str]) -> Value {
    let now = tableau.clock().now().as_second();
    json!({
        "iss": SAMPLE_CONNECTED_APP.0, "sub": "ana@example.com", "aud": "tableau", "exp": now + 300, "jti": id, "scp": scopes,
    })
}

fn signed(claims: &Value, (secret_id, secret): (&str, &str)) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": secret_id, "iss": SAMPLE_CONNECTED_APP.0 });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&header), part(claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&text);
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn jwt(claims: &Value) -> String {
    signed(claims, (SAMPLE_CONNECTED_APP.1, SAMPLE_CONNECTED_APP.2))
}

async fn sign_in(tableau: &TableauSimulator, version: &str, jwt: &str) -> (Caller, Answer) {
    let mut caller = Caller::stranger(tableau);
    let body = json!({ "credentials": { "jwt": jwt, "site": { "contentUrl": "marketing" } } });
    let answer = caller.call(Method::POST, &format!("/api/{version}/auth/signin"), &body.to_string()).await;
    caller.token = answer.json["credentials"]["token"].as_str().unwrap_or_default().to_owned();
    (caller, answer)
}

#[tokio::test]
async fn what_a_jwt_says_must_be_right() {
    let tableau = TableauSimulator::sample().clock(manual_clock()).start().await.unwrap();
    let now = tableau.clock().now().as_second();
    let with = |key: &str, value: Value| {
        let mut claims = claims(&tableau, "fresh", &[]);
        claims[key] = value;
        jwt(&claims)
    };
    let good = jwt(&claims(&tableau, "used", &[]));
    assert_eq!(sign_in(&tableau, "3.29", &good).await.1.status, 200);

    for (token, inner) in [
        (good.clone(), 16),
        (with("exp", json!(now + 601)), 16),
        (with("exp", json!(now)), 16),
        (with("nbf", json!(now + 60)), 16),
        (with("aud", json!("other")), 16),
        (with("jti", json!("")), 16),
        (with("sub", json!("Ana@example.com")), 5),
        (with("iss", json!("other")), 126),
        (signed(&claims(&tableau, "x", &[]), ("other", SAMPLE_CONNECTED_APP.2)), 127),
        (signed(&claims(&tableau, "x", &[]), (SAMPLE_CONNECTED_APP.1, "other")), 16),
        ("eyJ".to_owned(), 16),
    ] {
        let (_, answer) = sign_in(&tableau, "3.29", &token).await;
        assert_eq!(answer.code(), "401001", "{token}");
        let detail = answer.json["error"]["detail"].as_str().unwrap();
        assert!(detail.ends_with(&format!("(errorCode={inner})")), "{detail}, not {inner}");
    }
    let (_, old) = sign_in(&tableau, "3.16", &jwt(&claims(&tableau, "old", &[]))).await;
    assert_eq!(old.code(), "400000", "JWTs came with 3.17");
}

#[tokio::test]
async fn two_secrets_and_several_sessions_work_side_by_side() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    tableau.add(ConnectedApp::new("app", "one", "first secret").with_secret("two", "second secret"));
    let scopes = ["tableau:content:read"];
    let mut sessions = Vec::new();
    for (id, value) in [("one", "first secret"), ("two", "second secret")] {
        let mut claims = claims(&tableau, id, &scopes);
        claims["iss"] = json!("app");
        let (caller, answer) = sign_in(&tableau, "3.29", &signed(&claims, (id, value))).await;
        assert_eq!(answer.status, 200, "{id}");
        sessions.push(caller);
    }
    for session in sessions {
        assert_eq!(session.get("/workbooks").await.status, 200);
    }
}

#[tokio::test]
async fn a_connected_app_may_do_what_its_scopes_cover() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let view = format!("/views/{}", tableau.view("Overview").unwrap());
    let (caller, _) = sign_in(&tableau, "3.29", &jwt(&claims(&tableau, "1", &["tableau:views:*"]))).await;
    assert_eq!(caller.get(&format!("{view}/data")).await.status, 200);
    assert_eq!(caller.get(&view).await.code(), "401002", "that needs tableau:content:read");
    assert_eq!(caller.call(Method::POST, "/api/3.29/auth/signout", "").await.status, 204);

    let mut claims = claims(&tableau, "2", &["tableau:webhooks:read"]);
    claims["sub"] = json!("bea@example.com");
    let (caller, _) = sign_in(&tableau, "3.29", &jwt(&claims)).await;
    assert_eq!(caller.get("/webhooks").await.status, 200);
    let old = format!("/api/3.26/sites/{}/webhooks", caller.site);
    assert_eq!(caller.call(Method::GET, &old, "").await.code(), "401002", "the scope came with 3.27");
    let broadcasts = format!("/api/exp/sites/{}/broadcasts/views", caller.site);
    assert_eq!(caller.call(Method::GET, &broadcasts, "").await.code(), "401002", "which have no scope");
}

#[tokio::test]
async fn a_connected_app_cancels_and_deletes_with_the_scopes_for_that() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let sign_in = async |id: &str, scope: &str| {
        let mut claims = claims(&tableau, id, &[scope]);
        claims["sub"] = json!("bea@example.com");
        sign_in(&tableau, "3.29", &jwt(&claims)).await.0
    };
    let reads = sign_in("1", "tableau:jobs:read").await;
    let updates = sign_in("2", "tableau:jobs:update").await;
    let job = format!("/jobs/{}", tableau.start_refresh(tableau.datasource("Budget").unwrap()).unwrap());
    assert_eq!(reads.put(&job, &json!({})).await.code(), "401002");
    let old = format!("/api/3.26/sites/{}{job}", updates.site);
    assert_eq!(updates.call(Method::PUT, &old, "{}").await.code(), "401002", "the scope came with 3.27");
    assert_eq!(updates.put(&job, &json!({})).await.status, 200);

    let workbook = format!("/workbooks/{}", tableau.workbook("Superstore").unwrap());
    assert_eq!(updates.delete(&workbook).await.code(), "401002");
    assert_eq!(sign_in("3", "tableau:workbooks:delete").await.delete(&workbook).await.status, 204);
}

#[tokio::test]
async fn server_administrators_act_as_others() {
    for allowed in [false, true] {
        let tableau = TableauSimulator::sample().pats_may_impersonate(allowed).start().await.unwrap();
        let root = User::named("root").with_role(SiteRole::ServerAdministrator).with_password("secret");
        tableau.add(root);
        tableau.add(simulator::PatCredential::new("root's", "pat", "root"));
        let ana = tableau.user("ana").unwrap();
        let caller = Caller::stranger(&tableau);
        let sign_in = async |mut credentials: Value| {
            credentials["site"] = json!({ "contentUrl": "marketing" });
            credentials["user"] = json!({ "id": ana });
            let body = json!({ "credentials": credentials }).to_string();
            caller.call(Method::POST, "/api/3.29/auth/signin", &body).await
        };

        let password = sign_in(json!({ "name": "root@example.com", "password": "secret" })).await;
        assert_eq!(password.json["credentials"]["user"]["id"], ana.as_str());
        let pat =
            sign_in(json!({ "personalAccessTokenName": "root's", "personalAccessTokenSecret": "pat" })).await;
        assert_eq!(pat.status == 200, allowed);
        let (name, secret) = SAMPLE_PAT;
        let other = json!({ "personalAccessTokenName": name, "personalAccessTokenSecret": secret });
        assert_eq!(sign_in(other).await.code(), "401001", "a site administrator is none");
    }
}

#[tokio::test]
async fn a_pod_that_a_site_is_not_on_redirects() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let pod = TableauSimulator::empty().moved_to(&tableau.url()).start().await.unwrap();
    let caller = Caller::stranger(&pod);

    let answer = caller.sign_in(SAMPLE_PAT.0, SAMPLE_PAT.1, "marketing").await;

    assert_eq!((answer.status, answer.code()), (405, "405000"), "a client that follows turns POST into GET");
}
