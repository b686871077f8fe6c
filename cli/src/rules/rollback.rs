//! `rules rollback`.

use super::deploy::{announce, show_difference};
use super::options::RollbackOptions;
use super::published::StackRules;
use crate::confirm::agrees;
use crate::out::{line, note};
use crate::reconciliation;
use published_rules::Source;
use std::process::ExitCode;
use workflow::BoxError;

/// Shows what an earlier version changes, asks, and publishes it again.
pub(super) async fn rollback(options: &RollbackOptions) -> Result<ExitCode, BoxError> {
    let published = StackRules::find(&options.target).await?;
    let in_force = published.in_force().await?;
    let target = match options.version {
        Some(number) => published.version(number).await?,
        // Where none is in force that can be read, functions have the newest of the history.
        None => published
            .before(in_force.number().filter(|number| *number > 0))
            .await?
            .ok_or("there is no version before the one in force: `rules history` lists all")?,
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
    if !agrees(&question, options.yes, "publish").await? {
        note("not published");
        return Ok(ExitCode::FAILURE);
    }
    let version = published.publish(&target.text, Source::Rollback(number), &in_force).await?;
    announce(&version)?;
    reconciliation::after_publication(&published.stack).await?;
    Ok(ExitCode::SUCCESS)
}
