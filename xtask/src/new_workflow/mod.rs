//! `cargo xtask new-workflow`: generates a complete workflow, to be changed.

mod register;
mod source;

use crate::name::{self, Events, Name};
use crate::repository::{Problem, Repository};
use crate::template::{Definition, Stack};
use source::Workflow;
use std::fs;
use std::process::Stdio;

/// Adds a workflow: its folder in functions/, its settings in shared/rules and its resources in template.yaml. Without
/// --write, shows what it would add.
///
/// The new workflow is complete and its tests pass, but it only writes to the log. Write what it shall do in src/lib.rs.
/// Of the existing files, template.yaml and the list of workflows are changed. docs/adding-a-workflow.md shows each step.
#[derive(clap::Args)]
#[command(after_help = "Example:
  cargo xtask new-workflow tag-workbook --on WorkbookCreated --on WorkbookUpdated           # changes nothing
  cargo xtask new-workflow tag-workbook --on WorkbookCreated --on WorkbookUpdated --tableau --write
  cargo test --package tag-workbook")]
pub(crate) struct Arguments {
    /// Its name: what it does, as words with hyphens between them, such as notify-slack.
    name: String,
    /// An event that starts it, as Tableau spells it. Repeat it for several.
    #[arg(long, value_name = "EVENT", required = true, value_delimiter = ',')]
    on: Vec<String>,
    /// Ask Tableau for the object: adds the client, its settings and its permissions. For events of workbooks and data
    /// sources.
    #[arg(long)]
    tableau: bool,
    /// Write the folder and change template.yaml. Without this, nothing is written.
    #[arg(long)]
    write: bool,
}

/// Runs the command.
pub(crate) fn run(repository: &Repository, arguments: &Arguments) -> Result<(), Problem> {
    let workflow = Workflow {
        name: Name::parse(&arguments.name)?,
        events: Events::parse(&arguments.on)?,
        tableau: arguments.tableau,
    };
    if let Some(event) = workflow.without_content() {
        return Err(format!(
            "--tableau is for events of workbooks and data sources; {event} is of another object"
        )
        .into());
    }
    let stack = Stack { text: repository.read("template.yaml")? };
    refuse_taken(repository, &workflow.name, &stack)?;
    let files = source::files(&workflow);
    let definition = definition(&workflow, &files)?;
    let changed = stack.with(&definition)?;
    let listed = register::with(&repository.read(register::LIST)?, &workflow.name)?;

    // Writes all files before it prints anything: a pipe such as `… | head` may end this program early.
    let folder = format!("functions/{}", workflow.name);
    let in_folder = |path: &str| format!("{folder}/{path}");
    let settings = settings_file(&workflow.name);
    if arguments.write {
        write_all(repository, &folder, &files)?;
        write(repository, &settings, &source::settings(&workflow))?;
        write(repository, register::LIST, &listed)?;
        write(repository, "template.yaml", &changed)?;
        format(
            repository,
            &files
                .iter()
                .map(|(path, _)| in_folder(path))
                .filter(|path| path.ends_with(".rs"))
                .chain([settings.clone()])
                .collect::<Vec<_>>(),
        );
    }
    let new = if arguments.write { "new" } else { "would write" };
    let changes = if arguments.write { "changed" } else { "would change" };
    files.iter().for_each(|(path, _)| eprintln!("{new:<12} {folder}/{path}"));
    eprintln!("{new:<12} {settings}");
    eprintln!("{changes:<12} {}", register::LIST);
    eprintln!("{changes:<12} template.yaml");
    for fixture in workflow.events.iter().map(|event| format!("events/tableau/{}.json", name::kebab(event))) {
        if !repository.path(&fixture).exists() {
            eprintln!(
                "missing      {fixture}: the tests need it; events/README.md says how the others were made"
            );
        }
    }
    if arguments.write {
        eprintln!(
            "\nNext: write what the workflow does, in {folder}/src/lib.rs; its rule settings, in {settings}; a rule, in rules.yaml.\n\
                 Test it with `cargo test --package {}`. docs/adding-a-workflow.md shows each step.",
            workflow.name
        );
    } else {
        eprintln!("\nThis is what template.yaml would get:\n");
        print!("{}", stack.to_paste(&definition));
        eprintln!("\nNothing was written. Add --write to write it.");
    }
    Ok(())
}

/// What the new workflow's own file says that it has in AWS.
fn definition(workflow: &Workflow, files: &[(&str, String)]) -> Result<Definition, Problem> {
    let text = files.iter().find(|(path, _)| *path == source::DEFINITION).map(|(_, text)| text.as_str());
    Definition::parse(workflow.name.clone(), text.unwrap_or_default())
}

/// Refuses a name that is taken: by a folder, or by a crate, since on cargo's command line the name would mean either crate.
fn refuse_taken(repository: &Repository, name: &Name, stack: &Stack) -> Result<(), Problem> {
    let lock = repository.read("Cargo.lock")?;
    let package = format!("name = \"{name}\"");
    let function = format!("  {}:", name.pascal());
    let by = if repository.path(format!("functions/{name}")).exists() {
        "a folder in functions/"
    } else if repository.path(settings_file(name)).exists() {
        "a file in shared/rules/src/settings/"
    } else if lock.lines().any(|line| line == package) {
        "a package in Cargo.lock"
    } else if stack.text.lines().any(|line| line == function) {
        "a resource in template.yaml"
    } else {
        return Ok(());
    };
    Err(format!("the name `{name}` is taken by {by}").into())
}

/// The file with the workflow's rule settings.
fn settings_file(name: &Name) -> String {
    format!("{}/{}.rs", register::FOLDER, name.snake())
}

fn write(repository: &Repository, path: &str, text: &str) -> Result<(), Problem> {
    fs::write(repository.path(path), text).map_err(|error| format!("cannot write {path}: {error}").into())
}

/// Writes the workflow's folder. If that fails, removes what it wrote.
fn write_all(repository: &Repository, folder: &str, files: &[(&str, String)]) -> Result<(), Problem> {
    let root = repository.path(folder);
    let write = |(path, text): &(&str, String)| {
        let path = root.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    };
    let written = fs::create_dir(&root).and_then(|()| {
        files.iter().try_for_each(write).inspect_err(|_| {
            // `create_dir` has just made it, so it holds nothing else.
            let _ = fs::remove_dir_all(&root);
        })
    });
    written.map_err(|error| format!("cannot write {folder}: {error}").into())
}

/// Formats the new Rust files: how long their lines are depends on the name and the events.
fn format(repository: &Repository, files: &[String]) {
    let mut rustfmt = repository.program("rustfmt");
    rustfmt.args(["--edition", "2024"]).stdout(Stdio::null()).stderr(Stdio::null());
    let done = rustfmt.args(files).status();
    if !done.is_ok_and(|status| status.success()) {
        eprintln!("rustfmt did not run: run `cargo fmt` yourself");
    }
}
