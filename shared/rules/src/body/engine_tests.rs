use super::super::{check, samples};
use super::*;
use tableau::EventName;

fn rendered(text: &str, name: &str) -> Result<serde_json::Value, String> {
    let is_failure = |data: &&Data| data.event.name == "DatasourceRefreshFailed";
    let mut data = samples().iter().find(is_failure).unwrap().clone();
    data.object.name = Some(name.to_owned());
    let values =
        BTreeMap::from([("count".to_owned(), Scalar::Number(3)), ("on".to_owned(), Scalar::Truth(true))]);
    let text = Template { text, values: &values }.render(&data).map_err(|mistake| mistake.to_string())?;
    Ok(serde_json::from_str(&text).unwrap())
}

fn problem(text: &str) -> String {
    let template = Template { text, values: &BTreeMap::new() };
    check(template, &EventName::ALL).err().map(|mistake| mistake.to_string()).unwrap_or_default()
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
fn what_is_not_known_is_an_empty_text_within_texts_and_truth_is_written_as_in_json() {
    for (text, expected) in [
        (r#"{{ "p: " ~ deleted.by }}"#, "p: "),
        (r#"{{ deleted.by ~ "" ~ object.certified }}"#, "true"),
        (r#"{{ deleted.by | lower }}"#, ""),
        (r#"{{ deleted.by | upper }}"#, ""),
        (r#"{{ deleted.by | trim }}"#, ""),
        (r#"{{ deleted.by | replace("o", "0") }}"#, ""),
        (r#"{{ deleted.by | line(3) }}"#, ""),
        (r#"{{ deleted.by | label }}"#, ""),
        (r#"{{ deleted.by | mrkdwn }}"#, ""),
        (r#"{{ deleted.by | text }}"#, ""),
        (r#"{{ deleted.by | first }}"#, ""),
        (r#"{{ deleted.by | last }}"#, ""),
        (r#"{{ object.name | first }}"#, "a"),
        (r#"{{ object.tags | last }}"#, "critical"),
        (r#"{{ [] | first | default("none") }}"#, "none"),
        (r#"{{ deleted.by | default("no one") }}"#, "no one"),
        (r#"{{ [deleted.by, object.certified, "c"] | join(",") }}"#, ",true,c"),
        (r#"{{ object.certified | upper }}"#, "TRUE"),
        (r#"{{ deleted.by ~ ":" if deleted.by == none else "known" }}"#, ":"),
        (r#"{{ "yes" if object.certified == true and not deleted.by else "no" }}"#, "yes"),
        (r#"{{ values.count ~ "/" ~ values.on }}"#, "3/true"),
        (r#"{{ 2 * -3 ~ " points" }}"#, "-6 points"),
        (r#"{{ 7 // -2 ~ "|" ~ 7 % -4 ~ "|" ~ 2 ** -1 }}"#, "-4|-1|0.5"),
        (r#"{{ "abc" | replace(*["a" ~ "b", "x"]) }}"#, "xc"),
        (r#"{{ [["a", "b"], "-"] | join(*["/" ~ "/"]) }}"#, "a\nb//-"),
    ] {
        assert_eq!(rendered(text, "a").unwrap(), serde_json::json!(expected), "{text}");
    }
    assert_eq!(
        rendered("[{{ deleted.by }}, {{ deleted.by | length }}, {{ deleted.by | tojson }}]", "a").unwrap(),
        serde_json::json!([null, 0, null])
    );
}

#[test]
fn a_text_of_several_lines_keeps_them_and_is_cut_visibly() {
    for (text, expected) in [
        ("{{ [\"ab\", \"cd\"] | text }}", "ab\ncd"),
        ("{{ [\"ab\", \"cd\"] | text(5) }}", "ab\ncd"),
        ("{{ [\"ab\", \"cd\"] | text(4) }}", "ab…"),
        ("{{ \"äöü\\nx\" | text(4) }}", "äöü…"),
        ("{{ [\"ab\", \"cd\"] ~ \"\" }}", "ab\ncd"),
    ] {
        assert_eq!(rendered(text, "a").unwrap(), serde_json::json!(expected), "{text}");
    }
    assert!(
        problem("{{ lines | text(\"9\") }}").contains("write text(15000)"),
        "{}",
        problem("{{ lines | text(\"9\") }}")
    );
}

#[test]
fn a_misspelt_part_is_named_also_where_it_is_asked_for_by_another_name() {
    for text in [
        "{% set o = object %}{{ o.nmae | default(\"x\") }}",
        "{{ object[\"nmae\" ~ \"\"] | line(3) }}",
        "{% set o = object %}{{ o.nmae is defined }}",
        "{% for o in [object] %}{{ o.nmae }}{% endfor %}",
    ] {
        let problem = problem(text);
        assert!(
            problem.contains("there is no variable `object.nmae`; did you mean `object.name`?"),
            "{problem}"
        );
    }
    for filter in ["text", "label", "mrkdwn", "tojson", "length", "upper", "line(3)"] {
        let problem =
            problem(&format!("{{% for tag in lines %}}{{{{ tag.nmae | {filter} }}}}{{% endfor %}}"));
        assert!(problem.contains("a variable has no such part"), "{filter}: {problem}");
    }
}

#[test]
fn what_a_template_says_wrongly_is_said_before_it_has_an_effect() {
    for (text, expected) in [
        (
            "{\n\"a\": {{ values.project }}}",
            "line 2 of the template: there is no `values.project`: add `project` to `values`",
        ),
        (r#"{"a": 1,}"#, "line 1 of the template: what the template makes is not JSON: look for a comma"),
        ("hello", "line 1 of the template: what the template makes is not JSON"),
        (r#"{"a": {{ object.name | line.x }}}"#, "`line` has no parts: take away the dot"),
        (r#"{"a": {{ object.name is defined.x }}}"#, "`defined` has no parts: take away the dot"),
        (r#"{"a": {{ object.name | safe }}}"#, "there is no filter `safe`; there are: default, "),
        (r#"{"a": {{ object.name | lines(3) }}}"#, "there is no filter `lines`; did you mean `line`?"),
        (r#"{"a": {{ object.name is none }}}"#, "there is no test `is none`"),
        (r#"{"a": {{ range(3) }}}"#, "there is no function `range`"),
        (r#"{% autoescape false %}{"a": "{{ title }}"}{% endautoescape %}"#, "there is no `autoescape`"),
        (r#"{"a": {{ object.name }"#, "`{{` is not closed"),
        ("{% for a in lines %}", "a block is not closed"),
        ("{% for a in lines %}{{ titel }}", "a block is not closed"),
        ("{{ 1 ~ * 2 }}", "the template has a mistake"),
        (
            "{% for a in lines %}{{ loop.cycle() }}{% endfor %}",
            "there is no variable `loop.cycle`; there are: loop.index, ",
        ),
        ("{% for a in lines %}{% set l = loop %}{{ l.cycle() }}{% endfor %}", "`loop` is no value"),
        ("{% for a in lines %}{{ a.cycle() }}{% endfor %}", "there is no function `cycle`"),
        ("{% include 'x' %}{}", "the template has a mistake"),
        (
            r#"{"a": {{ title | line("130") }}}"#,
            "`line` wants the largest number of characters, without quotation marks: write line(130)",
        ),
        (r#"{"a": {{ title | line }}}"#, "`line` wants the largest number of characters"),
        (r#"{"a": {{ lines[99] }}}"#, "a variable has no such part, or a list no such item"),
    ] {
        assert!(problem(text).contains(expected), "{text}: {}", problem(text));
    }
    assert_eq!(problem(r#"{"a": {{ object.name }}, "b": {{ owner.email or "nobody" }}}"#), "");
}

#[test]
fn quotation_marks_around_a_variable_are_named_with_what_is_written_there() {
    for (text, expected) in [
        (
            "{\n\"a\": \"{{ title | line(130) }}\"}",
            "line 2 of the template: what the template makes is not JSON: a value brings its own quotation marks, so write \
             {{ title | line(130) }} without quotation marks around it",
        ),
        (
            r#"{"a": "Failed: {{ object.name or "" }} in …"}"#,
            r#"a value brings its own quotation marks, so join the text inside the braces: {{ "Failed: " ~ (object.name or "") }}"#,
        ),
        (r#"{"a": "{{ title }} x"}"#, r"so join the text inside the braces: {{ (title) }}"),
    ] {
        assert!(problem(text).contains(expected), "{text}: {}", problem(text));
    }
}

#[test]
fn a_mistake_in_json_is_on_the_line_of_the_template_that_makes_it() {
    for (text, line) in [
        ("{\n\"a\": [{% for x in [1, 2, 3] %}\n{{ x }},\n{% endfor %}4],\n\"b\": }", 5),
        ("{\n\"a\": [\n{%- for x in [1, 2, 3] %}\n{{ x }}{% endfor %}],\n\"b\": 1}", 4),
        ("{% if title == \"\" %}\n\n\n\n{% endif %}{\"a\": 1 \"b\": 2}", 5),
        ("{\n\"é\": {{ \"a\" ~ title }},\n\n\"b\": 1", 4),
    ] {
        let problem = problem(text);
        let start = format!("line {line} of the template: what the template makes is not JSON");
        assert!(problem.starts_with(&start), "{text}: {problem}");
    }
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
    for text in [
        "{{ object.name }}{{ nmae }}",
        "{{ object.name + 1 }}",
        "x{{ object.name }}",
        "{{ object.name() }}",
        "{{ object[object.name] }}",
        "{% set o = object %}{{ o[object.name] | default(1) }}",
        "{{ values[object.name] }}",
        "{{ title | tojson(**{object.name: 1}) }}",
    ] {
        let problem = rendered(text, "hunter2").unwrap_err();
        assert!(!problem.contains("hunter2"), "{problem}");
    }
    for text in ["{{ object[object.name] }}", "{{ object[\"nm\" ~ \"ae\"] | line(3) }}"] {
        let problem = rendered(text, "hunter2").unwrap_err();
        assert!(
            problem.contains("a computed name is no part of `object`; there are: object.certified, "),
            "{problem}"
        );
    }
}
