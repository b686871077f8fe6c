//! The message: a pure function of what is known.

use crate::details::{Details, Told};
use crate::roundup::so_far;
use crate::wording::clock_and_utc;
use alerting::notification::{next_step, symbol, title};
use destinations::slack::mrkdwn::{code, cut, escape, link};
use destinations::slack::{Block, Message};
use incidents::Streak;
use jiff::tz::TimeZone;
use plain_text::{is_blank, one_line};
use rules::Site;
use tableau::{Action, Event};
use tableau_client::Content;

/// The longest name that is shown: names may have 255 characters and more.
const NAME_LIMIT: usize = 120;

/// The message about an event; about a failure of a streak with how it stands.
pub(crate) fn message(
    event: &Event,
    site: Option<&Site>,
    details: &Details,
    streak: Option<&Streak>,
) -> Message {
    let content = details.content.as_option();
    let name = short(&name_of(event, details));
    let headline = title(event);
    let zone = site.map(|site| &site.timezone);
    let blocks = [
        Some(Block::header(&format!("{} {headline}: {name}", symbol(&event.name)))),
        explanation(event, details).map(Block::section),
        streak.and_then(|streak| standing(streak, zone)).map(Block::section),
        Block::fields(fields(event, site, content)),
        content.and_then(|c| link(c.link.as_deref()?, "Open in Tableau")).map(Block::section),
        Some(Block::context([small_print(event, site, details)])),
    ];
    Message::new(&notification(&headline, &name, details), blocks.into_iter().flatten())
}

/// How a streak stands, if there is more to say than that it began.
fn standing(streak: &Streak, zone: Option<&TimeZone>) -> Option<String> {
    let mut standing = Vec::new();
    if streak.failures > 1 {
        standing.push(format!(
            "*So far* – {}",
            so_far(streak.failures, streak.since, streak.lasted(streak.last), zone)
        ));
    }
    if streak.begins_to_flap() {
        standing.push(format!(
            "*It flaps* – it failed and recovered {} times within a day; more of it is not told before it has been quiet",
            streak.nth - 1
        ));
    }
    (!standing.is_empty()).then(|| standing.join("\n"))
}

/// The name of what the event is about: as it is now, or else as it was.
pub(crate) fn name_of(event: &Event, details: &Details) -> String {
    let content = details.content.as_option().map(|content| content.name.as_str());
    let names = [content, event.resource_name.as_deref()];
    shown(names.into_iter().flatten().find(|name| !is_blank(name)).unwrap_or_default()).to_owned()
}

/// A name, or that there is none: one of invisible characters only is none.
fn shown(name: &str) -> &str {
    if is_blank(name) { "(no name)" } else { name }
}

/// A name as messages show it.
pub(crate) fn short(name: &str) -> String {
    cut(&one_line(name), NAME_LIMIT)
}

/// The line of notifications and screen readers.
fn notification(headline: &str, name: &str, details: &Details) -> String {
    let project = details.content.as_option().and_then(|c| c.project.as_deref());
    let project = project.filter(|project| !is_blank(project));
    let project = project.map_or_else(String::new, |project| format!(" ({})", escape(&short(project))));
    let cause =
        details.cause.as_option().map_or_else(String::new, |cause| format!(" – {}", cause.class.title()));
    format!("{}: {}{project}{cause}", escape(headline), escape(name))
}

/// Why, and what to do.
fn explanation(event: &Event, details: &Details) -> Option<String> {
    match (event.name.action(), &details.cause) {
        (Some(Action::RefreshFailed), Told::Yes(cause)) => {
            let (title, next) = (cause.class.title(), cause.class.next_step());
            Some(format!("*Cause* – {title}\n{}\n*Next step* – {next}", code(&cause.line)))
        }
        (Some(Action::RefreshFailed), missing) => {
            let why = match missing {
                Told::Not(why) => why.as_str(),
                Told::Yes(_) | Told::Nothing => "it was not looked for",
            };
            Some(format!("*Cause* – not available: {}\n*Next step* – {}", escape(why), next_step(event)?))
        }
        _ => next_step(event).map(|step| format!("*Next step* – {step}")),
    }
}

fn fields(event: &Event, site: Option<&Site>, content: Option<&Content>) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = |title: &str, value: String| fields.push(format!("*{title}*\n{value}"));
    if let Some(project) = content.and_then(|c| c.project.as_deref()) {
        field("Project", escape(&short(shown(project))));
    }
    if let Some(owner) = content.and_then(|c| c.owner.as_ref()) {
        let name = escape(&short(shown(&owner.name)));
        let email = owner.email.as_deref().filter(|email| *email != owner.name && !is_blank(email));
        field(
            "Owner",
            email.map_or_else(|| name.clone(), |email| format!("{name} ({})", escape(&short(email)))),
        );
    }
    if let Some(at) = event.created_at {
        field("When", clock_and_utc(at, site.map(|site| &site.timezone)));
    }
    if let Some(site) = site {
        field("Site", escape(&short(&site.name)));
    }
    if let Some(tags) = content.map(|c| tags(&c.tags)).filter(|tags| !tags.is_empty()) {
        field("Tags", escape(&short(&tags)));
    }
    fields
}

fn tags(tags: &[String]) -> String {
    let tags: Vec<&str> = tags.iter().map(String::as_str).filter(|tag| !is_blank(tag)).collect();
    tags.join(", ")
}

/// What support needs to find the log line.
fn small_print(event: &Event, site: Option<&Site>, details: &Details) -> String {
    let site = match site {
        Some(_) => String::new(),
        None => format!(" · site {}", event.site),
    };
    let missing = match &details.content {
        Told::Not(why) => format!(" · project and owner not available: {}", escape(why)),
        Told::Yes(_) | Told::Nothing => String::new(),
    };
    format!("{} · event {}{site}{missing}", escape(&short(event.name.as_str())), event.id.short())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tableau::{EventName, Payload};
    use tableau_client::{Cause, CauseClass, Owner};

    const NASTY: &str = "a<>&|*b* _c_ ~d~ <!channel> <@U1> `e`";

    fn event(name: &str, resource_name: &str) -> Event {
        let payload = json!({
            "resource": "WORKBOOK", "event_type": name, "resource_name": resource_name, "site_luid": "s-1",
            "resource_luid": "r-1", "created_at": "2025-01-15T17:14:45Z",
        });
        Event::try_from(&Payload::parse(payload.to_string().as_bytes()).unwrap()).unwrap()
    }

    fn site() -> Site {
        let timezone = TimeZone::get("Europe/Berlin").unwrap();
        Site { luid: "s-1".parse().unwrap(), name: "Marketing".to_owned(), timezone }
    }

    fn details() -> Details {
        Details {
            content: Told::Yes(Content {
                name: "Sales".to_owned(),
                project: Some("Finance".to_owned()),
                owner: Some(Owner { name: "Ana Ruiz".to_owned(), email: Some("ana@example.com".to_owned()) }),
                link: Some("https://tableau.example/#/datasources/1".to_owned()),
                tags: vec!["critical".to_owned()],
            }),
            cause: Told::Yes(Cause {
                class: CauseClass::Credentials,
                line: "Login failed for user 'svc'.".to_owned(),
                job: "j-1".parse().unwrap(),
            }),
        }
    }

    fn nothing() -> Details {
        Details { content: Told::Nothing, cause: Told::Nothing }
    }

    fn texts(message: &Message) -> Vec<String> {
        let blocks = serde_json::to_value(message.blocks()).unwrap();
        fn collect(value: &Value, into: &mut Vec<String>) {
            match value {
                Value::Object(map) => match map.get("text") {
                    Some(Value::String(text)) => into.push(text.clone()),
                    _ => map.values().for_each(|value| collect(value, into)),
                },
                Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
                _ => {}
            }
        }
        let mut into = Vec::new();
        collect(&blocks, &mut into);
        into
    }

    #[test]
    fn a_failed_refresh_says_what_where_whose_why_and_what_to_do() {
        let event = event("DatasourceRefreshFailed", "Sales");
        let message = message(&event, Some(&site()), &details(), None);
        assert_eq!(message.text(), "Extract refresh failed: Sales (Finance) – Credentials refused");
        assert_eq!(
            texts(&message),
            [
                "🔴 Extract refresh failed: Sales",
                "*Cause* – Credentials refused\n`Login failed for user 'svc'.`\n*Next step* – Check the user and \
                 password saved with the connection, then run the refresh again.",
                "*Project*\nFinance",
                "*Owner*\nAna Ruiz (ana@example.com)",
                "*When*\nWed 15 Jan 2025, 18:14 CET (17:14 UTC)",
                "*Site*\nMarketing",
                "*Tags*\ncritical",
                "<https://tableau.example/#/datasources/1|Open in Tableau>",
                &format!("DatasourceRefreshFailed · event {}", event.id.short()),
            ]
        );
    }

    #[test]
    fn a_failure_without_a_reason_says_so() {
        let event = event("WorkbookRefreshFailed", "Sales");
        let why = || "a <!here> page stood between".to_owned();
        let details = Details { content: Told::Not(why()), cause: Told::Not(why()) };
        let text = texts(&message(&event, None, &details, None)).join("\n");
        assert!(
            text.contains("*Cause* – not available: a &lt;!here&gt; page stood between\n*Next step* – "),
            "{text}"
        );
        assert!(text.contains("project and owner not available: a &lt;!here&gt; page"), "{text}");
    }

    #[test]
    fn every_event_has_a_headline_of_its_own_kind() {
        for name in EventName::KNOWN {
            let message = message(&event(name.as_str(), "Sales"), None, &nothing(), None);
            assert!(message.text().contains(": Sales"), "{name}: {}", message.text());
            assert!(!message.text().starts_with("Tableau event"), "{name}");
        }
        let unknown = message(&event("FlowRunFailed", "Sales"), None, &nothing(), None);
        assert_eq!(unknown.text(), "Tableau event FlowRunFailed: Sales");
    }

    // 12-S4, 11-B20
    #[test]
    fn a_name_of_invisible_characters_is_no_name() {
        for blank in
            ["\u{3164}", "\u{200b}\u{2060}", "\u{feff} \u{61c}", "\u{ffa0}\u{e0041}", "\u{115f}\u{fe0f}"]
        {
            let mut details = details();
            if let Told::Yes(content) = &mut details.content {
                content.name = blank.to_owned();
                content.project = Some(blank.to_owned());
                content.owner = Some(Owner { name: blank.to_owned(), email: Some(blank.to_owned()) });
                content.tags = vec![blank.to_owned()];
            }
            let failed = event("DatasourceRefreshFailed", blank);
            let shown = message(&failed, Some(&site()), &details, None);
            assert_eq!(shown.text(), "Extract refresh failed: (no name) – Credentials refused", "{blank:?}");
            let texts = texts(&shown);
            assert!(texts.contains(&"*Owner*\n(no name)".to_owned()), "{texts:?}");
            assert!(texts.contains(&"*Project*\n(no name)".to_owned()), "{texts:?}");
            assert!(!texts.iter().any(|text| text.contains("Tags") || text.contains(blank)), "{texts:?}");
            // The name as it was stands in for one that cannot be seen.
            let named = event("DatasourceRefreshFailed", "Sales");
            assert_eq!(name_of(&named, &details), "Sales");
        }
    }

    #[test]
    fn a_name_cannot_mention_anyone_or_format_anything() {
        let mut details = details();
        if let Told::Yes(content) = &mut details.content {
            content.name = NASTY.to_owned();
            content.project = Some(NASTY.to_owned());
            content.owner = Some(Owner { name: NASTY.to_owned(), email: None });
            content.tags = vec![NASTY.to_owned()];
        }
        if let Told::Yes(cause) = &mut details.cause {
            cause.line = NASTY.to_owned();
        }
        for details in [details, nothing()] {
            let message = message(&event("DatasourceRefreshFailed", NASTY), Some(&site()), &details, None);
            let blocks = serde_json::to_value(message.blocks()).unwrap();
            let header = blocks[0]["text"].clone();
            assert_eq!(header["type"], "plain_text");
            for text in texts(&message).iter().skip(1).chain([&message.text().to_owned()]) {
                for mention in ["<!", "<@"] {
                    assert!(!text.contains(mention), "{mention} in {text}");
                }
                // In a code span nothing is formatted; what is outside of them is every other part.
                for outside in text.split('`').step_by(2) {
                    for format in ["*b*", " _c_", " ~d~"] {
                        assert!(!outside.contains(format), "{format} in {text}");
                    }
                }
                assert!(!text.contains("`e`"), "{text}");
            }
        }
    }

    #[test]
    fn a_site_nobody_named_is_shown_by_its_luid_and_times_by_the_readers_clock() {
        let texts = texts(&message(&event("WorkbookCreated", "Sales"), None, &nothing(), None)).join("\n");
        assert!(texts.contains("site s-1"), "{texts}");
        assert!(texts.contains("<!date^1736961285^"), "{texts}");
    }
}
