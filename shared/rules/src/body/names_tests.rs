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
        "{% set x | replace(\"a\", titel) %}b{% endset %}",
        "{% set x %}{{ titel }}{% endset %}",
        "{% with a = title, b = titel %}{% endwith %}",
        "{{ title | line(1_000) }}{{ 1e3 }}{{ titel }}",
        "{#} {{ title }} #}{{ titel }}",
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
        ("{{ title | default(values.x) | default(1) }}", "there is no `values.x`: add `x` to `values`"),
        (
            "{% if \"x\" in values.team %}{{ values.x }}{% endif %}",
            "there is no `values.x`: add `x` to `values`",
        ),
        ("{% if false %}{{ values.x }}{% endif %}", "there is no `values.x`: add `x` to `values`"),
    ] {
        assert_eq!(problem(text), expected, "{text}");
    }
    assert!(problem("{{ colour }}").ends_with("; there are: title, lines, object, event, owner, project, cause, site, deleted, rule, data, missing, values"));
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
        "{{ title | line(1_000) }}{{ 1e3 }}{{ 0x1f }}{{ 1.5 }}{{ lines.0.1 }}",
        "{% with (a, b) = [1, 2], c = a %}{{ a }}{{ b }}{{ c }}{% endwith %}",
        "{% for (a, b) in [[1, 2]] %}{{ a }}{{ b }}{% else %}{{ title }}{% endfor %}",
        "{% for a in lines if a recursive %}{{ a }}{% for b in a %}{{ loop.depth }}{% endfor %}{{ loop.last }}{% endfor %}",
        "{% if title %}{% set t = 1 %}{% else %}{% set t = 2 %}{% endif %}{{ t }}",
        "{% set t | upper %}{% set u = 1 %}{% endset %}{{ t }}",
        "{% set recursive = 1 %}{{ recursive }}",
        "{{ (values.x) | default(\"a\") }}",
        "{{ ((values[\"x\"])) is defined }}",
        "{% if \"x\" in values %}{{ values.x }}{% endif %}",
        "{% if \"x\" not in values %}{% else %}{{ values.x }}{% endif %}",
        "{#} {{ titel }} #}{#- titel -#}",
        "{{ lines.0 }}{{ object.tags[0] }}{{ object[\"na\" ~ \"me\"] }}",
    ] {
        assert_eq!(problem(text), "", "{text}");
    }
}

#[test]
fn a_name_has_a_value_only_where_its_block_gives_it_one() {
    for text in [
        "{% if false %}{% for t in lines %}{{ t }}{% endfor %}{{ t }}{% endif %}",
        "{% for t in lines %}{% else %}{{ t }}{% endfor %}",
        "{% for a in t %}{% set t = a %}{% endfor %}",
        "{% for a in lines %}{% set t = a %}{% endfor %}{{ t }}",
        "{% for t in t %}{% endfor %}",
        "{% with t = 1 %}{% endwith %}{{ t }}",
        "{% with t = t %}{% endwith %}",
        "{% set t %}{{ t }}{% endset %}",
        "{{ t }}{% set t = 1 %}",
        "{% set t.x = 1 %}",
        "{% with (a, b) = t %}{% endwith %}",
    ] {
        assert!(problem(text).starts_with("there is no variable `t"), "{text}: {}", problem(text));
    }
    for (text, expected) in [
        ("{% set object.x = 1 %}{{ object.nmae }}", "there is no variable `object.x`"),
        (
            "{% if false %}{% set object.name = 1 %}{{ object.nmae }}{% endif %}",
            "there is no variable `object.nmae`",
        ),
        ("{{ recursive }}", "there is no variable `recursive`"),
        ("{% for a in recursive %}{% endfor %}", "there is no variable `recursive`"),
        ("{{ loop.index }}", "`loop` is known only between {% for … %} and {% endfor %}"),
        ("{% for a in lines if loop.first %}{% endfor %}", "`loop` is known only"),
        ("{% for a in lines %}{% else %}{{ loop.first }}{% endfor %}", "`loop` is known only"),
        ("{% for a in lines %}{% endfor %}{{ loop.first }}", "`loop` is known only"),
    ] {
        assert!(problem(text).starts_with(expected), "{text}: {}", problem(text));
    }
}

// `loop.cycle()` would end the process.
#[test]
fn a_loop_has_no_calls_and_is_no_value() {
    let of = |inner: &str| problem(&format!("{{% for a in lines %}}{{{{ {inner} }}}}{{% endfor %}}"));
    for (inner, expected) in [
        ("loop.cycle()", "there is no variable `loop.cycle`; there are: loop.index, loop.index0, "),
        ("loop[\"cycle\"]()", "there is no variable `loop.cycle`"),
        ("loop.changed(a)", "there is no variable `loop.changed`"),
        ("loop.previtem", "there is no variable `loop.previtem`"),
        ("loop.nextitem", "there is no variable `loop.nextitem`"),
        ("loop", "`loop` is no value; there are: loop.index, "),
        ("(loop).cycle()", "`loop` is no value"),
        ("[loop][0].cycle()", "`loop` is no value"),
        ("loop[\"cy\" ~ \"cle\"]()", "`loop` is no value"),
        ("a.cycle()", "there is no function `cycle`"),
        ("loop(a)", "there is no function `loop`"),
    ] {
        assert!(of(inner).starts_with(expected), "{inner}: {}", of(inner));
    }
}
