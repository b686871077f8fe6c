//! Hostile texts in every field that can have foreign text.

use crate::samples::all;
use crate::steward;
use alerting::impact::{Exact, Impact};
use alerting::notification::{Cause, Notification, Place, Value};
use email::{Mail, Unsubscribe, render};
use rules::Address;

/// Names that a Tableau user may choose.
fn names() -> Vec<String> {
    let many = |text: &str| text.repeat(10_000 / text.chars().count());
    vec![
        "<script>alert(1)</script><img src=x onerror=alert(1)>".to_owned(),
        "\" style=\"x\" onmouseover=\"alert(1)".to_owned(),
        "' onclick='alert(1)".to_owned(),
        "</td></tr></table></body>&lt;script&gt;".to_owned(),
        "Sales\r\nBcc: x@example.org\r\n\r\n<b>Body</b>".to_owned(),
        "=?UTF-8?B?PHNjcmlwdD4=?=".to_owned(),
        "\u{202e}selaS\u{202c} \u{2067}a\u{2069}\u{0}\u{1b}[31m".to_owned(),
        "\u{3164}\u{200b}\u{2060}".to_owned(),
        String::new(),
        many("a"),
        many("&"),
        many("<"),
        many("Größe データ 👩‍👩‍👧 "),
        many("\r\n"),
    ]
}

fn with(name: &str, mut shown: Notification) -> Notification {
    let text = || name.to_owned();
    shown.subject = shown.subject.map(|_| text());
    shown.own_title = Some(text()).filter(|_| shown.subject.is_some());
    shown.own_text = Some(text());
    shown.cause = shown.cause.map(|cause| match cause {
        Cause::Known { .. } => Cause::Known { title: text(), line: text() },
        Cause::Unknown { .. } => Cause::Unknown { why: text() },
    });
    for fact in &mut shown.facts {
        fact.value = match &fact.value {
            Value::Text(_) => Value::Text(text()),
            Value::Person { .. } => Value::Person { name: text(), email: Some(text()) },
            Value::Time(at) => Value::Time(*at),
        };
    }
    for list in &mut shown.lists {
        // The longest names are enough for a page that has no more room.
        list.items.truncate(40);
        list.heading = list.heading.as_ref().map(|_| text());
        for item in &mut list.items {
            item.name = text();
            item.place = Place { project: Some(text()), owner: Some(text()) };
            item.what = item.what.as_ref().map(|_| text());
            item.cause = item.cause.as_ref().map(|_| text());
        }
    }
    shown.links.iter_mut().for_each(|link| link.url = format!("https://tableau.example/{name}"));
    let workbooks = vec![text(); 2];
    shown.impact = Some(Impact { workbooks, more: 9, owners: 5, exact: Exact::All });
    shown.footnotes.push(text());
    shown.thread = Some(text());
    shown
}

/// The tags of a page, in the order in which they stand, without their attributes' values.
fn tags(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    for part in html.split('<').skip(1) {
        let tag = part.split(['>', ' ', '\n']).next().unwrap_or_default();
        tags.push(tag.to_owned());
    }
    tags
}

// D090
#[test]
fn no_name_becomes_a_tag_an_attribute_or_a_header() {
    let known = [
        "!doctype", "html", "/html", "head", "/head", "meta", "title", "/title", "style", "/style", "body",
        "/body", "table", "/table", "tr", "/tr", "td", "/td", "th", "/th", "h1", "/h1", "h2", "/h2", "span",
        "/span", "p", "/p", "code", "/code", "ul", "/ul", "li", "/li", "a", "/a", "div", "/div", "br",
    ];
    let from = Address::parse("alerts@example.com").unwrap();
    for name in names() {
        for (_, kinds) in all() {
            for shown in kinds.into_iter().take(3) {
                let shown = with(&name, shown);
                let rendered = render(&shown, &steward());
                for tag in tags(&rendered.html) {
                    assert!(known.contains(&tag.as_str()), "{tag} of {name:?}");
                }
                for attribute in ["onerror=\"", "onerror='", "onmouseover=\"", "onclick='", "src=\""] {
                    assert!(!rendered.html.contains(attribute), "{attribute} of {name:?}");
                }
                assert!(rendered.html.len() < 102_000, "{} bytes of {name:?}", rendered.html.len());
                assert_eq!(rendered.subject.lines().count(), 1, "{:?}", rendered.subject);
                let mail = Mail::about(&shown, &steward(), &from, &Unsubscribe::default());
                let values = mail.headers.iter().map(|(_, value)| value).chain([&mail.subject]);
                for value in values {
                    assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{value:?}");
                }
            }
        }
    }
}

#[test]
fn a_link_that_is_no_web_address_is_left_out() {
    let (_, mut opened) = all().into_iter().find(|(name, _)| *name == "opened").unwrap();
    let mut shown = opened.remove(0);
    for url in ["javascript:alert(1)", "data:text/html,x", "https://a.example/\nBcc: x", " https://a.example"]
    {
        shown.links.iter_mut().for_each(|link| link.url = url.to_owned());
        let mail = render(&shown, &steward());
        assert!(!mail.html.contains("<a ") && !mail.text.contains(url), "{url}");
    }
}
