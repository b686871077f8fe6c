//! What Slack takes, what it refuses, and how a message reads.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod support;

use serde_json::{Value, json};
use simulator::{DEFAULT_CHANNEL, SlackCall, SlackFault, SlackSimulator, render};
use std::time::Duration;
use support::{SOON, client};

struct Poster {
    http: reqwest::Client,
    slack: SlackSimulator,
    webhook: String,
    token: String,
}

impl Poster {
    async fn new() -> Self {
        let slack = SlackSimulator::start().await.unwrap();
        Self { http: client(), webhook: slack.webhook_url(), token: slack.token(), slack }
    }

    async fn webhook(&self, body: &Value) -> (u16, String) {
        let answer = self.http.post(&self.webhook).body(body.to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn api(&self, method: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}/{method}", self.slack.api_url())).body(body.to_string());
        let request =
            request.bearer_auth(&self.token).header("content-type", "application/json; charset=utf-8");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }
}

fn failed_refresh() -> Value {
    let mrkdwn = |text: &str| json!({ "type": "mrkdwn", "text": text });
    json!({
        "text": "Refresh failed: Sales (Finance)",
        "unfurl_links": false, "unfurl_media": false,
        "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": "Extract refresh failed" } },
            { "type": "section", "text": mrkdwn("*<https://t.example.com/#/w/1|Sales &amp; Co>*\n>Cannot connect") },
            { "type": "section", "fields": [
                mrkdwn("*Project*\nFinance"), mrkdwn("*Owner*\nA. Smith"),
                mrkdwn("*Last success*\n<!date^1700000000^{date_short_pretty} {time}|2023-11-14 22:13 UTC>"),
                mrkdwn("*Failures in a row*\n3"),
            ] },
            { "type": "divider" },
            { "type": "context", "elements": [mrkdwn("site *marketing* · event 7f3c")] },
        ],
    })
}

#[tokio::test]
async fn a_valid_message_is_taken_and_reads_well() {
    let poster = Poster::new().await;

    assert_eq!(poster.webhook(&failed_refresh()).await, (200, "ok".to_owned()));

    let message = poster.slack.wait_for(1, SOON).await.unwrap().remove(0);
    assert_eq!((message.call, message.channel_name.as_str()), (SlackCall::Webhook, DEFAULT_CHANNEL.1));
    assert!(poster.webhook.ends_with(&message.path));
    assert_eq!(message.text, "Refresh failed: Sales (Finance)");
    assert!(message.all_text().contains("Sales & Co") && message.mentions().is_empty());
    let expected = "\
Extract refresh failed
──────────────────────
Sales & Co (https://t.example.com/#/w/1)
>Cannot connect
Project                Owner
Finance                A. Smith
Last success           Failures in a row
2023-11-14 22:13 UTC   3
──────────────────────────────────────
  site marketing · event 7f3c";
    assert_eq!(render(&message), expected);
}

#[tokio::test]
async fn a_message_without_blocks_reads_as_its_text() {
    let poster = Poster::new().await;
    poster.webhook(&json!({ "text": "<!channel> *Sales* failed &lt;3" })).await;

    let message = poster.slack.messages().remove(0);

    assert_eq!(render(&message), "@channel Sales failed <3");
    assert_eq!(message.mentions(), ["!channel"]);
}

#[tokio::test]
async fn every_kind_of_broken_message_is_refused() {
    let poster = Poster::new().await;
    let text = |kind: &str, n: usize| json!({ "type": kind, "text": "x".repeat(n) });
    let section = |n: usize| json!({ "type": "section", "text": text("mrkdwn", n) });
    let broken = [
        json!({ "type": "header", "text": text("plain_text", 151) }),
        json!({ "type": "header", "text": text("mrkdwn", 5) }),
        section(3001),
        section(0),
        json!({ "type": "section" }),
        json!({ "type": "section", "fields": vec![text("mrkdwn", 1); 11] }),
        json!({ "type": "section", "fields": [text("mrkdwn", 2001)] }),
        json!({ "type": "context", "elements": vec![text("mrkdwn", 1); 11] }),
        json!({ "type": "context", "elements": [] }),
        json!({ "type": "image", "image_url": "https://example.com/x.png" }),
        json!({ "type": "actions", "elements": [{ "type": "button", "text": text("plain_text", 76) }] }),
        json!({ "type": "divider", "block_id": "b".repeat(256) }),
        json!({ "type": "carousel" }),
        json!({ "text": "no type" }),
    ];
    for block in broken {
        let answer = poster.webhook(&json!({ "text": "t", "blocks": [block] })).await;
        assert_eq!(answer, (400, "invalid_blocks".to_owned()), "{block}");
    }
    let twice = json!({ "type": "divider", "block_id": "same" });
    for (body, error) in [
        (json!({ "blocks": vec![section(1); 51] }), "invalid_blocks"),
        (json!({ "blocks": [twice, twice] }), "invalid_blocks"),
        (json!({ "blocks": vec![section(2900); 5] }), "msg_blocks_too_long"),
        (json!({ "blocks": {} }), "invalid_blocks_format"),
        (json!({ "text": " " }), "no_text"),
        (json!({}), "no_text"),
        (json!([]), "invalid_payload"),
        (json!({ "text": "t", "attachments": vec![json!({}); 101] }), "too_many_attachments"),
    ] {
        assert_eq!(poster.webhook(&body).await, (400, error.to_owned()), "{body}");
    }
    assert!(poster.slack.messages().is_empty());
    assert!(poster.slack.refusals()[0].detail.contains("header text: 151 characters"));
}

#[tokio::test]
async fn webhooks_are_known_or_gone() {
    let poster = Poster::new().await;
    let body = json!({ "text": "t" });
    let finance = poster.slack.add_webhook("finance-data");
    let post = async |url: &str| {
        let answer = poster.http.post(url).body(body.to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };

    assert_eq!(post(&finance).await, (200, "ok".to_owned()));
    assert_eq!(poster.slack.channel("#finance-data").len(), 1);
    poster.slack.revoke_webhook(&finance);
    assert_eq!(post(&finance).await, (404, "no_service".to_owned()));
    assert_eq!(post(&format!("{}/services/T/B/x", poster.slack.url())).await.0, 404);
}

#[tokio::test]
async fn the_web_api_posts_threads_and_updates() {
    let mut poster = Poster::new().await;
    let channel = DEFAULT_CHANNEL.0;
    let parent = poster.api("chat.postMessage", &json!({ "channel": "#data-alerts", "text": "one" })).await;
    assert_eq!((parent["ok"].clone(), parent["channel"].clone()), (json!(true), json!(channel)));
    let ts = parent["ts"].clone();
    let reply = json!({ "channel": channel, "text": "two", "thread_ts": ts, "reply_broadcast": true });
    let reply = poster.api("chat.postMessage", &reply).await;
    let update = json!({ "channel": channel, "ts": ts, "text": "three" });
    assert_eq!(poster.api("chat.update", &update).await["ok"], true);

    let seen = poster.slack.channel(channel);
    assert_eq!(seen.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["three", "two"]);
    assert_eq!(seen[1].thread_ts.as_deref(), ts.as_str());
    assert_eq!(poster.slack.message_count(), 3);

    poster.slack.add_channel("private", false);
    let long = "x".repeat(4001);
    for (method, body, error) in [
        ("chat.postMessage", json!({ "channel": "nowhere", "text": "t" }), "channel_not_found"),
        ("chat.postMessage", json!({ "channel": "private", "text": "t" }), "not_in_channel"),
        ("chat.postMessage", json!({ "channel": channel }), "no_text"),
        (
            "chat.postMessage",
            json!({ "channel": channel, "text": "t", "markdown_text": "t" }),
            "markdown_text_conflict",
        ),
        (
            "chat.postMessage",
            json!({ "channel": channel, "text": "t", "thread_ts": reply["ts"] }),
            "cannot_reply_to_message",
        ),
        ("chat.update", json!({ "channel": channel, "ts": ts, "text": long }), "msg_too_long"),
        ("chat.update", json!({ "channel": channel, "ts": "1.1", "text": "t" }), "message_not_found"),
        ("chat.update", json!({ "channel": "data-alerts", "ts": ts, "text": "t" }), "channel_not_found"),
        ("chat.delete", json!({}), "unknown_method"),
    ] {
        assert_eq!(poster.api(method, &body).await, json!({ "ok": false, "error": error }), "{body}");
    }
    let new = poster.slack.rotate_token();
    let body = json!({ "channel": channel, "text": "t" });
    assert_eq!(poster.api("chat.postMessage", &body).await["error"], "invalid_auth");
    poster.token = new;
    assert_eq!(poster.api("chat.postMessage", &body).await["ok"], true);
}

#[tokio::test]
async fn a_planned_fault_fails_slacks_call() {
    let poster = Poster::new().await;
    let body = json!({ "text": "t" });
    for fault in [
        SlackFault::RateLimited { retry_after: 3 },
        SlackFault::ServerError,
        SlackFault::Revoked,
        SlackFault::Revoked,
        SlackFault::Archived,
        SlackFault::Archived,
        SlackFault::Html(403),
        SlackFault::Empty(204),
        SlackFault::Reset,
        SlackFault::AnswerLost,
        SlackFault::Hang,
    ] {
        poster.slack.fail_next(1, fault);
    }

    let limited = poster.http.post(&poster.webhook).body(body.to_string()).send().await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "3"));
    assert_eq!(poster.webhook(&body).await, (500, "rollup_error".to_owned()));
    assert_eq!(poster.webhook(&body).await, (404, "no_service".to_owned()));
    assert_eq!(poster.api("chat.postMessage", &body).await["error"], "token_revoked");
    assert_eq!(poster.webhook(&body).await, (410, "channel_is_archived".to_owned()));
    assert_eq!(poster.api("chat.postMessage", &body).await["error"], "is_archived");
    let (status, page) = poster.webhook(&body).await;
    assert!(status == 403 && page.starts_with("<!DOCTYPE html>"), "{status} {page}");
    assert_eq!(poster.webhook(&body).await, (204, String::new()));
    let send = || poster.http.post(&poster.webhook).body(body.to_string());
    assert!(send().send().await.is_err(), "reset");
    assert!(poster.slack.messages().is_empty());
    assert!(send().send().await.is_err(), "taken, and reset");
    assert_eq!(poster.slack.messages().iter().map(|message| message.answered).collect::<Vec<_>>(), [false]);
    let hung = send().timeout(Duration::from_millis(50)).send().await;
    assert!(hung.unwrap_err().is_timeout());
    assert_eq!(poster.webhook(&body).await.0, 200);
}

#[tokio::test]
async fn a_layout_is_refused_and_the_same_without_it_is_taken() {
    let poster = Poster::new().await;
    poster.slack.fail_next(2, SlackFault::Blocks("invalid_blocks"));
    let blocks = json!([{ "type": "header", "text": { "type": "plain_text", "text": "t" } }]);
    let refused = poster.webhook(&json!({ "text": "t", "blocks": blocks })).await;
    assert_eq!(refused, (400, "invalid_blocks".to_owned()));
    assert_eq!(poster.webhook(&json!({ "text": "t" })).await.0, 200);
}

#[tokio::test]
async fn an_update_without_blocks_keeps_those_that_were_there() {
    let poster = Poster::new().await;
    let blocks = json!([{ "type": "header", "text": { "type": "plain_text", "text": "t" } }]);
    let channel = poster.slack.add_channel("data", true);
    let body = json!({ "channel": channel, "text": "t", "blocks": blocks });
    let posted = poster.api("chat.postMessage", &body).await;
    for (update, left) in [(json!({}), 1), (json!({ "blocks": [] }), 0)] {
        let mut body = json!({ "channel": channel, "ts": posted["ts"], "text": "new" });
        body.as_object_mut().unwrap().extend(update.as_object().unwrap().clone());
        assert_eq!(poster.api("chat.update", &body).await["ok"], true);
        assert_eq!(poster.slack.channel(&channel)[0].blocks.len(), left, "{body}");
    }
}

#[tokio::test]
async fn people_let_calls_go_wrong_until_they_clear_it() {
    let poster = Poster::new().await;
    let faults = format!("{}/simulator/faults", poster.slack.url());
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    let text = json!({ "text": "hello" });

    assert_eq!(status(poster.http.post(format!("{faults}?fault=archived"))).await, 200);
    for _ in 0..2 {
        assert_eq!(poster.webhook(&text).await, (410, "channel_is_archived".to_owned()));
    }
    assert_eq!(status(poster.http.delete(&faults)).await, 200);
    assert_eq!(poster.webhook(&text).await.0, 200);

    assert_eq!(status(poster.http.post(format!("{faults}?fault=500&times=1"))).await, 200);
    assert_eq!((poster.webhook(&text).await.0, poster.webhook(&text).await.0), (500, 200));
    for wrong in ["fault=fire", "fault=500&time=1", ""] {
        assert_eq!(status(poster.http.post(format!("{faults}?{wrong}"))).await, 400, "{wrong}");
    }
    assert_eq!(poster.slack.calls(), 5, "what people switch is no call of Slack");
}

#[tokio::test]
async fn a_channel_that_was_made_meanwhile_takes_messages_and_another_one_does_not() {
    let slack = SlackSimulator::start().await.unwrap();
    slack.add_channels_of(|| vec!["bi-team".to_owned()]);
    let http = client();
    for (channel, is_there) in [("bi-team", true), ("#bi-team", true), ("bi-taem", false)] {
        let call = http.post(format!("{}/chat.postMessage", slack.api_url())).bearer_auth(slack.token());
        let body = json!({ "channel": channel, "text": "x" }).to_string();
        let answer = call.header("content-type", "application/json").body(body).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(answer["ok"], is_there, "{channel}: {answer}");
    }
}
