//! Answers the pages: shows a request, and carries out what the steward decides.
//!
//! A GET changes nothing, so that a machine that follows links changes nothing. A POST decides only with a choice made on the page, and
//! with the code of a page that was asked for within the last hour.

use crate::html::{self, Trouble, Typed};
use crate::link::{FormCheck, Link, LinkKeys, Purpose};
use crate::mail;
use crate::post::{Post, of_secret};
use crate::request::{Closed, CodeCheck, CodeMail, InTableau, MOST_CODES, Request, State};
use crate::text::{NOTE_LIMIT, certification_note, lines};
use circuit::Guarded;
use facts::FactLookups;
use guarded_tableau::TableauError;
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tableau::DatasourceLuid;
use tableau_client::{Datasource, Error};
use workflow::{Failure, Invocation, Page, PageMethod, PageRequest};

const FORM: &str = "application/x-www-form-urlencoded";
/// The advice where the user lacks the right.
const NEEDED: &str = "the user of the Tableau credential may not certify this data source: let it be an administrator, or the project leader";

/// How long the page of a link says how its request has ended. The log in the table says it longer.
const SHOWN_AFTER_END: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How much time writing what was decided, and the page, may take.
const RESERVE: Duration = Duration::from_secs(4);

/// What a form says.
#[derive(Debug, Default)]
struct Form {
    form: String,
    choice: String,
    note: String,
    code: String,
    /// A field that people do not see.
    website: String,
}

/// Why nothing was decided, or is not known to be.
enum Undecided {
    /// The request has ended, or another worker is at it; the page says so.
    Closed(Box<Request>),
    Code(CodeCheck),
    Trouble(Trouble),
}

/// What came of carrying a decision out.
enum Carried {
    Ended(State),
    /// Nothing has reached Tableau, or Tableau has refused it.
    Nothing(Trouble),
    /// Tableau may still certify.
    Unknown,
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
    let is_old = |end: Timestamp| now.duration_since(end) > SHOWN_AFTER_END;
    let is_sealed = keys.has_sealed(&request.bound(), &request.seal);
    if !is_sealed {
        tracing::error!(
            certification.id = link.id,
            "a stored request does not have the seal of this function"
        );
    }
    if !is_sealed || is_old(request.ended_at().unwrap_or(request.expires_at)) {
        return Ok(html::unknown());
    }
    let zone = request.zone();
    let zone = zone.as_ref();
    if let Some(closed) = closed(&request, &link, now) {
        return Ok(closed);
    }
    let shown = request.shown();
    let asked_again =
        |typed: &Typed| html::decide(&request, link.decision, &keys.form(&link, &shown, now), typed, zone);
    if page.method == PageMethod::Get {
        return Ok(asked_again(&Typed::default()));
    }
    // Browsers say whether another page has sent the form. Without this header the form's code decides.
    let is_from_elsewhere = !matches!(page.fetch_site.as_str(), "" | "same-origin" | "none");
    let form =
        Some(()).filter(|()| page.content_type == FORM && !is_from_elsewhere).and_then(|()| read(&page.body));
    let Some(form) = form else { return Ok(html::not_a_form()) };
    let typed = |problem| Typed { note: form.note.clone(), problem: Some(problem), ..Typed::default() };
    match keys.check_form(&link, &shown, &form.form, now) {
        FormCheck::Right => {}
        FormCheck::TooFast => {
            return Ok(asked_again(&typed(
                "This was sent faster than a person chooses, so nothing was decided. Please decide again.",
            )));
        }
        FormCheck::Stale => {
            return Ok(asked_again(&typed(
                "The data source has changed since you opened this page, or the page was open for more than an hour. So nothing was decided: \
                 please look at it again, and decide.",
            )));
        }
    }
    if !form.website.is_empty() {
        return Ok(asked_again(&typed(
            "A field that has to stay empty was filled in, as machines do. So nothing was decided: please decide again.",
        )));
    }
    if form.note.chars().count() > NOTE_LIMIT {
        return Ok(asked_again(&typed(
            "The note is too long: 500 characters at most. Nothing was decided yet.",
        )));
    }
    match form.choice.as_str() {
        "yes" => {}
        "no" | "unsure" => return Ok(html::nothing_chosen(&request)),
        _ => {
            return Ok(asked_again(&typed("Please choose one of the answers. Nothing was decided yet.")));
        }
    }
    let asks_for_code = |problem| Typed { asks_for_code: true, ..typed(problem) };
    let trouble = |trouble: &Trouble| {
        let typed = Typed { note: form.note.clone(), asks_for_code: request.confirm, ..Typed::default() };
        html::trouble(trouble, Some((&request, link.decision, &keys.form(&link, &shown, now), &typed)))
    };
    let code: String = form.code.chars().filter(char::is_ascii_digit).collect();
    if request.confirm && code.is_empty() {
        return Ok(match mail_code(post, &keys, &link, invocation).await? {
            Ok(problem) => asked_again(&asks_for_code(problem)),
            Err(problem) => trouble(&problem),
        });
    }
    let decision = Chosen { keys: &keys, link: &link, note: &form.note, code: &code };
    Ok(match decide(post, facts, &decision, invocation).await? {
        Ok(request) => {
            let is_as_chosen = match &request.state {
                State::Certified { .. } => link.decision == Purpose::Certify,
                State::Declined { .. } => link.decision == Purpose::Decline,
                _ => true,
            };
            let done = html::ended(&request, link.decision, is_as_chosen, zone);
            done.unwrap_or_else(|| html::trouble(&Trouble::Busy, None))
        }
        Err(Undecided::Closed(request)) => {
            closed(&request, &link, now).unwrap_or_else(|| html::trouble(&Trouble::Busy, None))
        }
        Err(Undecided::Code(CodeCheck::Wrong)) => {
            asked_again(&asks_for_code("That is not the code in the mail. Nothing was decided yet."))
        }
        Err(Undecided::Code(_)) => asked_again(&asks_for_code(
            "There is no code for this decision that is still valid. Leave the field empty to have a new one mailed.",
        )),
        Err(Undecided::Trouble(problem)) => trouble(&problem),
    })
}

/// The page of a request about which nothing can be decided.
fn closed(request: &Request, link: &Link, now: Timestamp) -> Option<Page> {
    let zone = request.zone();
    match request.closed(now)? {
        Closed::Busy => Some(html::trouble(&Trouble::Busy, None)),
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
            "website" => &mut form.website,
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

/// What a person has chosen and sent.
struct Chosen<'a> {
    keys: &'a LinkKeys,
    link: &'a Link,
    note: &'a str,
    /// The digits of the code that they typed.
    code: &'a str,
}

/// Mails a code to the steward. What the page says then.
async fn mail_code(
    post: &Post,
    keys: &LinkKeys,
    link: &Link,
    invocation: &Invocation,
) -> Result<Result<&'static str, Trouble>, Failure> {
    let now = invocation.time();
    let taken = post.requests.change(&link.id, now, |request| request.take_code(link.decision, now)).await?;
    let Some((request, taken)) = taken else {
        return Err(Failure::permanent("the request is gone from the table"));
    };
    let at = match taken {
        CodeMail::Send(at) => at,
        CodeMail::Recent => {
            return Ok(Ok(
                "A code was mailed to the address below within the last minute. Type it in, choose again, and send. Nothing was decided yet.",
            ));
        }
        CodeMail::TooMany => {
            tracing::warn!(certification.id = link.id, most = MOST_CODES, "no more codes are mailed today");
            return Ok(Err(Trouble::TooManyCodes));
        }
    };
    let code = keys.mailed_code(&request.id, link.decision, at);
    let sent = match mail::code(&request, link.decision, &code) {
        Some(letter) => post.mails.post(letter, invocation).await.map_err(|undelivered| undelivered.failure),
        None => Err(Failure::permanent("the steward's address cannot be read")),
    };
    if let Err(failure) = sent {
        let reason = failure.reason();
        tracing::error!(certification.id = link.id, reason, "the code was not mailed");
        post.requests.change(&link.id, now, Request::code_not_mailed).await?;
        return Ok(Err(Trouble::CodeNotSent));
    }
    Ok(Ok(
        "A code was mailed to the address below. Type it in, choose again, and send. Nothing was decided yet.",
    ))
}

/// Carries a decision out, once, and returns how the request ended.
async fn decide(
    post: &Post,
    facts: &FactLookups,
    decision: &Chosen<'_>,
    invocation: &Invocation,
) -> Result<Result<Request, Undecided>, Failure> {
    let &Chosen { keys, link, note, code } = decision;
    let began = invocation.time();
    let begin = |request: &mut Request| {
        if request.confirm && request.closed(began).is_none() {
            let id = request.id.clone();
            let is_right = |at| keys.accepts_code(&id, link.decision, at, code);
            let checked = request.check_code(is_right, link.decision, began);
            if checked != CodeCheck::Right {
                return Err(Some(checked));
            }
        }
        request.begin(link.decision, note, began).map_err(|_| None)
    };
    let request = match post.requests.change(&link.id, began, begin).await? {
        Some((request, Ok(()))) => request,
        Some((_, Err(Some(code)))) => return Ok(Err(Undecided::Code(code))),
        Some((request, Err(None))) => return Ok(Err(Undecided::Closed(Box::new(request)))),
        None => return Err(Failure::permanent("the request is gone from the table")),
    };
    // In time for a page, and to give the decision back: a person waits, and the HTTP API does not wait longer.
    let time = invocation.remaining().saturating_sub(RESERVE);
    let sent = AtomicBool::new(false);
    let carried =
        match tokio::time::timeout(time, carry_out(facts, &request, decision, &sent, invocation)).await {
            Ok(carried) => carried,
            Err(_) if sent.load(Ordering::Relaxed) => Carried::Unknown,
            Err(_) => Carried::Nothing(Trouble::TableauDown),
        };
    let now = invocation.time();
    let note_it = |request: &mut Request| match &carried {
        Carried::Ended(end) => request.finish(began, end.clone(), now),
        Carried::Nothing(_) => {
            request.give_back(began, now);
            true
        }
        Carried::Unknown => {
            request.keep(began);
            true
        }
    };
    let (request, is_noted) = match post.requests.change(&link.id, now, note_it).await {
        Ok(Some(noted)) => noted,
        Ok(None) => return Ok(Err(Undecided::Trouble(Trouble::NotNoted))),
        Err(failure) => {
            let reason = failure.reason();
            let message = "what came of a decision could not be noted; Tableau is asked about it later";
            tracing::error!(certification.id = link.id, reason, "{message}");
            return Ok(Err(Undecided::Trouble(Trouble::NotNoted)));
        }
    };
    if !is_noted {
        return Ok(Err(Undecided::Closed(Box::new(request))));
    }
    if matches!(carried, Carried::Ended(_)) {
        let outcome = what(&request.state);
        tracing::info!(
            certification.id = request.id,
            datasource.luid = request.datasource,
            outcome,
            "certification decided"
        );
    }
    // Without a timer the mails go now; with one the queue sends them, again and again if need be.
    let told = match &post.timer {
        Some(_) => post.arm(&request, now).await,
        None => post.work(&request.id, invocation).await.map(drop),
    };
    if let Err(failure) = told {
        let reason = failure.reason();
        tracing::error!(certification.id = request.id, reason, "the hourly sweep does what is left");
    }
    Ok(match carried {
        Carried::Ended(_) => Ok(request),
        Carried::Nothing(trouble) => Err(Undecided::Trouble(trouble)),
        Carried::Unknown => Err(Undecided::Trouble(Trouble::Unknown)),
    })
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

/// Does in Tableau what was decided. `sent` is set before anything is sent that changes Tableau.
async fn carry_out(
    facts: &FactLookups,
    request: &Request,
    decision: &Chosen<'_>,
    sent: &AtomicBool,
    invocation: &Invocation,
) -> Carried {
    let at = invocation.time();
    let note = decision.note;
    let declined = || Carried::Ended(State::Declined { at, note: note.to_owned() });
    let is_decline = decision.link.decision == Purpose::Decline;
    let found = match now_in_tableau(facts, request, invocation).await {
        Ok(found) => found,
        // A decline needs nothing of Tableau, unless an earlier decision may have certified.
        Err(_) if is_decline && request.tried.is_empty() => return declined(),
        Err(trouble) => return Carried::Nothing(trouble),
    };
    let before = match found {
        InTableau::NotShown if is_decline && request.tried.is_empty() => return declined(),
        InTableau::NotShown => return Carried::Nothing(Trouble::NotFound),
        // Also for a decline: to take a certification back is up to Tableau's own page.
        InTableau::Certified { note } => return Carried::Ended(request.certified(&note, at)),
        InTableau::Uncertified { .. } if is_decline => return declined(),
        InTableau::Uncertified { note } => note,
    };
    let Some(tried) = request.tried.last() else { return Carried::Nothing(Trouble::Busy) };
    let Ok(luid) = request.datasource.parse::<DatasourceLuid>() else {
        return Carried::Nothing(Trouble::NotFound);
    };
    let in_tableau = certification_note(&before, note, &request.steward, tried.at, &tried.mark);
    let tableau = facts.tableau();
    sent.store(true, Ordering::Relaxed);
    let certified = tableau.call(invocation, tableau.client().certify(&luid, &in_tableau)).await;
    if let Err(error) = &certified {
        let reason = workflow::chain(error);
        tracing::warn!(certification.id = request.id, reason, "Tableau did not certify the data source");
    }
    // C01: also after an error. The answer may have been lost, and an answer alone proves nothing.
    let found = now_in_tableau(facts, request, invocation).await;
    match (certified, found) {
        // Tableau may shorten a note, so that our mark is missing; it has accepted our call.
        (Ok(()), Ok(InTableau::Certified { .. })) => {
            Carried::Ended(State::Certified { at: tried.at, note: note.to_owned() })
        }
        (Err(_), Ok(InTableau::Certified { note })) => Carried::Ended(request.certified(&note, at)),
        (Err(error), _) if is_refused(&error) => Carried::Nothing(meaning(request, error)),
        (Err(_), _) => Carried::Unknown,
        (Ok(()), _) => {
            tracing::error!(
                certification.id = request.id,
                "Tableau has taken a certification and does not show it"
            );
            Carried::Unknown
        }
    }
}

/// Whether it is certain that a call has changed nothing. Without an answer, or with one of a proxy, Tableau may still carry it out.
fn is_refused(error: &Guarded<TableauError>) -> bool {
    let Guarded::Call(TableauError(error)) = error else { return true };
    match error {
        Error::Refused { status, .. } => !matches!(status, 408 | 500 | 502 | 504),
        // A load balancer that has no server to give the call to, or a firewall that refuses it.
        Error::Foreign { status, .. } => matches!(status, 400..=407 | 409..=499 | 503),
        Error::Unreachable { .. }
        | Error::Redirected { .. }
        | Error::Unreadable { .. }
        | Error::TooLarge { .. }
        | Error::OutOfTime { .. } => false,
        // These come before the call: there is no session.
        _ => true,
    }
}

/// Asks Tableau how a data source is now.
///
/// # Errors
/// [`Trouble`] if it does not say.
pub(crate) async fn now_in_tableau(
    facts: &FactLookups,
    request: &Request,
    invocation: &Invocation,
) -> Result<InTableau, Trouble> {
    let Ok(luid) = request.datasource.parse::<DatasourceLuid>() else { return Ok(InTableau::NotShown) };
    let tableau = facts.tableau();
    let site = tableau.call(invocation, tableau.client().session_site()).await;
    let site = site.map_err(|error| meaning(request, error))?;
    if !site.as_str().eq_ignore_ascii_case(&request.site) {
        let what = "the Tableau credential signs in to another site than the one of the data source";
        return Err(Trouble::Setup(what.to_owned()));
    }
    match tableau.call(invocation, tableau.client().datasource(&luid)).await {
        Ok(Datasource { is_certified, certification_note, .. }) => {
            let note = certification_note.unwrap_or_default();
            Ok(match is_certified {
                true => InTableau::Certified { note },
                false => InTableau::Uncertified { note },
            })
        }
        Err(Guarded::Call(error)) if error.is_not_found() => {
            let message = "Tableau does not show a data source: it was deleted, or the user of the credential lacks the right to see it";
            tracing::warn!(certification.id = request.id, datasource.luid = request.datasource, "{message}");
            Ok(InTableau::NotShown)
        }
        Err(error) => Err(meaning(request, error)),
    }
}

/// What an error of Tableau means for the person at the page. Operators read the rest in the log.
fn meaning(request: &Request, error: Guarded<TableauError>) -> Trouble {
    let reason = workflow::chain(&error);
    let trouble = trouble_of(error);
    match &trouble {
        Trouble::Setup(what) => {
            tracing::error!(
                certification.id = request.id,
                reason,
                advice = what,
                "Tableau refuses what a page needs"
            );
        }
        _ => tracing::warn!(certification.id = request.id, reason, "Tableau does not answer a page"),
    }
    trouble
}

fn trouble_of(error: Guarded<TableauError>) -> Trouble {
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
