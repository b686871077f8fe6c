//! The steward's way on the local stack: a data source is published, a mail comes, a link opens a page in Chromium, the keyboard decides,
//! and Tableau shows the certification. Machines that follow links and send forms decide nothing. axe-core finds nothing to criticise.

use crate::chromium;
use crate::driver::Tab;
use local_aws::template::Template;
use local_aws::{Mail, Stack, StackOptions};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use simulator::{Datasource, SAMPLE_PAT, TableauSimulator, Webhook, Workbook};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};
use tableau::{DatasourceLuid, EventName};
use testkit::TOKEN;
use testkit::repository::root;

const TIMEOUT: Duration = Duration::from_secs(60);
/// axe-core. The step `browser` of the check fetches it; it sets `CARD_RENDERER` to its folder.
const AXE: &str = "axe.min.js";
/// The pictures in the function's README. `UPDATE=1` writes them.
const PICTURES: [(&str, u32, bool); 3] = [
    ("docs/images/certification-page.png", 720, false),
    ("docs/images/certification-page-dark.png", 320, true),
    ("docs/images/certification-done.png", 720, false),
];
const RULES: &str = "
rules:
  - name: certification
    on: [DatasourceCreated, DatasourceUpdated]
    do: [{ request-certification: { steward: steward@example.com } }]
sites: [{ luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }]
";

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a setting of the run")]
    std::env::var(name).ok()
}

struct Site {
    stack: Stack,
    tableau: TableauSimulator,
    http: Client,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules.yaml");
        std::fs::write(&rules, RULES).unwrap();
        let tableau = TableauSimulator::sample().start().await.unwrap();
        let template = root().join("template.yaml");
        let mut parameters = Template::read(&template).unwrap().everything_on();
        // This test registers webhooks itself.
        parameters.insert("ReconcileWebhooksEnabled".to_owned(), "false".to_owned());
        for (name, value) in &mut parameters {
            if name.ends_with("Enabled") && name != "RequestCertificationEnabled" {
                "false".clone_into(value);
            }
        }
        parameters.extend([
            ("TableauServerUrl".to_owned(), tableau.url()),
            ("TableauSite".to_owned(), "marketing".to_owned()),
            ("RulesFile".to_owned(), rules.canonicalize().unwrap().display().to_string()),
        ]);
        let ours = std::env::current_exe().unwrap();
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let stack = Stack::start(StackOptions {
            template,
            binaries: ours.parent().and_then(Path::parent).expect("target/debug/deps/browser-…").to_owned(),
            parameters,
            secrets: BTreeMap::from([
                ("WebhookSecret".to_owned(), json!({ "current": TOKEN, "previous": "" })),
                (
                    "TableauSecret".to_owned(),
                    json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 }),
                ),
            ]),
            environment: BTreeMap::new(),
            concurrent_executions: None,
            listen: free,
            aws: free,
            events: None,
        })
        .await
        .expect("the binaries are built by `cargo test --workspace`, or `cargo build --workspace`");
        let url = format!("{}/webhook?token={TOKEN}", stack.url());
        for event in [EventName::DatasourceCreated, EventName::DatasourceUpdated] {
            tableau.add(Webhook::on(event, &url));
        }
        Self { stack, tableau, http: http_client::client(None).unwrap(), _folder: folder }
    }

    /// Publishes a data source, and waits for the mail about it.
    async fn publish(&self, name: &str) -> (DatasourceLuid, Mail) {
        let datasource = Datasource::named(name).in_project("Sales").owned_by("ana").of_kind("snowflake");
        let luid = self.tableau.add(datasource);
        self.tableau.add(Workbook::named(&format!("{name} by region")).in_project("Sales").using(name));
        self.tableau.fire(&EventName::DatasourceCreated, &luid).unwrap();
        (luid, self.mail(&format!("Certify the data source {name}?")).await)
    }

    async fn mail(&self, subject: &str) -> Mail {
        let began = Instant::now();
        loop {
            let mails = self.stack.aws().mails();
            if let Some(mail) = mails.into_iter().find(|mail| mail.shown_subject() == subject) {
                return mail;
            }
            assert!(began.elapsed() < TIMEOUT, "no mail `{subject}`");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn is_certified(&self, luid: &DatasourceLuid) -> bool {
        let seen = self.seen().await;
        let rows = seen["datasources"].as_array().unwrap();
        assert!(rows.iter().any(|row| row["luid"] == json!(luid.as_str())), "{seen}");
        let query = json!({ "query": format!(
            "{{ publishedDatasources(filter: {{luid: \"{luid}\"}}) {{ isCertified certificationNote }} }}"
        )});
        let token = self.sign_in().await;
        let url = format!("{}/api/metadata/graphql", self.tableau.url());
        let answer = self.http.post(url).header("X-Tableau-Auth", token).body(query.to_string());
        let answer = answer.header("content-type", "application/json").send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        answer["data"]["publishedDatasources"][0]["isCertified"] == true
    }

    async fn sign_in(&self) -> String {
        let credentials = json!({ "credentials": {
            "name": "bea@example.com", "password": "correct horse battery staple", "site": { "contentUrl": "marketing" },
        }});
        let url = format!("{}/api/3.24/auth/signin", self.tableau.url());
        let request = self.http.post(url).header("accept", "application/json");
        let request = request.header("content-type", "application/json").body(credentials.to_string());
        let answer: Value =
            serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        answer["credentials"]["token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    async fn seen(&self) -> Value {
        let answer = self.http.get(format!("{}/simulator", self.tableau.url())).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// What a mail scanner does: it follows each link several times, and sends each form that it finds, as it is and filled in.
    async fn scan(&self, links: &[String]) {
        for link in links {
            for _ in 0..2 {
                assert_eq!(self.http.head(link).send().await.unwrap().status(), StatusCode::OK);
                let page = self.http.get(link).send().await.unwrap();
                assert_eq!(page.status(), StatusCode::OK);
                let html = page.text().await.unwrap();
                let form = html.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap();
                for body in [
                    format!("form={form}&note="),
                    format!("form={form}&choice=&note=scanned"),
                    format!("form={form}&choice=no&choice=yes&note=scanned"),
                    format!("form={form}&choice=no&note=scanned"),
                    format!("form={form}&choice=unsure&note=scanned"),
                    format!("form={form}&choice=yes&note=scanned&website=scanned"),
                    format!("form={form}&choice=yes&note="),
                    "choice=yes&note=scanned".to_owned(),
                ] {
                    let post = self.http.post(link).body(body);
                    let post = post.header("content-type", "application/x-www-form-urlencoded");
                    let answer = post.send().await.unwrap().text().await.unwrap();
                    assert!(!answer.contains("is certified</h1>"), "{answer}");
                }
            }
        }
    }
}

/// The addresses of the links that decide.
fn links(mail: &Mail) -> Vec<String> {
    let parts = mail.html.split("<a href=\"").skip(1);
    parts.filter_map(|part| part.split_once("\" ses:no-track")).map(|(link, _)| link.to_owned()).collect()
}

/// What axe-core criticises of the page that is open: rules and elements.
async fn findings(tab: &mut Tab, axe: &str) -> Value {
    tab.run(axe).await;
    let run = "axe.run(document, { resultTypes: ['violations', 'incomplete'] }).then(results => \
               [...results.violations, ...results.incomplete].map(rule => [rule.id, rule.nodes.map(node => node.html)]))";
    tab.run(run).await
}

/// Nothing to criticise on a wide and on a narrow screen, in light and in dark mode; and nothing is cut off at the side.
async fn is_accessible(tab: &mut Tab, axe: &str) {
    for (width, dark) in [(1280, false), (1280, true), (320, false), (320, true)] {
        tab.screen(width, dark).await;
        let title = tab.title().await;
        assert_eq!(findings(tab, axe).await, json!([]), "{title} at {width} px, dark: {dark}");
        let overflows = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(tab.run(overflows).await, json!(false), "{title} at {width} px");
        let loaded = tab.run("performance.getEntriesByType('resource').length").await;
        assert_eq!(loaded, json!(0), "{title} loads something");
    }
}

async fn picture(tab: &mut Tab, (file, width, dark): (&str, u32, bool)) {
    if variable("UPDATE").is_some() {
        tab.screen(width, dark).await;
        tab.picture(&root().join(file)).await;
    }
    assert!(root().join(file).is_file(), "UPDATE=1 writes {file}");
}

#[tokio::test]
async fn the_steward_certifies_in_a_browser_and_machines_decide_nothing() {
    let Some(program) = chromium::program() else { return };
    let Some(scripts) = variable("CARD_RENDERER") else {
        assert!(variable("BROWSER_REQUIRED").is_none(), "CARD_RENDERER is not set");
        testkit::dynamodb::say("SKIPPED: CARD_RENDERER is not set; the step `browser` of the check sets it");
        return;
    };
    let axe = std::fs::read_to_string(Path::new(&scripts).join(AXE)).unwrap();
    let site = Site::start().await;
    let (luid, mail) = site.publish("Orders").await;
    let both = links(&mail);
    let [certify, decline] = both.as_slice() else { panic!("{both:?}") };
    assert!(certify.starts_with(site.stack.url()), "{certify}");
    site.scan(&both).await;
    assert!(!site.is_certified(&luid).await, "a machine has certified");

    let mut tab = Tab::open(&program).await;
    for page in [certify, decline] {
        tab.go(page).await;
        is_accessible(&mut tab, &axe).await;
    }
    tab.go(certify).await;
    assert_eq!(tab.title().await, "Certify Orders?");
    picture(&mut tab, PICTURES[0]).await;
    picture(&mut tab, PICTURES[1]).await;
    tab.screen(1280, false).await;

    // Without a choice the browser sends nothing.
    tab.run("document.querySelector('button').focus()").await;
    tab.press("Enter").await;
    assert_eq!(tab.title().await, "Certify Orders?");
    assert!(!site.is_certified(&luid).await);

    // A browser that does not insist on a choice gets the page again, with what is wrong.
    let send = "document.querySelectorAll('input').forEach(input => input.required = false); \
                document.querySelector('form').requestSubmit()";
    tab.run(send).await;
    let began = Instant::now();
    while tab.run("document.querySelectorAll('[role=alert]').length").await != 1 {
        assert!(began.elapsed() < TIMEOUT, "{}", tab.title().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    is_accessible(&mut tab, &axe).await;
    assert!(!site.is_certified(&luid).await);

    // With the keyboard alone: the link to Tableau, the choice, the note, the button.
    tab.go(certify).await;
    tab.press("Tab").await;
    assert_eq!(tab.run("document.activeElement.textContent").await, "Open the data source in Tableau");
    tab.press("Tab").await;
    assert_eq!(tab.run("document.activeElement.value").await, "no");
    assert_eq!(tab.run("document.querySelectorAll(':checked').length").await, 0, "nothing is chosen yet");
    tab.press("ArrowDown").await;
    assert_eq!(tab.run("document.querySelector(':checked').value").await, "yes");
    tab.press("Tab").await;
    tab.type_text("Checked <b>twice</b>").await;
    tab.press("Tab").await;
    assert_eq!(tab.run("document.activeElement.textContent").await, "Send my decision");
    // As long as a person needs to choose.
    tokio::time::sleep(Duration::from_secs(2)).await;
    tab.press("Enter").await;
    let began = Instant::now();
    while tab.title().await != "Orders is certified" {
        assert!(began.elapsed() < TIMEOUT, "{}", tab.title().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(site.is_certified(&luid).await, "the simulator shows the certification");
    is_accessible(&mut tab, &axe).await;
    picture(&mut tab, PICTURES[2]).await;
    site.mail("Certified: Orders").await;

    // A second click, and the other link.
    for page in [certify, decline] {
        tab.go(page).await;
        assert_eq!(tab.title().await, "Orders is certified");
        is_accessible(&mut tab, &axe).await;
    }

    // A forged link, and one of another stack.
    let (url, token) = certify.rsplit_once('/').unwrap();
    for forged in [format!("{url}/{}A{}", &token[..20], &token[21..]), format!("{url}/{}", &token[..30])] {
        tab.go(&forged).await;
        assert_eq!(tab.title().await, "This link does not work");
    }
    is_accessible(&mut tab, &axe).await;
    let other = Site::start().await;
    let (_, foreign) = other.publish("Elsewhere").await;
    let foreign = links(&foreign).remove(0);
    let foreign = format!("{url}/{}", foreign.rsplit_once('/').unwrap().1);
    tab.go(&foreign).await;
    assert_eq!(tab.title().await, "This link does not work");
    other.stack.shutdown().await;

    // An expired link.
    let (luid, mail) = site.publish("Late").await;
    site.expire();
    let late = links(&mail).remove(0);
    tab.go(&late).await;
    assert_eq!(tab.title().await, "This link has expired");
    is_accessible(&mut tab, &axe).await;
    assert!(!site.is_certified(&luid).await);
    site.stack.shutdown().await;
}

impl Site {
    /// Ends the open request, as its time does.
    fn expire(&self) {
        let table = &self.stack.plan().tables[0].name;
        for mut item in self.stack.aws().items(table) {
            let key = item["pk"]["S"].as_str().unwrap_or_default();
            if !key.starts_with("certification#") {
                continue;
            }
            let mut document: Value = serde_json::from_str(item["document"]["S"].as_str().unwrap()).unwrap();
            if document["state"]["is"] == "open" {
                document["state"] = json!({ "is": "expired", "at": jiff::Timestamp::now().to_string() });
                item["document"]["S"] = json!(document.to_string());
                let version: u64 = item["version"]["N"].as_str().unwrap().parse().unwrap();
                item["version"]["N"] = json!((version + 1).to_string());
                self.stack.aws().put_item(table, &item);
            }
        }
    }
}
