//! Whether our block is the one that stands in `template.yaml`, and goes where it belongs.

use super::super::name::{Events, Name};
use super::*;
use std::path::Path;

fn workflow(name: &str, events: &[&str]) -> Workflow {
    let events: Vec<String> = events.iter().map(|&event| event.to_owned()).collect();
    Workflow { name: Name::parse(name).unwrap(), events: Events::parse(&events).unwrap(), tableau: true }
}

fn stack() -> Stack {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Stack { text: std::fs::read_to_string(root.join("template.yaml")).unwrap() }
}

/// The block of `name` as it stands in the text.
fn standing<'a>(stack: &'a Stack, name: &str) -> Vec<&'a str> {
    let from = stack.text.lines().skip_while(|line| !line.starts_with(&format!("  # --- {name} -")));
    let mut block: Vec<&str> = from.clone().take(1).collect();
    block.extend(from.skip(1).take_while(|line| !line.starts_with("  # --- ")));
    while block.last().is_some_and(|line| line.is_empty()) {
        block.pop();
    }
    block
}

fn headings(text: &str) -> Vec<&str> {
    let own = text
        .lines()
        .filter_map(|line| line.strip_prefix("  # --- "))
        .map(|text| text.trim_end_matches('-').trim());
    own.filter(|heading| !heading.starts_with("shared: ")).collect()
}

/// What a workflow has beyond what every workflow has: variables, secrets it may read, a comment on its events, and
/// statements of its own, each on one line, with a comment.
fn is_own_setting(line: &str) -> bool {
    let own = [
        "        # No detail-type: ",
        "              - { Effect: Allow, ",
        "                      - \"session#*\"",
    ];
    if own.iter().any(|start| line.starts_with(start)) {
        return true;
    }
    let variable = line.strip_prefix("          ").and_then(|text| text.split_once(": !"));
    let is_variable = variable.is_some_and(|(name, _)| {
        name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    });
    is_variable || (line.starts_with("                  - !GetAtt ") && line.ends_with("Secret.Id"))
}

/// What a workflow with timers has beyond that: how each passage begins, and how the line after it does. tests/template/timers.rs
/// says what must be in them.
const OF_TIMERS: [(&str, &str); 3] = [
    ("        # Finds what a lost timer left behind.", "  NotifySlackRole:"),
    ("              # Timers of its own.", "              # Of the table's items its own."),
    ("  # EventBridge Scheduler sends timers with it.", "  NotifySlackLogs:"),
];

/// A block without the passages about timers.
fn without_timers(block: Vec<&str>) -> Vec<&str> {
    let mut until: Option<&str> = None;
    let kept = block.into_iter().filter(|line| {
        if until.is_some_and(|end| line.starts_with(end)) {
            until = None;
        } else if until.is_none() {
            let passage = OF_TIMERS.iter().find(|(begin, _)| line.starts_with(begin));
            until = passage.map(|(_, end)| *end);
        }
        until.is_none()
    });
    kept.collect()
}

#[test]
fn our_block_is_the_one_of_the_workflows_that_stand_there() {
    let stack = stack();
    for name in ["notify-slack", "update-broadcast"] {
        let standing = without_timers(standing(&stack, name));
        let events: Vec<&str> = standing
            .iter()
            .skip_while(|line| line.trim() != "detail-type:")
            .skip(1)
            .map_while(|line| line.trim().strip_prefix("- "))
            .filter(|event| *event != "Unreadable")
            .collect();
        let about = standing[1].trim().trim_start_matches("# ");
        let summary = standing.iter().find_map(|line| line.strip_prefix("      Description: ")).unwrap();
        // A workflow that takes every event has no list of them.
        let every = events.is_empty();
        let events = if every { vec!["WorkbookUpdated"] } else { events };
        // Both sign in to Tableau.
        let mut ours = block_about(&workflow(name, &events), about, summary);
        if every {
            let list = ours.find("        detail-type:\n").unwrap();
            let behind = ours.find("      Targets:\n").unwrap();
            ours.replace_range(list..behind, "");
        }

        let mut theirs = standing.iter().copied().peekable();
        for line in ours.lines() {
            while theirs.next_if(|their| *their != line && is_own_setting(their)).is_some() {}
            assert_eq!(
                Some(line),
                theirs.next(),
                "xtask/templates/block.yaml.tmpl is not the block of {name}"
            );
        }
        assert_eq!(theirs.next(), None, "xtask/templates/block.yaml.tmpl ends before the block of {name}");
    }
}

#[test]
fn our_other_parts_are_those_of_the_workflows_that_stand_there() {
    for name in ["notify-slack", "update-broadcast"] {
        for (section, _, template) in &ENTRIES {
            let mut part = filled(template, &workflow(name, &["WorkbookUpdated"]));
            // Alone of all, it is on by itself: a new workflow must not switch itself on at an upgrade (11-A8).
            if name == "notify-slack" {
                part = part.replace("Default: \"false\"", "Default: \"true\"");
            }
            assert!(stack().text.contains(&part), "{section}: {part}");
        }
    }
}

#[test]
fn the_parts_go_where_the_alphabet_puts_them_and_change_nothing_else() {
    let stack = stack();
    for name in ["announce-workbook", "notify-teams", "zap-extract"] {
        let added = workflow(name, &["WorkbookCreated"]);
        let changed = stack.with(&added).unwrap();

        let mut expected = headings(&stack.text);
        expected.push(name);
        expected.sort_unstable();
        assert_eq!(headings(&changed), expected);
        assert!(
            !changed.contains("\n\n\n")
                && changed.ends_with("AWS::NoValue]\n") == stack.text.ends_with("AWS::NoValue]\n")
        );
        let all = stack.workflows_with(&added).unwrap();
        let rule = fit::rule(&all).unwrap();
        assert_eq!(changed.matches(&rule).count(), 1, "{name}: the rule of what fits a new account");
        let changed = changed.replacen(&rule, "", 1);
        let mut without = changed.replacen(&format!("{}\n", block(&added)), "", 1);
        without = without.replacen(&format!("\n{}", block(&added)), "", 1);
        for (section, _, template) in &ENTRIES {
            let part = filled(template, &added);
            assert_eq!(without.matches(&part).count(), 1, "{section}: {name}");
            without = without.replacen(&part, "", 1);
        }
        assert_eq!(without, stack.text, "{name}");
    }
}

#[test]
fn parts_of_several_workflows_stand_in_alphabetical_order_in_every_section() {
    let mut stack = stack();
    for name in ["zap-extract", "announce-workbook", "notify-teams"] {
        stack.text = stack.with(&workflow(name, &["WorkbookCreated"])).unwrap();
    }
    let order = ["AnnounceWorkbook", "NotifySlack", "NotifyTeams", "UpdateBroadcast", "ZapExtract"];
    for (section, Entry { around: (start, end), .. }, _) in &ENTRIES {
        let names = stack.text.lines().filter_map(|line| line.strip_prefix(start)?.split_once(end));
        let names: Vec<&str> = names.map(|(name, _)| name).filter(|name| order.contains(name)).collect();
        assert_eq!(names, order, "{section}");
    }
}

#[test]
fn what_is_printed_says_where_it_belongs() {
    let text = stack().to_paste(&workflow("update-aaa", &["WorkbookCreated"]));
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
    let text = stack().to_paste(&workflow("zap-extract", &["WorkbookCreated"]));
    assert!(text.contains("\n# In Resources, at the end:\n  # --- zap-extract -"), "{text}");
    assert!(
        text.contains("\n# In Outputs, after those of the other workflows:\n  ZapExtractUrl:\n"),
        "{text}"
    );
}
