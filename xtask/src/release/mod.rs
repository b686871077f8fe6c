//! `cargo xtask release`: what is released, for both of Lambda's processors.

mod bundle;
mod licences;
mod template;

use crate::check::{Optimized, build_command_line, build_for};
use crate::repository::{Problem, Repository, succeed};
pub(crate) use bundle::Bundle;
use std::fs;
use std::path::PathBuf;

/// Where the result goes.
const BUNDLE: &str = "target/release-bundle";
/// Where builds go on their way there.
const BUILT: &str = "target/release-build";

/// Where its templates go alone, to be checked.
const TEMPLATES: &str = "target/release-templates";

/// Each processor: Lambda's name, and Rust's.
const PROCESSORS: [(&str, &str); 2] =
    [("arm64", "aarch64-unknown-linux-gnu"), ("x86_64", "x86_64-unknown-linux-gnu")];

/// The package with the command line.
const COMMAND_LINE: &str = "tableau-webhooks";

/// Builds what is released, for both processors of Lambda, and writes it to `target/release-bundle/`: for each
/// processor a zip of every function and the template that deploys them, the rules, the command line for Linux, licences,
/// checksums.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

/// Runs the command.
pub(crate) fn run(repository: &Repository, _: &Arguments) -> Result<(), Problem> {
    let targets = PROCESSORS.map(|(_, target)| target);
    succeed(repository.program("rustup").args(["target", "add"]).args(targets))
        .map_err(|problem| format!("cannot install the Rust targets {}: {problem}", targets.join(", ")))?;
    let bundle = Bundle::new(repository.path(BUNDLE))?;
    bundle.add_pages(repository)?;
    bundle.write("THIRD-PARTY.txt", &licences::text(repository, &released(repository)?, &targets)?)?;
    bundle.copy(&licences::of_standard_library(repository)?, "THIRD-PARTY-rust-library.html")?;
    for (processor, _) in PROCESSORS {
        println!("\n── {processor}");
        let built = repository.path(BUILT).join(processor);
        build_for(repository, processor, Optimized::AsReleased, &built)?;
        bundle.add_functions(repository, processor, &built)?;
        let program = build_command_line(repository, processor, &repository.path(BUILT), COMMAND_LINE)?;
        bundle.copy(&program, &format!("linux-{processor}/{COMMAND_LINE}"))?;
    }
    println!("\n{BUNDLE}:\n{}", bundle.seal()?);
    Ok(())
}

/// Writes the templates of a release, without what they deploy. Gives their paths.
///
/// # Errors
/// When `template.yaml` does not have the form that a release expects.
pub(crate) fn write_templates(repository: &Repository) -> Result<Vec<PathBuf>, Problem> {
    let source = repository.read("template.yaml")?;
    let mut paths = Vec::new();
    for (processor, _) in PROCESSORS {
        let folder = repository.path(TEMPLATES).join(processor);
        fs::create_dir_all(&folder)?;
        let path = folder.join("template.yaml");
        fs::write(&path, template::deployable(&source, processor)?)?;
        paths.push(path);
    }
    Ok(paths)
}

/// The packages whose programs are in the bundle.
fn released(repository: &Repository) -> Result<Vec<String>, Problem> {
    let mut packages = repository.functions()?;
    packages.push(COMMAND_LINE.to_owned());
    packages.sort();
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_of_every_crate_that_is_linked_is_in_the_text() {
        let repository = Repository::around_here().unwrap();
        let packages = released(&repository).unwrap();
        assert!(packages.contains(&"notify-slack".to_owned()), "{packages:?}");
        let text = licences::text(&repository, &packages, &PROCESSORS.map(|(_, target)| target)).unwrap();
        for one in ["tokio", "rustls", "ring", "clap", "aws-sdk-dynamodb", "lambda_runtime", "vsimd"] {
            assert!(text.contains(&format!("\n{one} ")), "{one} is missing");
        }
        // Tests use it alone.
        assert!(!text.contains("\nproptest "));
        let crates = text.matches("\nLicence: ").count();
        assert!(crates > 150, "only {crates} crates");
        assert!(licences::of_standard_library(&repository).unwrap().is_file());
    }
}
