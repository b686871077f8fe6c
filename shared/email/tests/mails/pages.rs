//! What every HTML part has, for readers with a screen reader or in dark mode, and what none has.

use crate::samples::{all, event_named, members};
use crate::steward;
use alerting::notification::{Kind, Notification, group_announced};
use email::{Mail, Unsubscribe, render};
use rules::Address;

fn every_kind() -> Vec<Notification> {
    all().into_iter().flat_map(|(_, shown)| shown).collect()
}

#[test]
fn a_page_has_a_language_headings_and_both_colour_schemes_and_loads_nothing() {
    for shown in every_kind() {
        let html = render(&shown, &steward()).html;
        for part in [
            "<!doctype html>",
            "<html lang=\"en\" dir=\"ltr\">",
            "<meta name=\"color-scheme\" content=\"light dark\">",
            "color-scheme:light dark",
            "<span aria-hidden=\"true\">",
        ] {
            assert!(html.contains(part), "no {part} in {html}");
        }
        assert_eq!(html.matches("<h1>").count(), 1, "{html}");
        // A table is for layout, or has headings for its rows.
        assert_eq!(html.matches("<table role=\"presentation\"").count(), 2, "{html}");
        assert_eq!(html.matches("<table").count() > 2, html.contains("<th scope=\"row\""), "{html}");
        for part in [
            "<img",
            "<script",
            "<link",
            "<iframe",
            "<form",
            "@import",
            "url(",
            "background",
            " src=",
            "http-equiv",
        ] {
            assert!(!html.to_lowercase().contains(part), "{part} in {html}");
        }
        // Only the line at the side has a colour of its own, so text can be read in any mode.
        let colours = html.matches("color:").count() + html.matches("colour").count();
        assert_eq!(colours, 0, "{html}");
        assert_eq!(
            html.matches('#').count() - html.matches("&#39;").count(),
            1 + html.matches("/#/").count(),
            "{html}"
        );
    }
}

#[test]
fn the_text_says_what_the_page_says() {
    let word = |html: &str| {
        let mut text = String::new();
        let mut in_tag = false;
        for c in html.chars() {
            match c {
                '<' => in_tag = true,
                '>' => {
                    in_tag = false;
                    text.push(' ');
                }
                c if !in_tag => text.push(c),
                _ => {}
            }
        }
        text.replace("&#39;", "'")
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    for shown in every_kind() {
        let mail = render(&shown, &steward());
        let body = mail.html.split("<body>").nth(1).unwrap();
        let text = mail.text.to_lowercase();
        for word in word(body).split_whitespace() {
            let word = word.to_lowercase();
            assert!(text.contains(&word), "{word} is not in\n{text}");
        }
    }
}

#[test]
fn a_group_of_many_has_a_short_page_that_counts_the_rest_and_a_whole_text() {
    let failed = event_named("DatasourceRefreshFailed");
    let many = members(3_000, |_| Some("Credentials refused"), |_| false);
    let mail = render(&group_announced(&failed, &many, true, None), &steward());
    assert!(mail.html.len() < 102_000, "Gmail hides what is beyond: {}", mail.html.len());
    let items = mail.html.matches("<li>").count() - 1;
    assert!(mail.html.contains(&format!("<li>… and {} more</li>", 3_000 - items)), "{items}");
    assert_eq!(mail.text.matches("\n- Sales report ").count(), 3_000);
}

// D088, D089, D139
#[test]
fn the_mails_of_an_incident_have_one_thread_and_a_digest_can_be_unsubscribed() {
    let from = Address::parse("alerts@example.com").unwrap();
    for mut shown in every_kind() {
        shown.thread = (shown.kind != Kind::Digest).then(|| "0123456789ab".to_owned());
        let mail = Mail::about(&shown, &steward(), &from, &Unsubscribe::default());
        let header = |name: &str| {
            mail.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
        };
        let thread = (shown.kind != Kind::Digest).then_some("<tableau-0123456789ab@example.com>");
        assert_eq!((header("References"), header("In-Reply-To")), (thread, thread));
        assert_eq!(header("List-Unsubscribe").is_some(), shown.kind == Kind::Digest);
        assert_eq!(header("Auto-Submitted"), Some("auto-generated"));
        assert_eq!((header("X-Entity-Ref-ID"), header("Message-ID")), (None, None));
        assert!(mail.subject.is_ascii() && mail.subject.len() <= 900, "{}", mail.subject);
    }
}
