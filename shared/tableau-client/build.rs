//! Joins the knowledge files of `src/cause/sources` into one text without comments and examples, which only tests need.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const SOURCES: &str = "src/cause/sources";
/// The file of sentences that never tell the cause: it has no header and no classes.
const WRAPPERS: &str = "wrappers.txt";

#[expect(clippy::disallowed_methods, reason = "Cargo says by a variable where the result goes")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCES}");
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo runs a build script in the folder of its package.
    let folder = Path::new(SOURCES);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files =
        fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut sources = String::new();
    let mut wrappers = String::new();
    for file in files {
        let is_wrappers = file.file_name().is_some_and(|name| name == WRAPPERS);
        let joined = if is_wrappers { &mut wrappers } else { &mut sources };
        let text = fs::read_to_string(&file)?;
        let lines =
            text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with("# "));
        for line in lines.filter(|line| *line != "#") {
            // A pattern may begin with a bracket too, but it has an example.
            let is_kept_whole = (line.starts_with('[') && !line.contains(" | "))
                || line.starts_with("name:")
                || line.starts_with("known by:");
            let kept = if is_kept_whole {
                line
            } else {
                line.split_once(" | ").map_or(line, |(pattern, _)| pattern)
            };
            writeln!(joined, "{}", kept.trim_end())?;
        }
    }
    fs::write(out.join("sources.txt"), sources)?;
    fs::write(out.join(WRAPPERS), wrappers)?;
    Ok(())
}
