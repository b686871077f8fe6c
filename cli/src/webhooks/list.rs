//! `webhooks list`.

use super::options::ListOptions;
use super::shown::{Shown, State};
use super::site::{Site, at};
use super::stack_webhooks::identity;
use crate::events::{Column, Table};
use crate::out::{self, line, note, plain};
use crate::stack::Stack;
use anstyle::{AnsiColor, Style};
use std::process::ExitCode;
use workflow::BoxError;

/// Lists the webhooks, and says which of them are disabled and what to do.
pub(super) async fn list(options: &ListOptions) -> Result<ExitCode, BoxError> {
    at(&options.site, async |site| {
        let all = site.webhooks().await?;
        let is_wanted =
            |shown: &Shown| options.event.as_ref().is_none_or(|event| shown.event == event.as_str());
        let wanted: Vec<&Shown> =
            all.iter().map(|(_, shown)| shown).filter(|shown| is_wanted(shown)).collect();
        let mark = match &site.stack {
            Some(stack) => mark(stack).await,
            None => None,
        };
        if options.json {
            for shown in &wanted {
                let mut object = shown.json();
                if let Some(mark) = &mark {
                    object["own"] = shown.name.ends_with(mark).into();
                }
                line!("{}", out::json(&object))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        if wanted.is_empty() {
            note(nothing(options, site, all.len()));
            return Ok(ExitCode::SUCCESS);
        }
        table(&wanted, options.wide)?;
        own(&wanted, mark.as_deref());
        notes(&wanted, site);
        Ok(ExitCode::SUCCESS)
    })
    .await
}

/// What the names of the stack's own webhooks end with. `None` if CloudFormation does not say what the stack is: then the list does without.
async fn mark(stack: &Stack) -> Option<String> {
    let described = stack.describe().await.ok()?;
    Some(identity(stack, &described).ok()?.mark().to_owned())
}

/// Says which webhooks the stack registers itself.
fn own(webhooks: &[&Shown], mark: Option<&str>) {
    let Some(mark) = mark else { return };
    match webhooks.iter().filter(|shown| shown.name.ends_with(mark)).count() {
        0 => {}
        1 => note(format!("1 webhook is the stack's own: its name ends with {mark}")),
        count => note(format!("{count} webhooks are the stack's own: their names end with {mark}")),
    }
}

fn nothing(options: &ListOptions, site: &Site, all: usize) -> String {
    match &options.event {
        Some(event) if all > 0 => format!("{} has {all} webhooks, and none for {event}", site.place()),
        _ => format!("{} has no webhooks; `{}` makes one", site.place(), site.command("create EVENT")),
    }
}

fn table(webhooks: &[&Shown], is_wide: bool) -> Result<(), BoxError> {
    let columns = [
        Column::cut("NAME", 12),
        Column::cut_in_the_middle("EVENT", 20),
        Column::cut("STATE", 8).coloured(style),
        Column::cut("DESTINATION", 14),
        Column::cut("OWNER", 6),
        Column::whole("LUID"),
    ];
    let mut table = Table::new(columns, (!is_wide).then(out::width));
    let rows: Vec<[String; 6]> = webhooks.iter().map(|shown| shown.row(table.is_narrow())).collect();
    table.fit(&rows);
    line!("{}", table.head())?;
    rows.iter().try_for_each(|row| line!("{}", table.line(row)))?;
    Ok(())
}

fn style(state: &str) -> Style {
    if state.starts_with("disabled") { AnsiColor::Red.on_default() } else { Style::new() }
}

/// What the table cannot say: which webhooks get nothing, and the next step.
fn notes(webhooks: &[&Shown], site: &Site) {
    if webhooks.iter().any(|shown| shown.state == State::Unknown) {
        note(
            "note: this version of the REST API does not say whether a webhook is enabled: look at the settings of the site in \
             Tableau",
        );
    }
    let disabled: Vec<&&Shown> =
        webhooks.iter().filter(|shown| matches!(shown.state, State::Disabled(_))).collect();
    if disabled.is_empty() {
        return;
    }
    let them = match disabled.as_slice() {
        [_] => "1 webhook is disabled, so Tableau sends it no events".to_owned(),
        several => format!("{} webhooks are disabled, so Tableau sends them no events", several.len()),
    };
    note("");
    note(format!("{them}, and events of this time do not come later:"));
    for shown in &disabled {
        let words = shown.words();
        match &shown.state {
            State::Disabled(reason) if !reason.trim().is_empty() => {
                note(format!("  {words}: {}", plain(reason)))
            }
            _ => note(format!("  {words}")),
        }
    }
    let luids: Vec<&str> = disabled.iter().map(|shown| shown.luid.as_str()).collect();
    let luids = luids.join(" ");
    note("next step: see whether the destination answers, then enable:");
    note(format!("  {}", site.command(&format!("test {luids}"))));
    note(format!("  {}", site.command(&format!("enable {luids}"))));
}
