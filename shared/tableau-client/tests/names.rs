//! Every type in a public method's signature has a name below `tableau_client`, so that a package that depends only on
//! this crate can write it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::path::Path;

/// The texts of all files below `folder`, without their unit tests.
fn texts(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            texts(&entry.path(), found);
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            found.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
}

/// The words of a text that begin with a capital letter, as types do.
fn types(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.len() > 1 && word.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Types of the standard library, and of the crates whose types are part of the API: `bytes`, `jiff`, `reqwest`,
/// `serde`, `serde_json`, `url`.
const OTHERS: [&str; 26] = [
    "Arc",
    "BTreeSet",
    "Box",
    "Bytes",
    "Client",
    "Default",
    "Deserialize",
    "DeserializeOwned",
    "Duration",
    "Error",
    "Fn",
    "Into",
    "IntoIterator",
    "Item",
    "None",
    "Ok",
    "Option",
    "Result",
    "Self",
    "SignedDuration",
    "Some",
    "String",
    "Timestamp",
    "Url",
    "Value",
    "Vec",
];

#[test]
fn every_type_of_a_public_signature_is_named_by_this_crate_alone() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    texts(&source, &mut all);
    let front = std::fs::read_to_string(source.join("lib.rs")).unwrap();
    let exported: BTreeSet<&str> = front.split("pub use ").skip(1).flat_map(types).collect();

    let mut asked = BTreeSet::new();
    for text in &all {
        // The signatures of functions, and the fields and variants that contain a LUID.
        for signature in
            ["    pub fn ", "    pub async fn "].iter().flat_map(|start| text.split(start).skip(1))
        {
            asked.extend(types(signature.split(['{', ';']).next().unwrap()));
        }
        // `Luid` alone is a variant.
        asked.extend(types(text).filter(|name| name.ends_with("Luid") && *name != "Luid"));
    }

    assert!(asked.len() > 60, "{asked:?}");
    let unknown: Vec<_> =
        asked.iter().filter(|name| !exported.contains(*name) && !OTHERS.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
