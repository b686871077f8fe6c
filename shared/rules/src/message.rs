//! Templates for the words of a notification. No I/O.

use crate::hints;
use minijinja::{Environment, UndefinedBehavior, Value, filters};
use std::collections::BTreeSet;

/// How many steps one template may take: many times what a message needs, and far from a second.
const FUEL: u64 = 20_000;
/// The longest text that a template may make, in characters. Destinations shorten further.
pub const LONGEST: usize = 3_000;

/// What templates know, each with what it is. All are texts; empty where Tableau does not say it.
pub const VARIABLES: [(&str, &str); 20] = [
    ("event", "the event's name, such as DatasourceRefreshFailed"),
    ("kind", "workbook, data source, view, user, site or webhook"),
    ("name", "the name of the workbook, data source or other object"),
    (
        "project",
        "the name of its project; of what is deleted, the path of where it was, such as Finance/Reports",
    ),
    ("owner", "the owner's name"),
    ("owner_email", "the owner's e-mail address"),
    ("deleted_by", "the name of the user who deleted it; empty unless the event is a deletion"),
    ("tags", "its tags, separated by commas"),
    ("site", "the site's name, else its LUID"),
    ("url", "the address of its page"),
    ("rule", "the name of the rule"),
    ("cause", "why the refresh failed, in a few words"),
    ("cause_class", "the class of the cause, such as Credentials"),
    ("detail", "the line of Tableau's note that says why the refresh failed"),
    ("next_step", "what to do about the failure"),
    ("failures", "how many times in a row the refresh has failed"),
    ("since", "when the first of them failed, in the site's time zone"),
    ("happened_at", "when the event happened, in the site's time zone"),
    ("event_id", "the event's short id, for `events show`"),
    ("resource_luid", "Tableau's id of the object"),
];

/// The templates of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub title: Option<String>,
    /// The text below it.
    pub text: Option<String>,
}

/// What [`VARIABLES`] are for one notification, in their order.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "VARIABLES says what each is")]
pub struct Variables {
    pub event: String,
    pub kind: String,
    pub name: String,
    pub project: String,
    pub owner: String,
    pub owner_email: String,
    pub deleted_by: String,
    pub tags: String,
    pub site: String,
    pub url: String,
    pub rule: String,
    pub cause: String,
    pub cause_class: String,
    pub detail: String,
    pub next_step: String,
    pub failures: String,
    pub since: String,
    pub happened_at: String,
    pub event_id: String,
    pub resource_luid: String,
}

impl Variables {
    fn pairs(&self) -> [(&'static str, &str); VARIABLES.len()] {
        [
            ("event", self.event.as_str()),
            ("kind", self.kind.as_str()),
            ("name", self.name.as_str()),
            ("project", self.project.as_str()),
            ("owner", self.owner.as_str()),
            ("owner_email", self.owner_email.as_str()),
            ("deleted_by", self.deleted_by.as_str()),
            ("tags", self.tags.as_str()),
            ("site", self.site.as_str()),
            ("url", self.url.as_str()),
            ("rule", self.rule.as_str()),
            ("cause", self.cause.as_str()),
            ("cause_class", self.cause_class.as_str()),
            ("detail", self.detail.as_str()),
            ("next_step", self.next_step.as_str()),
            ("failures", self.failures.as_str()),
            ("since", self.since.as_str()),
            ("happened_at", self.happened_at.as_str()),
            ("event_id", self.event_id.as_str()),
            ("resource_luid", self.resource_luid.as_str()),
        ]
    }
}

impl Message {
    /// The words for one notification, without line breaks in the title. A template that fails gives none, and why: the
    /// notification goes out with its usual words.
    pub fn render(&self, variables: &Variables) -> (Option<String>, Option<String>, Vec<String>) {
        let mut problems = Vec::new();
        let mut rendered = |template: &Option<String>| {
            let template = template.as_deref()?;
            match render(template, variables) {
                Ok(text) => Some(text).filter(|text| !plain_text::is_blank(text)),
                Err(problem) => {
                    problems.push(problem);
                    None
                }
            }
        };
        let title = rendered(&self.title).map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "));
        let text = rendered(&self.text);
        (title, text, problems)
    }
}

/// Everything that is wrong with a template: all variables that there are not, or else the first other mistake.
pub(crate) fn problems(template: &str) -> Vec<String> {
    let environment = environment();
    if template.contains("${{") {
        return vec!["the `$` before `{{` would be shown: write {{ name }} without it".to_owned()];
    }
    let parsed = match environment.template_from_str(template) {
        Ok(parsed) => parsed,
        Err(error) => {
            let is_of_go = ["{{ .", "{{.", "{{ $", "{{$"].iter().any(|start| template.contains(start));
            let hint = if is_of_go { ": write {{ name }}, without `.` and `$`" } else { "" };
            return vec![format!("{}{hint}", words(&error))];
        }
    };
    let mut problems = with_one_brace(template);
    let known: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
    let used: BTreeSet<String> = parsed.undeclared_variables(false).into_iter().collect();
    for unknown in used.iter().filter(|name| !known.contains(&name.as_str())) {
        let near = hints::variable(unknown).or_else(|| tableau::nearest(unknown, known.iter().copied()));
        problems.push(match near {
            Some(near) => format!("there is no variable `{unknown}`; did you mean `{near}`?"),
            None => format!("there is no variable `{unknown}`; there are: {}", known.join(", ")),
        });
    }
    if problems.is_empty() {
        problems.extend(render(template, &Variables::default()).err());
    }
    problems
}

/// Names of variables within one brace, which would be shown as they are: `{ name }` and `${name}`.
fn with_one_brace(template: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let sign = rest[..start].ends_with('$');
        let inner = &rest[start + 1..];
        // What is within `{{ … }}`, `{% … %}` and `{# … #}` is none of the text.
        let block =
            [("{", "}}"), ("%", "%}"), ("#", "#}")].into_iter().find(|(open, _)| inner.starts_with(open));
        if let Some((_, close)) = block {
            rest = inner.split_once(close).map_or("", |(_, after)| after);
            continue;
        }
        let name = inner.split('}').next().unwrap_or_default();
        if VARIABLES.iter().any(|(known, _)| *known == name.trim()) && inner.len() > name.len() {
            let sign = if sign { "$" } else { "" };
            problems
                .push(format!("`{sign}{{{name}}}` would be shown as it is: write {{{{ {} }}}}", name.trim()));
        }
        rest = inner;
    }
    problems
}

fn render(template: &str, variables: &Variables) -> Result<String, String> {
    let environment = environment();
    let parsed = environment.template_from_str(template).map_err(|error| words(&error))?;
    let text = parsed.render(Value::from_pairs(variables.pairs())).map_err(|error| words(&error))?;
    Ok(text.chars().take(LONGEST).collect())
}

/// Few filters: each is a part of every function.
fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("replace", filters::replace);
    environment.add_filter("default", filters::default);
    environment.add_filter("length", filters::length);
    environment
}

fn words(error: &minijinja::Error) -> String {
    use minijinja::ErrorKind;
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::OutOfFuel => "the template takes too many steps: make it simpler".to_owned(),
        ErrorKind::UnknownFilter => {
            format!("{detail}; there are: default, length, lower, replace, trim, upper")
        }
        ErrorKind::SyntaxError if detail.contains("end of variable block") => {
            "`{{` is not closed: write `}}` after the variable".to_owned()
        }
        ErrorKind::SyntaxError if detail.contains("end of input") => {
            "a block is not closed: write {% endif %} for {% if … %}, and {% endfor %} for {% for … %}"
                .to_owned()
        }
        ErrorKind::SyntaxError => format!("the template has a mistake: {detail}"),
        kind if detail.is_empty() => format!("the template has a mistake: {kind}"),
        _ => format!("the template has a mistake: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_the_list_is_there() {
        let names = Variables::default().pairs().map(|(name, _)| name);
        assert_eq!(names, VARIABLES.map(|(name, _)| name));
    }

    #[test]
    fn a_template_is_filled_in_and_its_title_is_one_line() {
        let message = Message {
            title: Some("{{ name }}\n failed{% if owner %}: {{ owner | upper }}{% endif %}".to_owned()),
            text: Some("{{ cause | default('unknown', true) }}".to_owned()),
        };
        let variables =
            Variables { name: "Sales".to_owned(), owner: "Ana".to_owned(), ..Variables::default() };
        let (title, text, problems) = message.render(&variables);
        assert_eq!((title.as_deref(), text.as_deref()), (Some("Sales failed: ANA"), Some("unknown")));
        assert!(problems.is_empty());
    }

    #[test]
    fn a_mistake_in_a_template_is_found_when_the_file_is_checked() {
        for (template, expected) in [
            ("{{ name }}", None),
            ("{{ nmae }}", Some("there is no variable `nmae`; did you mean `name`?")),
            ("{{ name | shout }}", Some("there are: default, length")),
            ("{{ name", Some("`{{` is not closed: write `}}` after the variable")),
            ("{% if name %}x", Some("a block is not closed")),
            ("{{ .Name }}", Some("write {{ name }}, without `.` and `$`")),
            ("{{ $labels.name }}", Some("write {{ name }}, without `.` and `$`")),
            ("${{ name }}", Some("the `$` before `{{` would be shown")),
            ("{{ deleted_by }}", None),
            ("{{ deleter }}", Some("there is no variable `deleter`; did you mean `deleted_by`?")),
            ("{{ workbook }}", Some("there is no variable `workbook`; did you mean `name`?")),
            ("{% for x in name %}{{ x }}{% endfor %}", None),
            ("{% include 'x' %}", Some("mistake")),
            ("{{ name.first }}", Some("mistake")),
        ] {
            let found = problems(template).into_iter().next();
            match expected {
                None => assert_eq!(found, None, "{template}"),
                Some(expected) => {
                    assert!(found.as_ref().is_some_and(|f| f.contains(expected)), "{template}: {found:?}")
                }
            }
        }
    }

    // 15-9
    #[test]
    fn a_variable_within_one_brace_is_a_mistake_and_other_braces_are_text() {
        let shown =
            |text: &str, name: &str| format!("`{text}` would be shown as it is: write {{{{ {name} }}}}");
        for (template, text, name) in [
            ("{ name } failed", "{ name }", "name"),
            ("{name} failed", "{name}", "name"),
            ("${owner}: {{ name }}", "${owner}", "owner"),
            ("{% if cause %}{cause}{% endif %}", "{cause}", "cause"),
        ] {
            assert_eq!(problems(template), [shown(text, name)], "{template}");
        }
        for template in ["{a} {} {{ name }} {", "{ \"name\": 1 }", "{# {name} #}x", "{{ '{name}' }}", "{name"]
        {
            assert!(problems(template).is_empty(), "{template}");
        }
    }

    // 15-10
    #[test]
    fn every_variable_that_there_is_not_is_shown_at_once() {
        let found = problems("{{ nmae }} {{ ownr }} {since}");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().any(|text| text.contains("`nmae`")), "{found:?}");
        assert!(found.iter().any(|text| text.contains("`ownr`")), "{found:?}");
    }

    // Issue 15, 1
    #[test]
    fn each_variable_is_filled_in_with_its_own_text_and_nothing_is_escaped() {
        let text = |name: &str| format!("<{name}> & *x*");
        let mut variables = Variables::default();
        for (name, value) in [
            ("event", &mut variables.event),
            ("kind", &mut variables.kind),
            ("name", &mut variables.name),
            ("project", &mut variables.project),
            ("owner", &mut variables.owner),
            ("owner_email", &mut variables.owner_email),
            ("deleted_by", &mut variables.deleted_by),
            ("tags", &mut variables.tags),
            ("site", &mut variables.site),
            ("url", &mut variables.url),
            ("rule", &mut variables.rule),
            ("cause", &mut variables.cause),
            ("cause_class", &mut variables.cause_class),
            ("detail", &mut variables.detail),
            ("next_step", &mut variables.next_step),
            ("failures", &mut variables.failures),
            ("since", &mut variables.since),
            ("happened_at", &mut variables.happened_at),
            ("event_id", &mut variables.event_id),
            ("resource_luid", &mut variables.resource_luid),
        ] {
            *value = text(name);
        }
        for (name, _) in VARIABLES {
            let template = format!("{{{{ {name} }}}}");
            assert!(problems(&template).is_empty());
            // Destinations escape for themselves.
            let (title, _, _) = Message { title: Some(template), text: None }.render(&variables);
            assert_eq!(title.as_deref(), Some(text(name).as_str()));
        }
    }

    // Issue 15, 1
    #[test]
    fn a_text_is_cut_a_blank_one_is_none_and_an_error_repeats_no_value() {
        let variables = Variables { name: "hunter2".repeat(1000), ..Variables::default() };
        let render = |text: &str| Message { title: None, text: Some(text.to_owned()) }.render(&variables);
        let (_, text, _) = render("{{ name }}");
        assert_eq!(text.map(|text| text.chars().count()), Some(LONGEST));
        assert_eq!(render(" {{ owner }}\n").1, None);
        assert_eq!(render("a\n {%- if name %} b{% endif %}").1.as_deref(), Some("a b"));
        for wrong in [
            "{{ name.first.second }}",
            "{{ name + 1 }}",
            "{{ name() }}",
            "{{ name | default(1, 2, 3) }}",
            "{{ nmae }}",
        ] {
            let (_, text, problems) = render(wrong);
            assert_eq!((text, problems.len()), (None, 1), "{wrong}");
            assert!(!problems[0].contains("hunter2"), "{problems:?}");
        }
    }

    #[test]
    fn a_template_that_never_ends_runs_out_of_fuel() {
        let twice = "{% for a in x %}{% for b in x %}{% for c in x %}y{% endfor %}{% endfor %}{% endfor %}";
        let template = format!("{{% set x = '{}' %}}{twice}", "z".repeat(200));
        assert_eq!(problems(&template), ["the template takes too many steps: make it simpler"]);
        let variables = Variables::default();
        let (title, _, problems) = Message { title: Some(template), text: None }.render(&variables);
        assert_eq!((title, problems.len()), (None, 1));
    }
}
