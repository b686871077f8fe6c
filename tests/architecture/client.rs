//! `tableau-client` can be published on its own, and other programs can use it.

use crate::{Package, cargo, packages, tree};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use testkit::repository::root;

#[test]
fn the_tableau_client_knows_nothing_of_aws() {
    let aws: Vec<String> = tree("tableau-client")
        .into_iter()
        .filter(|name| ["aws-", "aws_", "lambda"].iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    assert!(aws.is_empty(), "{aws:?}");
}

#[test]
fn the_tableau_client_depends_on_what_can_be_published_and_on_nothing_else_of_ours() {
    let packages = packages();
    let ours: BTreeMap<&str, &Package> = packages.iter().map(|p| (p.name.as_str(), p)).collect();
    let client = ours["tableau-client"];
    assert_eq!(client.uses, ["confidential", "plain-text", "tableau"].map(str::to_owned).into());
    for package in client.uses.iter().map(|name| ours[name.as_str()]).chain([client]) {
        let manifest = package.manifest();
        for line in ["publish = true", "description = ", "documentation = ", "keywords = ", "categories = "] {
            assert!(manifest.contains(&format!("\n{line}")), "{}: no `{line}`", package.name);
        }
        assert!(
            package.name == client.name || package.uses.is_empty(),
            "{}: {:?}",
            package.name,
            package.uses
        );
    }
}

/// Built with the whole workspace, the crate has features that other packages enable and that another program lacks.
#[test]
fn the_tableau_client_builds_in_a_workspace_that_has_nothing_else_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let client = root().join("shared/tableau-client");
    let manifest = format!(
        "[package]\nname = \"scratch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[profile.dev]\n\
         debug = false\n\n[dependencies]\ntableau-client = {{ path = {client:?} }}\n"
    );
    fs::write(path("Cargo.toml"), manifest).unwrap();
    fs::create_dir(path("src")).unwrap();
    fs::write(path("src/lib.rs"), "pub use tableau_client::TableauClient;\n").unwrap();
    fs::copy(root().join("Cargo.lock"), path("Cargo.lock")).unwrap();
    for features in ["--no-default-features", "--all-features"] {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--offline", "--quiet", "-p", "scratch", "-p", "tableau-client", features]);
        let output = cargo.current_dir(folder.path()).env("CARGO_TARGET_DIR", root().join("target")).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{features}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_tableau_client_and_what_it_needs_can_be_packed_for_crates_io() {
    let folder = tempfile::tempdir().unwrap();
    let packages = ["confidential", "plain-text", "tableau-types", "tableau-client"];
    let packages = packages.iter().flat_map(|package| ["-p", package]);
    let target = folder.path().to_str().unwrap();
    let how = ["package", "--offline", "--no-verify", "--allow-dirty", "--quiet", "--target-dir", target];
    cargo(&how.into_iter().chain(packages).collect::<Vec<_>>());
    let packed = fs::read_dir(folder.path().join("package")).unwrap().map(|file| file.unwrap().path());
    assert_eq!(packed.filter(|file| file.extension().is_some_and(|ext| ext == "crate")).count(), 4);
}
