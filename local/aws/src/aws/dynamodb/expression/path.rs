//! Document paths such as `a.b[0]`: reading, writing and removing what they lead to. No I/O.

use super::super::value::{Item, Value};
use std::fmt;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// An attribute of a map.
    Name(String),
    /// An item of a list.
    Index(usize),
}

/// A path from an item to a value in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    /// The attribute of the item.
    pub(crate) root: String,
    /// What follows.
    pub(crate) steps: Vec<Step>,
}

/// The path does not lead to where a value could be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeadEnd;

impl Path {
    /// What the path leads to.
    pub(crate) fn get<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        self.steps.iter().try_fold(item.get(&self.root)?, |value, step| match (step, value) {
            (Step::Name(name), Value::M(map)) => map.get(name),
            (Step::Index(index), Value::L(items)) => items.get(*index),
            _ => None,
        })
    }

    /// Writes a value where the path leads. A list grows by one for any index past its end.
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

    /// Takes away what the path leads to, if anything.
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

    /// Whether one of the two paths leads through the other.
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
