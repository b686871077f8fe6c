//! Which packages may depend on which, and what every package must have.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

#[path = "architecture/client.rs"]
mod client;
#[path = "architecture/decisions.rs"]
mod decisions;
#[path = "architecture/page.rs"]
mod page;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::repository::root;

/// The workspace packages that each package may use outside its tests. A package that is not listed may use none.
const MAY_USE: &[(&str, &[&str])] = &[
    ("tableau", &[]),
    ("plain-text", &[]),
    ("aws-http", &["confidential", "workflow"]),
    ("confidential", &[]),
    ("custom-resource", &["workflow"]),
    ("http-client", &[]),
    ("timer", &[]),
    ("workflow", &["tableau", "timer"]),
    ("deliveries", &["aws-http", "tableau", "timer", "workflow"]),
    ("rules", &["plain-text", "tableau"]),
    ("tableau-client", &["confidential", "plain-text", "tableau"]),
    ("store", &["aws-http", "workflow"]),
    (
        "alerting",
        &[
            "circuit",
            "facts",
            "guarded-tableau",
            "plain-text",
            "rules",
            "store",
            "tableau",
            "tableau-client",
            "timer",
            "workflow",
        ],
    ),
    ("facts", &["circuit", "guarded-tableau", "rules", "tableau", "tableau-client", "workflow"]),
    ("api-keys", &["rules", "store", "tableau", "workflow"]),
    ("published-rules", &["rules", "store", "workflow"]),
    ("refreshes", &["store", "tableau", "timer", "workflow"]),
    ("session-store", &["store", "tableau-client"]),
    ("circuit", &["store", "workflow"]),
    ("guarded-tableau", &["circuit", "tableau", "tableau-client", "workflow"]),
    (
        "destinations",
        &["alerting", "circuit", "confidential", "plain-text", "rules", "store", "tableau", "workflow"],
    ),
    ("email", &["alerting", "aws-http", "circuit", "plain-text", "rules", "workflow"]),
    (
        "forwarding",
        &[
            "alerting",
            "aws-http",
            "circuit",
            "confidential",
            "facts",
            "http-client",
            "plain-text",
            "rules",
            "store",
            "tableau",
            "tableau-client",
            "workflow",
        ],
    ),
    ("history", &["alerting", "aws-http", "deliveries", "store", "tableau", "tableau-client", "workflow"]),
    ("publishing", &["aws-http", "circuit", "confidential", "plain-text", "store", "workflow"]),
    ("secrets", &["aws-http", "plain-text", "tableau", "workflow"]),
    (
        "webhooks",
        &[
            "confidential",
            "published-rules",
            "rules",
            "secrets",
            "store",
            "tableau",
            "tableau-client",
            "workflow",
        ],
    ),
    (
        "runtime",
        &[
            "aws-http",
            "deliveries",
            "http-client",
            "published-rules",
            "rules",
            "secrets",
            "store",
            "tableau",
            "timer",
            "workflow",
        ],
    ),
];

/// The workspace packages that each package in `local/` may use. Packages in `local/` are never deployed.
const LOCAL_MAY_USE: &[(&str, &[&str])] = &[
    ("local-aws", &["loopback-server"]),
    ("loopback-server", &[]),
    ("simulator", &["loopback-server", "tableau"]),
    ("testkit", OF_BOTH),
];

/// What a package in `functions/` may use outside its tests.
const FUNCTIONS_MAY_USE: &[&str] = &[
    "alerting",
    "api-keys",
    "circuit",
    "confidential",
    "custom-resource",
    "destinations",
    "email",
    "facts",
    "forwarding",
    "guarded-tableau",
    "history",
    "http-client",
    "plain-text",
    "published-rules",
    "publishing",
    "refreshes",
    "rules",
    "runtime",
    "secrets",
    "session-store",
    "store",
    "tableau",
    "tableau-client",
    "timer",
    "webhooks",
    "workflow",
];

/// Packages that are never deployed, so they may use everything in `shared/` and `local/`.
const TOOLS: &[&str] = &["launcher", "repository-tests", "tableau-webhooks", "xtask"];

/// The packages in `shared/` and `local/`.
const OF_BOTH: &[&str] = &[
    "alerting",
    "api-keys",
    "aws-http",
    "circuit",
    "confidential",
    "custom-resource",
    "deliveries",
    "destinations",
    "email",
    "facts",
    "forwarding",
    "guarded-tableau",
    "history",
    "http-client",
    "local-aws",
    "loopback-server",
    "plain-text",
    "published-rules",
    "publishing",
    "refreshes",
    "rules",
    "runtime",
    "secrets",
    "session-store",
    "simulator",
    "store",
    "tableau",
    "tableau-client",
    "testkit",
    "timer",
    "webhooks",
    "workflow",
];

/// Crates of which there is one version each, so that a function has one TLS stack.
const ONE_VERSION: &[&str] = &["hyper", "ring", "rustls"];

/// Other TLS stacks, which no function may contain.
const OTHER_TLS: &[&str] = &["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl", "openssl-sys"];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// One package of the workspace.
struct Package {
    name: String,
    folder: PathBuf,
    binaries: Vec<String>,
    /// The workspace packages that it depends on outside tests.
    uses: BTreeSet<String>,
    /// The workspace packages that it depends on in tests only.
    tests_use: BTreeSet<String>,
}

impl Package {
    fn is_function(&self) -> bool {
        self.folder.parent() == Some(&root().join("functions"))
    }

    fn manifest(&self) -> String {
        fs::read_to_string(self.folder.join("Cargo.toml")).unwrap()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A package's name in this repository. On crates.io, `tableau` is a library that prints tables.
fn name_of(package: &Value) -> String {
    let name = text(&package["name"]);
    if name == "tableau-types" { "tableau".to_owned() } else { name }
}

fn packages() -> Vec<Package> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked"]))
            .unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let uses = |package: &Value, in_tests: bool| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        // A dependency on a workspace package has a path.
        dependencies
            .filter(|d| d["path"].is_string() && (d["kind"] == "dev") == in_tests)
            .map(name_of)
            .collect()
    };
    let binaries = |package: &Value| {
        let targets = package["targets"].as_array().unwrap().iter();
        targets.filter(|t| t["kind"][0] == "bin").map(|t| text(&t["name"])).collect()
    };
    packages
        .iter()
        .map(|p| Package {
            name: name_of(p),
            folder: Path::new(p["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned(),
            binaries: binaries(p),
            uses: uses(p, false),
            tests_use: uses(p, true),
        })
        .collect()
}

/// The names of all direct and indirect dependencies of `package`, without those of tests.
fn tree(package: &str) -> BTreeSet<String> {
    names(&["-p", package])
}

fn names(of: &[&str]) -> BTreeSet<String> {
    let how = ["tree", "--locked", "-e", "normal", "--prefix", "none", "--format", "{p}"];
    let lines = cargo(&[&how, of].concat());
    lines.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn dependencies_point_one_way() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().chain(LOCAL_MAY_USE).copied().collect();
    let mut wrong = Vec::new();
    for package in packages() {
        let allowed = match table.get(package.name.as_str()) {
            Some(allowed) => allowed,
            None if package.is_function() => FUNCTIONS_MAY_USE,
            None if TOOLS.contains(&package.name.as_str()) => OF_BOTH,
            None => {
                wrong.push(format!("{} is not in the table", package.name));
                continue;
            }
        };
        let beyond = package.uses.iter().filter(|used| !allowed.contains(&used.as_str()));
        wrong.extend(beyond.map(|used| format!("{} uses {used}", package.name)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_tables_name_the_packages_of_their_folder_and_no_other() {
    let names = |table: &[(&str, &[&str])]| -> BTreeSet<String> {
        table.iter().map(|(name, _)| (*name).to_owned()).collect()
    };
    let mut all = BTreeSet::new();
    for (folder, table) in [("shared", MAY_USE), ("local", LOCAL_MAY_USE)] {
        let folder = root().join(folder);
        let packages = packages().into_iter().filter(|package| package.folder.parent() == Some(&folder));
        let packages: BTreeSet<String> = packages.map(|package| package.name).collect();
        assert_eq!(packages, names(table), "{}", folder.display());
        all.extend(packages);
    }
    assert_eq!(all, OF_BOTH.iter().map(|&name| name.to_owned()).collect());
}

#[test]
fn nothing_that_ships_uses_what_stands_in_on_one_machine() {
    let local: BTreeSet<String> = LOCAL_MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let ships = packages()
        .into_iter()
        .filter(|p| p.is_function() || p.folder.parent() == Some(&root().join("shared")));
    for package in ships {
        assert!(package.uses.is_disjoint(&local), "{} uses {:?}", package.name, package.uses);
    }
}

#[test]
fn nothing_depends_on_a_function() {
    let packages = packages();
    let functions: BTreeSet<&String> = packages.iter().filter(|p| p.is_function()).map(|p| &p.name).collect();
    for package in &packages {
        let used = package.uses.union(&package.tests_use).collect::<BTreeSet<_>>();
        let used: Vec<_> = used.intersection(&functions).collect();
        assert!(used.is_empty(), "{} uses {used:?}", package.name);
    }
}

#[test]
fn a_function_carries_one_tls_stack() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for name in ONE_VERSION {
        let versions = lock.lines().filter(|line| *line == format!("name = \"{name}\"")).count();
        assert_eq!(versions, 1, "versions of {name} in Cargo.lock");
    }
    for function in packages().iter().filter(|package| package.is_function()) {
        let tree = tree(&function.name);
        let other: Vec<_> = OTHER_TLS.iter().filter(|name| tree.contains(**name)).collect();
        assert!(other.is_empty(), "{} carries {other:?}", function.name);
    }
}

/// `sam build` selects a function by its binary: cargo then turns on for it every feature that any package of the
/// workspace asks of a crate they share. HTTP/2 would be the dearest, and the AWS SDK's own HTTP client asks for it.
#[test]
fn no_package_turns_http_2_on_for_the_functions() {
    let all = names(&["--workspace"]);
    assert!(!all.contains("h2") && !all.contains("aws-smithy-http-client"), "{all:?}");
}

#[test]
fn a_function_is_a_folder_a_package_and_a_binary_of_one_name() {
    let packages: BTreeMap<PathBuf, Package> =
        packages().into_iter().map(|p| (p.folder.clone(), p)).collect();
    for entry in fs::read_dir(root().join("functions")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        for file in ["Cargo.toml", "README.md", "src/lib.rs", "src/main.rs"] {
            assert!(folder.join(file).is_file(), "{} has no {file}", folder.display());
        }
        let name = folder.file_name().unwrap().to_str().unwrap();
        let package = packages.get(&folder).unwrap_or_else(|| panic!("{name} is not in the workspace"));
        assert_eq!(package.name, name);
        assert_eq!(package.binaries, [name]);
        let is_test =
            |path: PathBuf| path.extension().is_some_and(|ext| ext == "rs") || path.join("main.rs").is_file();
        let tests = fs::read_dir(folder.join("tests"))
            .map(|files| files.filter(|file| is_test(file.as_ref().unwrap().path())).count());
        assert!(tests.is_ok_and(|count| count > 0), "{name} has no tests");
    }
}

#[test]
fn every_package_takes_lints_from_the_workspace() {
    for package in packages() {
        let manifest = package.manifest();
        let inherited = manifest.lines().skip_while(|line| line.trim() != "[lints]").nth(1);
        assert_eq!(inherited.map(str::trim), Some("workspace = true"), "[lints] of {}", package.name);
    }
}

#[test]
fn every_package_takes_versions_from_the_workspace() {
    for package in packages() {
        let mut section = "";
        for line in package.manifest().lines().map(str::trim) {
            if line.starts_with('[') && line.ends_with(']') {
                section = line.trim_matches(['[', ']']);
                let table = section.split('.').rev().skip(1).any(|part| part.ends_with("dependencies"));
                assert!(!table, "{}: write [{section}] as one line", package.name);
            } else if section.ends_with("dependencies")
                && line.starts_with(|c: char| c.is_ascii_alphanumeric())
            {
                assert!(
                    line.contains("workspace = true"),
                    "{}: `{line}` has a version of its own",
                    package.name
                );
            }
        }
    }
}

/// The Rust files below a folder.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn an_error_of_aws_becomes_text_in_one_place_of_what_is_deployed() {
    // Each of these files makes an error from AWS's answer, which may repeat the request.
    let words = ["into_service_error", "DisplayErrorContext", "Error::from)", ".message()"];
    let mut files = Vec::new();
    for package in packages().into_iter().filter(|package| package.name != "aws-http") {
        if OF_BOTH.contains(&package.name.as_str()) || package.is_function() {
            rust_files(&package.folder.join("src"), &mut files);
        }
    }
    let uses_aws = |text: &str| text.contains("aws_sdk_");
    let mut seen = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        if !uses_aws(&text) {
            continue;
        }
        seen += 1;
        for word in words {
            assert!(!text.contains(word), "{}: `{word}`; use aws_http::reason", file.display());
        }
    }
    assert!(seen >= 6, "{seen}");
}
