//! The files that texts are read from.

use crate::repository::{Problem, Repository};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use syn::visit::{self, Visit};

/// A Rust file that is not a test.
pub(super) struct Source {
    /// Its path in the repository, with `/`.
    pub(super) path: String,
    pub(super) code: syn::File,
}

/// The folders with Rust code that ships, or that a user runs.
const CODE: [&str; 5] = ["cli", "functions", "local", "shared", "xtask"];

/// The Rust files below `src/`, without tests.
pub(super) fn rust(repository: &Repository) -> Result<Vec<Source>, Problem> {
    let mut sources = Vec::new();
    for folder in CODE {
        for path in files(repository, folder, ".rs")? {
            if !path.contains("/src/") {
                continue;
            }
            let text = repository.read(&path)?;
            let code = syn::parse_file(&text).map_err(|error| format!("cannot parse {path}: {error}"))?;
            sources.push(Source { path, code });
        }
    }
    let mut tests = Tests::default();
    for source in &sources {
        tests.folder = folder_of_modules(&source.path);
        tests.visit_file(&source.code);
    }
    sources.retain(|source| {
        let of_module = source.path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
        !tests.modules.iter().any(|test| {
            of_module == test
                || of_module.strip_prefix(test.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })
    });
    Ok(sources)
}

/// The files of a folder and of those in it whose names end so, in order. What is generated or hidden is left out.
pub(super) fn files(repository: &Repository, folder: &str, ending: &str) -> Result<Vec<String>, Problem> {
    let mut found = Vec::new();
    walk(&repository.path(folder), folder, ending, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, path: &str, ending: &str, found: &mut Vec<String>) -> Result<(), Problem> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') && name != ".github" || name == "target" || name == "node_modules" {
            continue;
        }
        let inner = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &inner, ending, found)?;
        } else if name.ends_with(ending) {
            found.push(inner);
        }
    }
    Ok(())
}

/// Where the files of a file's modules lie: `a/b.rs` has them in `a/b`, `a/mod.rs` in `a`.
fn folder_of_modules(path: &str) -> String {
    let without = path.trim_end_matches(".rs");
    let (folder, name) = without.rsplit_once('/').unwrap_or(("", without));
    if ["lib", "main", "mod"].contains(&name) { folder.to_owned() } else { without.to_owned() }
}

/// The files of modules that only tests have, without `.rs`.
#[derive(Default)]
struct Tests {
    folder: String,
    modules: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.content.is_none() && is_test_only(&module.attrs) {
            self.modules.insert(format!("{}/{}", self.folder, module.ident));
        }
        visit::visit_item_mod(self, module);
    }
}

/// Whether these attributes say `#[cfg(test)]` or `#[test]`.
pub(super) fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        meta => meta.path().segments.last().is_some_and(|last| last.ident == "test"),
    })
}

/// Whether only tests have this item.
pub(super) fn is_test_item(item: &syn::Item) -> bool {
    use syn::Item;
    is_test_only(match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    })
}
