//! `cargo xtask new-workflow` in a copy of the repository: what it changes, and whether the result builds and works.
//!
//! The copy stays in the target folder. It shares what is compiled there of other crates, and a second run compiles
//! little more than the new workflow.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has failed")]
#![expect(clippy::print_stdout, reason = "it says what it skips")]

mod copy;
mod tutorial;

use copy::{Copy, listing, text};

/// A name that no workflow has.
const NAME: &str = "rehearse-new-workflow";

/// The same for one that asks Tableau.
const WITH_TABLEAU: &str = "rehearse-with-tableau";

/// The types of what rules say to them.
const SETTINGS: [&str; 2] = [
    "shared/rules/src/settings/rehearse_new_workflow.rs",
    "shared/rules/src/settings/rehearse_with_tableau.rs",
];

#[test]
fn a_new_workflow_changes_template_yaml_and_the_list_of_workflows_and_builds_and_passes_its_tests() {
    let copy = Copy::fresh();
    let before = listing(&copy.root);

    let written =
        copy.xtask(&["new-workflow", NAME, "--on", "WorkbookCreated", "--on", "WorkbookUpdated", "--write"]);
    assert!(written.status.success(), "{}", text(&written));
    let asks = ["--on", "DatasourceUpdated", "--on", "WorkbookCreated", "--tableau", "--write"];
    let written = copy.xtask(&[["new-workflow", WITH_TABLEAU].as_slice(), &asks].concat());
    assert!(written.status.success(), "{}", text(&written));

    let after = listing(&copy.root);
    let changed: Vec<_> =
        before.iter().filter(|(name, text)| after.get(*name) != Some(text)).map(|(n, _)| n).collect();
    assert_eq!(changed, ["shared/rules/src/settings/mod.rs", "template.yaml"]);
    let new: Vec<_> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    let expected =
        ["Cargo.toml", "README.md", "src/lib.rs", "src/main.rs", "tests/workflow.rs", "workflow.yaml"];
    let of = |name: &str| expected.map(|file| format!("functions/{name}/{file}"));
    let mut expected: Vec<String> = [of(NAME), of(WITH_TABLEAU)].concat();
    expected.push(format!("functions/{WITH_TABLEAU}/src/config.rs"));
    expected.extend(SETTINGS.map(str::to_owned));
    expected.sort();
    assert_eq!(new, expected.iter().collect::<Vec<_>>());

    // From here on cargo adds the new package to Cargo.lock.
    // The last three packages are there for the features they ask for: with those, dependencies are as `cargo test
    // --workspace` compiles them, and are not compiled a second time.
    let packages = [NAME, WITH_TABLEAU, "repository-tests", "local-aws", "runtime", "tableau-webhooks"];
    let targets = ["--lib", "--test", "workflow", "--test", "template", "--test", "architecture"];
    let packages = packages.map(|package| ["--package", package]);
    let tests = copy.cargo(&[&["test", "--offline"], packages.as_flattened(), &targets].concat());
    let report = text(&tests);
    assert!(tests.status.success(), "{report}");
    for name in [NAME, WITH_TABLEAU] {
        assert!(!report.contains(&format!("warning: `{name}`")), "{report}");
    }
    for test in [
        "tests::a_rule_can_ask_for_a_part_of_the_name",
        "an_event_that_a_rule_names_is_done",
        "a_queued_event_is_done",
        "an_event_waits_in_the_queue_while_tableau_is_down",
        "an_object_that_tableau_does_not_have_is_skipped",
        "policies::no_policy_has_a_wildcard_but_for_what_has_no_resource_and_names_of_schedules",
        "events::every_workflow_has_its_settings_in_shared_rules_and_the_bus_sends_it_the_events_that_it_acts_on",
        "rules::what_a_new_account_is_not_asked_to_confirm_fits_its_ten_executions",
        "environment::the_code_reads_what_the_template_sets_and_the_other_way_round",
        "every_package_takes_lints_from_the_workspace",
    ] {
        assert!(report.contains(&format!("test {test} ... ok")), "{test} did not run:\n{report}");
    }
    let formatted =
        copy.cargo(&["fmt", "--check", "--package", NAME, "--package", WITH_TABLEAU, "--package", "rules"]);
    assert!(formatted.status.success(), "{}", text(&formatted));
}

#[test]
fn what_exists_is_not_overwritten_and_a_typo_writes_nothing() {
    let copy = Copy::fresh();
    let before = listing(&copy.root);
    for (arguments, problem) in [
        (
            ["notify-slack", "--on", "WorkbookCreated"],
            "the name `notify-slack` is taken by a folder in functions/",
        ),
        (
            ["tableau-client", "--on", "WorkbookCreated"],
            "the name `tableau-client` is taken by a package in Cargo.lock",
        ),
        (
            ["delivery-table", "--on", "WorkbookCreated"],
            "the name `delivery-table` is taken by a resource in template.yaml",
        ),
        (["Tag_Workbook", "--on", "WorkbookCreated"], "`Tag_Workbook` cannot be a workflow's name"),
        (
            [NAME, "--on", "WorkbookCraeted"],
            "`WorkbookCraeted` is no event name; did you mean `WorkbookCreated`?",
        ),
    ] {
        let refused = copy.xtask(&[["new-workflow"].as_slice(), &arguments, &["--write"]].concat());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.starts_with(&format!("error: {problem}")) && said.lines().count() == 1, "{said}");
        assert!(refused.stdout.is_empty());
    }
    assert!(listing(&copy.root) == before, "something was written");
}

#[test]
fn without_write_nothing_is_written_and_all_that_would_be_is_shown() {
    let copy = Copy::fresh();
    let before = listing(&copy.root);

    let shown = copy.xtask(&["new-workflow", NAME, "--on", "WorkbookCreated"]);

    assert!(shown.status.success(), "{}", text(&shown));
    assert!(listing(&copy.root) == before, "something was written");
    let said = String::from_utf8(shown.stderr).unwrap();
    for file in ["Cargo.toml", "README.md", "src/lib.rs", "src/main.rs", "tests/workflow.rs", "workflow.yaml"]
    {
        assert!(said.contains(&format!("would write  functions/{NAME}/{file}\n")), "{said}");
    }
    assert!(said.contains("would change template.yaml\n"), "{said}");
    assert!(said.ends_with("Nothing was written. Add --write to write it.\n"), "{said}");
    let printed = String::from_utf8(shown.stdout).unwrap();
    assert!(printed.starts_with("# In Metadata, in the group Workflows, "), "{printed}");
    for part in [
        "RehearseNewWorkflowEnabled",
        "RehearseNewWorkflowUrl",
        "RehearseNewWorkflow",
        "RehearseNewWorkflowRole",
        "RehearseNewWorkflowAgeAlarm",
        "FitsTwoWorkflows",
    ] {
        assert!(printed.contains(&format!("\n  {part}:\n")), "no {part} in\n{printed}");
    }
}

#[test]
fn the_help_says_that_nothing_is_written_without_write() {
    let copy = Copy::fresh();
    let help = copy.xtask(&["new-workflow", "-h"]);
    assert!(help.status.success(), "{}", text(&help));
    // However wide the terminal is.
    let help = text(&help).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("Without --write, shows what it would add"), "{help}");
    assert!(
        help.contains("Write the folder and change template.yaml. Without this, nothing is written"),
        "{help}"
    );
}

#[test]
fn a_change_of_a_workflows_file_reaches_template_yaml_with_one_command() {
    let copy = Copy::fresh();
    let file = copy.root.join("functions/update-broadcast/workflow.yaml");
    let template = copy.root.join("template.yaml");
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    let before = read(&template);
    let up_to_date = copy.xtask(&["template", "--check"]);
    assert!(up_to_date.status.success(), "{}", text(&up_to_date));

    std::fs::write(&file, read(&file) + "timeout_seconds: 120\n").unwrap();
    let refused = copy.xtask(&["template", "--check"]);

    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(
        text(&refused).starts_with("error: template.yaml is out of date, from line "),
        "{}",
        text(&refused)
    );
    assert_eq!(read(&template), before, "--check writes nothing");

    let written = copy.xtask(&["template"]);

    assert!(written.status.success(), "{}", text(&written));
    let after = read(&template);
    let new: Vec<&str> = after.lines().filter(|line| !before.lines().any(|other| other == *line)).collect();
    assert_eq!(new, ["      Timeout: 120", "      VisibilityTimeout: 720"]);
    assert!(copy.xtask(&["template", "--check"]).status.success());

    // A file that is gone removes nothing until a person says so.
    let text_of_file = read(&file);
    std::fs::remove_file(&file).unwrap();
    let refused = copy.xtask(&["template"]);
    assert!(text(&refused).contains("would lose UpdateBroadcast, "), "{}", text(&refused));
    assert_eq!(read(&template), after);
    let removed = copy.xtask(&["template", "--remove"]);
    assert!(removed.status.success(), "{}", text(&removed));
    assert!(!read(&template).contains("UpdateBroadcastQueue"));
    std::fs::write(&file, text_of_file).unwrap();
    assert!(copy.xtask(&["template"]).status.success());
    assert_eq!(read(&template), after);

    std::fs::write(&file, "summary: x\n").unwrap();
    let wrong = copy.xtask(&["template"]);
    assert!(
        text(&wrong).starts_with("error: functions/update-broadcast/workflow.yaml: "),
        "{}",
        text(&wrong)
    );
    assert_eq!(read(&template), after, "a file that is wrong changes nothing");
}
