//! Every kind of mail through the notifier to Amazon SES: to the double, and to the emulator whose URL is in `AWS_CONTRACT_URL`, which is
//! another project's idea of SES.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[allow(dead_code, reason = "the samples of all destinations")]
#[path = "../../destinations/tests/messages/samples.rs"]
mod samples;

use alerting::notifier::{Delivery, Notifier};
use circuit::Circuits;
use email::{EmailNotifier, MailTarget, Reason, Sender, Ses, Unsubscribe};
use jiff::Timestamp;
use rules::Address;
use samples::all;
use std::time::Duration;
use testkit::dynamodb::config;
use testkit::local_aws::Aws;
use workflow::Invocation;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn notifier(aws: aws_types::SdkConfig) -> EmailNotifier {
    let sender = Sender {
        from: address("alerts@example.com"),
        name: "Überwachung, BI".to_owned(),
        configuration_set: None,
    };
    let circuits = Circuits::new(store::documents(None), "send-email", "SES");
    EmailNotifier::new(Ses::new(aws, sender), circuits, Unsubscribe::default(), 10_000.0)
}

/// Sends each kind of notification, and returns how many mails that were.
async fn send_all(notifier: &EmailNotifier) -> usize {
    let target = MailTarget {
        to: vec![address("steward@example.com"), address("ana@exämple.org")],
        reply_to: Some(address("bi@example.com")),
        reason: Reason::Named,
        left_out: Vec::new(),
    };
    let mut sent = 0;
    for (name, kinds) in all() {
        for mut shown in kinds {
            shown.thread = Some("0123456789ab".to_owned());
            let invocation = Invocation::new("request", Timestamp::now(), Duration::from_secs(60));
            let delivered = notifier.deliver(&target, Delivery::Post, &shown, &invocation).await;
            assert!(delivered.as_ref().is_ok_and(|delivered| delivered.audible), "{name}: {delivered:?}");
            sent += 1;
        }
    }
    sent
}

#[tokio::test]
async fn the_double_takes_every_kind_of_mail() {
    let aws = Aws::start().await.unwrap();
    aws.verify_identity("example.com");
    let sent = send_all(&notifier(config(&aws))).await;
    let mails = aws.mails();
    assert!(sent > 30 && mails.len() == sent, "{sent} {}", mails.len());
    assert!(mails.iter().all(|mail| mail.shown_from() == "Überwachung, BI <alerts@example.com>"));
}

#[tokio::test]
async fn the_emulator_takes_every_kind_of_mail() {
    let Some(url) = testkit::dynamodb::emulator_url() else { return };
    let config = config(&url);
    let client = aws_sdk_sesv2::Client::new(&config);
    for identity in ["example.com", "alerts@example.com", "xn--exmple-cua.org"] {
        // One that an earlier run has made is as good.
        let _ = client.create_email_identity().email_identity(identity).send().await;
    }
    assert!(send_all(&notifier(config)).await > 30);
}

#[tokio::test]
async fn an_update_or_end_that_must_be_silent_sends_nothing() {
    let aws = Aws::start().await.unwrap();
    aws.verify_identity("example.com");
    let notifier = notifier(config(&aws));
    let to = vec![address("steward@example.com")];
    let target = MailTarget { to, reply_to: None, reason: Reason::Named, left_out: Vec::new() };
    let (_, kinds) = all().into_iter().find(|(name, _)| *name == "resolved").unwrap();
    let invocation = Invocation::new("request", Timestamp::now(), Duration::from_secs(60));
    for audible in [false, true] {
        let close = Delivery::Close { message: None, audible };
        let delivered = notifier.deliver(&target, close, &kinds[0], &invocation).await.unwrap();
        assert_eq!((delivered.audible, delivered.message), (audible, None));
    }
    assert_eq!(aws.calls("SES.SendEmail"), 1);
    let no_one = MailTarget { to: Vec::new(), ..target };
    assert!(notifier.deliver(&no_one, Delivery::Post, &kinds[0], &invocation).await.is_err());
}
