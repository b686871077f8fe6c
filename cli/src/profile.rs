//! Checks that the requested AWS profile exists.

use std::env::{home_dir, var_os};
use std::path::{Path, PathBuf};

/// A file with AWS profiles.
struct ProfileFile {
    path: PathBuf,
    /// Whether the file names its sections `[profile NAME]`.
    is_config: bool,
}

/// The files in which every AWS tool looks for profiles.
///
/// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html>
fn files() -> Vec<ProfileFile> {
    let file = |variable: &str, name: &str, is_config| {
        let named = var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
        let path = named.or_else(|| home_dir().map(|home| home.join(".aws").join(name)))?;
        Some(ProfileFile { path, is_config })
    };
    let files =
        [file("AWS_CONFIG_FILE", "config", true), file("AWS_SHARED_CREDENTIALS_FILE", "credentials", false)];
    files.into_iter().flatten().collect()
}

/// Refuses a profile that is in neither file. `option` is the value of `--profile`; without it, `AWS_PROFILE` counts.
///
/// # Errors
/// A sentence that names the profile, the files and the existing profiles.
pub(crate) fn check(option: Option<&str>) -> Result<(), String> {
    let variable =
        || var_os("AWS_PROFILE").and_then(|name| name.into_string().ok()).filter(|name| !name.is_empty());
    let from = if option.is_some() { "--profile" } else { "AWS_PROFILE" };
    let Some(profile) = option.map(str::to_owned).or_else(variable) else { return Ok(()) };
    let files = files();
    let mut known: Vec<String> = files.iter().flat_map(profiles).collect();
    if known.contains(&profile) {
        return Ok(());
    }
    known.sort();
    known.dedup();
    let looked: Vec<String> = files.iter().map(|file| place(&file.path)).collect();
    let there = match known.as_slice() {
        [] => "there are no profiles: `aws configure sso` makes one".to_owned(),
        known => format!("there are: {}", known.join(", ")),
    };
    Err(format!("there is no AWS profile `{profile}` (from {from}) in {}; {there}", looked.join(" or ")))
}

/// The file's path, and whether the file exists.
fn place(path: &Path) -> String {
    let missing = if path.is_file() { "" } else { " (no such file)" };
    format!("{}{missing}", path.display())
}

/// The names of the profiles in a file; empty if the file cannot be read, which the AWS SDK reports.
fn profiles(file: &ProfileFile) -> Vec<String> {
    let text = crate::files::text(&file.path).unwrap_or_default();
    text.lines().filter_map(|line| section(line, file.is_config)).collect()
}

/// The name of the profile that begins with this line.
///
/// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>
fn section(line: &str, is_config: bool) -> Option<String> {
    let (inside, _) = line.strip_prefix('[')?.split_once(']')?;
    let inside = inside.trim();
    let name = match inside.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t'])) {
        Some(name) if is_config => name.trim(),
        // Without the word `profile`, this is the default profile or a section of another kind.
        None if !is_config || inside == "default" => inside,
        _ => return None,
    };
    let name = name.trim_matches(['"', '\'']);
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_found_by_their_sections() {
        for (line, in_config, in_credentials) in [
            ("[profile data]", Some("data"), None),
            ("[profile \"data platform\"] # ours", Some("data platform"), None),
            ("[ profile\tdata ]", Some("data"), None),
            ("[default]", Some("default"), Some("default")),
            ("[profile default]", Some("default"), None),
            ("[data]", None, Some("data")),
            ("[sso-session data]", None, Some("sso-session data")),
            ("region = [x]", None, None),
            ("# [data]", None, None),
            ("[]", None, None),
        ] {
            let found = [true, false].map(|is_config| section(line, is_config));
            assert_eq!(found, [in_config, in_credentials].map(|name| name.map(str::to_owned)), "{line}");
        }
    }
}
