//! Reads the members of a request body.

use super::Refusal;
use serde_json::Value;

/// A request body whose members are read one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    operation: &'static str,
    body: &'a Value,
}

impl<'a> Input<'a> {
    /// The body of a call of `operation`.
    ///
    /// Refuses members outside `known`: a caller might rely on a member that this double would ignore.
    pub(crate) fn new(operation: &'static str, body: &'a Value, known: &[&str]) -> Result<Self, Refusal> {
        let Some(members) = body.as_object() else {
            return Err(Refusal::new("com.amazon.coral.service#SerializationException", "not a JSON object"));
        };
        match members.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Refusal::missing_here(format_args!("{operation}'s {key}"))),
            None => Ok(Self { operation, body }),
        }
    }

    /// The JSON value of a member.
    pub(crate) fn get(&self, member: &str) -> Option<&'a Value> {
        self.body.get(member).filter(|value| !value.is_null())
    }

    /// A string member, if present.
    pub(crate) fn text(&self, member: &str) -> Result<Option<&'a str>, Refusal> {
        self.read(member, "string", Value::as_str)
    }

    /// A whole-number member, if present.
    pub(crate) fn number(&self, member: &str) -> Result<Option<i64>, Refusal> {
        self.read(member, "number", Value::as_i64)
    }

    /// A boolean member; `false` when absent.
    pub(crate) fn flag(&self, member: &str) -> Result<bool, Refusal> {
        Ok(self.read(member, "boolean", Value::as_bool)?.unwrap_or(false))
    }

    /// A list member; empty when absent.
    pub(crate) fn list(&self, member: &str) -> Result<&'a [Value], Refusal> {
        Ok(self.read(member, "list", Value::as_array)?.map_or(&[], Vec::as_slice))
    }

    /// A list of strings; empty when absent.
    pub(crate) fn texts(&self, member: &str) -> Result<Vec<&'a str>, Refusal> {
        Ok(self.list(member)?.iter().filter_map(Value::as_str).collect())
    }

    fn read<T>(
        &self,
        member: &str,
        kind: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(value) = self.get(member) else { return Ok(None) };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(Refusal::new(
                "com.amazon.coral.service#SerializationException",
                format!("{}: {member} is not a {kind}", self.operation),
            )),
        }
    }
}
