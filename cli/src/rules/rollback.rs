//! `rules rollback`.

use super::confirm::agrees;
use super::deploy::{announce, show_difference};
use super::options::RollbackOptions;
use super::published::StackRules;
use crate::out::{line, note};
use published_rules::{Source, Version};
use std::process::ExitCode;
use workflow::BoxError;

/// Shows what an earlier version changes, asks, and publishes it again.
pub(super) async fn rollback(options: &RollbackOptions) -> Result<ExitCode, BoxError> {
    let published = StackRules::find(&options.target).await?;
    let in_force = published.in_force().await?;
    let target = match options.version {
        Some(number) => published.version(number).await?,
        None => before(published.history().await?, in_force.number())?,
    };
    let number = target.number;
    if in_force.number() == Some(number) {
        line!("nothing to do: version {number} is in force")?;
        return Ok(ExitCode::SUCCESS);
    }
    if in_force.text() == target.text {
        let current = in_force.number().unwrap_or_default();
        line!("nothing to do: version {current}, which is in force, is the same as version {number}")?;
        return Ok(ExitCode::SUCCESS);
    }
    show_difference(&in_force, &target.text, &format!("version {number}, of {:.0}", target.published_at))?;
    let question =
        format!("Publish version {number} again as the rules of the stack `{}`?", published.stack.name);
    if !agrees(&question, options.yes).await? {
        note("not published");
        return Ok(ExitCode::FAILURE);
    }
    let version = published.publish(&target.text, Source::Rollback(number), in_force.number()).await?;
    announce(&version)?;
    Ok(ExitCode::SUCCESS)
}

/// The newest version before the one in force; the newest that can be read where that one cannot.
fn before(history: Vec<Version>, in_force: Option<u64>) -> Result<Version, BoxError> {
    let is_before = |version: &Version| in_force.is_none_or(|number| version.number < number);
    let found = history.into_iter().rfind(is_before);
    found.ok_or_else(|| "there is no version before the one in force: `rules history` lists all".into())
}
