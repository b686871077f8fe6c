//! People who were erased: Tableau may still name them as owners. No I/O.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use store::Document;
use tableau_client::Owner;

/// Checksums of names and addresses that the export and the report leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErasedPeople {
    checksums: BTreeSet<String>,
}

impl Document for ErasedPeople {
    const KIND: &'static str = "history";
    // As long as the stack lives.
    const KEPT_DAYS: i64 = 100 * 365;
}

impl ErasedPeople {
    /// The key of the document.
    pub const KEY: &'static str = "erased";

    /// Leaves the person with this name or address out from now on.
    pub fn add(&mut self, person: &str) {
        self.checksums.insert(checksum(person));
    }

    /// Whether an owner was erased.
    pub fn has(&self, owner: &Owner) -> bool {
        let texts = [Some(owner.name.as_str()), owner.email.as_deref(), Some(owner.login.as_str())];
        texts.into_iter().flatten().any(|text| self.checksums.contains(&checksum(text)))
    }
}

/// Whether two texts are the same name or address: upper and lower case and the spaces around it are no difference.
pub(crate) fn is_same_person(one: &str, other: &str) -> bool {
    normal(one) == normal(other)
}

fn normal(person: &str) -> String {
    person.trim().to_lowercase()
}

fn checksum(person: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(normal(person).as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_known_by_each_name_and_the_document_names_no_one() {
        let owner = Owner {
            name: "Ana Ruiz".to_owned(),
            email: Some("ana@example.com".to_owned()),
            login: "corp\\ana".to_owned(),
        };
        for person in ["ANA RUIZ", " ana@example.com ", "CORP\\Ana"] {
            let mut erased = ErasedPeople::default();
            assert!(!erased.has(&owner));
            erased.add(person);
            assert!(erased.has(&owner), "{person}");
            let text = serde_json::to_string(&erased).unwrap().to_lowercase();
            assert!(!text.contains("ana"), "{text}");
        }
        let mut erased = ErasedPeople::default();
        erased.add("Ana");
        assert!(!erased.has(&owner), "another name");
    }
}
