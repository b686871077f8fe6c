//! `rules show`.

use super::check::count;
use super::difference;
use super::options::ShowOptions;
use super::published::StackRules;
use crate::events::age;
use crate::files::find;
use crate::out::{self, line, plain};
use jiff::Timestamp;
use published_rules::{InForce, Source, Version};
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _, stdout};
use std::process::ExitCode;
use workflow::BoxError;

/// How many digits of a SHA-256 are shown.
const DIGITS: usize = 12;

/// Shows the version in force, or another one.
pub(super) async fn show(options: &ShowOptions) -> Result<ExitCode, BoxError> {
    let published = StackRules::find(&options.target).await?;
    let in_force = published.in_force().await?;
    let version = match (options.version, &in_force) {
        (Some(number), _) if in_force.number() != Some(number) => published.version(number).await?,
        (_, InForce::Version(version, _)) => (**version).clone(),
        (Some(number), _) => published.version(number).await?,
        (None, _) => published.current().await?,
    };
    if options.text {
        return print(&version.text);
    }
    let is_in_force = in_force.number() == Some(version.number);
    let file = options.file.display().to_string();
    let text = match find(&options.file) {
        Ok(path) => Some(rules::read_file(&path)?),
        Err(_) => None,
    };
    if options.json {
        let mut facts = facts(&version, is_in_force);
        facts["file"] = json!(text.as_ref().map(|_| &file));
        facts["same_as_file"] = json!(text.as_ref().map(|text| *text == version.text));
        line!("{}", out::json(&facts))?;
        return Ok(ExitCode::SUCCESS);
    }
    let ago = age(Some(version.published_at), Timestamp::now());
    match is_in_force {
        true => line!("version {}, in force since {:.0} ({ago} ago)", version.number, version.published_at)?,
        false => line!(
            "version {}, published {:.0} ({ago} ago), not in force",
            version.number,
            version.published_at
        )?,
    }
    line!("  published by  {}", author(&version))?;
    line!("  how           {}", version.source)?;
    line!("  sha256        {}", digits(&version))?;
    line!("  rules         {}", count(rules_in(&version)))?;
    match text {
        None => line!("  file          there is no {file} here or in a folder above")?,
        Some(text) if text == version.text => line!("  file          the same as {file}")?,
        Some(text) => {
            line!("  file          differs from {file}:\n")?;
            let name = format!("version {}", version.number);
            let lines = difference::lines((&name, &version.text), (&file, &text));
            lines.iter().try_for_each(|part| line!("{part}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The text as it is, for a file. A terminal gets nothing that it would obey.
fn print(text: &str) -> Result<ExitCode, BoxError> {
    if stdout().is_terminal() {
        text.lines().try_for_each(|part| line!("{}", plain(part)))?;
    } else {
        let mut out = stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(out::Error::from)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What `rules show --json` and `rules history --json` say of a version.
pub(super) fn facts(version: &Version, is_in_force: bool) -> Value {
    let (how, of) = match version.source {
        Source::RulesDeploy => ("rules deploy", None),
        Source::StackDeploy => ("stack deploy", None),
        Source::Rollback(of) => ("rollback", Some(of)),
    };
    json!({
        "version": version.number,
        "in_force": is_in_force,
        "published_at": format!("{:.3}", version.published_at),
        "published_by": version.published_by,
        "how": how,
        "of_version": of,
        "sha256": version.sha256(),
        "rules": rules_in(version),
    })
}

/// Who published it.
pub(super) fn author(version: &Version) -> String {
    let author = plain(&version.published_by);
    if author.is_empty() { "not known".to_owned() } else { author }
}

/// The beginning of its SHA-256.
pub(super) fn digits(version: &Version) -> String {
    version.sha256().chars().take(DIGITS).collect()
}

/// How many rules it has, also one that this version of the program cannot read.
pub(super) fn rules_in(version: &Version) -> usize {
    let form: Value = serde_json::from_str(&version.form).unwrap_or_default();
    form["rules"].as_array().map_or(0, Vec::len)
}
