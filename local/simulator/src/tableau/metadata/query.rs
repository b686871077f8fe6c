//! Parses the part of GraphQL that callers use here: one query with variables, arguments, aliases and selections.
//! Fragments, directives and other operations are refused.

use serde_json::{Map, Value};

/// The deepest nesting of brackets in a query. The parser is recursive, so the depth must be limited.
const DEEPEST: usize = 200;

/// A requested field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Selection {
    alias: Option<String>,
    pub(super) name: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) fields: Vec<Selection>,
}

impl Selection {
    /// The field's name in the answer: its alias or its own name.
    pub(super) fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

/// The requested fields of a query, with the variables' values filled in.
pub(super) fn parse(
    text: &str,
    variables: &Value,
    operation: Option<&str>,
) -> Result<Vec<Selection>, String> {
    let given = match variables {
        Value::Object(given) => given.clone(),
        Value::Null => Map::new(),
        _ => return Err("Variables are an object".to_owned()),
    };
    let mut reader = Reader { tokens: tokens(text)?, at: 0, variables: Map::new() };
    let opening = reader.tokens.iter().filter(|token| matches!(token.as_str(), "{" | "[" | "("));
    if opening.count() > DEEPEST {
        return Err("Invalid Syntax : the query nests too deep".to_owned());
    }
    let name = reader.head(&given)?;
    if let Some(operation) = operation.filter(|operation| name.as_deref() != Some(*operation)) {
        return Err(format!("Unknown operation named '{operation}'."));
    }
    let fields = reader.fields()?;
    match reader.peek() {
        None => Ok(fields),
        Some(token) => Err(format!("Invalid Syntax : offending token '{token}'")),
    }
}

/// The tokens of a query: names, numbers, strings with quotation marks, and punctuation.
fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest).ok_or("Invalid Syntax : a text does not end")?,
            '#' => rest.find('\n').unwrap_or(rest.len()),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        if !matches!(first, '#' | ',') {
            tokens.push(rest[..length].to_owned());
        }
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// The length of the string that starts here, including its quotation marks.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map(|(at, _)| at + 1)
}

/// Adds a requested field. A repeated field merges its selections. The same alias for another field or other arguments
/// is kept separately, so that [`check`](super::types::check) can refuse it.
///
/// Source: <https://spec.graphql.org/October2021/#sec-Field-Selection-Merging>
fn merge(field: Selection, into: &mut Vec<Selection>) {
    let is_same = |other: &&mut Selection| {
        other.key() == field.key() && other.name == field.name && other.arguments == field.arguments
    };
    match into.iter_mut().find(is_same) {
        Some(same) => field.fields.into_iter().for_each(|below| merge(below, &mut same.fields)),
        None => into.push(field),
    }
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
    /// The variables that the query declares.
    variables: Map<String, Value>,
}

impl Reader {
    /// Parses `query Name($first: Int = 10, $luid: String!)` and returns the query's name. Of a variable's type it
    /// only checks whether the variable is required.
    fn head(&mut self, given: &Map<String, Value>) -> Result<Option<String>, String> {
        if self.peek() == Some("{") {
            return Ok(None);
        }
        self.expect("query")?;
        let name = if matches!(self.peek(), Some("(" | "{")) { None } else { Some(self.name()?) };
        if self.take("(") {
            while !self.take(")") {
                self.variable(given)?;
            }
        }
        Ok(name)
    }

    fn variable(&mut self, given: &Map<String, Value>) -> Result<(), String> {
        self.expect("$")?;
        let name = self.name()?;
        self.expect(":")?;
        let brackets = (0..).take_while(|_| self.take("[")).count();
        let kind = self.name()?;
        let mut required = self.take("!");
        for _ in 0..brackets {
            self.expect("]")?;
            required = self.take("!");
        }
        let default = if self.take("=") { Some(self.value()?) } else { None };
        let value = given.get(&name).cloned().or(default).unwrap_or_default();
        if required && value.is_null() {
            return Err(format!("Variable '{name}' has coerced Null value for NonNull type '{kind}!'"));
        }
        self.variables.insert(name, value);
        Ok(())
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Result<String, String> {
        let token = self.tokens.get(self.at).cloned().ok_or("Invalid Syntax : the query ends too early")?;
        self.at += 1;
        Ok(token)
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<(), String> {
        let token = self.next()?;
        if token == wanted { Ok(()) } else { Err(format!("Invalid Syntax : offending token '{token}'")) }
    }

    fn fields(&mut self) -> Result<Vec<Selection>, String> {
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.take("}") {
            let field = self.field()?;
            merge(field, &mut fields);
        }
        Ok(fields)
    }

    fn field(&mut self) -> Result<Selection, String> {
        let first = self.name()?;
        let (alias, name) = if self.take(":") { (Some(first), self.name()?) } else { (None, first) };
        let arguments = if self.take("(") { self.members(")")? } else { Map::new() };
        let fields = if self.peek() == Some("{") { self.fields()? } else { Vec::new() };
        Ok(Selection { alias, name, arguments, fields })
    }

    fn name(&mut self) -> Result<String, String> {
        let token = self.next()?;
        let is_name = token.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
        if is_name { Ok(token) } else { Err(format!("Invalid Syntax : offending token '{token}'")) }
    }

    fn members(&mut self, end: &str) -> Result<Map<String, Value>, String> {
        let mut members = Map::new();
        while !self.take(end) {
            let name = self.name()?;
            self.expect(":")?;
            members.insert(name, self.value()?);
        }
        Ok(members)
    }

    fn value(&mut self) -> Result<Value, String> {
        let token = self.next()?;
        match token.as_str() {
            "{" => self.members("}").map(Value::Object),
            "[" => {
                let mut values = Vec::new();
                while !self.take("]") {
                    values.push(self.value()?);
                }
                Ok(Value::Array(values))
            }
            "$" => {
                let name = self.name()?;
                let undefined =
                    || format!("Validation error of type UndefinedVariable: Undefined variable '{name}'");
                self.variables.get(&name).cloned().ok_or_else(undefined)
            }
            // Strings, numbers and constants are written as in JSON; any other word is an enum value.
            other => Ok(serde_json::from_str(other).unwrap_or_else(|_| Value::from(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_has_aliases_arguments_and_variables() {
        let text = r#"query used($luid: String!) { # a comment
            found: workbooks(filter: {luid: $luid, nameWithin: ["a, \"b\"", "c"]}, first: 2) { luid owner { name } } }"#;

        let fields = parse(text, &json!({ "luid": "x" }), Some("used")).unwrap();

        assert_eq!((fields[0].key(), fields[0].name.as_str()), ("found", "workbooks"));
        let arguments = json!({ "filter": { "luid": "x", "nameWithin": ["a, \"b\"", "c"] }, "first": 2 });
        assert_eq!(Value::Object(fields[0].arguments.clone()), arguments);
        assert_eq!(fields[0].fields[1].fields[0].name, "name");
    }

    #[test]
    fn a_field_that_is_asked_for_again_is_one_field() {
        let parsed = |text| parse(text, &Value::Null, None).unwrap();

        assert_eq!(parsed("{ w { name id name o { a } o { b a } } }"), parsed("{ w { name id o { a b } } }"));
        assert_eq!(parsed("{ w(first: 1) { a } w(first: 2) { a } }").len(), 2, "these conflict");
    }

    #[test]
    fn what_is_no_query_is_an_error() {
        for text in ["", "{", "{a", "{a(b)}", "{a}}", "{1}", "{a(b:\"c)}", "{...x}"] {
            assert!(parse(text, &Value::Null, None).is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_is_declared_and_has_a_value_where_it_needs_one() {
        let first = |text: &str, variables: Value| {
            let fields = parse(text, &variables, None);
            fields.map(|fields| fields[0].arguments["first"].clone())
        };
        let list = "query q($ids: [String!]!, $n: Int = 3) { a(first: $n) }";
        assert_eq!(first(list, json!({ "ids": [] })), Ok(json!(3)));
        assert_eq!(first(list, json!({ "ids": [], "n": 5 })), Ok(json!(5)));
        assert!(first(list, json!({})).unwrap_err().contains("'ids' has coerced Null"));
        assert!(first("{ a(first: $n) }", json!({ "n": 5 })).unwrap_err().contains("Undefined variable 'n'"));
        assert!(first("{ a }", json!([])).is_err());
        for text in ["mutation { a }", "subscription s { a }", "{ a } { b }", "query a { b } query c { d }"] {
            assert!(parse(text, &Value::Null, None).is_err(), "{text}");
        }
        assert!(parse("query a { b }", &Value::Null, Some("c")).is_err());
    }

    #[test]
    fn a_query_that_nests_too_deep_is_an_error() {
        for open in ["{ a", "[", "("] {
            assert!(parse(&format!("{{ a {}", open.repeat(100_000)), &Value::Null, None).is_err(), "{open}");
        }
    }
}
