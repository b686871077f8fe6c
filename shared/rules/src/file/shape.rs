//! The shape of a rules file: which keys there are, and what each holds. It finds every value of another shape at once, says
//! what would be right, and takes the value out, so that the rest of the file can be checked as well. No I/O.

use super::keys::{FILE, REQUIRED, Shape, TAGS, is_key};
use super::node::{Kind, Node, Position};
use super::unknown;
use crate::comment::Comment;
use crate::error::Problem;
use crate::hints;
use crate::problem::{self, typographic_quotes};
use crate::rule::NEVER;
use crate::settings;

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
                Kind::Text(text) => match flag(text) {
                    Some(flag) => {
                        node.kind = Kind::Flag(flag);
                        true
                    }
                    None => self.wrong(key, node.at, "write true or false"),
                },
                _ => self.wrong(key, node.at, "write true or false"),
            },
            Shape::Count(example) => match &node.kind {
                Kind::Number(number) if number.as_u64().is_some_and(|n| (1..=1_000_000).contains(&n)) => true,
                _ => self.wrong(key, node.at, &format!("write a whole number, as in `{example}`")),
            },
            Shape::CountOrNever(example) => match &node.kind {
                Kind::Number(number) if number.as_u64().is_some_and(|n| n <= 1_000_000) => true,
                Kind::Text(text) if text == NEVER => true,
                _ => {
                    let text = format!("write a whole number, as in `{example}`, or {NEVER}");
                    self.wrong(key, node.at, &text)
                }
            },
            Shape::Texts(example) => match &mut node.kind {
                Kind::List(items) if items.is_empty() => {
                    self.wrong(key, node.at, &format!("the list is empty: write {}", full(key, example)))
                }
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
                    // A file may have no rule yet; a rule without events is a mistake.
                    let is_of_rule = matches!(item_shape, Shape::Text(_) | Shape::Action);
                    if is_of_rule {
                        return self.empty(key, node.at, shape);
                    }
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
                    if let (Kind::Text(text), Shape::Text(_)) = (&node.kind, item_shape) {
                        let text = text.trim_matches(['[', ']', ' ']).to_owned();
                        return self.wrong(key, node.at, &format!("write a list: [{text}]"));
                    }
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
                Kind::Map(entries) if entries.is_empty() && matches!(key, "where" | "tags" | "message") => {
                    self.wrong(key, node.at, &format!("it is empty: write {example}, or leave it out"))
                }
                Kind::Map(_) => {
                    self.map(node, fields);
                    true
                }
                kind => {
                    let text = match own_tags(kind).filter(|_| std::ptr::eq(*fields, TAGS)) {
                        Some(tags) => format!("write tags: {{ any: [{tags}] }}"),
                        None if matches!(kind, Kind::List(_)) && key == "where" => {
                            format!(
                                "all conditions must hold, so they are no list: write {example}, without a dash"
                            )
                        }
                        None if key == "quiet" && own_days(kind).is_some() => {
                            format!("write quiet: {{ days: [{}] }}", own_days(kind).unwrap_or_default())
                        }
                        None => format!("write {}", full(key, example)),
                    };
                    self.wrong(key, node.at, &text)
                }
            },
            Shape::Maps(fields, example) => match &mut node.kind {
                Kind::List(items) if items.is_empty() => {
                    self.wrong(key, node.at, &format!("the list is empty: write {example}, or leave it out"))
                }
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
        let meant: Vec<&str> = entries.iter().filter_map(|e| hints::meant(&e.key, &names)).collect();
        for (_, what, required) in REQUIRED.iter().filter(|(of, _, _)| std::ptr::eq(*of, fields)) {
            for key in required.iter().filter(|key| !meant.contains(*key)) {
                self.problems.push(Problem::at(at, format!("{what} has no `{key}`")));
            }
        }
        entries.retain_mut(|entry| match fields.iter().find(|(name, _)| *name == entry.key) {
            Some((_, shape)) => self.value(&entry.key, &mut entry.value, shape),
            None => {
                let comment = Comment::in_place_of_value(self.text, entry.key_at.line);
                let text = match comment.filter(|_| entry.key.is_empty()) {
                    Some(comment) => comment.problem(),
                    None => unknown::key(&entry.key, fields, &names),
                };
                self.problems.push(Problem::at(entry.key_at, text));
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
            Kind::Text(text) if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) => {
                let text = "it has a control character; within \"…\", a backslash begins an escape: write the text in single \
                            quotation marks";
                self.wrong(key, node.at, text)
            }
            Kind::Text(text) => match typographic_quotes(key, text) {
                Some(problem) => {
                    self.problems.push(Problem::at(node.at, problem));
                    false
                }
                None => true,
            },
            Kind::Number(_) | Kind::Flag(_) if key == "on" => {
                self.wrong(key, node.at, &format!("write the name of an event, such as {example}"))
            }
            Kind::Number(_) if matches!(key, "luid" | "days" | "from" | "to" | "timezone" | "mute_until") => {
                let what = if matches!(key, "from" | "to") { "a time of day" } else { "it" };
                self.wrong(
                    key,
                    node.at,
                    &format!("a number does not say {what}: write {}", full(key, example)),
                )
            }
            Kind::Number(number) => {
                self.wrong(key, node.at, &format!("write a text: \"{number}\" in quotation marks"))
            }
            Kind::Flag(_) => {
                self.wrong(key, node.at, "YAML reads this word as true or false: put it in quotation marks")
            }
            _ => self.wrong(key, node.at, &format!("write a text, as in `{}`", full(key, example))),
        }
    }

    /// An entry of `do`: one key, whose value is a map or nothing.
    fn action(&mut self, node: &mut Node) -> bool {
        let at = node.at;
        let Kind::Map(entries) = &mut node.kind else { return self.wrong("do", at, problem::ACTION) };
        match entries.as_mut_slice() {
            [entry] => {
                let workflow = entry.key.clone();
                self.settings(&workflow, &mut entry.value, at)
            }
            [first, second, ..]
                if matches!(first.value.kind, Kind::Null) && settings::workflow(&second.key).is_none() =>
            {
                let text =
                    format!("indent `{}` further than `{}`, whose setting it is", second.key, first.key);
                self.problems.push(Problem::at(second.key_at, text));
                false
            }
            [_, second, ..] if settings::workflow(&second.key).is_some() => {
                let text = format!("each workflow is an entry of its own: write `- {}:`", second.key);
                self.problems.push(Problem::at(second.key_at, text));
                false
            }
            _ => {
                self.problems.push(Problem::at(at, problem::ACTION));
                false
            }
        }
    }

    fn defaults(&mut self, key: &str, node: &mut Node) -> bool {
        let at = node.at;
        match &mut node.kind {
            Kind::Null => node.kind = Kind::Map(Vec::new()),
            Kind::Map(entries) => {
                self.no_key_twice(entries);
                entries.retain_mut(|entry| self.settings(&entry.key, &mut entry.value, entry.key_at));
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
    fn settings(&mut self, workflow: &str, node: &mut Node, at: Position) -> bool {
        let entries = match &mut node.kind {
            Kind::Null => {
                // A workflow that notifies needs a target, so a comment is no remark here.
                let needs_target = settings::workflow(workflow).is_some_and(|known| known.notifies);
                let comment = Comment::in_place_of_value(self.text, node.at.line.max(at.line));
                if let Some(comment) = comment.filter(|_| needs_target) {
                    let word = comment.word();
                    let text = format!("`#` begins a comment: write {workflow}: {{ channel: {word} }}");
                    self.problems.push(Problem::at(comment.at(), text));
                    return false;
                }
                node.kind = Kind::Map(Vec::new());
                return true;
            }
            Kind::Map(entries) => entries,
            Kind::Text(text) if settings::workflow(workflow).is_some_and(|known| known.notifies) => {
                let text = format!("write the setting with its name: {workflow}: {{ channel: {text} }}");
                self.problems.push(Problem::at(node.at, text));
                return false;
            }
            _ => {
                self.problems.push(Problem::at(at, problem::ACTION));
                return false;
            }
        };
        self.no_key_twice(entries);
        let count = self.problems.len();
        for entry in entries.iter_mut() {
            match &entry.value.kind {
                Kind::Null => {
                    if let Some(comment) = Comment::in_place_of_value(self.text, entry.value.at.line) {
                        self.problems.push(Problem::at(comment.at(), comment.problem()));
                    }
                }
                Kind::Text(text) => {
                    if let Some(problem) = typographic_quotes(&entry.key, text) {
                        self.problems.push(Problem::at(entry.value.at, problem));
                    }
                    entry.value.block = block_behind(self.text, entry.key_at);
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
            self.problems.push(Problem::at(comment.at(), comment.problem()));
            return false;
        }
        if let Some(sign) = sign_behind(self.text, key, at.line) {
            let what = if sign == '!' { "a tag" } else { "an anchor" };
            let text = format!("`{sign}` begins {what} in YAML: put the value in quotation marks");
            return self.wrong(key, at, &text);
        }
        let right = match shape {
            Shape::Flag => "true or false".to_owned(),
            Shape::List(_, example) => (*example).to_owned(),
            Shape::Text(example)
            | Shape::Count(example)
            | Shape::CountOrNever(example)
            | Shape::Texts(example)
            | Shape::Map(_, example)
            | Shape::Maps(_, example) => full(key, example),
            Shape::Action | Shape::Defaults => return true,
        };
        self.wrong(key, at, &format!("it has no value: write {right}"))
    }

    fn wrong(&mut self, key: &str, at: Position, text: &str) -> bool {
        self.problems.push(Problem::at(at, format!("{key}: {text}")));
        false
    }
}

/// What to write, with the key: an entry of `on` has the example without it.
fn full(key: &str, example: &str) -> String {
    let has_key =
        example.starts_with(&format!("{key}:")) || !is_key(key) || example.starts_with(char::is_uppercase);
    let is_value = example.starts_with('{');
    if has_key || !is_value { example.to_owned() } else { format!("{key}: {example}") }
}

/// The tag or anchor that stands in place of a key's value.
fn sign_behind(text: &str, key: &str, line: u64) -> Option<char> {
    let line = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let (_, value) = line.split_once(&format!("{key}:"))?;
    value.trim_start().chars().next().filter(|c| matches!(c, '!' | '&'))
}

/// Where the first line of a text behind `|` stands, below its key at this place.
fn block_behind(text: &str, key: Position) -> Option<Position> {
    let mut lines = text.lines().skip(usize::try_from(key.line.checked_sub(1)?).ok()?);
    let (_, value) = lines.next()?.split_once(':')?;
    let sign = value.split(" #").next()?.trim().strip_prefix('|')?;
    if !sign.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '+')) {
        return None;
    }
    let first = lines.find(|line| !line.trim().is_empty())?;
    let indent = first.len() - first.trim_start().len();
    Some(Position { line: key.line + 1, column: u64::try_from(indent).ok()? + 1 })
}

/// Days that stand where a map belongs, without the key `days`.
fn own_days(kind: &Kind) -> Option<String> {
    own_tags(kind).filter(|days| days.split(", ").all(|day| crate::window::days(day, false).is_some()))
}

/// Tags that stand where a map belongs, without saying whether all or any must be there.
fn own_tags(kind: &Kind) -> Option<String> {
    let text = |kind: &Kind| match kind {
        Kind::Text(text) => Some(text.clone()),
        Kind::Number(number) => Some(format!("\"{number}\"")),
        _ => None,
    };
    match kind {
        Kind::List(items) => {
            let tags: Option<Vec<String>> = items.iter().map(|item| text(&item.kind)).collect();
            tags.filter(|tags| !tags.is_empty()).map(|tags| tags.join(", "))
        }
        kind => text(kind),
    }
}

/// The words that YAML 1.1 has for true and false beside these.
fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "y" | "on" => Some(true),
        "no" | "n" | "off" => Some(false),
        _ => None,
    }
}
