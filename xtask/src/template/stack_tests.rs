//! Whether `template.yaml` is what the workflows' files make of it, and where the parts of another workflow go.

use super::*;
use crate::name::Events;
use crate::repository::Repository;
use crate::template::definitions;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn workflow(name: &str, more: &str) -> Definition {
    let text = format!("summary: Does it.\nnote: With care.\nevents: [WorkbookCreated]\n{more}");
    Definition::parse(Name::parse(name).unwrap(), &text).unwrap()
}

fn stack() -> Stack {
    Stack { text: fs::read_to_string(root().join("template.yaml")).unwrap() }
}

/// The workflows of the repository, in alphabetical order.
fn all() -> Vec<Definition> {
    definitions(&Repository::at(&root())).unwrap()
}

fn headings(text: &str) -> Vec<&str> {
    let own = text
        .lines()
        .filter_map(|line| line.strip_prefix("  # --- "))
        .map(|text| text.trim_end_matches('-').trim());
    own.filter(|heading| !heading.starts_with("shared: ")).collect()
}

/// The text without the rule that depends on how many workflows there are.
fn without_rule(text: &str) -> String {
    fit::with_rule(text, &[]).unwrap()
}

#[test]
fn template_yaml_is_what_the_workflows_files_make_of_it() {
    let all = all();
    assert!(all.len() >= 2, "{all:?}");
    let stack = stack();
    let wanted = stack.of(&all).unwrap();
    let differs = stack.text.lines().zip(wanted.lines()).find(|(one, other)| one != other);
    assert!(wanted == stack.text, "run `cargo xtask template`; first, {differs:?}");
}

#[test]
fn a_change_by_hand_inside_a_workflows_parts_is_undone_and_one_outside_stays() {
    let all = all();
    let stack = stack();
    for (right, wrong) in [
        (
            "  NotifySlackQueue:\n    Type: AWS::SQS::Queue\n",
            "  NotifySlackQueue:\n    Type: AWS::SQS::Other\n",
        ),
        ("  UpdateBroadcastOn: !Equals [!Ref UpdateBroadcastEnabled, \"true\"]\n", ""),
        ("          - UpdateBroadcastEnabled\n", ""),
        (
            "    Description: The URL for Tableau webhooks whose events only notify-slack gets.\n",
            "    Description: x\n",
        ),
        ("    Default: \"true\"\n    AllowedValues: [\"true\", \"false\"]\n", "    Default: \"true\"\n"),
        ("      \"${NotifySlackAgeAlarm.Arn}\",", "      "),
    ] {
        let text = stack.text.replacen(right, wrong, 1);
        assert_ne!(text, stack.text, "template.yaml has no {right}");
        let mended = Stack { text }.of(&all).unwrap();
        let differs = stack.text.lines().zip(mended.lines()).find(|(one, other)| one != other);
        assert!(mended == stack.text, "{wrong}: {differs:?}");
    }
    let text = stack.text.replacen("    MemorySize: 256\n", "    MemorySize: 512\n", 1);
    assert_ne!(text, stack.text);
    assert_eq!(Stack { text: text.clone() }.of(&all).unwrap(), text);
}

#[test]
fn a_workflow_without_its_file_leaves_template_yaml_whole() {
    let all = all();
    let stack = stack();
    for name in ["announce-workbook", "page-oncall", "zap-extract"] {
        let added = Stack { text: stack.with(&workflow(name, "")).unwrap() };
        assert_ne!(added.text, stack.text, "{name}");
        let removed = added.of(&all).unwrap();
        let differs = stack.text.lines().zip(removed.lines()).find(|(one, other)| one != other);
        assert!(removed == stack.text, "{name}: {differs:?}");
    }
}

#[test]
fn a_resource_that_a_person_has_added_behind_a_block_stays() {
    let all = all();
    let stack = stack();
    let own = "\n  # Ours.\n  ReportBucket:\n    Type: AWS::S3::Bucket\n";
    let at_the_end = stack.text.clone() + own;
    let heading = "\n  # --- update-broadcast -";
    assert_eq!(stack.text.matches(heading).count(), 1);
    let between = stack.text.replacen(heading, &format!("{own}{heading}"), 1);
    for text in [at_the_end, between] {
        let written = Stack { text: text.clone() }.of(&all).unwrap();
        assert!(written == text, "the resource is gone or has moved");
    }
    // Inside a block it would be lost.
    let queue = "  UpdateBroadcastQueue:\n";
    let inside =
        stack.text.replacen(queue, &format!("  ReportBucket:\n    Type: AWS::S3::Bucket\n{queue}"), 1);
    let refused = Stack { text: inside }.of(&all).unwrap_err().to_string();
    assert!(refused.contains("`ReportBucket:` stands inside the block of UpdateBroadcast"), "{refused}");
}

#[test]
fn a_block_without_a_blank_line_before_it_takes_no_line_of_another_along() {
    let stack = stack();
    let name = Name::parse("update-broadcast").unwrap();
    let glued = stack.text.replacen("\n\n  # --- update-broadcast -", "\n  # --- update-broadcast -", 1);
    assert_ne!(glued, stack.text);
    let with_blank = stack.without(&name.pascal()).unwrap();
    assert_eq!(Stack { text: glued }.without(&name.pascal()).unwrap(), with_blank);
    assert!(stack.lost(&with_blank).unwrap().contains(&"UpdateBroadcastQueue".to_owned()));
}

#[test]
fn the_parts_go_where_the_alphabet_puts_them_and_change_nothing_else() {
    let stack = stack();
    for name in ["announce-workbook", "page-oncall", "zap-extract"] {
        let added = workflow(name, "tableau: true\n");
        let changed = stack.with(&added).unwrap();

        let mut expected = headings(&stack.text);
        expected.push(name);
        expected.sort_unstable();
        assert_eq!(headings(&changed), expected);
        assert!(!changed.contains("\n\n\n") && !changed.ends_with("\n\n") && changed.ends_with('\n'));
        let rule = fit::rule(&stack.workflows_with(&added.name).unwrap()).unwrap();
        assert_eq!(changed.matches(&rule).count(), 1, "{name}: the rule of what fits a new account");
        let changed = without_rule(&changed);
        let mut without = changed.replacen(&format!("{}\n", block(&added)), "", 1);
        without = without.replacen(&format!("\n{}", block(&added)), "", 1);
        for (section, _, template) in &ENTRIES {
            let part = filled(template, &added);
            assert_eq!(without.matches(&part).count(), 1, "{section}: {name}");
            without = without.replacen(&part, "", 1);
        }
        assert_eq!(without, without_rule(&stack.text), "{name}");
    }
}

#[test]
fn parts_of_several_workflows_stand_in_alphabetical_order_in_every_section() {
    let mut stack = stack();
    for name in ["zap-extract", "announce-workbook", "page-oncall"] {
        stack.text = stack.with(&workflow(name, "")).unwrap();
    }
    let order = ["AnnounceWorkbook", "NotifySlack", "PageOncall", "UpdateBroadcast", "ZapExtract"];
    for (section, Entry { around: (start, end), .. }, _) in &ENTRIES {
        let names = stack.text.lines().filter_map(|line| line.strip_prefix(start)?.split_once(end));
        let names: Vec<&str> = names.map(|(name, _)| name).filter(|name| order.contains(name)).collect();
        assert_eq!(names, order, "{section}");
    }
}

#[test]
fn every_key_of_the_file_reaches_the_block() {
    let least = block(&workflow("tag-workbook", ""));
    for absent in ["MemorySize", "Timeout: ", "TABLEAU_", "Sweep", "TimersRole", "s3:PutObject"] {
        assert!(!least.contains(&format!(" {absent}")), "{absent} in\n{least}");
    }
    for (more, part) in [
        ("memory_mb: 512\n", "      Description: Does it.\n      MemorySize: 512\n"),
        ("timeout_seconds: 120\n", "      Timeout: 120\n"),
        ("timeout_seconds: 120\n", "      VisibilityTimeout: 720\n"),
        ("secrets: { SLACK_SECRET: SlackSecret }\n", "          SLACK_SECRET: !GetAtt SlackSecret.Id\n"),
        (
            "secrets: { SLACK_SECRET: SlackSecret }\n",
            "                  - !GetAtt WebhookSecret.Id\n                  - !GetAtt SlackSecret.Id\n",
        ),
        ("parameters: { SLACK_API_URL: SlackApiUrl }\n", "          SLACK_API_URL: !Ref SlackApiUrl\n"),
        (
            "statements: |\n  # Why.\n  - { Effect: Allow, Action: s3:PutObject, Resource: !GetAtt {{Name}}Bucket.Arn }\n",
            "              # Why.\n              - { Effect: Allow, Action: s3:PutObject, Resource: !GetAtt TagWorkbookBucket.Arn }\n  TagWorkbookLogs:\n",
        ),
        ("tableau: true\n", "                      - \"session#*\"\n"),
        ("timers: true\n", "  TagWorkbookTimersRole:\n"),
        ("timers: true\n", "          TIMER_QUEUE_ARN: !GetAtt TagWorkbookQueue.Arn\n"),
        ("sends_events: true\n", "          EVENT_BUS_NAME: !Ref TableauEventBus\n"),
        (
            "sends_events: true\n",
            "                Action: events:PutEvents\n                Resource: !GetAtt TableauEventBus.Arn\n",
        ),
        ("pages: certify\n", "      RouteKey: ANY /certify/{link}\n"),
        ("routes: refreshes\n", "      RouteKey: ANY /refreshes\n"),
        ("routes: refreshes\n", "      RouteKey: ANY /refreshes/{id}\n"),
        ("routes: refreshes\n", ":${HttpApi}/*/*/refreshes/*\n"),
        (
            "routes: refreshes\n",
            "          PUBLIC_URL: !If [HasPagesUrl, !Ref PagesUrl, !GetAtt HttpApi.ApiEndpoint]\n",
        ),
        (
            "pages: certify\n",
            "          PUBLIC_URL: !If [HasPagesUrl, !Ref PagesUrl, !GetAtt HttpApi.ApiEndpoint]\n",
        ),
        ("alerting: true\n", "  TagWorkbookTimersRole:\n"),
        ("alerting: true\n", ":schedule/*/tw-tag-workbook-*\n"),
    ] {
        let block = block(&workflow("tag-workbook", more));
        assert!(block.contains(part), "{more}: no\n{part}in\n{block}");
        assert!(!block.contains("{{"), "{block}");
    }
    let parameter = ENTRIES[1].2;
    assert!(filled(parameter, &workflow("a", "enabled_by_default: true\n")).contains("Default: \"true\""));
    // A new workflow must not switch itself on at an upgrade.
    assert!(filled(parameter, &workflow("a", "")).contains("Default: \"false\""));
    let every = Definition { events: None, ..workflow("tag-workbook", "") };
    assert!(
        block(&every).contains("# No detail-type: every event") && !block(&every).contains("- Unreadable\n")
    );
    let names = ["WorkbookCreated".to_owned(), "DatasourceCreated".to_owned()];
    let two = Definition { events: Some(Events::parse(&names).unwrap()), ..workflow("tag-workbook", "") };
    assert!(block(&two).contains("          - DatasourceCreated\n          - WorkbookCreated\n"));
}

#[test]
fn a_name_that_the_template_does_not_have_is_refused_with_the_file_and_the_key() {
    for (more, problem) in [
        (
            "secrets: { SLACK_SECRET: SlackSecrte }\n",
            "secrets: template.yaml has no `SlackSecrte` in Resources:",
        ),
        ("secrets: { A: HttpApi }\n", "secrets: `HttpApi` is not a secret of template.yaml"),
        (
            "secrets: { A: SlackSecret }\n",
            "secrets: `SlackSecret` is there only while NotifySlack is on: add a secret of its own",
        ),
        (
            "parameters: { QUEUE_URL: SlackApiUrl }\n",
            "`QUEUE_URL` is set for every workflow, or by Lambda: choose another name",
        ),
        (
            "secrets: { WEBHOOK_SECRET: WebhookSecret }\n",
            "`WEBHOOK_SECRET` is set for every workflow, or by Lambda: choose another name",
        ),
        (
            "parameters: { AWS_REGION: SlackApiUrl }\n",
            "`AWS_REGION` is set for every workflow, or by Lambda: choose another name",
        ),
        ("parameters: { A: SlackSecret }\n", "parameters: template.yaml has no `SlackSecret` in Parameters:"),
    ] {
        let refused = stack().with(&workflow("tag-workbook", more)).unwrap_err().to_string();
        assert_eq!(refused, format!("functions/tag-workbook/workflow.yaml: {problem}"));
    }
}

#[test]
fn a_name_that_would_make_a_second_resource_or_output_of_one_name_is_refused() {
    for (name, taken) in [
        ("webhook", "WebhookUrl"),
        ("timers", "TimersUndeliveredAlarm"),
        ("http-api", "HttpApi"),
        ("delivery-table", "DeliveryTable"),
    ] {
        let refused = stack().with(&workflow(name, "")).unwrap_err().to_string();
        assert_eq!(refused, format!("the name `{name}` is taken: template.yaml has `{taken}`"));
    }
    // A workflow that is there may have its own names again.
    let names = all().into_iter().map(|workflow| stack().with(&workflow).map(|_| workflow.name));
    assert!(names.into_iter().all(|name| name.is_ok()));
}

#[test]
fn what_is_printed_says_where_it_belongs() {
    let text = stack().to_paste(&workflow("update-aaa", ""));
    assert!(text.contains("\n# In Resources, before `# --- update-broadcast -"), "{text}");
    assert!(
        text.starts_with(
            "# In Metadata, in the group Workflows, before `- UpdateBroadcastEnabled`:\n          - UpdateAaaEnabled\n"
        ),
        "{text}"
    );
    for part in [
        "\n# In Parameters, before `UpdateBroadcastEnabled:`:\n  UpdateAaaEnabled:\n",
        "\n# In Conditions, before `UpdateBroadcastOn: !Equals [!Ref UpdateBroadcastEnabled, \"true\"]`:\n  UpdateAaaOn: ",
        "\n# In Outputs, before `UpdateBroadcastUrl:`:\n  UpdateAaaUrl:\n",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let text = stack().to_paste(&workflow("zap-extract", ""));
    assert!(text.contains("\n# In Resources, at the end:\n  # --- zap-extract -"), "{text}");
    assert!(
        text.contains("\n# In Outputs, after those of the other workflows:\n  ZapExtractUrl:\n"),
        "{text}"
    );
}
