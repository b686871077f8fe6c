//! Reads the properties of a resource, with errors that name the resource and the property.

use super::resolve::Resolver;
use super::yaml::text;
use crate::Error;
use crate::aws::StackResource;
use serde_json::Value;

/// One resource or output of the template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resource<'a> {
    pub(super) resolver: &'a Resolver<'a>,
    pub(super) id: &'a str,
    pub(super) body: &'a Value,
}

impl<'a> Resource<'a> {
    pub(super) fn kind(&self) -> &'a str {
        self.body["Type"].as_str().unwrap_or_default()
    }

    /// Whether the resource's condition is true; also true when it has none.
    pub(super) fn exists(&self) -> Result<bool, Error> {
        match self.body["Condition"].as_str() {
            Some(name) => {
                self.resolver.named_condition(name).map_err(|reason| self.error("Condition", reason))
            }
            None => Ok(true),
        }
    }

    pub(super) fn error(&self, property: &str, reason: impl Into<String>) -> Error {
        Error::Template { resource: self.id.to_owned(), property: property.to_owned(), reason: reason.into() }
    }

    /// Refuses properties outside `known`: an ignored property would silently be missing.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Error> {
        let properties = self.body["Properties"].as_object();
        match properties.into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(self.error(name, "is not understood here")),
            None => Ok(()),
        }
    }

    /// The resource's name on this machine.
    pub(super) fn name(&self) -> Result<String, Error> {
        self.resolver.physical_name(self.id).map_err(|reason| self.error("Name", reason))
    }

    /// The resource as the stack's resource list shows it.
    pub(super) fn listed(&self) -> Result<StackResource, Error> {
        let physical_id = self.resolver.physical_reference(self.id);
        Ok(StackResource {
            logical_id: self.id.to_owned(),
            kind: self.kind().to_owned(),
            physical_id: physical_id.map_err(|reason| self.error("Ref", reason))?,
        })
    }

    /// A property by path, such as `Environment.Variables`.
    pub(super) fn get(&self, path: &str) -> Result<Option<Value>, Error> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let Some(value) = self.body["Properties"].get(first) else { return Ok(None) };
        let resolved = self.resolver.resolve(value).map_err(|reason| self.error(first, reason))?;
        let steps = rest.split('.').filter(|step| !step.is_empty());
        let mut found = resolved;
        for step in steps {
            found = found.and_then(|value| value.get(step).cloned());
        }
        Ok(found.filter(|value| !value.is_null()))
    }

    pub(super) fn text(&self, path: &str) -> Result<Option<String>, Error> {
        match self.get(path)? {
            Some(Value::Array(_) | Value::Object(_)) => Err(self.error(path, "a text is expected")),
            value => Ok(value.as_ref().map(text)),
        }
    }

    pub(super) fn required_text(&self, path: &str) -> Result<String, Error> {
        self.text(path)?.ok_or_else(|| self.error(path, "is missing"))
    }

    /// A whole number; a string of digits counts as one too.
    pub(super) fn number(&self, path: &str) -> Result<Option<u64>, Error> {
        let Some(text) = self.text(path)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.error(path, format!("`{text}` is not a whole number")))
    }

    /// A list property; empty when absent.
    pub(super) fn list(&self, path: &str) -> Result<Vec<Value>, Error> {
        match self.get(path)? {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.error(path, "a list is expected")),
        }
    }
}
