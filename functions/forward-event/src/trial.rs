//! Test requests: `tableau-webhooks test forward-event` sends one to each destination, also to one that wants no more events.

use forwarding::{Forwarder, Parcel, Sent, body, of_test};
use rules::Rules;
use rules::settings;
use std::collections::BTreeMap;
use std::time::Duration;
use tableau::{Event, Payload};
use workflow::{Failure, Invocation, TestRequest, Tested};

/// How long one destination may take.
const LONGEST: Duration = Duration::from_secs(25);
/// What an invocation needs for its answer.
const RESERVE: Duration = Duration::from_secs(5);
/// The name of the event that is sent. Tableau has none like it.
const EVENT: &str = "Test";
/// How many destinations an answer names.
const NAMED: usize = 20;

/// Sends a test to one destination, or to each that a rule names, and says what came of it.
pub(crate) async fn run(
    forwarder: &Forwarder,
    rules: &Rules,
    test: &TestRequest,
    invocation: &Invocation,
) -> Result<Vec<Tested>, Failure> {
    let payload = payload(rules, invocation);
    let event = Event::try_from(&payload).map_err(Failure::permanent)?;
    let mut all = Vec::new();
    for (key, settings) in wanted(rules, test)? {
        let time = invocation.remaining().saturating_sub(RESERVE).min(LONGEST);
        let sent = tokio::time::timeout(time, send(forwarder, &settings, &event, &payload, invocation)).await;
        let (outcome, answer) = match sent {
            Ok(Ok(answer)) => ("accepted", answer),
            Ok(Err(failure)) => (failure.kind(), failure.reason()),
            Err(_) if time.is_zero() => {
                ("not tried", "the function had no time left: name the target".to_owned())
            }
            Err(_) => ("transient", "no answer in time".to_owned()),
        };
        all.push(Tested { target: key, outcome, answer });
    }
    Ok(all)
}

async fn send(
    forwarder: &Forwarder,
    settings: &settings::ForwardEvent,
    event: &Event,
    payload: &Payload,
    invocation: &Invocation,
) -> Result<String, Failure> {
    let data = of_test(event);
    let body = body(settings, "test", payload, Some(&data))?;
    let destination =
        settings.destination().ok_or_else(|| Failure::permanent("the rule names no destination"))?;
    let parcel = Parcel { event, destination, title: &data.title, body: &body, longest: LONGEST };
    let Sent { status, made, is_last } = forwarder.send_test(parcel, invocation).await?;
    let made = made.map(|made| format!(" and made {made}")).unwrap_or_default();
    let last = if is_last { ", and wants no more events" } else { "" };
    let taken = format!("answered {status}: it has taken the request{made}{last}");
    Ok(format!("{taken}. Look in the product whether it did its work"))
}

/// What is sent. Each test is another event, so that the receiver drops none as a repeat.
fn payload(rules: &Rules, invocation: &Invocation) -> Payload {
    let site =
        rules.sites().first().map_or("00000000-0000-0000-0000-000000000000", |site| site.luid.as_str());
    Payload {
        resource: Some("SITE".to_owned()),
        event_type: Some(EVENT.to_owned()),
        resource_name: Some("Test of forward-event".to_owned()),
        site_luid: Some(site.to_owned()),
        resource_luid: Some(site.to_owned()),
        created_at: Some(invocation.now.to_string()),
        ..Payload::default()
    }
}

fn wanted(rules: &Rules, test: &TestRequest) -> Result<BTreeMap<String, settings::ForwardEvent>, Failure> {
    let mut all = BTreeMap::new();
    for settings in rules.settings::<settings::ForwardEvent>().map_err(Failure::misconfigured)? {
        if let Some(destination) = settings.destination() {
            all.entry(destination.key().to_owned()).or_insert(settings);
        }
    }
    let Some(wanted) = &test.target else {
        return match all.is_empty() {
            true => Err(Failure::permanent("no rule names a target of forward-event")),
            false => Ok(all),
        };
    };
    let known: Vec<&str> = all.keys().map(String::as_str).take(NAMED).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let unknown = format!("no rule names this target of forward-event; rules name: {known}");
    all.retain(|key, _| key.eq_ignore_ascii_case(wanted));
    if all.is_empty() { Err(Failure::permanent(unknown)) } else { Ok(all) }
}
