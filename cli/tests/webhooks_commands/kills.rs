//! A rotation that is killed between any two steps: the same command goes on, and no event is refused meanwhile.

use crate::scene::{Stack, pat, rules};
use crate::{TOKEN, stderr, stdout};
use local_aws::LambdaProcess;
use serde_json::{Value, json};
use simulator::{Fault, RestVersion, TableauSimulator};
use std::process::{Child, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tableau::EventName;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

/// How many runs there are at a time, in all tests: most of each is waiting.
static ROOM: Semaphore = Semaphore::const_new(16);
/// How many calls of one kind are tried together.
const IN_A_ROW: usize = 4;
/// How long a run that is not killed may take.
const SOON: Duration = Duration::from_secs(120);

/// The calls of AWS with which a rotation changes something.
const WRITES_OF_AWS: [&str; 2] = ["DynamoDB.UpdateItem", "SecretsManager.PutSecretValue"];

/// Where the process is killed.
#[derive(Clone, Copy, Debug)]
enum At {
    /// When it makes the call with this number.
    Aws(&'static str, usize),
    /// The same at Tableau, before the call is carried out.
    BeforeTableau(usize),
    /// After the call was carried out, and before its answer.
    AfterTableau(usize),
}

/// What is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// Webhooks of the stack and others, which Tableau can change.
    Plain,
    /// Tableau can only create and delete webhooks.
    Old,
    /// The token has leaked while an earlier rotation was not finished.
    Leaked,
}

impl Story {
    fn command(self) -> Vec<&'static str> {
        match self {
            Self::Plain | Self::Old => vec!["rotate", "--yes", "--wait", "0s"],
            Self::Leaked => vec!["rotate", "--yes", "--leaked"],
        }
    }

    /// The calls at which it is killed. A kill at another call leaves what the write before it has left.
    fn kinds(self) -> Vec<Kind> {
        let of_aws = WRITES_OF_AWS.iter().map(|operation| {
            let operation = *operation;
            Box::new(move |number| At::Aws(operation, number)) as Kind
        });
        let mut kinds: Vec<Kind> = of_aws.collect();
        kinds.push(Box::new(At::BeforeTableau));
        if self == Self::Plain {
            kinds.push(Box::new(At::AfterTableau));
        }
        kinds
    }

    async fn stack(self) -> Stack {
        let minor = if self == Self::Old { 6 } else { 29 };
        let version = RestVersion { major: 3, minor };
        let stack = Stack::at(TableauSimulator::sample().max_version(version), pat()).await;
        stack.publish(&rules(&["SiteUpdated"], &[])).await;
        stack.done(&["apply", "--yes"]).await;
        stack.add(EventName::SiteUpdated, "by hand", &format!("/webhook/{TOKEN}"));
        stack.add(EventName::SiteUpdated, "in the query", &format!("/webhook?token={TOKEN}"));
        stack.add(EventName::SiteUpdated, "of a workflow", &format!("/webhooks/notify-slack/{TOKEN}"));
        if self == Self::Leaked {
            stack.set_tokens(&"H".repeat(43), TOKEN);
        }
        stack
    }
}

/// Posts events to the URLs that webhooks have at the moment, all the time.
struct Sender {
    is_over: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<usize>,
}

/// The token in a webhook's URL.
fn token_of(url: &str) -> String {
    let url: Url = url.parse().unwrap();
    let of_query = url.query_pairs().find(|(name, _)| name == "token").map(|(_, value)| value.into_owned());
    of_query.unwrap_or_else(|| url.path_segments().unwrap().next_back().unwrap().to_owned())
}

/// What the real ingress answers to an event at this URL.
async fn posted(ingress: &LambdaProcess, url: &str, number: usize) -> u64 {
    let body = json!({
        "resource": "SITE", "event_type": "SiteUpdated", "resource_name": format!("{number}"),
        "site_luid": crate::scene::SITE, "resource_luid": crate::scene::SITE,
        "created_at": "2026-11-30T10:00:00.000Z",
    });
    let request = testkit::Request::post(body.to_string()).path_token(&token_of(url));
    let answer = ingress.invoke(&request.event()).await.unwrap();
    answer["statusCode"].as_u64().unwrap()
}

impl Sender {
    async fn start(stack: &Stack, case: String) -> Self {
        let ingress = stack.lambda("receive-webhook", &[]);
        let tableau = stack.tableau.clone();
        let is_over = Arc::new(AtomicBool::new(false));
        // It has read the secret before the rotation.
        assert_eq!(posted(&ingress, &tableau.webhooks()[0].url, 0).await, 202);
        let stop = Arc::clone(&is_over);
        let task = tokio::spawn(async move {
            let mut sent = 0;
            while !stop.load(Ordering::SeqCst) {
                for webhook in tableau.webhooks() {
                    sent += 1;
                    // While the ingress itself meets the fault it answers 503, and Tableau would repeat the event.
                    let status = posted(&ingress, &webhook.url, sent).await;
                    assert_ne!(status, 403, "{case}: `{}` was refused", webhook.name);
                }
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            sent
        });
        Self { is_over, task }
    }

    async fn end(self) -> usize {
        self.is_over.store(true, Ordering::SeqCst);
        self.task.await.unwrap()
    }
}

async fn ended(mut child: Child) -> Output {
    let id = child.id();
    let ended = tokio::task::spawn_blocking(move || {
        child.wait().unwrap();
        child.wait_with_output().unwrap()
    });
    tokio::time::timeout(SOON, ended).await.unwrap_or_else(|_| panic!("process {id} does not end")).unwrap()
}

/// One rotation, which is killed there, and the same command after it. Whether it came to that.
async fn run(story: Story, at: At) -> bool {
    let stack = story.stack().await;
    let case = format!("{story:?} {at:?}");
    let sender = Sender::start(&stack, case.clone()).await;
    let hour = Duration::from_secs(3_600);
    let before = match at {
        At::Aws(operation, number) => {
            let before = stack.aws.calls(operation);
            stack.aws.fail_next(operation, number, local_aws::Fault::Hang(Duration::ZERO));
            stack.aws.fail_next(operation, 1, local_aws::Fault::Hang(hour));
            before
        }
        At::BeforeTableau(number) | At::AfterTableau(number) => {
            let number = u32::try_from(number).unwrap();
            if number > 0 {
                stack.tableau.fail_next("*", number, Fault::Late(Duration::ZERO));
            }
            let held = match at {
                At::BeforeTableau(_) => Fault::Delay(hour),
                _ => Fault::Late(hour),
            };
            stack.tableau.fail_next("*", 1, held);
            0
        }
    };
    let is_reached = || match at {
        At::Aws(operation, number) => stack.aws.calls(operation) > before + number,
        At::BeforeTableau(_) | At::AfterTableau(_) => stack.tableau.held() > 0,
    };
    let tokens = stack.tokens();
    let mut command = stack.command(&story.command());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut was_reached = false;
    while child.try_wait().unwrap().is_none() {
        if is_reached() {
            was_reached = true;
            // This child alone, by its id.
            child.kill().unwrap();
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let first = ended(child).await;
    stack.check_tokens(&(stdout(&first) + &stderr(&first)), &tokens);
    stack.tableau.clear_faults();
    stack.aws.clear_faults();
    if was_reached {
        let tokens = stack.tokens();
        let mut again = stack.command(&story.command());
        let again = ended(again.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()).await;
        let shown = stdout(&again) + &stderr(&again);
        stack.check_tokens(&shown, &tokens);
        assert_eq!(again.status.code(), Some(0), "{case}: {shown}");
    } else {
        assert_eq!(first.status.code(), Some(0), "{case}: {}", stderr(&first));
    }
    assert!(sender.end().await > 3, "{case}: the sender was stuck");
    let (current, previous) = stack.tokens();
    assert!(previous.is_empty() && current != TOKEN, "{case}");
    let webhooks = stack.tableau.webhooks();
    assert!(webhooks.iter().all(|webhook| token_of(&webhook.url) == current), "{case}: {webhooks:?}");
    assert_eq!(webhooks.len(), 4, "{case}: {webhooks:?}");
    // Who has not read the secret before knows the new token alone.
    let ingress = stack.lambda("receive-webhook", &[]);
    assert_eq!(posted(&ingress, &webhooks[0].url, 1_000_000).await, 202, "{case}");
    assert_eq!(posted(&ingress, &stack.url(&format!("/webhook/{TOKEN}")), 1_000_001).await, 403, "{case}");
    assert_eq!(stack.document()["lease"], Value::Null, "{case}");
    was_reached
}

/// Makes the point at the call with a number.
type Kind = Box<dyn Fn(usize) -> At + Send>;

/// Kills at each call until there is no further one. Returns at how many.
async fn every_step(story: Story) -> usize {
    let mut kinds = JoinSet::new();
    for kind in story.kinds() {
        kinds.spawn(async move {
            let mut kills = 0;
            loop {
                let mut some = JoinSet::new();
                for number in kills..kills + IN_A_ROW {
                    let at = kind(number);
                    some.spawn(async move {
                        let _place = ROOM.acquire().await.unwrap();
                        run(story, at).await
                    });
                }
                let reached = some.join_all().await.into_iter().filter(|was_reached| *was_reached).count();
                kills += reached;
                if reached < IN_A_ROW {
                    return kills;
                }
            }
        });
    }
    kinds.join_all().await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_killed_at_any_step_refuses_no_event_and_goes_on() {
    let kills = every_step(Story::Plain).await;
    assert!(kills >= 15, "{kills} steps");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_at_a_server_that_cannot_change_webhooks() {
    let kills = every_step(Story::Old).await;
    assert!(kills >= 15, "{kills} steps");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_after_a_leak_in_the_middle_of_another() {
    let kills = every_step(Story::Leaked).await;
    assert!(kills >= 15, "{kills} steps");
}
