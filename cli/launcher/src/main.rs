#![doc = include_str!("../README.md")]

use std::collections::BTreeSet;
use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

/// The program.
const PROGRAM: &str = "tableau-webhooks";

/// The variable that says to the program what its user types for it.
const TYPED_AS: &str = "TABLEAU_WEBHOOKS_TYPED_AS";

/// What a command line needs to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// The program and the functions, for the local stack.
    Functions,
    /// The program alone.
    Program,
}

/// Variables that cargo sets for the program it runs. A build script that looks at one of them would run again in a
/// cargo that inherits it, and everything above it would be compiled again: the script of `ring` does.
const OF_CARGO_RUN: [&str; 6] =
    ["CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];

fn main() -> ExitCode {
    let result = launch(env::args_os().skip(1).collect());
    result.unwrap_or_else(|error| {
        say(&format!("error: {error}"));
        ExitCode::FAILURE
    })
}

fn launch(arguments: Vec<OsString>) -> Result<ExitCode, Box<dyn Error>> {
    let launcher = env::current_exe()?;
    let folder = launcher.parent().ok_or("cannot find the folder of this program")?;
    let program = folder.join(PROGRAM).with_extension(env::consts::EXE_EXTENSION);
    let needs = needs(&arguments);
    let root = repository()?;
    let mut binaries = vec![PROGRAM.to_owned()];
    if needs == Needs::Functions {
        binaries.extend(functions(&root)?);
    }
    if binaries.iter().any(|name| !folder.join(name).with_extension(env::consts::EXE_EXTENSION).exists()) {
        say(&announcement(needs));
    }
    build(&root, folder, &binaries)?;
    start(&program, arguments)
}

/// What happens next, for someone who starts it for the first time.
fn announcement(needs: Needs) -> String {
    let what = match needs {
        Needs::Functions => "the program `tableau-webhooks` and the Lambda functions",
        Needs::Program => "the program `tableau-webhooks`",
    };
    let then = match needs {
        Needs::Functions => {
            "Then the local stack starts: the functions, a simulated Tableau and Slack, and AWS services in memory."
        }
        Needs::Program => "Then it runs.",
    };
    format!(
        "\nFirst, cargo builds {what}.\nThe first build takes about five minutes on two cores; later ones take seconds. \
         It writes to `target/` only.\n{then}\n"
    )
}

/// By the first argument. What is not known is an option of the local stack, or a mistake that the program explains.
fn needs(arguments: &[OsString]) -> Needs {
    match arguments.first().and_then(|first| first.to_str()) {
        Some(
            "send" | "events" | "table" | "rules" | "completions" | "help" | "-h" | "--help" | "-V"
            | "--version",
        ) => Needs::Program,
        _ => Needs::Functions,
    }
}

/// The root of the repository, where the workspace is.
fn repository() -> Result<PathBuf, Box<dyn Error>> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    ours.ancestors()
        .nth(2)
        .map(Path::to_owned)
        .ok_or_else(|| "cannot find the repository that this program was built from".into())
}

/// The names of the functions: of their folders, packages and binaries alike.
fn functions(root: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let folder = root.join("functions");
    let mut names = Vec::new();
    for entry in
        fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?
    {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Builds into the folder of this program: same profile, same target folder. `--bin` without `--package` keeps the
/// features of the whole workspace, so no crate is compiled twice.
fn build(root: &Path, folder: &Path, binaries: &[String]) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").current_dir(root);
    for (name, _) in env::vars_os() {
        if OF_CARGO_RUN.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            cargo.env_remove(name);
        }
    }
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    if folder.file_name().is_some_and(|profile| profile == "release") {
        cargo.arg("--release");
    }
    for name in binaries {
        cargo.args(["--bin", name]);
    }
    // `cargo run --quiet` does not pass its option on. Where nothing changed there is nothing to show anyway.
    let stamp = folder.join(format!("launcher-{}.stamp", binaries.len()));
    let last_build = changed(&stamp);
    let is_fresh = |name: &String| {
        let binary = folder.join(name).with_extension(env::consts::EXE_EXTENSION);
        last_build.is_some_and(|last_build| is_fresh(&binary, last_build))
    };
    if binaries.iter().all(is_fresh) {
        cargo.arg("--quiet");
    }
    // When it began counts: a source may change meanwhile. Without the file the next build only says more.
    let begun = stamp.with_extension("begun");
    let _ = File::create(&begun);
    let status = cargo.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err("the build failed; cargo's messages are above".into());
    }
    let _ = fs::rename(&begun, &stamp);
    Ok(())
}

/// When a file was changed last.
fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// Whether nothing that cargo made a binary of in this workspace has changed since a build. Cargo decides what it builds; this
/// only decides whether it says so.
///
/// Source: <https://doc.rust-lang.org/cargo/reference/build-cache.html#dep-info-files>
fn is_fresh(binary: &Path, last_build: SystemTime) -> bool {
    if !binary.exists() {
        return false;
    }
    let Ok(text) = fs::read_to_string(binary.with_extension("d")) else { return false };
    let sources = sources(&text);
    let mut manifests = BTreeSet::new();
    for folder in sources.iter().flat_map(|source| source.ancestors().skip(1)) {
        manifests.extend(
            ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"]
                .map(|name| folder.join(name))
                .into_iter()
                .filter(|file| file.is_file()),
        );
    }
    // A source that is gone was removed or renamed.
    let is_older = |path: &PathBuf| changed(path).is_some_and(|changed| changed < last_build);
    !sources.is_empty() && sources.iter().chain(&manifests).all(is_older)
}

/// The files that a binary was made of, in the text of its dep-info file: `binary: source source`, with spaces escaped.
fn sources(text: &str) -> Vec<PathBuf> {
    const SPACE: &str = "\0";
    let escaped = text.replace("\\ ", SPACE);
    let sources =
        escaped.lines().filter_map(|line| line.split_once(": ")).flat_map(|(_, sources)| sources.split(' '));
    sources
        .filter(|source| !source.is_empty())
        .map(|source| PathBuf::from(source.replace(SPACE, " ")))
        .collect()
}

/// Becomes the program, so that signals reach it and its exit code is ours.
#[cfg(unix)]
fn start(program: &Path, arguments: Vec<OsString>) -> Result<ExitCode, Box<dyn Error>> {
    use std::os::unix::process::CommandExt;
    let error = Command::new(program).args(arguments).env(TYPED_AS, "cargo run --").exec();
    Err(format!("cannot start {}: {error}", program.display()).into())
}

#[cfg(not(unix))]
fn start(program: &Path, arguments: Vec<OsString>) -> Result<ExitCode, Box<dyn Error>> {
    let status = Command::new(program).args(arguments).env(TYPED_AS, "cargo run --").status();
    let status = status.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// To the standard error output, since the standard output belongs to the program. A reader that is gone is no reason to
/// stop.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn needs_of(arguments: &[&str]) -> Needs {
        needs(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn only_the_local_stack_needs_the_functions() {
        assert_eq!(needs_of(&[]), Needs::Functions);
        assert_eq!(needs_of(&["up"]), Needs::Functions);
        assert_eq!(needs_of(&["--once"]), Needs::Functions);
        assert_eq!(needs_of(&["--slack", "bot"]), Needs::Functions);
        assert_eq!(needs_of(&["send", "AdminPromoted"]), Needs::Program);
        assert_eq!(needs_of(&["events", "list", "--local"]), Needs::Program);
        assert_eq!(needs_of(&["completions", "bash"]), Needs::Program);
        assert_eq!(needs_of(&["--help"]), Needs::Program);
    }

    #[test]
    fn every_folder_with_a_package_is_a_function() {
        let names = functions(&repository().unwrap()).unwrap();
        assert!(names.contains(&"receive-webhook".to_owned()), "{names:?}");
    }

    #[test]
    fn a_binary_is_fresh_until_a_source_or_a_manifest_is_newer_than_the_last_build_or_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let source = path("a package/src/main.rs");
        let manifest = path("a package/Cargo.toml");
        fs::create_dir_all(source.parent().unwrap()).unwrap();
        let binary = path("binary");
        let escaped = source.display().to_string().replace(' ', "\\ ");
        for (file, text) in [
            (&source, "fn main() {}".to_owned()),
            (&manifest, "[package]".to_owned()),
            (&binary, String::new()),
            (&path("binary.d"), format!("{}: {escaped}\n", binary.display())),
        ] {
            fs::write(file, text).unwrap();
        }
        let built = changed(&binary).unwrap() + Duration::from_secs(100);
        let change = |file: &Path, time: SystemTime| {
            File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
        };
        assert!(is_fresh(&binary, built));
        for file in [&source, &manifest] {
            let before = changed(file).unwrap();
            change(file, built + Duration::from_secs(1));
            assert!(!is_fresh(&binary, built), "{} has changed", file.display());
            change(file, before);
            assert!(is_fresh(&binary, built));
        }
        fs::remove_file(&source).unwrap();
        assert!(!is_fresh(&binary, built), "the source is gone");
        assert!(!is_fresh(&path("other"), built), "there is no such binary");
    }
}
