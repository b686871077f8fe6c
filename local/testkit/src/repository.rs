//! The checkout, and how its functions are called.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("local/testkit is two folders below").to_owned()
}

/// `rules.yaml` with the rules that stand in it as comments switched on.
pub fn every_rule() -> String {
    let text = fs::read_to_string(root().join("rules.yaml")).expect("rules.yaml");
    let lines = text.lines().map(|line| match line.strip_prefix("  # ") {
        Some(rule) if rule.starts_with("- ") || rule.starts_with("  ") => format!("  {rule}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// The JSON schema that notify-teams ships for a flow with the trigger *When an HTTP request is received*.
pub fn power_automate_schema() -> serde_json::Value {
    let file = root().join("functions/notify-teams/power-automate.schema.json");
    serde_json::from_slice(&fs::read(file).expect("the schema")).expect("JSON")
}

/// Names of the folders in `functions/`, in alphabetical order.
pub fn functions() -> Vec<String> {
    let entries =
        fs::read_dir(root().join("functions")).expect("functions/").map(|entry| entry.expect("an entry"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().into_string().expect("a name in UTF-8")).collect();
    names.sort();
    names
}

/// The resource of a function: `notify-slack` → `NotifySlack`.
pub fn pascal(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}
