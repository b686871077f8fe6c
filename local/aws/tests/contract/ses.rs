//! Contract of Amazon SES: `SendEmail` with content in parts. Emulators take more than SES does, so what only the double refuses is checked
//! there alone; AWS's documentation says it.

use crate::backend::{Backend, backends, unique};
use crate::{code, refusal};
use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader};
use std::collections::BTreeSet;

fn content(data: &str) -> Content {
    Content::builder().data(data).charset("UTF-8").build().unwrap()
}

/// A mail as our function sends it: both parts, encoded words, two headers.
fn mail(backend: &Backend, from: &str, to: impl IntoIterator<Item = String>) -> SendEmailFluentBuilder {
    let header = |name, value| MessageHeader::builder().name(name).value(value).build().unwrap();
    let body = Body::builder().text(content("Größe")).html(content("<p>Größe</p>")).build();
    let message = Message::builder()
        .subject(content("=?UTF-8?B?R3LDtsOfZQ==?="))
        .body(body)
        .headers(header("References", "<tableau-0123456789ab@example.com>"))
        .headers(header("Auto-Submitted", "auto-generated"));
    let destination = Destination::builder().set_to_addresses(Some(to.into_iter().collect())).build();
    backend
        .ses()
        .send_email()
        .from_email_address(from)
        .destination(destination)
        .content(EmailContent::builder().simple(message.build()).build())
}

fn recipients(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("person-{n}@example.org")).collect()
}

#[tokio::test]
async fn a_mail_from_a_verified_domain_is_taken_and_each_gets_an_id_of_its_own() {
    for backend in backends().await {
        let domain = format!("{}.example.com", unique("mail"));
        backend.verify(&domain).await;
        let from = format!("=?UTF-8?B?w5xiZXJ3YWNodW5n?= <alerts@{domain}>");
        let mut ids = BTreeSet::new();
        for _ in 0..2 {
            let sent = mail(&backend, &from, recipients(50)).send().await.unwrap();
            ids.insert(sent.message_id().unwrap().to_owned());
        }
        assert_eq!(ids.len(), 2, "{ids:?}");
    }
}

#[tokio::test]
async fn a_sender_that_is_not_verified_is_refused_and_named() {
    for backend in backends().await {
        let from = format!("alerts@{}.example.net", unique("mail"));
        let refused = mail(&backend, &from, recipients(1)).send().await.unwrap_err();
        let (code, message) = refusal(refused.into_service_error());
        assert_eq!(code, "MessageRejected");
        assert!(message.contains("not verified") && message.contains(&from), "{message}");
    }
}

#[tokio::test]
async fn what_ses_does_not_take_the_double_refuses() {
    for backend in backends().await.into_iter().filter(Backend::is_double) {
        backend.verify("example.com").await;
        let from = "alerts@example.com";
        for (sent, expected) in [
            (mail(&backend, from, recipients(51)), "BadRequestException"),
            (mail(&backend, from, Vec::new()), "BadRequestException"),
            (mail(&backend, from, ["pat smith@example.com".to_owned()]), "BadRequestException"),
            (mail(&backend, from, ["zoë@example.com".to_owned()]), "BadRequestException"),
            (mail(&backend, "BI, EMEA <alerts@example.com>", recipients(1)), "BadRequestException"),
            (mail(&backend, from, recipients(1)).configuration_set_name("other"), "NotFoundException"),
        ] {
            let input = sent.as_input().clone();
            let refused = sent.send().await.unwrap_err();
            assert_eq!(code(refused.into_service_error()), expected, "{input:?}");
        }
    }
}
