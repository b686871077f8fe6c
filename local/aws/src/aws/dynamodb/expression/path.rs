//! Document paths such as `a.b[0]`: read, write and remove the value at a path. No I/O.

use super::super::value::{Item, Value};
use std::fmt;

/// One step of a document path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// An attribute of a map, by name.
    Name(String),
    /// An item of a list, by index.
    Index(usize),
}

/// A document path from an item to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    /// The item's top-level attribute that the path begins with.
    pub(crate) root: String,
    /// The steps after the top-level attribute.
    pub(crate) steps: Vec<Step>,
}

/// The parent of the path's last step does not exist, so no value can be written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeadEnd;

impl Path {
    /// The value at the path, if it exists.
    pub(crate) fn get<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        self.steps.iter().try_fold(item.get(&self.root)?, |value, step| match (step, value) {
            (Step::Name(name), Value::M(map)) => map.get(name),
            (Step::Index(index), Value::L(items)) => items.get(*index),
            _ => None,
        })
    }

    /// Writes a value at the path. An index past the end of a list appends one item.
    pub(crate) fn set(&self, item: &mut Item, value: Value) -> Result<(), DeadEnd> {
        let Some((last, parents)) = self.steps.split_last() else {
            item.insert(self.root.clone(), value);
            return Ok(());
        };
        match (last, self.parent(item, parents)) {
            (Step::Name(name), Some(Value::M(map))) => {
                map.insert(name.clone(), value);
            }
            (Step::Index(index), Some(Value::L(items))) => match items.get_mut(*index) {
                Some(place) => *place = value,
                None => items.push(value),
            },
            _ => return Err(DeadEnd),
        }
        Ok(())
    }

    /// Removes the value at the path, if it exists.
    pub(crate) fn remove(&self, item: &mut Item) -> Result<(), DeadEnd> {
        let Some((last, parents)) = self.steps.split_last() else {
            item.remove(&self.root);
            return Ok(());
        };
        match (last, self.parent(item, parents)) {
            (Step::Name(name), Some(Value::M(map))) => {
                map.remove(name);
            }
            (Step::Index(index), Some(Value::L(items))) if *index < items.len() => {
                items.remove(*index);
            }
            (Step::Index(_), Some(Value::L(_))) => {}
            _ => return Err(DeadEnd),
        }
        Ok(())
    }

    fn parent<'a>(&self, item: &'a mut Item, parents: &[Step]) -> Option<&'a mut Value> {
        parents.iter().try_fold(item.get_mut(&self.root)?, |value, step| match (step, value) {
            (Step::Name(name), Value::M(map)) => map.get_mut(name),
            (Step::Index(index), Value::L(items)) => items.get_mut(*index),
            _ => None,
        })
    }

    /// Whether one of the two paths is a prefix of the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.root == other.root && self.steps.iter().zip(&other.steps).all(|(one, other)| one == other)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.root)?;
        for step in &self.steps {
            match step {
                Step::Name(name) => write!(f, ", {name}")?,
                Step::Index(index) => write!(f, ", [{index}]")?,
            }
        }
        f.write_str("]")
    }
}
