//! `cargo xtask template`: the blocks of `template.yaml`, from a short file of each workflow.

mod definition;
mod fit;
mod place;
mod stack;
pub(crate) mod text;

pub(crate) use definition::Definition;
pub(crate) use stack::Stack;

use crate::name::Name;
use crate::repository::{Problem, Repository};
use std::fs;

/// Writes the workflows' parts of template.yaml from functions/*/workflow.yaml.
///
/// Each workflow has a block of resources, a switch, an output and a widget in template.yaml. This command writes them
/// from the workflow's own file, workflow.yaml. All else in template.yaml stays as it is. With --remove it also removes
/// the parts of workflows that have no such file any more.
#[derive(clap::Args)]
#[command(after_help = "Example:
  cargo xtask template           # writes template.yaml
  cargo xtask template --check   # writes nothing; fails when template.yaml is out of date")]
pub(crate) struct Arguments {
    /// Write nothing; fail when template.yaml is out of date.
    #[arg(long)]
    check: bool,
    /// Also remove resources. A deploy deletes them, with the events in queues.
    #[arg(long)]
    remove: bool,
}

/// Runs the command.
pub(crate) fn run(repository: &Repository, arguments: &Arguments) -> Result<(), Problem> {
    let stack = Stack { text: repository.read("template.yaml")? };
    let wanted = stack.of(&definitions(repository)?)?;
    if wanted == stack.text {
        println!("template.yaml is up to date");
        return Ok(());
    }
    if arguments.check {
        return Err(format!(
            "template.yaml is out of date, from line {} on; run `cargo xtask template`",
            first_difference(&stack.text, &wanted)
        )
        .into());
    }
    let lost = stack.lost(&wanted)?;
    if !lost.is_empty() && !arguments.remove {
        return Err(format!(
            "template.yaml would lose {}; a deploy deletes them, with the events in queues. If that is meant, run `cargo xtask \
             template --remove`",
            lost.join(", ")
        )
        .into());
    }
    fs::write(repository.path("template.yaml"), &wanted)
        .map_err(|error| format!("cannot write template.yaml: {error}"))?;
    println!("changed template.yaml, from line {} on", first_difference(&stack.text, &wanted));
    Ok(())
}

/// What the files of all workflows say, in alphabetical order.
///
/// # Errors
/// When a file cannot be read or is wrong.
pub(crate) fn definitions(repository: &Repository) -> Result<Vec<Definition>, Problem> {
    let mut names = Vec::new();
    for entry in fs::read_dir(repository.path("functions"))? {
        let entry = entry?;
        // A folder without the file is no workflow: receive-webhook.
        if entry.path().join("workflow.yaml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    let read = |name: &String| {
        let text = repository.read(&format!("functions/{name}/workflow.yaml"))?;
        Definition::parse(Name::parse(name)?, &text)
    };
    names.iter().map(read).collect()
}

/// The number of the first line that differs.
fn first_difference(one: &str, other: &str) -> usize {
    let same = one.lines().zip(other.lines()).take_while(|(one, other)| one == other);
    same.count() + 1
}
