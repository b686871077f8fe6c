//! `cargo xtask texts`: every text that a user can see, for reading with fresh eyes.

mod comments;
mod headings;
mod kind;
mod literals;
mod names;
mod prose;
mod rust;
mod sources;
mod template;

use crate::repository::{Problem, Repository};
use fastrand::Rng;
use kind::Text;
use std::io::{self, Write as _};

/// Prints every text that a user can see, one a line: kind, file and line, text.
///
/// Short parts of sentences are left out. The kinds are help, error, log, message (what is sent to Slack, and why an event was skipped), output (what a program prints),
/// heading (of Markdown files) and template (what template.yaml says in the AWS console). Tests are left out.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The comments of all Rust code instead, each block as one
    #[arg(long, conflicts_with = "names")]
    comments: bool,

    /// The names of modules and of public items instead, with their paths
    #[arg(long)]
    names: bool,

    /// Print only this many, chosen at random
    #[arg(long, value_name = "COUNT")]
    sample: Option<usize>,

    /// Choose as the run with this seed did
    #[arg(long, value_name = "NUMBER", requires = "sample")]
    seed: Option<u64>,
}

/// Runs the command.
pub(crate) fn run(repository: &Repository, arguments: &Arguments) -> Result<(), Problem> {
    let found = match (arguments.comments, arguments.names) {
        (true, _) => comments::all(repository)?,
        (_, true) => names::all(repository)?,
        _ => texts(repository)?,
    };
    let mut lines: Vec<String> = found.iter().map(Text::line).collect();
    if let Some(count) = arguments.sample {
        let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..10_000));
        eprintln!("{} of {}, with --seed {seed}", count.min(lines.len()), lines.len());
        lines = Rng::with_seed(seed).choose_multiple(lines, count);
    }
    let mut out = io::stdout().lock();
    match lines.iter().try_for_each(|line| writeln!(out, "{line}")) {
        // `head` reads only the first lines.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Every text, in the order of files and lines.
fn texts(repository: &Repository) -> Result<Vec<Text>, Problem> {
    let mut found = rust::all(repository)?;
    found.extend(headings::all(repository)?);
    found.extend(template::all(repository)?);
    found.retain(|text| !text.text.is_empty() && !prose::is_part_of_a_sentence(&text.text, text.kind));
    found.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    Ok(found)
}

#[cfg(test)]
mod tests;
