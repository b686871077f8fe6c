//! `webhooks create`.

use super::destination::{Destination, Source};
use super::options::CreateOptions;
use super::shown::{STATE_SINCE, Shown, State};
use super::site::{Site, at};
use crate::names::event_name;
use crate::out::{self, line, note, plain, problem};
use std::process::ExitCode;
use tableau::EventName;
use tableau_client::{NewWebhook, Webhook};
use workflow::BoxError;

/// The beginning of the name of a webhook without `--name`.
const USUAL_NAME: &str = "tableau-webhooks";

/// Creates a webhook for each event that has none with the same URL.
pub(super) async fn create(options: &CreateOptions) -> Result<ExitCode, BoxError> {
    let events = events(&options.events)?;
    let source = options.url.as_deref().map(Source::read).transpose()?;
    at(&options.site, async |site| {
        let destination = Destination::find(source, site).await?;
        if options.disabled {
            let version = site.version().await?;
            if version < STATE_SINCE {
                return Err(format!(
                    "REST API {version}, which {} uses, cannot create a disabled webhook: {STATE_SINCE} and later can; leave out \
                     --disabled",
                    site.place()
                )
                .into());
            }
        }
        let all = site.webhooks().await?;
        let mut is_complete = true;
        let mut has_created = false;
        for event in &events {
            if let Some((_, shown)) = existing(&all, event, &destination) {
                print(shown, "exists", options.json)?;
                continue;
            }
            let new = NewWebhook {
                name: name(options.name.as_deref(), event, events.len() > 1),
                event: event.clone(),
                url: destination.url(),
                is_enabled: !options.disabled,
            };
            match site.tableau().create_webhook(&new).await {
                Ok(webhook) => {
                    print(&site.shown(&webhook).await?, "created", options.json)?;
                    has_created = true;
                }
                Err(error) => {
                    let reason = site.failed_for_one(&error, &destination.secrets())?;
                    problem(format!("{event}: {reason}"));
                    is_complete = false;
                }
            }
        }
        if !options.json {
            ending(site, &destination, has_created);
        }
        Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
    .await
}

/// The events, each once.
///
/// # Errors
/// One is no event of Tableau. A URL is not repeated.
fn events(texts: &[String]) -> Result<Vec<EventName>, String> {
    let mut events: Vec<EventName> = Vec::new();
    for text in texts {
        if text.contains("://") {
            return Err("an event name is needed, not a URL: the URL comes from the variable WEBHOOK_URL or from the stack"
                .to_owned());
        }
        let event = event_name(text)?;
        if event.is_derived() {
            return Err(format!("Tableau does not send {event}: a function of the stack does"));
        }
        if !events.contains(&event) {
            events.push(event);
        }
    }
    Ok(events)
}

fn name(given: Option<&str>, event: &EventName, is_one_of_several: bool) -> String {
    match given {
        Some(name) if is_one_of_several => format!("{name} {event}"),
        Some(name) => name.to_owned(),
        None => format!("{USUAL_NAME} {event}"),
    }
}

fn existing<'w>(
    all: &'w [(Webhook, Shown)],
    event: &EventName,
    destination: &Destination,
) -> Option<&'w (Webhook, Shown)> {
    let is_same = |webhook: &Webhook| webhook.event.as_ref() == Some(event) && destination.is(&webhook.url);
    let same = || all.iter().filter(|(webhook, _)| is_same(webhook));
    // One that sends events counts before one that does not.
    same().find(|(webhook, _)| webhook.is_enabled).or_else(|| same().next())
}

fn print(shown: &Shown, result: &str, as_json: bool) -> Result<(), BoxError> {
    if as_json {
        line!("{}", out::json(&shown.json_with(result)))?;
        return Ok(());
    }
    let state = match shown.state {
        State::Disabled(_) => format!(", {}", shown.state()),
        _ => String::new(),
    };
    line!("{result:<8} {:<26} {}  `{}`{state}", plain(&shown.event), plain(&shown.luid), plain(&shown.name))?;
    Ok(())
}

fn ending(site: &Site, destination: &Destination, has_created: bool) {
    note(format!("the URL is at {}", destination.words()));
    if has_created {
        note(format!("next step: `{}` shows whether it answers", site.command("test --all")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_those_of_tableau_each_once_and_a_url_is_not_repeated() {
        let read = |texts: &[&str]| events(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let one = read(&["SiteUpdated", "AdminPromoted", "SiteUpdated"]).unwrap();
        assert_eq!(one, [EventName::SiteUpdated, EventName::AdminPromoted]);
        assert!(read(&["siteupdated"]).unwrap_err().contains("did you mean `SiteUpdated`?"));
        let error = read(&["SiteUpdated", "https://abc.example.com/webhook/hunter2"]).unwrap_err();
        assert!(
            error.starts_with("an event name is needed, not a URL") && !error.contains("hunter2"),
            "{error}"
        );
        for derived in EventName::DERIVED {
            assert!(read(&[derived.as_str()]).unwrap_err().starts_with("Tableau does not send"), "{derived}");
        }
    }

    #[test]
    fn a_name_is_the_given_one_and_of_several_it_has_the_event() {
        let event = EventName::SiteUpdated;
        assert_eq!(name(None, &event, false), "tableau-webhooks SiteUpdated");
        assert_eq!(name(Some("a"), &event, false), "a");
        assert_eq!(name(Some("a"), &event, true), "a SiteUpdated");
    }
}
