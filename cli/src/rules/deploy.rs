//! `rules deploy`.

use super::check::{notes, summary, without_mistakes};
use super::options::DeployOptions;
use super::published::StackRules;
use super::{difference, webhooks};
use crate::confirm::agrees;
use crate::out::{line, note};
use crate::reconciliation;
use crate::stack::Stack;
use crate::stack_tableau;
use published_rules::{InForce, Source, Version};
use rules::Rules;
use std::collections::BTreeSet;
use std::process::ExitCode;
use workflow::BoxError;

/// Checks the file, shows what it changes, asks, and publishes it.
pub(super) async fn deploy(options: &DeployOptions) -> Result<ExitCode, BoxError> {
    let file = &options.file;
    let checked = without_mistakes(file)?;
    let published = StackRules::find(&options.target).await?;
    line!("{}", summary(file, &checked.rules))?;
    let mut all = notes(&checked.rules);
    all.extend(not_deployed(&checked.rules, &published.stack));
    if options.webhooks {
        let tableau = stack_tableau::client(&published.stack).await?;
        all.extend(webhooks::unsent(&checked.rules, &tableau).await?);
    }
    all.iter().for_each(|text| note(format!("note: {text}")));
    // The function of the stack registers what is missing.
    if !options.webhooks && reconciliation::function(&published.stack).is_none() {
        line!("{}", webhooks::HINT)?;
    }
    let in_force = published.in_force().await?;
    if matches!(&in_force, InForce::Version(version, _) if version.text == checked.text) {
        let number = in_force.number().unwrap_or_default();
        line!("nothing to do: version {number}, which is in force, is the same as {}", file.display())?;
        // It may have been published by a run that ended before this.
        reconciliation::after_publication(&published.stack).await?;
        return Ok(ExitCode::SUCCESS);
    }
    show_difference(&in_force, &checked.text, &file.display().to_string())?;
    let question =
        format!("Publish {} as the rules of the stack `{}`?", file.display(), published.stack.name);
    if !agrees(&question, options.yes, "publish").await? {
        note("not published");
        return Ok(ExitCode::FAILURE);
    }
    let version = published.publish(&checked.text, Source::RulesDeploy, &in_force).await?;
    announce(&version)?;
    reconciliation::after_publication(&published.stack).await?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what a text changes.
pub(super) fn show_difference(in_force: &InForce, text: &str, name: &str) -> Result<(), BoxError> {
    match in_force {
        InForce::Nothing => {
            line!("no rules are in force yet: all {} lines are new", text.lines().count())?;
        }
        InForce::Damaged(why, _) => {
            note(format!(
                "note: the version in force cannot be read, so there is no difference to show: {why}"
            ));
        }
        InForce::Version(version, _) => {
            let old = format!("version {}, in force since {:.0}", version.number, version.published_at);
            let lines = difference::lines((&old, in_force.text()), (name, text));
            lines.iter().try_for_each(|part| line!("{part}"))?;
        }
    }
    Ok(())
}

/// Says that a version is in force.
pub(super) fn announce(version: &Version) -> Result<(), BoxError> {
    line!("version {} is in force; functions use it within a minute", version.number)?;
    Ok(())
}

/// A note for each workflow that the rules name and the stack does not have: it may be switched off.
fn not_deployed(rules: &Rules, stack: &Stack) -> Vec<String> {
    let known: Vec<&str> = stack.workflows.iter().map(|queues| queues.workflow.as_str()).collect();
    let named: BTreeSet<&str> = rules.workflows().map(|(name, _)| name).collect();
    let missing = named.into_iter().filter(|name| !known.contains(name));
    let sentence = |name: &str| {
        format!(
            "the stack `{}` has no workflow `{name}`, so what rules say to it has no effect; it has: {}",
            stack.name,
            known.join(", ")
        )
    };
    missing.map(sentence).collect()
}
