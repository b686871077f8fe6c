use super::super::source;
use super::*;

fn problem(text: &str) -> String {
    let values = BTreeMap::from([("team".to_owned(), Scalar::Number(1))]);
    check(text, &source::parts(text), &values).err().map(|mistake| mistake.text).unwrap_or_default()
}

fn is_title(text: &str) {
    assert_eq!(problem(text), "there is no variable `titel`; did you mean `title`?", "{text}");
}

#[test]
fn a_misspelt_variable_is_named_wherever_it_stands() {
    for filter in FILTERS {
        is_title(&format!("{{{{ titel | {filter} }}}}"));
    }
    for text in [
        "{{ titel }}",
        "{{ titel | line(130) }}",
        "{{ titel[:3] }}",
        "{{ lines[titel] }}",
        "{{ lines[:titel] }}",
        "{{ \"a\" ~ titel }}",
        "{{ titel or \"a\" }}",
        "{{ 1 if titel else 2 }}",
        "{{ 1 if title else titel }}",
        "{{ title | replace(\"a\", titel) }}",
        "{{ titel is defined }}",
        "{{ titel is not defined }}",
        "{{ not titel }}",
        "{{ [1, titel] }}",
        "{{ {\"a\": titel} }}",
        "{{ {titel: 1} }}",
        "{{ titel.x }}",
        "{% if false %}{{ titel }}{% endif %}",
        "{% if titel %}{% endif %}",
        "{% if title %}{% elif titel %}{% endif %}",
        "{% for a in titel %}{% endfor %}",
        "{% for a in lines if titel %}{% endfor %}",
        "{% for a in [] %}{{ titel }}{% endfor %}",
        "{% set a = titel %}",
        "{% with a = titel %}{% endwith %}",
        "{% filter line(titel) %}{% endfilter %}",
        "{% filter upper %}{{ titel }}{% endfilter %}",
    ] {
        is_title(text);
    }
}

#[test]
fn the_nearest_name_is_said_or_what_there_is() {
    for (text, expected) in [
        ("{{ object.nmae | line(20) }}", "there is no variable `object.nmae`; did you mean `object.name`?"),
        ("{{ object[\"nmae\"] }}", "there is no variable `object.nmae`; did you mean `object.name`?"),
        (
            "{{ event.happend_at | line(20) }}",
            "there is no variable `event.happend_at`; did you mean `event.happened_at`?",
        ),
        ("{{ title.name }}", "there is no variable `title.name`; did you mean `object.name`?"),
        ("{{ objct.name }}", "there is no variable `objct`; did you mean `object`?"),
        ("{{ name }}", "there is no variable `name`; did you mean `object.name`?"),
        ("{{ owner_email }}", "there is no variable `owner_email`; did you mean `owner.email`?"),
        (
            "{{ object.colour }}",
            "there is no variable `object.colour`; there are: object.certified, object.kind, object.link, object.luid, \
             object.name, object.tags",
        ),
        ("{% set severity = 1 %}{{ severty }}", "there is no variable `severty`; did you mean `severity`?"),
        (
            "{% for a in lines %}{{ loop.lats }}{% endfor %}",
            "there is no variable `loop.lats`; did you mean `loop.last`?",
        ),
        ("{{ values.tem | line(3) }}", "there is no `values.tem`; did you mean `values.team`?"),
        ("{{ values.x | line(3) }}", "there is no `values.x`: add `x` to `values`"),
        ("{% if false %}{{ values.x }}{% endif %}", "there is no `values.x`: add `x` to `values`"),
    ] {
        assert_eq!(problem(text), expected, "{text}");
    }
    assert!(problem("{{ colour }}").ends_with("; there are: title, lines, object, event, owner, project, cause, site, deleted, rule, missing, values"));
}

#[test]
fn what_there_is_may_be_used() {
    for text in [
        "{{ title }}{{ lines | join(\", \") }}{{ lines[:20] }}{{ values.team }}",
        "{{ values.x | default(\"a\") }}",
        "{% if values.x is defined %}{{ values.x }}{% endif %}",
        "{% for line in lines %}{{ line }}{{ loop.last }}{{ loop.index }}{% endfor %}",
        "{% set o = object %}{{ o.name }}{% set a, b = lines %}{{ a }}{{ b }}",
        "{% with a = title, b = 1 %}{{ a }}{{ b }}{% endwith %}",
        "{{ true }}{{ False }}{{ none }}{{ title if not object.name is defined else \"titel\" }}",
        "{% raw %}{{ titel }}{% endraw %}{# titel #}{{ title | tojson(indent=2) }}",
        "{{ lines.0 }}{{ object.tags[0] }}{{ object[\"na\" ~ \"me\"] }}",
    ] {
        assert_eq!(problem(text), "", "{text}");
    }
}
