//! `sam build`: the package of every function, as `sam deploy` takes it.

use super::python::TOOLS;
use crate::repository::{Problem, Repository, succeed};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the result is put: not where `sam build` puts it by itself, from where a developer may be about to deploy for
/// another processor.
const BUILT: &str = "target/sam";

/// Zips what is in the folders named, one after the other, as `sam deploy` does before it uploads, and prints the
/// size of the zip and of the executable in it, in bytes. The zip is not kept.
const SIZES: &str = "
import os, pathlib, sys, tempfile, zipfile
for folder in map(pathlib.Path, sys.argv[1:]):
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
            for path in folder.rglob('*'):
                archive.write(path, path.relative_to(folder))
        print(folder.name, file.tell(), os.path.getsize(folder / 'bootstrap'))
";

/// How the functions are optimized. Both run the same code; a check of a change need not wait for the smaller one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Optimized {
    /// As a release is, by the profile `release` of `Cargo.toml`.
    AsReleased,
    /// In a third of the time, and larger.
    ForTests,
}

impl Optimized {
    fn set(self, command: &mut Command) {
        if self == Self::ForTests {
            command.envs([
                ("CARGO_PROFILE_RELEASE_LTO", "off"),
                ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
                ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
            ]);
        }
    }
}

/// Builds everything in `template.yaml` that has code, for the processor of this machine, and prints how large it is, if it is as a
/// release has it. Gives Lambda's name of the processor.
pub(crate) fn build(repository: &Repository, optimized: Optimized) -> Result<&'static str, Problem> {
    let architecture = architecture(std::env::consts::ARCH)?;
    build_for(repository, architecture, optimized, &built(repository))?;
    match optimized {
        Optimized::AsReleased => print!("\n{architecture}:\n{}", sizes(repository)?),
        Optimized::ForTests => println!(
            "\nBuilt for {architecture}. `cargo xtask check --step build` has the sizes of a release."
        ),
    }
    Ok(architecture)
}

/// Builds everything in `template.yaml` that has code into a folder, for a processor by Lambda's name.
pub(crate) fn build_for(
    repository: &Repository,
    architecture: &str,
    optimized: Optimized,
    folder: &Path,
) -> Result<(), Problem> {
    TOOLS.install(repository)?;
    compile(repository, architecture, optimized)?;
    let mut sam = sam(repository);
    optimized.set(&mut sam);
    sam.arg("build").arg("--build-dir").arg(folder).arg("--parameter-overrides");
    // The server's address plays no part in a build, but has no default.
    let parameters =
        [format!("Architecture={architecture}"), "TableauServerUrl=https://example.com".to_owned()];
    succeed(sam.args(parameters))
}

/// Compiles all functions with the command that `sam build` gives for each. `sam build` then finds each of them compiled: it
/// would link one after the other, each on one core.
///
/// Functions that are built together share the features of their dependencies. `sam build` builds each alone, and would compile it again if
/// it had others. So only those are built together that have the same features alone.
fn compile(repository: &Repository, architecture: &str, optimized: Optimized) -> Result<(), Problem> {
    let target = match architecture {
        "arm64" => "aarch64-unknown-linux-gnu",
        _ => "x86_64-unknown-linux-gnu",
    };
    let mut all = Vec::new();
    for function in repository.functions()? {
        let features = features(repository, &function, target)?;
        all.push((function, features));
    }
    for group in groups(all) {
        let mut cargo = beside_tools(repository, TOOLS.tool(repository, "cargo-lambda"));
        cargo.args(["lambda", "build", "--release"]);
        optimized.set(&mut cargo);
        if architecture == "arm64" {
            cargo.arg("--arm64");
        }
        for function in group {
            cargo.args(["--bin", &function]);
        }
        succeed(&mut cargo)?;
    }
    Ok(())
}

/// Packages with their features.
type Features = BTreeMap<String, String>;

/// What a function depends on, with the features that it has alone.
fn features(repository: &Repository, function: &str, target: &str) -> Result<Features, Problem> {
    let mut cargo = repository.cargo();
    cargo.args(["tree", "--locked", "--package", function, "--edges", "normal,build", "--target", target]);
    let output = cargo.args(["--prefix", "none", "--format", "{p}|{f}"]).output()?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    // A package that stands there twice has a mark the second time.
    let lines = text.lines().map(|line| line.trim_end_matches(" (*)"));
    let packages = lines.filter_map(|line| line.split_once('|'));
    Ok(packages.map(|(package, features)| (package.to_owned(), features.to_owned())).collect())
}

/// The functions in groups: two of a group have the same features of each package that both depend on.
fn groups(functions: Vec<(String, Features)>) -> Vec<Vec<String>> {
    let mut groups: Vec<(Vec<String>, Features)> = Vec::new();
    for (function, features) in functions {
        let fits = |(_, of_group): &&mut (Vec<String>, Features)| {
            features.iter().all(|(package, own)| of_group.get(package).is_none_or(|other| other == own))
        };
        match groups.iter_mut().find(fits) {
            Some((group, of_group)) => {
                group.push(function);
                of_group.extend(features);
            }
            None => groups.push((vec![function], features)),
        }
    }
    groups.into_iter().map(|(group, _)| group).collect()
}

/// Builds a program for Linux on a processor by Lambda's name, in the same way as the functions: linked by zig, so that it
/// runs on old distributions as well. Gives its path below `folder`.
pub(crate) fn build_command_line(
    repository: &Repository,
    architecture: &str,
    folder: &Path,
    binary: &str,
) -> Result<PathBuf, Problem> {
    let folder = folder.join(format!("linux-{architecture}"));
    let mut cargo = beside_tools(repository, TOOLS.tool(repository, "cargo-lambda"));
    cargo.args(["lambda", "build", "--release", "--bin", binary, "--lambda-dir"]).arg(&folder);
    cargo.arg(if architecture == "arm64" { "--arm64" } else { "--x86-64" });
    succeed(&mut cargo)?;
    Ok(folder.join(binary).join("bootstrap"))
}

/// The functions that a folder of `sam build` holds, in order: those with an executable.
pub(crate) fn functions_in(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.join("bootstrap").is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// The command `sam`.
pub(crate) fn sam(repository: &Repository) -> Command {
    let mut sam = beside_tools(repository, TOOLS.tool(repository, "sam"));
    sam.envs([("SAM_CLI_TELEMETRY", "0"), ("AWS_DEFAULT_REGION", "us-east-1")]);
    sam
}

/// A program that finds `cargo-lambda` and zig.
fn beside_tools(repository: &Repository, program: impl AsRef<Path>) -> Command {
    let mut program = repository.program(program);
    let ours = repository.path(".venv/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(ours).chain(std::env::split_paths(&path));
    program.env("PATH", std::env::join_paths(all).unwrap_or(path));
    program
}

/// The folder of the built template.
pub(crate) fn built(repository: &Repository) -> PathBuf {
    repository.path(BUILT)
}

/// Lambda's name of a processor.
fn architecture(ours: &str) -> Result<&'static str, Problem> {
    match ours {
        "x86_64" => Ok("x86_64"),
        "aarch64" => Ok("arm64"),
        other => Err(format!("Lambda has no processor like this machine's, {other}").into()),
    }
}

/// A line for each function.
fn sizes(repository: &Repository) -> Result<String, Problem> {
    let folders = functions_in(&built(repository))?;
    let output =
        repository.program(TOOLS.tool(repository, "python")).args(["-c", SIZES]).args(&folders).output()?;
    if !output.status.success() {
        return Err(format!("cannot zip {BUILT}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    String::from_utf8_lossy(&output.stdout).lines().map(size).collect()
}

/// `NotifySlack 2741122 6130664` as people read it.
fn size(line: &str) -> Result<String, Problem> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [function, zip, executable] = words[..] else {
        return Err(format!("not a size: {line}").into());
    };
    let megabytes = |bytes: &str| bytes.parse::<f64>().map(|bytes| bytes / 1e6);
    Ok(format!(
        "  {function:<24} zip {:.2} MB, executable {:.1} MB\n",
        megabytes(zip)?,
        megabytes(executable)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_with_the_same_features_are_built_together() {
        let function = |name: &str, packages: &[(&str, &str)]| {
            let packages =
                packages.iter().map(|(package, features)| (package.to_string(), features.to_string()));
            (name.to_owned(), packages.collect::<Features>())
        };
        let all = vec![
            function("a", &[("http v1", ""), ("sign v1", "default")]),
            function("b", &[("http v1", ""), ("mail v1", "")]),
            function("c", &[("http v1", "stream"), ("mail v1", "")]),
            function("d", &[("mail v1", ""), ("sign v1", "default,extra")]),
            function("e", &[("sign v1", "default")]),
        ];
        assert_eq!(groups(all), [vec!["a", "b", "e"], vec!["c", "d"]]);
    }

    #[test]
    fn sizes_are_in_megabytes() {
        let line = size("NotifySlack 2741122 6130664").unwrap();
        assert_eq!(line, "  NotifySlack              zip 2.74 MB, executable 6.1 MB\n");
        assert!(size("").is_err());
    }

    #[test]
    fn a_processor_that_lambda_does_not_have_is_named() {
        assert_eq!(architecture("aarch64").unwrap(), "arm64");
        assert!(architecture("riscv64").unwrap_err().to_string().contains("riscv64"));
    }
}
