//! `rules deploy`, `show`, `history` and `rollback`.

use crate::stack::{Stack, rules};
use crate::terminal::Asked;
use crate::{objects, stderr, stdout};
use aws_sdk_dynamodb::types::AttributeValue;
use unicode_width::UnicodeWidthStr as _;

// 15, item 3
#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_shows_what_changes_and_publishes_the_next_version() {
    let stack = Stack::start().await;
    let first = stack.run(&["deploy", "--yes"]).await;
    let lines = [
        "rules.yaml: 1 rule; events of every site are accepted",
        "not checked: whether webhooks at Tableau send these events; --webhooks asks Tableau, and `webhooks apply` registers what is \
         missing",
        "no rules are in force yet: all 5 lines are new",
        "version 1 is in force; functions use it within a minute",
    ];
    assert_eq!(stdout(&first).lines().collect::<Vec<_>>(), lines, "{}", stderr(&first));
    stack.write("rules.yaml", &rules("data-news"));
    let second = stack.run(&["deploy", "--yes"]).await;
    let shown = stdout(&second);
    for part in [
        "--- version 1, in force since 20",
        "\n+++ rules.yaml\n",
        "\n-      - notify-slack: { channel: data-alerts }\n+      - notify-slack: { channel: data-news }\n",
        "\nversion 2 is in force; functions use it within a minute\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}{}", stderr(&second));
    }
    let again = stack.run(&["deploy", "--yes"]).await;
    assert!(
        stdout(&again).ends_with("nothing to do: version 2, which is in force, is the same as rules.yaml\n"),
        "{}",
        stdout(&again)
    );
    assert_eq!(objects(&stack.run(&["history", "--json"]).await).len(), 2);
}

// 15, item 3
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_published_without_a_terminal_or_yes_and_nothing_that_has_a_mistake() {
    let stack = Stack::start().await;
    for command in [&["deploy"][..], &["rollback", "1"]] {
        if command[0] == "rollback" {
            stack.deploy(&rules("one")).await;
            stack.deploy(&rules("two")).await;
        }
        let output = stack.run(command).await;
        let expected = "error: cannot ask for confirmation without a terminal: add --yes to publish without a question\n";
        assert!(stderr(&output).ends_with(expected), "{}", stderr(&output));
        assert_eq!(output.status.code(), Some(1));
    }
    stack.write("rules.yaml", &rules("two").replace("RefreshFailed", "RefreshFaild"));
    let output = stack.run(&["deploy", "--yes"]).await;
    assert!(stderr(&output).starts_with("rules.yaml:3:10: error: "), "{}", stderr(&output));
    let versions = objects(&stack.run(&["history", "--json"]).await);
    assert_eq!((versions.len(), &versions[0]["version"]), (2, &2.into()));
}

// 15, item 3
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_shown_is_not_overwritten() {
    let stack = Stack::start().await;
    stack.deploy(&rules("one")).await;
    stack.write("mine.yaml", &rules("mine"));
    let command = stack.command(&["deploy", "mine.yaml"]);
    let asked = tokio::task::spawn_blocking(move || Asked::start(command)).await.unwrap();
    stack.deploy(&rules("theirs")).await;
    let (shown, code) = tokio::task::spawn_blocking(move || asked.answer("y")).await.unwrap();
    assert!(
        shown.contains("not published: another version has been published since this difference was shown"),
        "{shown}"
    );
    assert_eq!(code, Some(1));
    let command = stack.command(&["deploy", "mine.yaml"]);
    let (shown, code) = tokio::task::spawn_blocking(move || Asked::start(command).answer("n")).await.unwrap();
    assert!(shown.contains("not published\n") && code == Some(1), "{shown}");
    let command = stack.command(&["deploy", "mine.yaml"]);
    let (shown, code) = tokio::task::spawn_blocking(move || Asked::start(command).answer("y")).await.unwrap();
    assert!(shown.contains("channel: theirs }") && shown.contains("version 3 is in force"), "{shown}");
    assert_eq!(code, Some(0));
}

// 15, item 3
#[tokio::test(flavor = "multi_thread")]
async fn show_says_what_is_in_force_and_where_the_file_differs() {
    let stack = Stack::start().await;
    let none = stack.run(&["show"]).await;
    let expected =
        "error: no rules are published at the stack `tableau-webhooks`: `rules deploy` publishes a file\n";
    assert_eq!((stderr(&none).as_str(), none.status.code()), (expected, Some(1)));
    stack.deploy(&rules("one")).await;
    let shown = stdout(&stack.run(&["show"]).await);
    for part in [
        "version 1, in force since 20",
        "  published by  ana\n",
        "  how           rules deploy\n",
        "  rules         1 rule\n",
        "  file          the same as rules.yaml\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    stack.deploy(&rules("two")).await;
    stack.write("rules.yaml", &rules("three"));
    let shown = stdout(&stack.run(&["show"]).await);
    let difference = "-      - notify-slack: { channel: two }\n+      - notify-slack: { channel: three }\n";
    assert!(shown.contains("  file          differs from rules.yaml:\n\n--- version 2\n"), "{shown}");
    assert!(shown.ends_with(difference), "{shown}");
    let one = stdout(&stack.run(&["show", "--version", "1"]).await);
    assert!(one.starts_with("version 1, published 20") && one.contains("not in force"), "{one}");
    assert_eq!(stdout(&stack.run(&["show", "--version", "1", "--text"]).await), rules("one"));
    let facts = objects(&stack.run(&["show", "--json"]).await).remove(0);
    for (field, expected) in [
        ("version", serde_json::json!(2)),
        ("in_force", true.into()),
        ("published_by", "ana".into()),
        ("how", "rules deploy".into()),
        ("of_version", serde_json::Value::Null),
        ("rules", 1.into()),
        ("file", "rules.yaml".into()),
        ("same_as_file", false.into()),
    ] {
        assert_eq!(facts[field], expected, "{field}");
    }
    assert_eq!(facts["sha256"].as_str().map(str::len), Some(64));
    let absent = stack.run(&["show", "--version", "9"]).await;
    assert_eq!(stderr(&absent), "error: there is no version 9 of the rules: `rules history` lists them\n");
}

// 15, item 3
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_publishes_an_earlier_text_as_a_new_version() {
    let stack = Stack::start().await;
    stack.deploy(&rules("one")).await;
    let none = stack.run(&["rollback", "--yes"]).await;
    let expected = "error: there is no version before the one in force: `rules history` lists all\n";
    assert_eq!((stderr(&none).as_str(), none.status.code()), (expected, Some(1)));
    stack.deploy(&rules("two")).await;
    let back = stdout(&stack.run(&["rollback", "--yes"]).await);
    assert!(
        back.contains("\n+++ version 1, of 20") && back.contains("+      - notify-slack: { channel: one }"),
        "{back}"
    );
    assert!(back.ends_with("version 3 is in force; functions use it within a minute\n"), "{back}");
    let same = stdout(&stack.run(&["rollback", "1", "--yes"]).await);
    assert_eq!(same, "nothing to do: version 3, which is in force, is the same as version 1\n");
    let history = stdout(&stack.run(&["history"]).await);
    let lines: Vec<&str> = history.lines().collect();
    assert!(lines.len() == 4 && lines.iter().all(|line| line.width() <= 80), "{history}");
    assert!(lines[0].starts_with("VERSION  PUBLISHED"), "{history}");
    assert!(lines[1].starts_with("3 *  ") && lines[1].contains("  rollback to 1  "), "{history}");
    assert!(lines[3].starts_with("1    ") && lines[3].contains("  ana  "), "{history}");
    let newest = objects(&stack.run(&["history", "--json", "--limit", "1"]).await);
    assert_eq!(
        (newest.len(), &newest[0]["how"], &newest[0]["of_version"]),
        (1, &"rollback".into(), &1.into())
    );
}

// 15, item 3
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_version_is_said_and_can_be_replaced() {
    for repair in [&["deploy", "--yes"][..], &["rollback", "--yes"]] {
        let stack = Stack::start().await;
        stack.deploy(&rules("one")).await;
        let (client, table) = stack.table().await;
        let is_current = |item: &&serde_json::Value| item["pk"]["S"] == "rules#current";
        let listed = stack.aws.items(&table).iter().find(is_current).unwrap().clone();
        let key = |name: &str| AttributeValue::S(listed[name]["S"].as_str().unwrap().to_owned());
        let get = client.get_item().table_name(&table).key("pk", key("pk")).key("sk", key("sk"));
        let mut item = get.send().await.unwrap().item.unwrap();
        for value in item.values_mut() {
            if let AttributeValue::S(text) = value
                && text.starts_with('{')
            {
                *text = "{\"number\":".to_owned();
            }
        }
        client.put_item().table_name(&table).set_item(Some(item)).send().await.unwrap();
        let shown = stack.run(&["show"]).await;
        assert!(
            stderr(&shown).contains("the version in force cannot be read (the version is damaged"),
            "{}",
            stderr(&shown)
        );
        let output = stack.run(repair).await;
        assert!(
            stdout(&output).contains("is in force; functions use it within a minute"),
            "{}{}",
            stdout(&output),
            stderr(&output)
        );
        let shown = stdout(&stack.run(&["show"]).await);
        assert!(shown.contains("  file          the same as rules.yaml\n"), "{shown}");
    }
}
