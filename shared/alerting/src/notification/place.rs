//! Where an object is and whose it is, for a line of a group or digest.

use plain_text::is_blank;
use serde::{Deserialize, Serialize};

/// How much of a name is kept with a member of a group or an entry of a digest.
const NAME_LIMIT: usize = 60;

/// Where an object is and whose it is, as far as Tableau was asked and has answered: untrusted text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The name of its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The name of its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

impl Place {
    pub(crate) fn new(project: Option<&str>, owner: Option<&str>) -> Self {
        let kept = |name: &str| name.chars().take(NAME_LIMIT).collect();
        let kept = |name: Option<&str>| name.filter(|name| !is_blank(name)).map(kept);
        Self { project: kept(project), owner: kept(owner) }
    }

    /// Whether neither is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 16, item 5
    #[test]
    fn a_name_without_a_visible_character_is_none_and_a_long_one_is_cut() {
        let long = "é".repeat(300);
        let place = Place::new(Some(&long), Some(" \u{200b}"));
        assert_eq!((place.project.unwrap().chars().count(), place.owner), (NAME_LIMIT, None));
        assert!(Place::new(None, Some("")).is_empty());
    }
}
