//! Helpers for tests.

use base64::Engine as _;
use serde_json::{Value, json};
use std::sync::Arc;
use tableau_client::{
    Datasource, FixedCredential, MemorySessionStore, Settings, TableauClient, TableauCredential,
};
use testkit::local_aws::Mail;
use testkit::simulator::{TableauBuilder, TableauSimulator};
use testkit::{Batch, Function, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_request-certification");
pub(crate) const NAME: &str = "request-certification";
pub(crate) const STEWARD: &str = "steward@example.com";
/// A data source of the sample site that two workbooks use. Ana owns it.
pub(crate) const ORDERS: &str = "Sales Orders";
const TABLE: &str = "deliveries";

pub(crate) fn rules(settings: &str) -> String {
    format!(
        "rules:\n  - name: certify\n    on: [DatasourceCreated, DatasourceUpdated]\n    do: [{{ request-certification: {settings} }}]\n\
         sites: [{{ luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }}]\n"
    )
}

/// A function behind its queue that asks the steward, and everything that it talks to.
pub(crate) struct Stage {
    pub(crate) environment: TestEnvironment,
    pub(crate) function: Function,
}

/// An answer of a page.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) html: String,
    pub(crate) headers: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].as_str().unwrap_or_default()
    }

    /// The heading.
    pub(crate) fn title(&self) -> String {
        let (_, rest) = self.html.split_once("<h1>").unwrap_or_else(|| panic!("no heading: {self:?}"));
        rest.split("</h1>").next().unwrap_or_default().to_owned()
    }

    /// The code in its form.
    pub(crate) fn form(&self) -> String {
        let (_, rest) =
            self.html.split_once("name=\"form\" value=\"").unwrap_or_else(|| panic!("no form: {self:?}"));
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

impl Stage {
    pub(crate) async fn new(settings: &str) -> Self {
        Self::with(settings, TableauSimulator::sample()).await
    }

    pub(crate) async fn with(settings: &str, tableau: TableauBuilder) -> Self {
        let environment = TestEnvironment::with_tableau(&rules(settings), tableau).await;
        let function = environment.queued_with(NAME, BINARY, &[("EMAIL_RECIPIENTS_PER_SECOND", "1000")]);
        let stage = Self { environment, function };
        // The sample has it certified.
        let luid = stage.environment.tableau.datasource(ORDERS).unwrap();
        stage.person().decertify(&luid).await.unwrap();
        stage
    }

    /// A stage on which the steward was asked about the sample's data source.
    pub(crate) async fn asked() -> Self {
        let stage = Self::new("{ steward: steward@example.com }").await;
        stage.handle(&stage.event("DatasourceCreated", ORDERS)).await;
        assert_eq!(stage.mails().len(), 1, "{}", stage.log());
        stage
    }

    pub(crate) fn log(&self) -> String {
        self.function.logs().join("\n")
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.environment.aws.mails()
    }

    pub(crate) fn event(&self, name: &str, datasource: &str) -> Value {
        let luid = self.environment.tableau.datasource(datasource).expect("the sample has it");
        self.event_about(name, datasource, luid.as_str())
    }

    pub(crate) fn event_about(&self, name: &str, datasource: &str, luid: &str) -> Value {
        json!({
            "resource": "DATASOURCE", "event_type": name, "resource_name": datasource,
            "site_luid": self.environment.tableau.site().as_str(), "resource_luid": luid,
            "created_at": self.environment.tableau.clock().now().to_string(),
        })
    }

    /// Hands an event over, and returns outcome and reason.
    pub(crate) async fn handle(&self, event: &Value) -> (String, String) {
        self.function.failures(&Batch::default().message(&event.to_string())).await;
        self.last()
    }

    /// Outcome and reason of the last attempt.
    pub(crate) fn last(&self) -> (String, String) {
        let logs = self.function.logs();
        let lines = logs.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let outcomes = lines.filter(|line| line["outcome"].is_string() && line["reason"].is_string());
        let last = outcomes.map(|line| (text(&line, "outcome"), text(&line, "reason"))).next_back();
        last.unwrap_or_else(|| panic!("{}", logs.join("\n")))
    }

    /// The token of the link that certifies, and of the one that declines, of the last mail that has links.
    pub(crate) fn tokens(&self) -> (String, String) {
        let mails = self.mails();
        let links = mails.iter().rev().map(links).find(|links| !links.is_empty()).expect("a mail with links");
        let [certify, decline] = links.as_slice() else { panic!("{links:?}") };
        let token = |link: &String| link.rsplit('/').next().unwrap_or_default().to_owned();
        (token(certify), token(decline))
    }

    pub(crate) async fn get(&self, token: &str) -> Answer {
        self.request("GET", token, "", &[]).await
    }

    /// A form's code of which a person has looked at the page for a while.
    pub(crate) async fn form(&self, token: &str) -> String {
        let form = self.get(token).await.form();
        a_person_reads().await;
        form
    }

    /// Sends a form.
    pub(crate) async fn post(&self, token: &str, fields: &[(&str, &str)]) -> Answer {
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", escaped(value));
        let body = fields.iter().map(pair).collect::<Vec<_>>().join("&");
        self.request("POST", token, &body, &[("content-type", "application/x-www-form-urlencoded")]).await
    }

    /// Opens the page, chooses, and sends the form, as a person does.
    pub(crate) async fn choose(&self, token: &str, choice: &str, note: &str) -> Answer {
        let form = self.form(token).await;
        self.post(token, &[("form", &form), ("choice", choice), ("note", note)]).await
    }

    pub(crate) async fn request(
        &self,
        method: &str,
        token: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let event = page_event(method, token, body, headers);
        let answer = self.function.invoke(&event).await.unwrap_or_else(|e| panic!("{e}\n{}", self.log()));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Answer {
            status: answer["statusCode"].as_u64().expect("a status"),
            html: text(&answer["body"]),
            headers: answer["headers"].clone(),
        }
    }

    /// The only request in the table, as it is stored.
    pub(crate) fn stored(&self) -> Value {
        let all = self.all_stored();
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    }

    pub(crate) fn all_stored(&self) -> Vec<Value> {
        self.items("certification#").iter().map(document).collect()
    }

    /// What the log in the table says, in its order.
    pub(crate) fn history(&self) -> Vec<String> {
        let mut lines: Vec<(String, String)> = self
            .items("certification-log#")
            .iter()
            .map(|item| {
                let what = document(item)["what"].as_str().unwrap().to_owned();
                (item["sk"]["S"].as_str().unwrap().to_owned(), what)
            })
            .collect();
        lines.sort();
        lines.into_iter().map(|(_, what)| what).collect()
    }

    pub(crate) fn items(&self, prefix: &str) -> Vec<Value> {
        let items = self.environment.aws.items(TABLE);
        items.into_iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(prefix)).collect()
    }

    /// Changes the only request in the table, as time would: with the seal that belongs to it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Value)) {
        self.forge(|stored| {
            change(stored);
            stored["seal"] = json!(seal(stored));
        });
    }

    /// Changes the only request in the table, as a person who may write the table would.
    pub(crate) fn forge(&self, change: impl FnOnce(&mut Value)) {
        let mut items = self.items("certification#");
        assert_eq!(items.len(), 1);
        let mut item = items.remove(0);
        let mut stored = document(&item);
        change(&mut stored);
        item["document"]["S"] = json!(stored.to_string());
        let version: u64 = item["version"]["N"].as_str().unwrap().parse().unwrap();
        item["version"]["N"] = json!((version + 1).to_string());
        self.environment.aws.put_item(TABLE, &item);
    }

    /// Fires the timer of the only request, now.
    pub(crate) async fn fire(&self) -> (String, String) {
        let stored = self.stored();
        let id = stored["id"].as_str().unwrap();
        let timer = json!({ "timer": {
            "key": format!("certification#{NAME}#{id}"), "due": "2025-01-01T00:00:00Z",
            "generation": stored["generation"], "hops": 0,
        }});
        self.function.failures(&Batch::default().message(&timer.to_string())).await;
        self.last()
    }

    /// The sample's data source as Tableau has it now.
    pub(crate) async fn datasource(&self) -> Datasource {
        let luid = self.environment.tableau.datasource(ORDERS).unwrap();
        self.person().datasource(&luid).await.unwrap()
    }

    /// An administrator who uses the REST API.
    pub(crate) fn person(&self) -> TableauClient {
        let settings = Settings::new(&self.environment.tableau.url(), "marketing", "").unwrap();
        let credential = TableauCredential::Password {
            user: "bea@example.com".to_owned(),
            password: "correct horse battery staple".into(),
        };
        let credential = Arc::new(FixedCredential::new(credential));
        let sessions = Arc::new(MemorySessionStore::default());
        TableauClient::new(http_client::client(None).unwrap(), settings, credential, sessions)
    }

    /// Panics if a log line has a secret of the environment, or the token of a link.
    pub(crate) fn assert_no_secret_in_the_log(&self) {
        let logs = self.function.logs();
        self.environment.assert_no_secret_in(&logs);
        let mails = self.mails();
        for link in mails.iter().flat_map(links) {
            let token = link.rsplit('/').next().unwrap();
            // The first 16 characters are the request's id, which is no secret.
            for line in &logs {
                assert!(!line.contains(token) && !line.contains(&token[17..]), "a token in the log: {line}");
            }
        }
    }
}

/// So long a person looks at a page at least.
pub(crate) async fn a_person_reads() {
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
}

/// The seal of a request: see `link.rs` and `Request::bound`.
fn seal(stored: &Value) -> String {
    let text = |name: &str| stored[name].as_str().unwrap().to_owned();
    let expires_at: jiff::Timestamp = text("expires_at").parse().unwrap();
    let expires_at = expires_at.as_microsecond();
    let confirm = stored["confirm"].as_bool().unwrap();
    let bound =
        format!("{:?}", (text("id"), text("site"), text("datasource"), text("steward"), expires_at, confirm));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"local-key-of-links-not-a-secret-0123456789");
    let tag = ring::hmac::sign(&key, format!("seal\0{bound}").as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&tag.as_ref()[..16])
}

/// A decision of which the worker has died, or not.
pub(crate) fn deciding(decision: &str, note: &str, until: &str) -> Value {
    json!({ "is": "deciding", "decision": decision, "note": note, "at": "2025-01-01T00:00:00Z", "until": until })
}

/// The line that a certification of this request has in Tableau.
pub(crate) fn our_line(stored: &mut Value, note: &str) -> String {
    let mark = format!("(tableau-webhooks {}.1)", &stored["id"].as_str().unwrap()[..8]);
    stored["tried"] = json!([{ "mark": mark, "at": "2025-01-01T00:00:00Z", "note": note }]);
    format!("Certified on 1 Jan 2025, 00:00 UTC through the link of steward@example.com {mark}")
}

fn document(item: &Value) -> Value {
    serde_json::from_str(item["document"]["S"].as_str().unwrap()).unwrap()
}

/// The addresses of the links that decide, as the HTML part has them.
pub(crate) fn links(mail: &Mail) -> Vec<String> {
    let parts = mail.html.split("<a href=\"").skip(1);
    let links = parts.filter_map(|part| part.split_once("\" ses:no-track"));
    links.map(|(link, _)| link.to_owned()).collect()
}

/// A request for a page as API Gateway hands it over.
pub(crate) fn page_event(method: &str, token: &str, body: &str, headers: &[(&str, &str)]) -> Value {
    let mut all = json!({ "host": "abcdefghij.execute-api.ap-southeast-2.amazonaws.com" });
    for (name, value) in headers {
        all[*name] = json!(value);
    }
    json!({
        "version": "2.0", "routeKey": "ANY /c/{link}", "rawPath": format!("/c/{token}"), "rawQueryString": "",
        "headers": all, "pathParameters": { "link": token },
        "requestContext": {
            "accountId": "123456789012", "apiId": "abcdefghij", "routeKey": "ANY /c/{link}", "stage": "$default",
            "http": { "method": method, "path": format!("/c/{token}"), "protocol": "HTTP/1.1", "sourceIp": "192.0.2.10", "userAgent": "" },
            "requestId": "JKJaXmPLvHcESHA=", "timeEpoch": 1_736_961_285_034_u64, "time": "15/Jan/2025:17:14:45 +0000",
        },
        "body": body, "isBase64Encoded": false,
    })
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}
