//! Resolves intrinsic functions: the values of `Ref`, `Fn::GetAtt`, `Fn::Sub`, … on this machine.

use super::yaml::text;
use crate::aws::{ACCOUNT, REGION, STACK};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::collections::BTreeMap;

/// The addresses that a template's values refer to.
#[derive(Clone, Debug)]
pub struct Places {
    /// The URL of the AWS endpoint: the prefix of queue URLs.
    pub endpoint_url: String,
    /// The URL of the HTTP API.
    pub api_url: String,
}

/// Everything that a template's values can refer to.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    pub(super) root: &'a Value,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) places: &'a Places,
    pub(super) depth: Cell<usize>,
    /// Outputs and custom resources may have what functions answer; all else is made before.
    pub(super) after_answers: Cell<bool>,
}

/// A resolved value. `None` is `AWS::NoValue`, which removes the property that contains it.
pub(super) type Resolved = Result<Option<Value>, String>;

impl Resolver<'_> {
    /// Resolves every intrinsic function in a value. The error says what is not understood.
    pub(super) fn resolve(&self, value: &Value) -> Resolved {
        // References can form a cycle, although the template itself is a tree.
        if self.depth.get() > 64 {
            return Err("refers to itself".to_owned());
        }
        self.depth.set(self.depth.get() + 1);
        let resolved = self.resolve_inner(value);
        self.depth.set(self.depth.get() - 1);
        resolved
    }

    fn resolve_inner(&self, value: &Value) -> Resolved {
        match value {
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| self.resolve(item).transpose());
                Ok(Some(Value::Array(items.collect::<Result<_, _>>()?)))
            }
            Value::Object(map) => match function(map) {
                Some((name, argument)) => self.call(name, argument),
                None => {
                    let entries = map.iter().filter_map(|(key, value)| {
                        Some(self.resolve(value).transpose()?.map(|value| (key.clone(), value)))
                    });
                    Ok(Some(Value::Object(entries.collect::<Result<Map<_, _>, _>>()?)))
                }
            },
            plain => Ok(Some(plain.clone())),
        }
    }

    /// Resolves a value that must be a text.
    pub(super) fn text(&self, value: &Value) -> Result<String, String> {
        match self.resolve(value)? {
            Some(Value::Array(_) | Value::Object(_)) => Err("a text is expected".to_owned()),
            Some(plain) => Ok(text(&plain)),
            None => Err("AWS::NoValue cannot stand here".to_owned()),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Resolved {
        let usage = |how: &str| format!("{name} wants {how}");
        let list = |length: usize, how: &str| {
            let list = argument.as_array().filter(|list| list.len() == length);
            list.ok_or_else(|| usage(how))
        };
        match name {
            "Ref" => self.reference(&text(argument)),
            "Condition" | "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => {
                let call = Value::Object(Map::from_iter([(name.to_owned(), argument.clone())]));
                self.condition(&call).map(|flag| Some(Value::Bool(flag)))
            }
            "Fn::GetAtt" => {
                let parts = list(2, "a resource and an attribute")?;
                self.attribute(&self.text(&parts[0])?, &self.text(&parts[1])?)
            }
            "Fn::Sub" => match argument {
                Value::String(pattern) => self.substitute(pattern, &Map::new()),
                Value::Array(parts) => match parts.as_slice() {
                    [Value::String(pattern), Value::Object(variables)] => self.substitute(pattern, variables),
                    _ => Err(usage("a text, and an object of variables")),
                },
                _ => Err(usage("a text")),
            },
            "Fn::If" => {
                let parts = list(3, "a condition and two values")?;
                let holds = self.named_condition(&text(&parts[0]))?;
                self.resolve(if holds { &parts[1] } else { &parts[2] })
            }
            "Fn::Join" => {
                let parts = list(2, "a separator and a list")?;
                let separator = self.text(&parts[0])?;
                let texts: Vec<String> = self.list(&parts[1])?.iter().map(text).collect();
                Ok(Some(Value::String(texts.join(&separator))))
            }
            "Fn::Split" => {
                let parts = list(2, "a separator and a text")?;
                let separator = self.text(&parts[0])?;
                let whole = self.text(&parts[1])?;
                Ok(Some(whole.split(&separator).map(Value::from).collect()))
            }
            "Fn::Select" => {
                let parts = list(2, "an index and a list")?;
                let index =
                    self.text(&parts[0])?.parse::<usize>().map_err(|_| usage("an index and a list"))?;
                let found = self.list(&parts[1])?.into_iter().nth(index);
                found.map(Some).ok_or_else(|| format!("Fn::Select: the list has no item {index}"))
            }
            "Fn::FindInMap" => {
                let parts = list(3, "a map and two keys")?;
                let keys = parts.iter().map(|part| self.text(part)).collect::<Result<Vec<_>, _>>()?;
                let found = keys.iter().try_fold(&self.root["Mappings"], |value, key| value.get(key));
                let found = found.ok_or_else(|| format!("Fn::FindInMap: there is no {}", keys.join(".")))?;
                self.resolve(found)
            }
            other => Err(format!("{other} is not understood")),
        }
    }

    fn list(&self, value: &Value) -> Result<Vec<Value>, String> {
        match self.resolve(value)? {
            Some(Value::Array(items)) => Ok(items),
            _ => Err("a list is expected".to_owned()),
        }
    }

    fn reference(&self, name: &str) -> Resolved {
        let known = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => ACCOUNT,
            "AWS::Region" => REGION,
            "AWS::Partition" => "aws",
            "AWS::StackName" => STACK,
            "AWS::StackId" => "arn:aws:cloudformation:us-east-1:000000000000:stack/local/0",
            "AWS::URLSuffix" => "amazonaws.com",
            _ => match self.parameters.get(name) {
                Some(value) => return Ok(Some(value.clone())),
                None => return self.physical_reference(name).map(|text| Some(Value::String(text))),
            },
        };
        Ok(Some(Value::from(known)))
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Resolved {
        self.physical_attribute(resource, attribute).map(|text| Some(Value::String(text)))
    }

    fn substitute(&self, pattern: &str, variables: &Map<String, Value>) -> Resolved {
        let mut result = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let (name, tail) =
                after.split_once('}').ok_or_else(|| format!("`{pattern}`: a }} is missing"))?;
            match (name.strip_prefix('!'), variables.get(name), name.split_once('.')) {
                (Some(literal), ..) => {
                    result.push_str("${");
                    result.push_str(literal);
                    result.push('}');
                }
                (None, Some(value), _) => result.push_str(&self.text(value)?),
                (None, None, Some((resource, attribute))) => {
                    result.push_str(&text(&self.attribute(resource, attribute)?.unwrap_or_default()));
                }
                (None, None, None) => match self.reference(name)? {
                    Some(value) => result.push_str(&text(&value)),
                    None => return Err(format!("`{pattern}`: {name} has no value")),
                },
            }
            rest = tail;
        }
        result.push_str(rest);
        Ok(Some(Value::String(result)))
    }

    /// Whether a condition of the template is true.
    pub(super) fn named_condition(&self, name: &str) -> Result<bool, String> {
        let condition = self.root["Conditions"].get(name);
        let condition = condition.ok_or_else(|| format!("there is no condition `{name}`"))?;
        if self.depth.get() > 64 {
            return Err(format!("the condition `{name}` refers to itself"));
        }
        self.depth.set(self.depth.get() + 1);
        let holds = self.condition(condition);
        self.depth.set(self.depth.get() - 1);
        holds
    }

    fn condition(&self, value: &Value) -> Result<bool, String> {
        let not_understood = || format!("{value} is not a condition");
        let (name, argument) = value.as_object().and_then(function).ok_or_else(not_understood)?;
        if name == "Condition" {
            return self.named_condition(&text(argument));
        }
        let parts = argument.as_array().ok_or_else(not_understood)?;
        match (name, parts.as_slice()) {
            ("Fn::Equals", [one, other]) => Ok(self.text(one)? == self.text(other)?),
            ("Fn::Not", [part]) => Ok(!self.condition(part)?),
            ("Fn::And", parts) => parts.iter().try_fold(true, |all, part| Ok(all && self.condition(part)?)),
            ("Fn::Or", parts) => parts.iter().try_fold(false, |any, part| Ok(any || self.condition(part)?)),
            _ => Err(not_understood()),
        }
    }
}

/// The intrinsic function of an object: the object has one key, which is a function's name.
fn function(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = map.iter();
    let (Some((name, argument)), None) = (entries.next(), entries.next()) else { return None };
    // `Condition` is also a property of IAM policies, where its value is an object.
    let is_function =
        name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string());
    is_function.then_some((name.as_str(), argument))
}
