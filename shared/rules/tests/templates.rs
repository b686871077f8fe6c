//! Mistakes in the templates of `forward-event`: where in the file they are said to be.

use rules::{Error, Position, Rules};

/// The place and the text of the only problem.
fn problem(text: &str) -> (Position, String) {
    match Rules::check_text(text) {
        Err(Error::Wrong(problems)) => match problems.as_slice() {
            [problem] => (problem.at, problem.text.clone()),
            others => panic!("{others:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn rule(template: &str) -> String {
    format!(
        "rules:\n  - name: a\n    on: [RefreshFailed]\n    do:\n      - forward-event:\n          target: a\n          {template}\n"
    )
}

#[test]
fn a_mistake_in_a_block_is_said_at_its_own_line_of_the_file() {
    const LINES: &str = "\n            {\n              \"a\": 1,\n\n              \"b\": {{ titel | line(3) }}\n            }";
    let expected = "template: there is no variable `titel`; did you mean `title`?";
    for sign in ["|", "|-", "|+", "| # ours"] {
        let lines = LINES;
        let text = rule(&format!("template: {sign}{lines}"));
        let at = Position { line: 11, column: 13 };
        assert_eq!(problem(&text), (at, expected.to_owned()), "{sign}");
        let (with_mark, _) = problem(&format!("\u{feff}{}", text.replace('\n', "\r\n")));
        assert_eq!(with_mark, at, "{sign}");
    }
}

#[test]
fn elsewhere_the_text_says_the_line_of_the_template() {
    let (at, text) = problem(&rule(r#"template: "{\n\"a\": {{ titel }}}""#));
    assert_eq!(at.line, 7);
    assert_eq!(text, "template: line 2 of the template: there is no variable `titel`; did you mean `title`?");
    let (_, text) = problem(&rule(r#"template: '{"a": {{ titel }}}'"#));
    assert_eq!(text, "template: there is no variable `titel`; did you mean `title`?");
}

#[test]
fn a_template_is_tried_with_the_events_of_its_rule() {
    let template = r#"template: '{"a": {{ object.tags | first }}}'"#;
    let (_, text) = problem(&rule(template));
    assert!(
        text.ends_with("(tried with a sample of `DatasourceRefreshFailed` of which nothing is known)"),
        "{text}"
    );
    let template = r#"template: '{"a": {% if event.name == "AdminDemoted" %}{% else %}1{% endif %}}'"#;
    assert!(Rules::check_text(&rule(template)).is_ok());
}

// Defaults are for the rules that take them: these may give the value.
#[test]
fn defaults_are_checked_in_the_rules_that_take_them() {
    let text = |values: &str| {
        format!(
            "defaults:\n  forward-event: {{ target: a, preset: jira-issue }}\nrules:\n  - name: a\n    on: [RefreshFailed]\n    do:\n      - forward-event: {values}\n"
        )
    };
    assert!(Rules::check_text(&text("{ values: { project: BI } }")).is_ok());
    let (_, problem) = problem(&text("{}"));
    assert_eq!(problem, "preset: there is no `values.project`: add `project` to `values`");
}
