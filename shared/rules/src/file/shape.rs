//! The shape of a rules file: which keys there are, and what each holds. It finds every value of another shape at once, says
//! what would be right, and takes the value out, so that the rest of the file can be checked as well. No I/O.

use super::node::{Kind, Node, Position};
use crate::comment::Comment;
use crate::error::Problem;
use crate::problem::{self, typographic_quotes};

/// What a key holds. The text is an example of it, for the author of a file that has something else there.
#[derive(Debug)]
pub(crate) enum Shape {
    Text(&'static str),
    Flag,
    /// A whole number, 1 or more.
    Count(&'static str),
    /// One text, or a list of them.
    Texts(&'static str),
    /// A list; nothing behind the colon is an empty one.
    List(&'static Shape, &'static str),
    Map(&'static [(&'static str, Shape)], &'static str),
    /// A map of this shape, or a list of them.
    Maps(&'static [(&'static str, Shape)], &'static str),
    /// An entry of `do`: one workflow with its settings.
    Action,
    /// Settings of workflows by name.
    Defaults,
}

const ZONE: Shape = Shape::Text("timezone: Europe/Berlin");
const HOURS: &str = "{ from: \"19:00\", to: \"08:00\" }";
const NAMES: &str = "a text or a list of texts";

const TIME: &[(&str, Shape)] = &[
    ("days", Shape::Texts("days: [Mon-Fri]")),
    ("from", Shape::Text("from: \"08:00\"")),
    ("to", Shape::Text("to: \"18:00\"")),
    ("timezone", ZONE),
];

const TAGS: &[(&str, Shape)] =
    &[("any", Shape::Texts(NAMES)), ("all", Shape::Texts(NAMES)), ("none", Shape::Texts(NAMES))];

const CONDITIONS: &[(&str, Shape)] = &[
    ("site", Shape::Texts("site: Marketing")),
    ("project", Shape::Texts("project: \"Finance/**\"")),
    ("name", Shape::Texts("name: \"Sales*\"")),
    ("tags", Shape::Map(TAGS, "tags: { any: [critical] }")),
    ("owner", Shape::Texts("owner: ana@example.com")),
    ("owner_group", Shape::Texts("owner_group: Finance Team")),
    ("certified", Shape::Flag),
    ("cause", Shape::Texts("cause: [Credentials]")),
    ("failures_in_a_row", Shape::Count("failures_in_a_row: 3")),
    ("time", Shape::Map(TIME, "time: { days: [Mon-Fri], from: \"08:00\", to: \"18:00\" }")),
];

const QUIET: &[(&str, Shape)] = TIME;

const MESSAGE: &[(&str, Shape)] = &[
    ("title", Shape::Text("title: \"{{ name }} has failed\"")),
    ("text", Shape::Text("text: \"{{ cause }}\"")),
];

static RULE: &[(&str, Shape)] = &[
    ("name", Shape::Text("name: finance refreshes")),
    ("on", Shape::List(&Shape::Text("WorkbookCreated"), "[WorkbookCreated]")),
    ("where", Shape::Map(CONDITIONS, "where: { project: \"Finance/**\" }")),
    ("unless", Shape::Maps(CONDITIONS, "unless: { tags: { any: [sandbox] } }")),
    ("otherwise", Shape::Flag),
    ("critical", Shape::Flag),
    ("mute_until", Shape::Text("mute_until: 2026-12-24T18:00:00+01:00")),
    ("quiet", Shape::Map(QUIET, HOURS)),
    ("message", Shape::Map(MESSAGE, "message: { title: \"{{ name }} has failed\" }")),
    ("do", Shape::List(&Shape::Action, "`- notify-slack: { channel: data-alerts }`")),
];

static MAINTENANCE: &[(&str, Shape)] = &[
    ("name", Shape::Text("name: server update")),
    ("where", Shape::Map(CONDITIONS, "where: { project: \"Finance/**\" }")),
    ("days", Shape::Texts("days: [Sun]")),
    ("from", Shape::Text("from: \"06:00\"")),
    ("to", Shape::Text("to: \"12:00\"")),
    ("timezone", ZONE),
];

static SITE: &[(&str, Shape)] = &[
    ("luid", Shape::Text("luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b")),
    ("name", Shape::Text("name: Marketing")),
    ("timezone", ZONE),
];

/// Keys without which a map says nothing: the map, what it is, and the keys.
static REQUIRED: [(&[(&str, Shape)], &str, &[&str]); 3] = [
    (SITE, "the site", &["luid", "name"]),
    (MAINTENANCE, "the maintenance window", &["name"]),
    (RULE, "the rule", &["name", "on", "do"]),
];

/// The whole file.
pub(crate) static FILE: &[(&str, Shape)] = &[
    ("sites", Shape::List(&Shape::Map(SITE, "a site with its luid and name"), "a dash before each entry")),
    ("defaults", Shape::Defaults),
    (
        "maintenance",
        Shape::List(&Shape::Map(MAINTENANCE, "a window with its name and times"), "a dash before each entry"),
    ),
    (
        "rules",
        Shape::List(&Shape::Map(RULE, "a rule with its name, `on` and `do`"), "a dash before each entry"),
    ),
];

/// Checks a file's shape, and takes out what has another one.
pub(crate) fn check(root: &mut Node, text: &str) -> Vec<Problem> {
    let mut walk = Walk { text, problems: Vec::new() };
    if matches!(root.kind, Kind::Null) {
        root.kind = Kind::Map(Vec::new());
    }
    if matches!(root.kind, Kind::Map(_)) {
        walk.map(root, FILE);
    } else {
        walk.problems.push(Problem::at(root.at, "write `rules:`, and below it a list of rules"));
        root.kind = Kind::Map(Vec::new());
    }
    walk.problems
}

struct Walk<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    /// Whether the value of this key has the shape. What is wrong within is taken out.
    fn value(&mut self, key: &str, node: &mut Node, shape: &Shape) -> bool {
        let may_be_empty = matches!(shape, Shape::List(..) | Shape::Defaults | Shape::Action);
        if matches!(node.kind, Kind::Null) && !may_be_empty {
            return self.empty(key, node.at, shape);
        }
        match shape {
            Shape::Text(example) => self.text(key, node, example),
            Shape::Flag => match &node.kind {
                Kind::Flag(_) => true,
                _ => self.wrong(key, node.at, "write true or false"),
            },
            Shape::Count(example) => match &node.kind {
                Kind::Number(number) if number.as_u64().is_some_and(|n| (1..=1_000_000).contains(&n)) => true,
                _ => self.wrong(key, node.at, &format!("write a whole number, as in `{example}`")),
            },
            Shape::Texts(example) => match &mut node.kind {
                Kind::List(items) => {
                    items.retain_mut(|item| self.value(key, item, &Shape::Text(example)));
                    true
                }
                Kind::Map(_) => {
                    self.wrong(key, node.at, &format!("write a text or a list, as in `{example}`"))
                }
                _ => self.text(key, node, example),
            },
            Shape::List(item_shape, example) => match &mut node.kind {
                Kind::Null => {
                    node.kind = Kind::List(Vec::new());
                    true
                }
                Kind::List(items) => {
                    let count = items.len();
                    items.retain_mut(|item| self.value(key, item, item_shape));
                    node.was_pruned = items.len() < count;
                    true
                }
                _ => {
                    let is_example = example.starts_with(['[', '`']);
                    let text = match (is_example, example.starts_with('`')) {
                        (true, true) => format!("write a list, a dash before each entry: {example}"),
                        (true, false) => format!("write a list: {example}"),
                        _ => format!("write a list, {example}"),
                    };
                    self.wrong(key, node.at, &text)
                }
            },
            Shape::Map(fields, example) => match &node.kind {
                Kind::Map(_) => {
                    self.map(node, fields);
                    true
                }
                _ => self.wrong(key, node.at, &format!("write {example}")),
            },
            Shape::Maps(fields, example) => match &mut node.kind {
                Kind::List(items) => {
                    items.retain_mut(|item| self.value(key, item, &Shape::Map(fields, example)));
                    true
                }
                _ => self.value(key, node, &Shape::Map(fields, example)),
            },
            Shape::Action => self.action(node),
            Shape::Defaults => self.defaults(key, node),
        }
    }

    fn map(&mut self, node: &mut Node, fields: &[(&str, Shape)]) {
        let at = node.at;
        let Kind::Map(entries) = &mut node.kind else { return };
        self.no_key_twice(entries);
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let meant: Vec<&str> =
            entries.iter().filter_map(|e| tableau::nearest(&e.key, names.iter().copied())).collect();
        for (_, what, required) in REQUIRED.iter().filter(|(of, _, _)| std::ptr::eq(*of, fields)) {
            for key in required.iter().filter(|key| !meant.contains(*key)) {
                self.problems.push(Problem::at(at, format!("{what} has no `{key}`")));
            }
        }
        entries.retain_mut(|entry| match fields.iter().find(|(name, _)| *name == entry.key) {
            Some((_, shape)) => self.value(&entry.key, &mut entry.value, shape),
            None => {
                self.problems.push(Problem::at(entry.key_at, problem::unknown_key(&entry.key, &names)));
                false
            }
        });
    }

    fn no_key_twice(&mut self, entries: &mut Vec<super::node::Entry>) {
        let mut seen: Vec<String> = Vec::new();
        entries.retain(|entry| {
            let is_first = !seen.contains(&entry.key);
            if is_first {
                seen.push(entry.key.clone());
            } else {
                self.problems
                    .push(Problem::at(entry.key_at, format!("`{}` stands above already", entry.key)));
            }
            is_first
        });
    }

    fn text(&mut self, key: &str, node: &Node, example: &str) -> bool {
        match &node.kind {
            Kind::Text(text) => match typographic_quotes(key, text) {
                Some(problem) => {
                    self.problems.push(Problem::at(node.at, problem));
                    false
                }
                None => true,
            },
            Kind::Number(number) => {
                self.wrong(key, node.at, &format!("write a text: \"{number}\" in quotation marks"))
            }
            Kind::Flag(_) => {
                self.wrong(key, node.at, "YAML reads this word as true or false: put it in quotation marks")
            }
            _ => self.wrong(key, node.at, &format!("write a text, as in `{example}`")),
        }
    }

    /// An entry of `do`: one key, whose value is a map or nothing.
    fn action(&mut self, node: &mut Node) -> bool {
        let at = node.at;
        let Kind::Map(entries) = &mut node.kind else { return self.wrong("do", at, problem::ACTION) };
        let [entry] = entries.as_mut_slice() else {
            self.problems.push(Problem::at(at, problem::ACTION));
            return false;
        };
        self.settings(&mut entry.value, at)
    }

    fn defaults(&mut self, key: &str, node: &mut Node) -> bool {
        let at = node.at;
        match &mut node.kind {
            Kind::Null => node.kind = Kind::Map(Vec::new()),
            Kind::Map(entries) => {
                self.no_key_twice(entries);
                entries.retain_mut(|entry| self.settings(&mut entry.value, entry.key_at));
            }
            _ => {
                return self.wrong(
                    key,
                    at,
                    "write workflows with settings, as in `notify-slack: { channel: data-alerts }`",
                );
            }
        }
        true
    }

    /// Settings of a workflow, which the workflow's own type checks: here only what no workflow takes.
    fn settings(&mut self, node: &mut Node, at: Position) -> bool {
        let entries = match &mut node.kind {
            Kind::Null => {
                node.kind = Kind::Map(Vec::new());
                return true;
            }
            Kind::Map(entries) => entries,
            _ => {
                self.problems.push(Problem::at(at, problem::ACTION));
                return false;
            }
        };
        self.no_key_twice(entries);
        let count = self.problems.len();
        for entry in entries.iter() {
            match &entry.value.kind {
                Kind::Null => {
                    if let Some(comment) = Comment::in_place_of_value(self.text, entry.value.at.line) {
                        self.problems.push(Problem::at(entry.value.at, comment.problem()));
                    }
                }
                Kind::Text(text) => {
                    if let Some(problem) = typographic_quotes(&entry.key, text) {
                        self.problems.push(Problem::at(entry.value.at, problem));
                    }
                }
                _ => {}
            }
        }
        // Without the setting its workflow would ask for it once more.
        self.problems.len() == count
    }

    /// Nothing stands behind the colon, or a comment in its place.
    fn empty(&mut self, key: &str, at: Position, shape: &Shape) -> bool {
        if let Some(comment) = Comment::in_place_of_value(self.text, at.line) {
            self.problems.push(Problem::at(at, comment.problem()));
            return false;
        }
        let right = match shape {
            Shape::Flag => "write true or false".to_owned(),
            Shape::Text(example)
            | Shape::Count(example)
            | Shape::Texts(example)
            | Shape::Map(_, example)
            | Shape::Maps(_, example) => {
                format!("write {example}")
            }
            Shape::List(..) | Shape::Action | Shape::Defaults => return true,
        };
        self.wrong(key, at, &format!("it has no value: {right}"))
    }

    fn wrong(&mut self, key: &str, at: Position, text: &str) -> bool {
        self.problems.push(Problem::at(at, format!("{key}: {text}")));
        false
    }
}
