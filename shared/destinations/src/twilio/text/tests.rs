use super::*;
use alerting::notification::{Item, Link, List, Place, Severity};
use proptest::prelude::*;

const LINK: &str = "https://10ay.online.tableau.com/#/site/marketing/datasources/4711";

fn blank(kind: Kind, title: &str) -> Notification {
    Notification {
        kind,
        title: title.to_owned(),
        own_text: None,
        footnotes: Vec::new(),
        ..alerting::notification::test("w")
    }
}

/// The failure of an object with this name, with a cause and a link.
fn failed(name: &str, link: &str) -> Notification {
    let cause = Cause::Known { title: "Credentials refused".to_owned(), line: "Login failed".to_owned() };
    Notification {
        severity: Severity::Error,
        subject: Some(name.to_owned()),
        cause: Some(cause),
        links: vec![Link { label: "Open in Tableau", url: link.to_owned() }],
        ..blank(Kind::Opened, "Extract refresh failed")
    }
}

fn item(name: &str) -> Item {
    Item {
        id: None,
        what: None,
        name: name.to_owned(),
        place: Place::default(),
        cause: None,
        times: 1,
        when: None,
    }
}

#[test]
fn a_text_says_what_failed_and_why_and_ends_with_the_whole_link() {
    let said = text(&failed("Sales Orders", LINK), None);
    assert_eq!(said, format!("Extract refresh failed: Sales Orders - Credentials refused {LINK}"));
    assert_eq!(segments(&said), 1);
}

#[test]
fn a_long_name_is_cut_and_a_link_that_does_not_fit_then_is_left_out_whole() {
    let name = "Quarterly Sales Orders of all Regions and Countries";
    let said = text(&failed(name, LINK), None);
    assert!(
        said.starts_with("Extract refresh failed: Quarterly Sales Orders") && said.contains("... - Cred"),
        "{said}"
    );
    assert!(said.ends_with(LINK) && segments(&said) == 1, "{said}");

    let long = format!("{LINK}?:filter={}", "a".repeat(60));
    let said = text(&failed(name, &long), None);
    assert_eq!(said, format!("Extract refresh failed: {name} - Credentials refused"));
    for link in [
        "https://tableau.example/Übersicht – 1",
        "https://tableau.example/a b",
        "https://tableau.example/売上",
    ] {
        let said = text(&failed("Sales", link), None);
        assert!(!said.contains("tableau.example"), "{said}");
    }
}

// D083, D084
#[test]
fn names_with_look_alikes_marks_line_ends_and_pictures_are_one_segment() {
    for (name, shown) in [
        ("“Sales” – EU", "\"Sales\" - EU"),
        ("Sales\r\nOrders\u{2028}x", "Sales Orders x"),
        ("Cafe\u{301} 🚀 Orders", "Café Orders"),
        ("🚀", "(no name)"),
        ("\u{200b}", "(no name)"),
    ] {
        let said = text(&failed(name, LINK), None);
        assert!(said.starts_with(&format!("Extract refresh failed: {shown} - ")), "{said}");
        assert_eq!((Encoding::of(&said), segments(&said)), (Encoding::Gsm, 1), "{said}");
    }
    // A name in another script stays that name, in two segments at most.
    let said = text(&failed("売上注文", LINK), None);
    assert!(said.contains("売上注文") && segments(&said) <= 2, "{said}");
    let said = text(&failed(&"売上".repeat(200), LINK), None);
    assert!(said.contains("...") && segments(&said) == 2, "{said}");
}

#[test]
fn the_note_of_the_last_text_is_there_however_long_the_rest_is() {
    let note = "Last text today, limit of 20 reached; see Tableau for more.";
    let short = text(&failed("Sales", LINK), Some(note));
    assert!(short.contains(note) && segments(&short) == 1, "{short}");
    for name in ["Quarterly Sales Orders of all Regions", &"x".repeat(400), &"売".repeat(300)] {
        let said = text(&failed(name, LINK), Some(note));
        assert!(said.contains(note) && segments(&said) <= 2, "{said}");
    }
}

#[test]
fn a_group_names_a_few_and_counts_all_by_cause() {
    let list = |heading: &str, names: &[&str]| List {
        heading: Some(heading.to_owned()),
        items: names.iter().map(|name| item(name)).collect(),
        more: 0,
    };
    let lists = vec![list("Credentials refused", &["A", "B", "C", "D"]), list("Timeout", &["E"])];
    let shown = Notification { lists, ..blank(Kind::GroupOpened, "5 extract refreshes failed") };
    assert_eq!(
        text(&shown, None),
        "5 extract refreshes failed: A, B, C and 2 more - Credentials refused: 4, Timeout: 1"
    );
    let lists = vec![List { more: 7, ..list("2 still failing", &["Sales", "Orders"]) }];
    let shown = Notification { lists, ..blank(Kind::Digest, "12 events in quiet hours") };
    assert_eq!(text(&shown, None), "12 events in quiet hours: 2 still failing: Sales, Orders and 7 more");
}

#[test]
fn words_of_a_rule_stand_in_place_of_the_title_and_behind_it_as_far_as_there_is_room() {
    let own = Notification {
        own_title: Some("No invoices since 02:12".to_owned()),
        own_text: Some("Do not send the report to customers today.".to_owned()),
        ..failed("Invoices", "https://tableau.example/1")
    };
    assert_eq!(
        text(&own, None),
        "No invoices since 02:12 - Credentials refused. Do not send the report to customers today. https://tableau.example/1"
    );
    let long = Notification { own_text: Some("Please call the desk. ".repeat(20)), ..own };
    let said = text(&long, None);
    assert!(said.contains("Please call the desk. Please") && said.contains("... https://"), "{said}");
    assert_eq!(segments(&said), 1, "{said}");
}

proptest! {
    #[test]
    fn whatever_names_and_words_are_the_text_is_one_line_that_fits(
        name in ".{0,300}", project in ".{0,80}", words in ".{0,300}", title in proptest::option::of(".{1,200}"), last in any::<bool>(),
    ) {
        let facts = vec![alerting::notification::Fact::new("Project", Value::Text(project))];
        let shown = Notification { own_text: Some(words), own_title: title, facts, ..failed(&name, LINK) };
        let said = text(&shown, last.then_some("Last text today."));
        prop_assert!(fits(&said), "{}: {said:?}", segments(&said));
        prop_assert!(!said.contains(['\n', '\r']) && plain(&said) == said, "{said:?}");
        prop_assert!(!said.contains("https://10ay") || said.ends_with(LINK), "{said:?}");
        prop_assert!(!last || said.contains("Last text today."), "{said:?}");
    }
}
