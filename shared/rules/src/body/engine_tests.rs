use super::super::{check, samples};
use super::*;

fn rendered(text: &str, name: &str) -> Result<serde_json::Value, String> {
    let is_failure = |data: &&Data| data.event.name == "DatasourceRefreshFailed";
    let mut data = samples().iter().find(is_failure).unwrap().clone();
    data.object.name = Some(name.to_owned());
    let values =
        BTreeMap::from([("count".to_owned(), Scalar::Number(3)), ("on".to_owned(), Scalar::Truth(true))]);
    let text = Template { text, values: &values }.render(&data)?;
    Ok(serde_json::from_str(&text).unwrap())
}

fn problem(text: &str) -> String {
    check(Template { text, values: &BTreeMap::new() }).err().unwrap_or_default()
}

#[test]
fn no_name_breaks_out_of_its_place() {
    for name in [
        r#"", "admin": true, "x": ""#,
        "a\\\"b\nc",
        "{{ values }}",
        "</script>",
        "\u{2028}\u{0}",
        "é\u{1f600}",
    ] {
        let made = rendered(r#"{"a": {{ object.name }}, "b": {{ "x " ~ object.name }}}"#, name).unwrap();
        assert_eq!(made, serde_json::json!({ "a": name, "b": format!("x {name}") }));
    }
}

#[test]
fn values_keep_their_kind_and_what_is_not_known_is_null() {
    let made = rendered(
        r#"[{{ values.count }}, {{ values.on }}, {{ values.other | default("x") }}, {{ deleted.by }}, {{ object.tags }}]"#,
        "a",
    );
    assert_eq!(made.unwrap(), serde_json::json!([3, true, "x", null, ["critical"]]));
}

#[test]
fn what_a_template_says_wrongly_is_said_before_it_has_an_effect() {
    for (text, expected) in [
        (r#"{"a": {{ object.nmae }}}"#, "there is no such variable, at line 1"),
        (r#"{"a": {{ nmae }}}"#, "there is no such variable"),
        ("{\n\"a\": {{ values.project }}}", "there is no `values.project`: add `project` to `values`"),
        (
            r#"{"a": "{{ object.name }}"}"#,
            "what the template makes is not JSON, at line 1, column 9: a value brings its own",
        ),
        (r#"{"a": 1,}"#, "what the template makes is not JSON"),
        ("hello", "what the template makes is not JSON"),
        (r#"{"a": {{ object.name | safe }}}"#, "filter safe is unknown"),
        (r#"{"a": {{ object.name }"#, "`{{` is not closed"),
        ("{% for a in lines %}", "a block is not closed"),
        ("{% include 'x' %}{}", "the template has a mistake"),
        // It works as long as Tableau names the owner.
        (r#"{"a": {{ owner.name | upper }}{{ owner.email.x }}}"#, "there is no such variable, at line 1"),
    ] {
        assert!(problem(text).contains(expected), "{text}: {}", problem(text));
    }
    assert_eq!(problem(r#"{"a": {{ object.name }}, "b": {{ owner.email or "nobody" }}}"#), "");
}

#[test]
fn a_template_that_never_ends_runs_out_of_fuel_and_a_long_one_is_stopped() {
    let numbers = "[1,2,3,4,5,6,7,8,9,0]";
    let mut text = "1".to_owned();
    for name in ["a", "b", "c", "d", "e"] {
        text = format!("{{% for {name} in {numbers} %}}{text}{{% endfor %}}");
    }
    assert_eq!(rendered(&text, "x").unwrap_err(), "the template takes too many steps: make it simpler");
    let long = format!("[{}1]", "{{ object.name }},".repeat(10));
    assert_eq!(rendered(&long, &"x".repeat(30 * 1024)).unwrap_err(), "the template makes more than 240 KiB");
}

#[test]
fn no_error_repeats_a_value() {
    for text in
        ["{{ object.name }}{{ nmae }}", "{{ object.name + 1 }}", "x{{ object.name }}", "{{ object.name() }}"]
    {
        let problem = rendered(text, "hunter2").unwrap_err();
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}
