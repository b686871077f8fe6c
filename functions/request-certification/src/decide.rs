//! Answers the pages: shows a request, and carries out what the steward decides.
//!
//! A GET changes nothing, so that a machine that follows links changes nothing. A POST decides only with a choice made on the page, and
//! with the code of a page that was asked for within the last hour.

use crate::html::{self, Trouble, Typed};
use crate::link::{Link, LinkKeys, Purpose, new_code};
use crate::mail;
use crate::post::{Post, of_secret};
use crate::request::{Closed, CodeCheck, MOST_CODES, Request, State};
use crate::text::{NOTE_LIMIT, certification_note, is_ours, lines};
use circuit::Guarded;
use facts::FactLookups;
use guarded_tableau::TableauError;
use jiff::Timestamp;
use std::borrow::Cow;
use std::time::Duration;
use tableau::DatasourceLuid;
use tableau_client::{Datasource, Error};
use workflow::{Failure, Invocation, Page, PageMethod, PageRequest};

const FORM: &str = "application/x-www-form-urlencoded";
/// The advice where the user lacks the right.
const NEEDED: &str = "the user of the Tableau credential may not certify this data source: let it be an administrator, or the project leader";

/// How much time writing what was decided, and the page, may take.
const RESERVE: Duration = Duration::from_secs(4);

/// What a form says.
#[derive(Debug, Default)]
struct Form {
    form: String,
    choice: String,
    note: String,
    code: String,
}

/// Why nothing was decided.
enum Undecided {
    /// The request has ended; the page says how.
    Ended(Box<Request>),
    Trouble(Trouble),
}

/// Answers a request for a page.
///
/// # Errors
/// [`Failure`] if the table or a secret does not answer.
pub(crate) async fn answer(
    post: &Post,
    facts: &FactLookups,
    page: &PageRequest,
    invocation: &Invocation,
) -> Result<Page, Failure> {
    let now = invocation.time();
    let keys = post.keys.current().await.map_err(of_secret)?;
    let (keys, link) = match keys.open(&page.token) {
        Some(link) => (keys, link),
        None => {
            // The key may have been changed a moment ago.
            let Ok(Some(renewed)) = post.keys.replacement(&keys).await else { return Ok(html::unknown()) };
            match renewed.open(&page.token) {
                Some(link) => (renewed, link),
                None => return Ok(html::unknown()),
            }
        }
    };
    let Some(request) = post.requests.get(&link.id).await? else { return Ok(html::unknown()) };
    let zone = request.zone();
    let zone = zone.as_ref();
    if let Some(closed) = closed(&request, &link, now) {
        return Ok(closed);
    }
    let asked_again =
        |typed: &Typed| html::decide(&request, link.decision, &keys.form(&link, now), typed, zone);
    if page.method == PageMethod::Get {
        return Ok(asked_again(&Typed::default()));
    }
    // Browsers say whether another page has sent the form. Without this header the form's code decides.
    let is_from_elsewhere = !matches!(page.fetch_site.as_str(), "" | "same-origin" | "none");
    let form =
        Some(()).filter(|()| page.content_type == FORM && !is_from_elsewhere).and_then(|()| read(&page.body));
    let Some(form) = form else { return Ok(html::not_a_form()) };
    let typed = |problem| Typed { note: form.note.clone(), problem: Some(problem), asks_for_code: false };
    if !keys.accepts_form(&link, &form.form, now) {
        return Ok(asked_again(&typed(
            "This page was open for more than an hour, so nothing was decided. Please decide again.",
        )));
    }
    if form.note.chars().count() > NOTE_LIMIT {
        return Ok(asked_again(&typed(
            "The note is too long: 500 characters at most. Nothing was decided yet.",
        )));
    }
    match form.choice.as_str() {
        "yes" => {}
        "no" => return Ok(html::nothing_chosen(&request)),
        _ => {
            return Ok(asked_again(&typed("Please choose one of the two answers. Nothing was decided yet.")));
        }
    }
    if request.confirm
        && let Some(page) = confirmed(post, &keys, &request, &link, &form, invocation).await?
    {
        return Ok(match page {
            Unconfirmed::Page(page) => page,
            Unconfirmed::Asked(problem) => asked_again(&Typed { asks_for_code: true, ..typed(problem) }),
        });
    }
    let decided = decide(post, facts, &link, &form.note, invocation).await?;
    Ok(match decided {
        Ok(request) => {
            let done = html::ended(&request, link.decision, true, zone);
            done.unwrap_or_else(|| html::trouble(&Trouble::Busy))
        }
        Err(Undecided::Ended(request)) => {
            closed(&request, &link, now).unwrap_or_else(|| html::trouble(&Trouble::Busy))
        }
        Err(Undecided::Trouble(trouble)) => html::trouble(&trouble),
    })
}

/// The page of a request about which nothing can be decided.
fn closed(request: &Request, link: &Link, now: Timestamp) -> Option<Page> {
    let zone = request.zone();
    match request.closed(now)? {
        Closed::Busy => Some(html::trouble(&Trouble::Busy)),
        Closed::Expired => Some(html::expired(request, link.decision, zone.as_ref())),
        Closed::Ended => html::ended(request, link.decision, false, zone.as_ref()),
    }
}

/// Reads a form. `None` if it has one of the fields twice.
fn read(body: &[u8]) -> Option<Form> {
    let mut form = Form::default();
    let mut seen = Vec::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        let field = match name.as_ref() {
            "form" => &mut form.form,
            "choice" => &mut form.choice,
            "note" => &mut form.note,
            "code" => &mut form.code,
            _ => continue,
        };
        if seen.contains(&name) {
            return None;
        }
        *field = value.into_owned();
        seen.push(Cow::Owned(name.into_owned()));
    }
    form.note = lines(&form.note);
    Some(form)
}

/// Why a decision still needs a code.
enum Unconfirmed {
    Page(Page),
    /// The page asks for the code, with these words.
    Asked(&'static str),
}

/// Checks the code that was mailed to the steward, or mails one. `None`: it is right.
async fn confirmed(
    post: &Post,
    keys: &LinkKeys,
    request: &Request,
    link: &Link,
    form: &Form,
    invocation: &Invocation,
) -> Result<Option<Unconfirmed>, Failure> {
    let now = invocation.time();
    let typed: String = form.code.chars().filter(char::is_ascii_digit).collect();
    if !typed.is_empty() {
        let check = |request: &mut Request| {
            let id = request.id.clone();
            request.check_code(|hash| keys.accepts_code(&id, &typed, hash), now)
        };
        let Some((_, checked)) = post.requests.change(&link.id, now, check).await? else {
            return Ok(Some(Unconfirmed::Page(html::unknown())));
        };
        return Ok(match checked {
            CodeCheck::Right => None,
            CodeCheck::Wrong => {
                Some(Unconfirmed::Asked("That is not the code in the mail. Nothing was decided yet."))
            }
            CodeCheck::None => Some(Unconfirmed::Asked(
                "There is no code that is still valid. Leave the field empty to have a new one mailed.",
            )),
        });
    }
    let code = new_code().map_err(Failure::transient)?;
    let hash = keys.hash_of_code(&request.id, &code);
    let take = |request: &mut Request| request.take_code(hash.clone(), now);
    let taken = post.requests.change(&link.id, now, take).await?;
    if !taken.is_some_and(|(_, taken)| taken) {
        tracing::warn!(
            certification.id = link.id,
            most = MOST_CODES,
            "no more codes are mailed for this request"
        );
        return Ok(Some(Unconfirmed::Page(html::trouble(&Trouble::TooManyCodes))));
    }
    let Some(letter) = mail::code(request, &code) else {
        return Ok(Some(Unconfirmed::Page(html::trouble(&Trouble::CodeNotSent))));
    };
    if let Err(undelivered) = post.mails.post(letter, invocation).await {
        let reason = undelivered.failure.reason();
        tracing::error!(certification.id = link.id, reason, "the code was not mailed");
        return Ok(Some(Unconfirmed::Page(html::trouble(&Trouble::CodeNotSent))));
    }
    Ok(Some(Unconfirmed::Asked(
        "A code was mailed to the address below. Type it in, choose again, and send. Nothing was decided yet.",
    )))
}

/// Carries a decision out, once, and returns how the request ended.
async fn decide(
    post: &Post,
    facts: &FactLookups,
    link: &Link,
    note: &str,
    invocation: &Invocation,
) -> Result<Result<Request, Undecided>, Failure> {
    let now = invocation.time();
    let begin = |request: &mut Request| request.begin(link.decision, note, now);
    let request = match post.requests.change(&link.id, now, begin).await? {
        Some((request, Ok(()))) => request,
        Some((request, Err(_))) => return Ok(Err(Undecided::Ended(Box::new(request)))),
        None => return Err(Failure::permanent("the request is gone from the table")),
    };
    // In time for a page, and to give the decision back: a person waits, and the HTTP API does not wait longer.
    let time = invocation.remaining().saturating_sub(RESERVE);
    let carried_out = carry_out(facts, &request, link.decision, note, invocation);
    let end = match tokio::time::timeout(time, carried_out).await.unwrap_or(Err(Trouble::TableauDown)) {
        Ok(end) => end,
        Err(trouble) => {
            let now = invocation.time();
            post.requests.change(&link.id, now, Request::give_back).await?;
            return Ok(Err(Undecided::Trouble(trouble)));
        }
    };
    let now = invocation.time();
    let noted = post.requests.change(&link.id, now, |request| request.end(end.clone(), now)).await?;
    let Some((request, _)) = noted else {
        return Err(Failure::permanent("the request is gone from the table"));
    };
    let outcome = what(&request.state);
    tracing::info!(
        certification.id = request.id,
        datasource.luid = request.datasource,
        outcome,
        "certification decided"
    );
    // Without a timer the mails go now; with one the queue sends them, again and again if need be.
    let told = match &post.timer {
        Some(_) => post.arm(&request, now).await,
        None => post.work(&request.id, invocation).await.map(drop),
    };
    if let Err(failure) = told {
        let reason = failure.reason();
        tracing::error!(
            certification.id = request.id,
            reason,
            "the result is mailed later, by the hourly sweep"
        );
    }
    Ok(Ok(request))
}

fn what(state: &State) -> &'static str {
    match state {
        State::Open | State::Deciding { .. } => "open",
        State::Certified { .. } => "certified",
        State::Declined { .. } => "declined",
        State::CertifiedElsewhere { .. } => "certified in Tableau",
        State::Deleted { .. } => "deleted",
        State::Expired { .. } => "expired",
        State::Superseded { .. } => "superseded",
    }
}

/// Does in Tableau what was decided. Returns how the request ends.
async fn carry_out(
    facts: &FactLookups,
    request: &Request,
    decision: Purpose,
    note: &str,
    invocation: &Invocation,
) -> Result<State, Trouble> {
    let luid: DatasourceLuid = request
        .datasource
        .parse()
        .map_err(|_| Trouble::Setup("the data source's id cannot be read".to_owned()))?;
    let at = invocation.time();
    let found = match now_in_tableau(facts, request, &luid, invocation).await {
        // A decline needs nothing of Tableau.
        Err(Trouble::TableauDown) if decision == Purpose::Decline => {
            return Ok(State::Declined { at, note: note.to_owned() });
        }
        found => found?,
    };
    let before = match found {
        Now::Deleted => return Ok(State::Deleted { at }),
        Now::Certified { ours: true } => return Ok(State::Certified { at, note: note.to_owned() }),
        Now::Certified { ours: false } => return Ok(State::CertifiedElsewhere { at }),
        Now::Uncertified { note } => note,
    };
    if decision == Purpose::Decline {
        return Ok(State::Declined { at, note: note.to_owned() });
    }
    let in_tableau = certification_note(&before, note, &request.steward, at);
    let tableau = facts.tableau();
    let certified = tableau.call(invocation, tableau.client().certify(&luid, &in_tableau)).await;
    if let Err(error) = &certified {
        let reason = workflow::chain(error);
        tracing::warn!(certification.id = request.id, reason, "Tableau did not certify the data source");
    }
    // C01: also after an error. The answer may have been lost, and an answer alone proves nothing.
    match (certified, now_in_tableau(facts, request, &luid, invocation).await) {
        (_, Ok(Now::Certified { .. })) => Ok(State::Certified { at, note: note.to_owned() }),
        (_, Ok(Now::Deleted)) => Ok(State::Deleted { at }),
        (Err(error), _) => Err(meaning(error)),
        (Ok(()), Ok(Now::Uncertified { .. })) => {
            tracing::error!(
                certification.id = request.id,
                "Tableau has taken a certification and does not show it"
            );
            Err(Trouble::NotShown)
        }
        (Ok(()), Err(trouble)) => Err(trouble),
    }
}

/// A data source as it is in Tableau now.
pub(crate) enum Now {
    Deleted,
    /// `ours`: through a link of this request's steward.
    Certified {
        ours: bool,
    },
    Uncertified {
        note: String,
    },
}

/// Asks Tableau how a data source is now.
///
/// # Errors
/// [`Trouble`] if it does not say.
pub(crate) async fn now_in_tableau(
    facts: &FactLookups,
    request: &Request,
    luid: &DatasourceLuid,
    invocation: &Invocation,
) -> Result<Now, Trouble> {
    let tableau = facts.tableau();
    let site = tableau.call(invocation, tableau.client().session_site()).await.map_err(meaning)?;
    if !site.as_str().eq_ignore_ascii_case(&request.site) {
        let what = "the Tableau credential signs in to another site than the one of the data source";
        return Err(Trouble::Setup(what.to_owned()));
    }
    match tableau.call(invocation, tableau.client().datasource(luid)).await {
        Ok(Datasource { is_certified, certification_note, .. }) => {
            let note = certification_note.unwrap_or_default();
            Ok(match is_certified {
                true => Now::Certified { ours: is_ours(&note, &request.steward) },
                false => Now::Uncertified { note },
            })
        }
        Err(Guarded::Call(error)) if error.is_not_found() => Ok(Now::Deleted),
        Err(error) => Err(meaning(error)),
    }
}

/// What an error of Tableau means for the person at the page.
fn meaning(error: Guarded<TableauError>) -> Trouble {
    let Guarded::Call(TableauError(error)) = error else { return Trouble::TableauDown };
    match &error {
        Error::SessionRefused { scope: Some(scope), stolen: false, .. } => {
            Trouble::Setup(format!("the connected app of the Tableau credential may lack the scope {scope}"))
        }
        error if error.lacks_right() => Trouble::Setup(NEEDED.to_owned()),
        error if error.is_misconfiguration() => {
            Trouble::Setup("Tableau refuses the credential of this service".to_owned())
        }
        error if error.is_transient() => Trouble::TableauDown,
        Error::Refused { status, code, .. } => {
            Trouble::Setup(format!("Tableau refused the certification with {status} ({code})"))
        }
        _ => Trouble::TableauDown,
    }
}
