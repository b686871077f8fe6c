//! No files of one crate import each other in a cycle, so that each file can be read after the files it needs.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod imports;
mod krate;
mod planted;

use imports::{Imports, circles, imports};
use krate::Crate;
use std::fs;
use testkit::repository::root;

#[test]
fn no_files_of_a_library_import_each_other_in_a_circle() {
    let mut files = 0;
    let mut found = Vec::new();
    let folders = ["shared", "local"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    for entry in folders.into_iter().flatten() {
        let folder = entry.unwrap().path();
        let krate = Crate::read(&folder.join("src/lib.rs"));
        let imports = imports(&krate);
        files += krate.files().len();
        let name = folder.file_name().unwrap().display();
        found.extend(circles(&imports).iter().map(|circle| format!("{name}: {}", shown(circle, &imports))));
    }
    assert!(files > 300, "{files} files");
    assert!(found.is_empty(), "{} circles\n{}", found.len(), found.join("\n"));
}

/// The files of a cycle, and the names that each file imports from another.
fn shown(circle: &[String], imports: &Imports) -> String {
    let mut text = circle.join(", ");
    for ((from, to), names) in imports {
        if circle.contains(from) && circle.contains(to) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            text.push_str(&format!("\n  {from} takes from {to}: {}", names.join(", ")));
        }
    }
    text
}
