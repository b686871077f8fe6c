//! The licences of the crates that are linked into what is released, with their texts: most of them ask for that.

use crate::repository::{Problem, Repository};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// How the names of files with a licence begin, in capitals.
const BEGINNINGS: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// A crate from a registry.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    /// An SPDX expression.
    licence: String,
    authors: Vec<String>,
    source: String,
    /// Where its source is on this machine.
    folder: String,
}

/// One text for all crates that are linked into the programs of `roots`, on any of the targets.
///
/// # Errors
/// When a crate has neither a text of its licence in its source nor a licence that SPDX has a text for.
pub(super) fn text(repository: &Repository, roots: &[String], targets: &[&str]) -> Result<String, Problem> {
    let mut crates = BTreeSet::new();
    for target in targets {
        crates.extend(linked(&metadata(repository, target)?, roots)?);
    }
    let mut text =
        String::from("The programs in this bundle contain the crates below, each under its own licence.\n");
    for one in &crates {
        describe(one, &mut text)?;
    }
    Ok(text)
}

/// What cargo knows of the workspace and of all it depends on for a target.
fn metadata(repository: &Repository, target: &str) -> Result<Value, Problem> {
    let mut cargo = repository.cargo();
    cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", target]);
    let output = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The crates from a registry that packages of the workspace are linked with: no build scripts, no tests.
fn linked(metadata: &Value, roots: &[String]) -> Result<BTreeSet<Crate>, Problem> {
    let packages: BTreeMap<&str, &Value> = by_id(&metadata["packages"]);
    let nodes: BTreeMap<&str, &Value> = by_id(&metadata["resolve"]["nodes"]);
    let mut open: Vec<&str> = Vec::new();
    for root in roots {
        let is_root = |package: &&Value| package["source"].is_null() && package["name"] == **root;
        let package = packages.values().find(|package| is_root(package));
        open.push(
            package.and_then(|package| package["id"].as_str()).ok_or_else(|| format!("no package {root}"))?,
        );
    }
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let dependencies = nodes.get(id).and_then(|node| node["deps"].as_array());
        for dependency in dependencies.into_iter().flatten() {
            let kinds = dependency["dep_kinds"].as_array();
            // A kind that is null is a usual dependency; others are for build scripts and tests.
            let is_linked = kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()));
            open.extend(dependency["pkg"].as_str().filter(|_| is_linked));
        }
    }
    let foreign =
        seen.iter().filter_map(|id| packages.get(id)).filter(|package| !package["source"].is_null());
    Ok(foreign.map(|package| described(package)).collect())
}

fn by_id(list: &Value) -> BTreeMap<&str, &Value> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| Some((item["id"].as_str()?, item))).collect()
}

fn described(package: &Value) -> Crate {
    let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let authors = package["authors"].as_array().into_iter().flatten();
    let manifest = text("manifest_path");
    let folder = Path::new(&manifest).parent().map(|folder| folder.display().to_string());
    Crate {
        name: text("name"),
        version: text("version"),
        licence: text("license"),
        authors: authors.filter_map(|author| author.as_str().map(str::to_owned)).collect(),
        source: text("repository"),
        folder: folder.unwrap_or_default(),
    }
}

fn describe(one: &Crate, text: &mut String) -> Result<(), Problem> {
    let Crate { name, version, licence, .. } = one;
    writeln!(text, "\n{}\n{name} {version}\nLicence: {licence}", "=".repeat(80))?;
    if !one.authors.is_empty() {
        writeln!(text, "Authors: {}", one.authors.join(", "))?;
    }
    if !one.source.is_empty() {
        writeln!(text, "Source: {}", one.source)?;
    }
    let texts = texts_in(Path::new(&one.folder))?;
    for (file, content) in &texts {
        writeln!(text, "\n--- {file}\n\n{}", content.trim())?;
    }
    if texts.is_empty() {
        writeln!(text, "\nIts source has no text of the licence. This is SPDX's.")?;
        for (id, content) in
            texts_of_spdx(licence).map_err(|problem| format!("{name} {version}: {problem}"))?
        {
            writeln!(text, "\n--- {id}\n\n{}", content.trim())?;
        }
    }
    Ok(())
}

/// The files with licences in a folder, or in a folder of such a name, by name.
fn texts_in(folder: &Path) -> Result<BTreeMap<String, String>, Problem> {
    let mut texts = BTreeMap::new();
    let entries =
        fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !BEGINNINGS.iter().any(|beginning| name.to_ascii_uppercase().starts_with(beginning)) {
            continue;
        }
        if path.is_file() {
            texts.insert(name, String::from_utf8_lossy(&fs::read(&path)?).into_owned());
            continue;
        }
        for entry in fs::read_dir(&path)? {
            let path = entry?.path();
            let below = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_file() {
                let content = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                texts.insert(format!("{name}/{below}"), content);
            }
        }
    }
    Ok(texts)
}

/// The texts of the licences that an expression names.
fn texts_of_spdx(expression: &str) -> Result<BTreeMap<&'static str, &'static str>, Problem> {
    let parsed = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX)
        .map_err(|_| format!("`{expression}` is no licence"))?;
    let ids = parsed.requirements().filter_map(|one| one.req.license.id());
    let texts: BTreeMap<_, _> = ids.map(|id| (id.name, id.text())).collect();
    if texts.is_empty() {
        return Err(format!("there is no text of `{expression}`").into());
    }
    Ok(texts)
}

/// The file with the licences of the standard library, which lies beside the compiler.
///
/// # Errors
/// When the compiler is there without it.
pub(super) fn of_standard_library(repository: &Repository) -> Result<PathBuf, Problem> {
    let output = repository.program("rustc").args(["--print", "sysroot"]).output()?;
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let file = Path::new(&sysroot).join("share/doc/rust/COPYRIGHT-library.html");
    match file.is_file() {
        true => Ok(file),
        false => Err(format!("{} is missing: rustup installs it with the compiler", file.display()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A package's name, whether it is ours, and the packages that it needs with the kind of each dependency.
    type Package<'a> = (&'a str, bool, &'a [(&'a str, Option<&'a str>)]);

    fn metadata_of(packages: &[Package<'_>]) -> Value {
        let all = packages.iter().map(|(name, is_ours, _)| {
            let source = if *is_ours { Value::Null } else { json!("registry") };
            json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT", "authors": [], "source": source,
                    "repository": null, "manifest_path": format!("/r/{name}/Cargo.toml") })
        });
        let nodes = packages.iter().map(|(name, _, dependencies)| {
            let dependencies: Vec<Value> = dependencies
                .iter()
                .map(|(package, kind)| json!({ "pkg": package, "dep_kinds": [{ "kind": kind }] }))
                .collect();
            json!({ "id": name, "deps": dependencies })
        });
        json!({ "packages": all.collect::<Vec<_>>(), "resolve": { "nodes": nodes.collect::<Vec<_>>() } })
    }

    #[test]
    fn what_is_linked_counts_and_what_builds_or_tests_does_not() {
        let metadata = metadata_of(&[
            ("function", true, &[("shared", None), ("cc", Some("build")), ("proptest", Some("dev"))]),
            ("shared", true, &[("serde", None)]),
            ("serde", false, &[("core", None)]),
            ("core", false, &[]),
            ("cc", false, &[]),
            ("proptest", false, &[]),
            ("other", true, &[("clap", None)]),
            ("clap", false, &[]),
        ]);
        let linked = linked(&metadata, &["function".to_owned()]).unwrap();
        assert_eq!(linked.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["core", "serde"]);
    }

    #[test]
    fn the_texts_of_a_crate_are_in_it_and_otherwise_those_of_spdx() {
        let folder = tempfile::tempdir().unwrap();
        let mut one =
            described(&json!({ "name": "a", "version": "1.0.0", "license": "MIT", "authors": ["B"] }));
        one.folder = folder.path().display().to_string();
        let mut text = String::new();
        describe(&one, &mut text).unwrap();
        assert!(text.contains("a 1.0.0\nLicence: MIT\nAuthors: B\n"), "{text}");
        assert!(text.contains("Permission is hereby granted, free of charge"), "{text}");

        fs::write(folder.path().join("license-mit.txt"), "Copyright B").unwrap();
        fs::create_dir(folder.path().join("LICENSES")).unwrap();
        fs::write(folder.path().join("LICENSES/c.txt"), "Copyright C").unwrap();
        fs::write(folder.path().join("lib.rs"), "code").unwrap();
        let mut text = String::new();
        describe(&one, &mut text).unwrap();
        assert!(
            text.ends_with("\n--- LICENSES/c.txt\n\nCopyright C\n\n--- license-mit.txt\n\nCopyright B\n"),
            "{text}"
        );
    }

    #[test]
    fn a_licence_without_any_text_stops_the_release() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = described(&json!({ "name": "a", "version": "1.0.0", "license": "" }));
        one.folder = folder.path().display().to_string();
        let problem = describe(&one, &mut String::new()).unwrap_err().to_string();
        assert!(problem.starts_with("a 1.0.0: "), "{problem}");
    }
}
