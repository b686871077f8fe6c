//! `cargo xtask new-workflow`: a workflow of one's own to start from.

mod name;
mod source;
mod template;

use crate::repository::{Problem, Repository};
use name::{Events, Name};
use source::Workflow;
use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;
use template::Stack;

/// Writes a new workflow: its folder in functions/ and its resources in template.yaml.
///
/// The workflow is whole and its tests pass: on its events it logs what it would do. Replace that with the effect, in
/// src/lib.rs. Nothing that exists is overwritten.
#[derive(clap::Args)]
#[command(after_help = "Example:
  cargo xtask new-workflow tag-workbook --on WorkbookCreated --on WorkbookUpdated --write
  cargo test --package tag-workbook")]
pub(crate) struct Arguments {
    /// What it does, as words with hyphens between them: notify-slack, update-broadcast.
    name: String,
    /// An event that starts it, as Tableau spells it. Repeat it for several.
    #[arg(long, value_name = "EVENT", required = true, value_delimiter = ',')]
    on: Vec<String>,
    /// Put the resources into template.yaml, instead of printing them.
    #[arg(long)]
    write: bool,
}

/// Runs the command.
pub(crate) fn run(repository: &Repository, arguments: &Arguments) -> Result<(), Problem> {
    let workflow = Workflow { name: Name::parse(&arguments.name)?, events: Events::parse(&arguments.on)? };
    let stack = Stack { text: repository.read("template.yaml")? };
    refuse_taken(repository, &workflow.name, &stack)?;
    // All that can go wrong has gone wrong before the first file is written.
    let changed = stack.with(&workflow)?;

    let folder = format!("functions/{}", workflow.name);
    for (path, text) in source::files(&workflow) {
        let path = format!("{folder}/{path}");
        write_new(repository, &path, &text).map_err(|error| format!("cannot write {path}: {error}"))?;
        eprintln!("new      {path}");
    }
    format(repository, &folder);
    for event in workflow.events.iter() {
        let fixture = format!("events/tableau/{}.json", name::kebab(event));
        if !repository.path(&fixture).exists() {
            eprintln!(
                "missing  {fixture}: the tests need it; events/README.md says how the others were made"
            );
        }
    }
    if arguments.write {
        fs::write(repository.path("template.yaml"), changed)
            .map_err(|error| format!("cannot write template.yaml: {error}"))?;
        eprintln!("changed  template.yaml");
    } else {
        eprintln!("template.yaml is as it was; this belongs into it (--write puts it there):\n");
        print!("{}", stack.to_paste(&workflow));
    }
    eprintln!(
        "\nNext: the effect, in {folder}/src/lib.rs; a rule in rules.yaml; cargo test --package {}",
        workflow.name
    );
    Ok(())
}

/// A package of this name would be another folder's, or another crate's and then ambiguous on cargo's command line.
fn refuse_taken(repository: &Repository, name: &Name, stack: &Stack) -> Result<(), Problem> {
    let lock = repository.read("Cargo.lock")?;
    let (package, function) = (format!("name = \"{name}\""), format!("  {}:", name.pascal()));
    let by = if repository.path(format!("functions/{name}")).exists() {
        "a folder in functions/"
    } else if lock.lines().any(|line| line == package) {
        "a package in Cargo.lock"
    } else if stack.text.lines().any(|line| line == function) {
        "a resource in template.yaml"
    } else {
        return Ok(());
    };
    Err(format!("the name `{name}` is taken by {by}").into())
}

fn write_new(repository: &Repository, path: &str, text: &str) -> std::io::Result<()> {
    let path = repository.path(path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create_new(path)?.write_all(text.as_bytes())
}

/// Breaks lines as this repository does; how long they are depends on the name and the events.
fn format(repository: &Repository, folder: &str) {
    let mut rustfmt = repository.program("rustfmt");
    rustfmt.args(["--edition", "2024"]).stdout(Stdio::null()).stderr(Stdio::null());
    let files = ["src/lib.rs", "src/main.rs", "tests/workflow.rs"];
    let done = rustfmt.args(files.map(|file| format!("{folder}/{file}"))).status();
    if !done.is_ok_and(|status| status.success()) {
        eprintln!("rustfmt did not run: `cargo fmt` is yours to call");
    }
}
