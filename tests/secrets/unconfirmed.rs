//! An AWS double that never confirms a call, and one whose texts must not appear in any output.

use crate::environment::{binary, event};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use testkit::{Batch, Function, Request, TOKEN, TestEnvironment};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A marker in every text that the double answers, in addition to the whole request.
const WORDS: &str = "zebra-of-the-service";

/// A status, a content type and a body.
type Reply = (u16, &'static str, String);

/// An AWS double that returns the webhook tokens, and gives one fixed answer to every other call.
struct Aws {
    url: String,
    reply: Arc<Mutex<Reply>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Aws {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let aws = Self { url, reply: Arc::default(), asked: Arc::default() };
        let reply = Arc::clone(&aws.reply);
        let asked = Arc::clone(&aws.asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&reply), Arc::clone(&asked)));
            }
        });
        aws
    }

    fn answers(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
        self.asked.lock().unwrap().clear();
    }

    /// The calls since the last reset, without those of Secrets Manager.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, reply: Arc<Mutex<Reply>>, asked: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read(&mut stream).await {
        let lower = request.to_ascii_lowercase();
        let target = lower.lines().find_map(|line| line.strip_prefix("x-amz-target:")).unwrap_or_default();
        let target = target.trim().rsplit('.').next().unwrap_or_default().to_owned();
        let (status, kind, body) = if target == "getsecretvalue" {
            let secret = json!({ "current": TOKEN, "previous": "" }).to_string();
            (
                200,
                "application/x-amz-json-1.1",
                json!({ "Name": "webhook", "SecretString": secret }).to_string(),
            )
        } else {
            asked.lock().unwrap().push(target);
            let (status, kind, body) = reply.lock().unwrap().clone();
            let repeated = json!(format!("{WORDS} {request}")).to_string();
            (status, kind, body.replace("\"REQUEST\"", &repeated))
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(head.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or_default();
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The common ingress, which needs the bus, and a workflow's own ingress, which needs its queue.
fn ingresses(services: &TestEnvironment, aws: &Aws) -> [(Function, &'static str); 2] {
    let endpoint = ("AWS_ENDPOINT_URL", aws.url.as_str());
    let queue = format!("{}/123456789012/queue", aws.url);
    let dead_letters = format!("{}/123456789012/dead-letters", aws.url);
    let bus = [endpoint, ("EVENT_BUS_NAME", "events")];
    let queues = [endpoint, ("QUEUE_URL", &queue), ("DEAD_LETTER_QUEUE_URL", &dead_letters)];
    let queues = [&queues[..], &[("TABLE_NAME", "deliveries")]].concat();
    [
        (services.function("receive-webhook", &binary("receive-webhook"), &bus), "putevents"),
        (services.function("notify-slack", &binary("notify-slack"), &queues), "sendmessage"),
    ]
}

#[tokio::test]
async fn only_an_answer_that_confirms_an_event_lets_an_ingress_accept_it() {
    const JSON: &str = "application/x-amz-json-1.0";
    let reply = |body: Value| (200, JSON, body.to_string());
    let mut replies = vec![
        (200, JSON, String::new()),
        (200, "text/html", "<html><body>Welcome</body></html>".to_owned()),
        (200, "text/plain", "OK".to_owned()),
        (204, JSON, String::new()),
        (200, JSON, "null".to_owned()),
        (200, JSON, "[]".to_owned()),
    ];
    replies.extend(
        [
            json!({}),
            json!({ "status": "ok" }),
            json!({ "MessageId": null }),
            json!({ "MessageId": "" }),
            json!({ "MD5OfMessageBody": "d41d8cd98f00b204e9800998ecf8427e" }),
            json!({ "FailedEntryCount": 0 }),
            json!({ "FailedEntryCount": 0, "Entries": [] }),
            json!({ "FailedEntryCount": 0, "Entries": [{}] }),
            json!({ "FailedEntryCount": 0, "Entries": [{ "EventId": "" }] }),
            json!({ "FailedEntryCount": 0, "Entries": [{ "EventId": "e-1", "ErrorCode": "InternalFailure" }] }),
            json!({ "FailedEntryCount": 1, "Entries": [{ "EventId": "e-1" }] }),
            json!({ "FailedEntryCount": 1, "Entries": [{ "ErrorCode": "InternalFailure", "ErrorMessage": "REQUEST" }] }),
        ]
        .map(reply),
    );
    let services = TestEnvironment::start().await;
    let aws = Aws::start().await;
    for (ingress, call) in ingresses(&services, &aws) {
        for (number, reply) in replies.iter().enumerate() {
            aws.answers(reply.clone());
            let body = event("WorkbookRefreshFailed", number).to_string();
            let answer = ingress.answer(&Request::post(body)).await;
            assert_eq!(answer.status, 503, "{call} {reply:?}: {answer:?}");
            assert!(
                aws.asked().iter().all(|asked| asked == call) && !aws.asked().is_empty(),
                "{:?}",
                aws.asked()
            );
        }
        aws.answers(reply(json!({
            "MessageId": "5fea7756-0ea4-451a-a703-a558b933e274",
            "FailedEntryCount": 0, "Entries": [{ "EventId": "11710aed-b79e-4468-a20b-bb3c0c3b4860" }],
        })));
        let answer = ingress.answer(&Request::post(event("WorkbookRefreshFailed", 99).to_string())).await;
        assert_eq!(answer.status, 202, "{call}: {answer:?}");
        let log = ingress.logs().join("\n");
        assert!(!log.contains(WORDS), "{log}");
    }
}

#[tokio::test]
async fn the_words_of_an_aws_that_repeats_the_request_are_shown_nowhere() {
    const JSON: &str = "application/x-amz-json-1.0";
    let refusal = |status: u16, kind: &str| {
        let body =
            json!({ "__type": format!("com.amazonaws#{kind}"), "message": "REQUEST", "Message": "REQUEST" });
        (status, JSON, body.to_string())
    };
    let replies = [
        refusal(400, "AccessDeniedException"),
        refusal(400, "ValidationException"),
        refusal(400, "UnknownThing"),
        refusal(403, "InvalidSignatureException"),
        refusal(500, "InternalServerError"),
        (200, JSON, "\"REQUEST\"".to_owned()),
        (200, JSON, "{\"REQUEST\": tru".to_owned()),
        (400, "text/html", "<html>\"REQUEST\"</html>".to_owned()),
    ];
    let services = TestEnvironment::start().await;
    let aws = Aws::start().await;
    let keys = services.aws.keys();
    let secrets = [TOKEN, keys.session_token(), keys.secret_access_key(), "Signature=", WORDS];
    for (ingress, call) in ingresses(&services, &aws) {
        for (number, reply) in replies.iter().enumerate() {
            aws.answers(reply.clone());
            let body = event("WorkbookRefreshFailed", number).to_string();
            let answer = ingress.answer(&Request::post(body.clone())).await;
            assert_eq!(answer.status, 503, "{call} {reply:?}: {answer:?}");
            let mut shown = format!("{answer:?}");
            if call == "sendmessage" {
                // Behind the queue: claims, and the queues themselves.
                aws.answers(reply.clone());
                let batch = ingress.invoke(&Batch::default().message(&body).event()).await;
                shown.push_str(&format!("{batch:?}"));
                assert!(aws.asked().contains(&"updateitem".to_owned()), "{:?}", aws.asked());
            }
            shown.push_str(&ingress.logs().join("\n"));
            for secret in secrets {
                assert!(!shown.contains(secret), "`{secret}` after {reply:?} in {shown}");
            }
        }
        let log = ingress.logs().join("\n");
        assert!(log.contains("was refused with 400 (AccessDeniedException)"), "it says why: {log}");
    }
}
