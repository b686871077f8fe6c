//! The mails: the request, its reminders, the result, and the code. Pure.

use crate::link::{LinkKeys, Purpose, SEGMENT};
use crate::request::{Outgoing, Request, State};
use crate::text::{apart, facts, lines, name, reason, time};
use alerting::notification::Severity;
use email::{Letter, Paragraph};
use jiff::tz::TimeZone;
use rules::Address;

/// What a mail needs beside the request.
pub(crate) struct Surroundings<'a> {
    pub(crate) keys: &'a LinkKeys,
    /// Where the pages are, without a slash at the end.
    pub(crate) public_url: &'a str,
    pub(crate) zone: Option<&'a TimeZone>,
}

/// The mail; `None` if there is no one to send it to, or nothing to say.
pub(crate) fn letter(request: &Request, mail: &Outgoing, of: &Surroundings<'_>) -> Option<Letter> {
    let to = match mail {
        Outgoing::ResultToOwner => request.owner.as_deref()?,
        _ => &request.steward,
    };
    let to = Address::parse(to).ok()?;
    let (severity, symbol, title, parts) = match mail {
        Outgoing::Request => asked(request, of, "Certify", None),
        Outgoing::Reminder => {
            let since = format!(
                "You were asked on {} and have not decided yet.",
                time(request.requested_at, of.zone)
            );
            asked(request, of, "Reminder: certify", Some(since))
        }
        Outgoing::ResultToSteward => result(request, of, true)?,
        Outgoing::ResultToOwner => result(request, of, false)?,
    };
    Some(Letter { to, title, symbol, severity, thread: Some(thread(request)), parts })
}

/// The mail with a code, which proves that the person at the page reads the steward's mail.
pub(crate) fn code(request: &Request, decision: Purpose, code: &str) -> Option<Letter> {
    let what = match decision {
        Purpose::Certify => "certify",
        Purpose::Decline => "decline to certify",
    };
    let parts = vec![
        Paragraph::Text(format!(
            "Your code is {code}. It is for this decision alone: to {what} the data source."
        )),
        Paragraph::Text(format!(
            "A person has opened your link to decide about the data source {} and asked for it. Type it into the page if that was you. \
             It is valid for 30 minutes.",
            name(&request.about.name)
        )),
        Paragraph::Text(
            "If it was not you, do nothing and tell your administrator: another person has your link."
                .to_owned(),
        ),
    ];
    Some(Letter {
        to: Address::parse(&request.steward).ok()?,
        // Not in the subject, which phones show on a locked screen.
        title: format!("Your code to decide about {}", name(&request.about.name)),
        symbol: "●",
        severity: Severity::Notice,
        thread: Some(thread(request)),
        parts,
    })
}

/// The id of the thread: `_` has no place in it.
fn thread(request: &Request) -> String {
    format!("certification-{}", request.id.replace('_', "-"))
}

type Parts = (Severity, &'static str, String, Vec<Paragraph>);

fn asked(request: &Request, of: &Surroundings<'_>, verb: &str, first: Option<String>) -> Parts {
    let about = &request.about;
    let url = |decision| format!("{}/{SEGMENT}/{}", of.public_url, of.keys.token(&request.id, decision));
    let mut parts: Vec<Paragraph> = first.map(Paragraph::Text).into_iter().collect();
    parts.push(Paragraph::Text(
        "Please decide whether this data source is certified: whether it is one that people should build on."
            .to_owned(),
    ));
    parts.push(Paragraph::Facts(facts(about)));
    parts.extend(about.link.clone().map(|link| Paragraph::Link("Open in Tableau".to_owned(), link)));
    parts.push(Paragraph::Credential("Certify…".to_owned(), url(Purpose::Certify)));
    parts.push(Paragraph::Credential("Decline…".to_owned(), url(Purpose::Decline)));
    parts.push(Paragraph::Text(format!(
        "Each link opens a page that asks you to confirm. The links are for you alone: do not forward this mail. They are valid until {}.",
        time(request.expires_at, of.zone)
    )));
    parts.push(Paragraph::Small(vec![reason(request.steward_is).to_owned()]));
    (Severity::Notice, "●", format!("{verb} the data source {}?", name(&about.name)), parts)
}

fn result(request: &Request, of: &Surroundings<'_>, is_for_steward: bool) -> Option<Parts> {
    let shown = name(&request.about.name);
    let link = format!("through the link of {}", request.steward);
    let (severity, symbol, title, said, note) = match &request.state {
        State::Certified { at, note } => {
            let said = format!("The data source was certified on {}, {link}.", time(*at, of.zone));
            (Severity::Resolved, "✓", format!("Certified: {shown}"), said, note.as_str())
        }
        State::Declined { at, note } => {
            let said = format!(
                "The certification was declined on {}, {link}. Nothing was changed in Tableau.",
                time(*at, of.zone)
            );
            (Severity::Notice, "●", format!("Not certified: {shown}"), said, note.as_str())
        }
        State::Expired { at } => {
            let said = format!(
                "No decision was made before {}, and the links have expired. The next time it is published, \
                 the question is asked again.",
                time(*at, of.zone)
            );
            (Severity::Notice, "●", format!("No decision: {shown}"), said, "")
        }
        _ => return None,
    };
    let mut parts = vec![Paragraph::Text(said)];
    let note = lines(note);
    if !note.is_empty() {
        parts.push(Paragraph::Heading("Note".to_owned()));
        parts.push(Paragraph::Text(apart(&note)));
    }
    parts.push(Paragraph::Facts(facts(&request.about)));
    parts.extend(request.about.link.clone().map(|link| Paragraph::Link("Open in Tableau".to_owned(), link)));
    let why = match is_for_steward {
        true => {
            "You get this mail because you were asked to decide. If it was not you who decided, tell your administrator: another person has your link."
        }
        false => "You get this mail because you own the data source in Tableau.",
    };
    parts.push(Paragraph::Small(vec![why.to_owned()]));
    Some((severity, symbol, title, parts))
}
