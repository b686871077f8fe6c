//! The workflows that a new account has no room for: one failed refresh, and what each of them does about it.

use crate::cloud::Cloud;
use crate::environment::{Environment, RULES, until};
use crate::scenario::{TIMEOUT, accepted, none_is_in_a_log, payload, person};
use crate::stack::Stack;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use simulator::{
    Datasource, GraphSimulator, PagerDutySimulator, SAMPLE_SERVICENOW_USER, ServiceNowSimulator,
    TeamsSimulator, TwilioSimulator, Workbook, notes,
};
use std::time::Duration;
use tableau::EventName;
use tableau_client::Warnable;

const WORKFLOWS: [&str; 6] =
    ["forward-event", "notify-teams", "page-on-call", "send-email", "send-sms", "track-servicenow-incident"];
/// For which sender, identity and configuration set send-email may send. The emulator knows neither the condition keys nor the
/// resources of `ses:SendEmail`, and denies what asks for them.
const UNKNOWN_TO_THE_EMULATOR: &str = r#"
                Condition: { StringEquals: { "ses:FromAddress": !Ref EmailFrom } }
                Resource:
                  - !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${EmailIdentity}
                  - !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${EmailFrom}
                  - !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/${EmailConfigurationSet}
"#;
/// The emulator is reached over http, and says so to the policy that denies what is not encrypted.
const ONLY_TLS: &str = r#"{ Bool: { "aws:SecureTransport": "false" } }"#;
/// The same of request-certification.
const UNKNOWN_TOO: &str = r#"
                Condition: { StringEquals: { "ses:FromAddress": !Ref EmailFrom } }
                Resource:
                  - !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${EmailIdentity}
                  - !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${EmailFrom}
                  - !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/${CertificationConfigurationSet}
"#;
/// A bus that is not the stack's.
const BUS: &str = "another-bus";
const SENDER: &str = "tableau-webhooks@example.com";

/// The vendors and resources that these workflows send to.
pub(crate) struct Further<'a> {
    cloud: &'a Cloud,
    teams: TeamsSimulator,
    servicenow: ServiceNowSimulator,
    pagerduty: PagerDutySimulator,
    twilio: TwilioSimulator,
    graph: GraphSimulator,
    bus: String,
}

impl<'a> Further<'a> {
    /// Everything is there, and the stack is to be deployed.
    pub(crate) async fn new(cloud: &'a Cloud) -> Self {
        for identity in ["example.com", SENDER] {
            cloud.call("sesv2", "create_email_identity", json!({ "EmailIdentity": identity })).await;
        }
        let bus = cloud.call("events", "create_event_bus", json!({ "Name": BUS })).await;
        Self {
            cloud,
            teams: TeamsSimulator::start().await.unwrap(),
            servicenow: ServiceNowSimulator::start().await.unwrap(),
            pagerduty: PagerDutySimulator::start().await.unwrap(),
            twilio: TwilioSimulator::start().await.unwrap(),
            graph: GraphSimulator::start().await.unwrap(),
            bus: bus["EventBusArn"].as_str().unwrap().to_owned(),
        }
    }

    /// Parameters that switch the workflows on.
    pub(crate) fn parameters(&self) -> Vec<String> {
        vec![
            "ForwardEventEnabled=true".to_owned(),
            format!("ForwardEventBusArns={}", self.bus),
            "NotifyTeamsEnabled=true".to_owned(),
            "PageOnCallEnabled=true".to_owned(),
            format!("PagerDutyRegion={}", self.pagerduty.url()),
            "ReceiveEventEnabled=true".to_owned(),
            "RefreshExtractEnabled=true".to_owned(),
            "RequestCertificationEnabled=true".to_owned(),
            "PublishPdfEnabled=true".to_owned(),
            format!("GraphUrl={}", self.graph.url()),
            format!("GraphLoginUrl={}", self.graph.url()),
            "HistoryExportEnabled=true".to_owned(),
            "SendEmailEnabled=true".to_owned(),
            format!("EmailFrom={SENDER}"),
            "EmailIdentity=example.com".to_owned(),
            "SendSmsEnabled=true".to_owned(),
            format!("TwilioApiUrl={}", self.twilio.url()),
            "SetQualityWarningEnabled=true".to_owned(),
            "TrackServicenowIncidentEnabled=true".to_owned(),
        ]
    }

    /// The template with these rules, and without what the emulator does not know.
    pub(crate) fn template(&self, stack: &Stack<'_>) -> String {
        let path = stack.with_rules(&self.rules());
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(UNKNOWN_TO_THE_EMULATOR).count(), 1, "the role of send-email says this");
        assert_eq!(text.matches(UNKNOWN_TOO).count(), 1, "the role of request-certification says this");
        let known = "\n                Resource: \"*\"\n";
        let text = text.replace(UNKNOWN_TO_THE_EMULATOR, known).replace(UNKNOWN_TOO, known);
        assert_eq!(text.matches(ONLY_TLS).count(), 1, "the bucket's policy says this");
        let text = text.replace(ONLY_TLS, &ONLY_TLS.replace("false", "true"));
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The rules of the first deploy, and one that names these workflows.
    fn rules(&self) -> String {
        let bus = &self.bus;
        format!(
            "{RULES}  - name: failures to all
    on: [WorkbookRefreshFailed]
    do:
      - forward-event: {{ bus: \"{bus}\" }}
      - notify-teams: {{ channel: bi }}
      - page-on-call: {{ service: bi }}
      - send-email: {{ to: steward@example.com }}
      - send-sms: {{ to: \"+4915112345678\" }}
      - track-servicenow-incident: {{}}
  - name: certification
    on: [DatasourceCreated]
    do: [{{ request-certification: {{ steward: steward@example.com }} }}]
  - name: PDF files
    on: [WorkbookRefreshSucceeded]
    do: [{{ publish-pdf: {{ to: sharepoint }} }}]
  - name: their links
    on: [PdfPublished]
    do: [{{ notify-slack: {{ channel: data-news }} }}]
  - name: warn readers
    on: [DatasourceRefreshFailed]
    do: [{{ set-quality-warning: {{}} }}]
  - name: what pipelines say
    on: [PipelineFinished]
    do: [{{ notify-slack: {{ channel: data-news }} }}]
events: [{{ name: PipelineFinished }}]
"
        )
    }

    /// As each function's README says.
    async fn fill_in_secrets(&self, environment: &Environment<'_>) {
        let (user, password) = SAMPLE_SERVICENOW_USER;
        let instance = json!({ "instance": self.servicenow.url(), "user": user, "password": password });
        let keys = json!({ "routing_keys": { "bi": self.pagerduty.add_service("bi") } });
        let flows = json!({ "webhooks": { "bi": self.teams.add_flow("bi") } });
        let secrets = [
            ("TeamsSecretArn", flows),
            ("PagerDutySecretArn", keys),
            ("ServiceNowSecretArn", instance),
            ("TwilioSecretArn", self.twilio.secret()),
            ("SharePointSecretArn", self.graph.secret()),
        ];
        for (output, secret) in secrets {
            environment.stack.put_secret(output, &secret).await;
        }
    }

    /// One event at the common URL, and each workflow has done its work with the permissions of its role.
    pub(crate) async fn each_does_its_work(&self, environment: &Environment<'_>) {
        self.fill_in_secrets(environment).await;
        let body = payload(environment, EventName::WorkbookRefreshFailed);
        let event: Value = serde_json::from_str(&body).unwrap();
        let name = event["resource_name"].as_str().unwrap();
        let id = accepted(environment, "WebhookUrl", &body).await;

        for workflow in WORKFLOWS {
            let key = format!("delivery#{workflow}#{id}");
            let is_done = || async {
                let records = environment.stack.records().await;
                records.iter().any(|record| record["pk"]["S"] == key && record["state"]["S"] == "done")
            };
            until(&format!("{workflow} is done"), TIMEOUT, is_done).await;
        }
        let posts = self.teams.posts();
        assert!(posts.len() == 1 && posts[0].title().contains(name), "{posts:?}");
        let alerts = self.pagerduty.alerts();
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert_eq!(self.servicenow.incidents().len(), 1);
        let texts = self.twilio.messages();
        assert!(texts.len() == 1 && texts[0].body.contains(name), "{texts:?}");
    }

    /// A data source has a quality warning while its refresh fails.
    pub(crate) async fn a_warning_comes_and_goes(environment: &Environment<'_>) {
        let luid = environment.tableau.add(Datasource::named("Weekly orders"));
        let person = person(environment);
        let content = Warnable::from(luid.clone());
        let started = Timestamp::now();
        for (count, name) in [(1, "DatasourceRefreshFailed"), (0, "DatasourceRefreshSucceeded")] {
            match count {
                1 => environment.tableau.fail_refresh(&luid, notes::SQL_SERVER_LOGIN).unwrap(),
                _ => environment.tableau.succeed_refresh(&luid).unwrap(),
            };
            let at = started + SignedDuration::from_secs(1 - count);
            let body = json!({
                "resource": "EXTRACTS", "event_type": name, "resource_name": "Weekly orders",
                "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
                "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            });
            accepted(environment, "WebhookUrl", &body.to_string()).await;
            let is_so = || async {
                let warnings = person.quality_warnings(&content).await.unwrap();
                warnings.len() == usize::try_from(count).unwrap()
            };
            until(&format!("{count} warnings"), TIMEOUT, is_so).await;
        }
    }

    /// The steward is asked about a new data source, and certifies it through the link in the mail. A forged link opens no page.
    pub(crate) async fn a_steward_certifies(environment: &Environment<'_>) {
        let luid = environment.tableau.add(Datasource::named("Monthly orders"));
        let body = json!({
            "resource": "DATASOURCE", "event_type": "DatasourceCreated", "resource_name": "Monthly orders",
            "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
            "created_at": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        let id = accepted(environment, "WebhookUrl", &body.to_string()).await;
        let key = format!("delivery#request-certification#{id}");
        let is_done = || async {
            let records = environment.stack.records().await;
            records.iter().any(|record| record["pk"]["S"] == key && record["state"]["S"] == "done")
        };
        until("the steward is asked", TIMEOUT, is_done).await;
        let stack = &environment.stack;
        let mails = stack.mails().await;
        let links = mails.iter().flat_map(|mail| mail.split_whitespace());
        let mut links = links.filter(|word| word.starts_with("http") && word.contains("/c/"));
        let link = links.next().unwrap_or_else(|| panic!("no link in {mails:?}"));
        let host = stack.output("WebhookUrl");
        assert_eq!(link.split('/').nth(2), host.split('/').nth(2), "the links lead to the stack's API");
        let token = link.rsplit('/').next().unwrap();
        assert_eq!(stack.page(&"A".repeat(token.len())).await.0, 404);
        let (status, page) = stack.page(token).await;
        assert_eq!(status, 200, "{page}");
        let (_, rest) = page.split_once("name=\"form\" value=\"").expect("a form");
        let form = rest.split('"').next().unwrap();
        // A person looks at the page first.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (status, page) = stack.send_form(token, format!("form={form}&choice=yes&note=Checked")).await;
        assert!(status == 200 && page.contains("Monthly orders is certified"), "{status} {page}");
        let is_told = || async { stack.mails().await.iter().any(|mail| mail.contains("Checked")) };
        until("the result by mail", TIMEOUT, is_told).await;
    }

    /// The API is there, and answers no one without a key.
    pub(crate) async fn a_stranger_refreshes_nothing(environment: &Environment<'_>) {
        for (path, expected) in [
            ("events", 401),
            ("events/e1", 404),
            ("refreshes", 401),
            ("refreshes/r1", 401),
            ("refreshes/r1/more", 404),
        ] {
            assert_eq!(environment.stack.api(path).await, expected, "{path}");
        }
    }

    /// A pipeline asks for a refresh by name, and is told its end; what it may not, it is refused. Its event is a message.
    pub(crate) async fn a_pipeline_refreshes_by_name(environment: &Environment<'_>) {
        let luid = environment.tableau.add(Datasource::named("Daily orders").in_project("Finance/Europe"));
        environment.tableau.add(Datasource::named("Salaries").in_project("HR"));
        let create =
            ["keys", "create", "nightly load", "--kind", "datasource", "--project", "Finance/**", "--events"];
        let create = [create.as_slice(), &["--json", "--stack", crate::stack::STACK]].concat();
        let made = environment.cloud.tableau_webhooks(&create).await;
        let made: Value = serde_json::from_str(&made).unwrap();
        let key = made["key"].as_str().unwrap();
        let stack = &environment.stack;
        let by_name = |name: &str| json!({ "kind": "datasource", "name": name, "fresh": true });

        let (status, refused) = stack.call(key, "refreshes", Some(&by_name("Salaries"))).await;
        assert!(matches!(status.as_u16(), 403 | 404), "{refused}");
        let (status, accepted_one) = stack.call(key, "refreshes", Some(&by_name("Daily orders"))).await;
        assert_eq!(status, 202, "{accepted_one}");
        assert_eq!(accepted_one["luid"], luid.as_str());
        environment.tableau.succeed_refresh(&luid).unwrap();
        let event = json!({
            "resource": "EXTRACTS", "event_type": "DatasourceRefreshSucceeded", "resource_name": "Daily orders",
            "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
            "created_at": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        accepted(environment, "WebhookUrl", &event.to_string()).await;
        let path = format!("refreshes/{}", accepted_one["id"].as_str().unwrap());
        let has_ended = || async { stack.call(key, &path, None).await.1["status"] == "succeeded" };
        until("the end of the refresh", TIMEOUT, has_ended).await;

        let finished =
            json!({ "event": "PipelineFinished", "name": "nightly load", "text": "42 tables were loaded" });
        let (status, sent) = stack.call(key, "events", Some(&finished)).await;
        assert_eq!(status, 202, "{sent}");
        let is_announced = || async {
            let messages = environment.slack.channel("data-news");
            messages.iter().any(|message| json!(message.blocks).to_string().contains("42 tables were loaded"))
        };
        until("the pipeline's message in Slack", TIMEOUT, is_announced).await;
        // The id before it is no secret.
        none_is_in_a_log(environment, &[key[17..].to_owned()]).await;
    }

    /// A refreshed workbook is a PDF file in SharePoint.
    pub(crate) async fn a_pdf_is_published(&self, environment: &Environment<'_>) {
        let luid = environment
            .tableau
            .add(Workbook::named("Monthly report").with_view("Overview").with_view("Details"));
        let body = json!({
            "resource": "EXTRACTS", "event_type": "WorkbookRefreshSucceeded", "resource_name": "Monthly report",
            "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
            "created_at": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        accepted(environment, "WebhookUrl", &body.to_string()).await;
        let are_there = || async {
            let files = self.graph.files();
            let named = |view: &str| {
                files.iter().any(|file| file.path.ends_with(&format!("Monthly report - {view}.pdf")))
            };
            named("Overview") && named("Details")
        };
        until("two PDF files", TIMEOUT, are_there).await;
        let are_announced = || async {
            let messages = environment.slack.channel("data-news");
            let texts: Vec<String> =
                messages.iter().map(|message| json!(message.blocks).to_string()).collect();
            texts.iter().any(|text| {
                text.contains("Monthly report - Details.pdf and 1 more") && text.contains("Open the folder")
            })
        };
        until("the link to both in Slack", TIMEOUT, are_announced).await;
    }

    /// The history goes into the bucket, all of it, and the report counts it. Returns the bucket.
    pub(crate) async fn the_history_is_exported(environment: &Environment<'_>) -> String {
        let cloud = environment.cloud;
        let export = ["history", "export", "--today", "--json", "--stack", crate::stack::STACK];
        let is_all_there = || async {
            let exported = cloud.tableau_webhooks(&export).await;
            let days = exported.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let written: u64 = days.map(|day| day["deliveries"].as_u64().unwrap()).sum();
            let records = environment.stack.records().await;
            let is_delivery = |record: &&Value| record["pk"]["S"].as_str().unwrap().starts_with("delivery#");
            written > 0 && written == records.iter().filter(is_delivery).count() as u64
        };
        until("all deliveries in the bucket", TIMEOUT, is_all_there).await;
        let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
        let report = ["report", "--week", &today, "--json", "--stack", crate::stack::STACK];
        let report: Value = serde_json::from_str(&cloud.tableau_webhooks(&report).await).unwrap();
        let week = &report["report"]["week"];
        assert!(week["failed"].as_u64().unwrap() > 0 && week["messages"].as_u64().unwrap() > 0, "{report}");
        assert_eq!(report["report"]["owners_unknown"], Value::Null, "{report}");
        environment.stack.output("ReportHistoryBucketName").to_owned()
    }

    /// Deletes the bucket, which outlives the stack, with its files. Returns how many there were.
    pub(crate) async fn the_bucket_is_left(&self, bucket: &str) -> usize {
        let objects = self.cloud.call("s3", "list_objects_v2", json!({ "Bucket": bucket })).await;
        let keys: Vec<&str> = objects["Contents"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["Key"].as_str())
            .collect();
        for key in &keys {
            self.cloud.call("s3", "delete_object", json!({ "Bucket": bucket, "Key": key })).await;
        }
        self.cloud.call("s3", "delete_bucket", json!({ "Bucket": bucket })).await;
        keys.len()
    }

    /// Leaves nothing behind.
    pub(crate) async fn clean_up(self) {
        for identity in ["example.com", SENDER] {
            let identity = json!({ "EmailIdentity": identity });
            self.cloud.call("sesv2", "delete_email_identity", identity).await;
        }
        self.cloud.call("events", "delete_event_bus", json!({ "Name": BUS })).await;
    }
}
