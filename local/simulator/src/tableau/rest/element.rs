//! An answer as a tree of elements. Tableau's JSON is a mechanical conversion of its XML, so both are written from
//! this tree.

use std::borrow::Cow;

/// An element with attributes, and either text or children.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub(crate) name: Cow<'static, str>,
    pub(crate) attributes: Vec<(&'static str, Scalar)>,
    pub(crate) text: Option<String>,
    pub(crate) children: Vec<Child>,
}

/// An attribute value. Numbers are texts, since Tableau's JSON writes most of them as strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Text(String),
    Flag(bool),
}

/// The children of an element.
#[derive(Clone, Debug)]
pub(crate) enum Child {
    /// An element that occurs once.
    One(Element),
    /// Repeated elements of one name. JSON writes them as an array, and writes nothing when there are none.
    Many(Vec<Element>),
}

impl Element {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), attributes: Vec::new(), text: None, children: Vec::new() }
    }

    /// The root element of an answer.
    pub(crate) fn root() -> Self {
        Self::new("tsResponse")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Scalar>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Adds an attribute; left out when there is no value.
    pub(crate) fn with_some(self, name: &'static str, value: Option<impl Into<Scalar>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    pub(crate) fn child(mut self, child: Element) -> Self {
        self.children.push(Child::One(child));
        self
    }

    pub(crate) fn child_some(self, child: Option<Element>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    pub(crate) fn many(mut self, children: Vec<Element>) -> Self {
        self.children.push(Child::Many(children));
        self
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Scalar {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for Scalar {
            fn from(number: $number) -> Self {
                Self::Text(number.to_string())
            }
        }
    )*};
}
numbers!(u8 u16 u32 usize);
