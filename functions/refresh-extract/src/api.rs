//! The routes `/refreshes` and `/refreshes/{id}`.

use crate::answer::refused;
use crate::body::{Body, LONGEST_WAIT_SECONDS, Wanted, digest};
use crate::problem::{Code, Problem};
use crate::{MOST_STARTS_OF_A_REQUEST, RefreshExtract};
use api_keys::{Key, Turn};
use forwarding::network::Endpoint;
use jiff::SignedDuration;
use refreshes::{Accepted, By, Lane, NewRequest, Place, Request, Run, Runs, State, View};
use std::time::Duration;
use workflow::{ApiAnswer, ApiRequest, Failure, Invocation, Workflow};

/// How long a request may wait for a free moment of the table and of Tableau when its wait is over.
const TIME_OF_ANSWER: Duration = Duration::from_millis(1_500);
/// How long the answer to a start may take before a caller's question looks after it.
const UNANSWERED: SignedDuration = SignedDuration::from_secs(15);
/// The time that a look at a job needs at least.
const TIME_OF_LOOK: Duration = Duration::from_secs(4);
/// The pauses between two looks at the table while a caller waits.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));

/// What went wrong: something that the caller is told, or something that ends the answer.
pub(crate) enum Stop {
    Problem(Box<Problem>),
    Failure(Failure),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// A request, and where it stands.
struct Standing {
    request: Request,
    view: View,
}

impl RefreshExtract {
    /// Answers a request, and writes one line about it: who, what, and the answer.
    pub(crate) async fn answer(
        &self,
        request: &ApiRequest,
        invocation: &Invocation,
    ) -> Result<ApiAnswer, Failure> {
        let now = invocation.time();
        let presented = api_keys::bearer(&request.authorization);
        let key = match presented {
            Some(presented) => self.keys.verify(presented, now).await.map_err(Failure::transient)?,
            None => None,
        };
        let answered = match &key {
            None => Err(unauthorized().into()),
            Some(key) => self.routed(key, request, invocation).await,
        };
        let (answer, code) = match answered {
            Ok(answer) => (answer, ""),
            Err(Stop::Problem(problem)) => (problem.answer(), problem.code.of().0),
            Err(Stop::Failure(failure)) => {
                let (id, caller) = key.as_ref().map_or(("", ""), |key| (&key.id, &key.caller));
                tracing::warn!(key.id = id, caller, "a request of a caller was not answered");
                if let Some(key) = &key {
                    let answer = ApiAnswer::json(503, String::new());
                    self.note(key, request, &answer, Code::Unavailable.of().0, invocation).await;
                }
                return Err(failure);
            }
        };
        if let Some(key) = &key {
            self.note(key, request, &answer, code, invocation).await;
        }
        let (key, caller) = key.as_ref().map_or(("", ""), |key| (&key.id, &key.caller));
        tracing::info!(
            function = Self::NAME,
            key.id = key,
            caller,
            method = request.method,
            status = answer.status,
            code,
            request.id = invocation.request_id,
            "caller answered"
        );
        Ok(answer)
    }

    async fn routed(
        &self,
        key: &Key,
        request: &ApiRequest,
        invocation: &Invocation,
    ) -> Result<ApiAnswer, Stop> {
        let now = invocation.time();
        if let Turn::TooMany { retry_after_seconds } = self.keys.take(key, now).await? {
            let detail = format!(
                "This key may make {} requests a minute. Try again in {retry_after_seconds} s.",
                key.per_minute
            );
            let problem = Problem::new(Code::RateLimited, detail);
            return Err(problem.with_header("retry-after", retry_after_seconds.to_string()).into());
        }
        match (request.method.as_str(), &request.id) {
            ("POST", None) => self.post(key, request, invocation).await,
            ("GET", Some(id)) => {
                let wait = wait_seconds(&request.query)?;
                let found = self.own(key, id).await?;
                self.shown(found, wait, invocation).await
            }
            ("DELETE", Some(id)) => {
                no_query(&request.query)?;
                let found = self.own(key, id).await?;
                self.cancelled(&found, invocation).await
            }
            (_, id) => {
                let allowed = if id.is_some() { "GET, DELETE" } else { "POST" };
                let problem = Problem::new(Code::MethodNotAllowed, format!("This address takes {allowed}."));
                Err(problem.with_header("allow", allowed).into())
            }
        }
    }

    /// A request of this caller. Another caller's is as unknown as one that never was.
    async fn own(&self, key: &Key, id: &str) -> Result<Request, Stop> {
        let is_id =
            (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let found = match is_id {
            true => self.engine.board.request(id).await?,
            false => None,
        };
        let own = found.filter(|request| request.by.is_key(&key.id));
        own.ok_or_else(|| Problem::new(Code::NotFound, "This key has no such request.").into())
    }

    async fn post(
        &self,
        key: &Key,
        request: &ApiRequest,
        invocation: &Invocation,
    ) -> Result<ApiAnswer, Stop> {
        no_query(&request.query)?;
        if request.content_type != "application/json" {
            let detail = "Send the body as JSON, with Content-Type: application/json.";
            return Err(Problem::new(Code::UnsupportedMediaType, detail).into());
        }
        let Some(bytes) = &request.body else {
            let detail = format!("The body is longer than {} bytes.", ApiRequest::BODY_LIMIT);
            return Err(Problem::new(Code::TooLarge, detail).into());
        };
        let idempotency_key = request.idempotency_key.as_deref().map(checked).transpose()?;
        let body = Body::parse(bytes)?;
        let id = match idempotency_key {
            Some(repeatable) => digest(&[&key.id, repeatable], 24),
            None => random_id(),
        };
        if idempotency_key.is_some()
            && let Some(there) = self.engine.board.request(&id).await?
        {
            return self.repeated(there, &body, invocation).await;
        }
        if let Some(url) = &body.callback_url
            && let Err(problem) = Endpoint::parse(url)
        {
            let problem = Problem::new(Code::AddressRefused, format!("callback_url {problem}."));
            return Err(problem.of_field("callback_url").into());
        }
        let site = self.site(body.site.as_deref(), invocation).await?;
        let target = self.resolve(&body.wanted, &key.permissions, invocation).await?;
        if let Some(trail) = self.would_start_itself(&target, &site, invocation).await? {
            let detail = format!("A rule would start this refresh again when it has ended: {trail}.");
            return Err(Problem::new(Code::WouldStartItself, detail).into());
        }
        let new = NewRequest {
            id,
            by: By::Key { id: key.id.clone(), caller: key.caller.clone() },
            target,
            site,
            incremental: body.incremental,
            allow_full: body.allow_full,
            fresh: body.fresh,
            asked: body.asked.clone(),
            timeout: body.timeout,
            callback_url: body.callback_url.clone(),
            trail: Vec::new(),
        };
        let stored = match self.accept(&new, invocation).await? {
            Accepted::Stored(stored) => stored,
            Accepted::Repeated(there) => return self.repeated(there, &body, invocation).await,
            Accepted::TooMany => {
                let detail = "Too many requests wait for this refresh, or too many refreshes in the queue. Try again later.";
                return Err(Problem::new(Code::Unavailable, detail).with_header("retry-after", "60").into());
            }
        };
        tracing::info!(
            refresh.id = stored.id,
            key.id = key.id,
            caller = key.caller,
            kind = stored.target.kind.as_str(),
            resource.luid = stored.target.luid,
            resource.name = stored.target.name,
            joined = stored.joined,
            request.id = invocation.request_id,
            "refresh requested"
        );
        self.created(stored, body.wait_seconds, invocation).await
    }

    /// The answer to a request that came before with the same idempotency key.
    async fn repeated(
        &self,
        there: Request,
        body: &Body,
        invocation: &Invocation,
    ) -> Result<ApiAnswer, Stop> {
        if there.asked != body.asked {
            let detail =
                "This Idempotency-Key came with another body before. Use another key for another request.";
            return Err(Problem::new(Code::IdempotencyKeyReused, detail).of_field("Idempotency-Key").into());
        }
        // The process that stored it may have died before it set its timers or started anything.
        self.resume(&there, invocation).await?;
        self.created(there, body.wait_seconds, invocation).await
    }

    async fn created(&self, request: Request, wait: u64, invocation: &Invocation) -> Result<ApiAnswer, Stop> {
        let Standing { request, view } = self.standing(request, wait, invocation).await?;
        if let Some(problem) = refused(&view) {
            return Err(problem.into());
        }
        let body = self.front.refresh(&request, &view).to_string();
        if view.status.is_over() {
            return Ok(ApiAnswer::json(200, body));
        }
        Ok(ApiAnswer::json(202, body).with_header("location", self.front.status_url(&request.id)))
    }

    async fn shown(&self, request: Request, wait: u64, invocation: &Invocation) -> Result<ApiAnswer, Stop> {
        let Standing { request, view } = self.standing(request, wait, invocation).await?;
        Ok(ApiAnswer::json(200, self.front.refresh(&request, &view).to_string()))
    }

    async fn cancelled(&self, request: &Request, invocation: &Invocation) -> Result<ApiAnswer, Stop> {
        let now = invocation.time();
        let Some(changed) = self.engine.board.cancel(&request.id, now).await? else {
            return Err(Problem::new(Code::NotFound, "This key has no such request.").into());
        };
        self.engine.arm(&changed.timers, now).await?;
        let place = Place::new(&request.site, &request.target.luid);
        // Also if the request was cancelled before: the process that did it may have died before it cancelled the job.
        if let Some(run) = changed.runs.open(request.run).filter(|run| run.cancelling)
            && let Err(failure) = self.engine.cancel(&place, run, invocation).await
        {
            tracing::warn!(
                resource.luid = place.luid,
                reason = failure.reason(),
                "the timer cancels the job"
            );
        }
        tracing::info!(
            refresh.id = request.id,
            status = changed.result.outcome.as_ref().map(|outcome| outcome.status.as_str()),
            "refresh cancelled by its caller"
        );
        if let Err(failure) = self.engine.pump(&request.site, MOST_STARTS_OF_A_REQUEST, invocation).await {
            tracing::warn!(
                site.luid = request.site,
                reason = failure.reason(),
                "a refresh was not started yet"
            );
        }
        let (runs, lane) = self.engine.board.runs(&place).await?;
        let request = changed.result;
        let view = request.view(&runs, &lane, self.engine.board.limits(), invocation.time());
        Ok(ApiAnswer::json(200, self.front.refresh(&request, &view).to_string()))
    }

    /// Where a request stands, after it has ended or the wait is over.
    async fn standing(&self, request: Request, wait: u64, invocation: &Invocation) -> Result<Standing, Stop> {
        let place = Place::new(&request.site, &request.target.luid);
        let until = Duration::from_secs(wait.min(self.most_wait_seconds));
        let began = std::time::Instant::now();
        let mut pause = PAUSES.0;
        loop {
            let (runs, lane) = self.engine.board.runs(&place).await?;
            let (view, runs) = self.view(&request, &place, runs, &lane, invocation).await?;
            let left = until.saturating_sub(began.elapsed());
            let is_last = left.is_zero() || invocation.remaining() < TIME_OF_ANSWER + pause;
            if view.status.is_over() || is_last {
                let settled = match view.status.is_over() && request.outcome.is_none() {
                    true => self.engine.board.settle(&request.id, invocation.time()).await?,
                    false => None,
                };
                let Some(settled) = settled else { return Ok(Standing { request, view }) };
                self.engine.arm(&settled.timers, invocation.time()).await?;
                let limits = self.engine.board.limits();
                let view = settled.result.view(&runs, &lane, limits, invocation.time());
                return Ok(Standing { request: settled.result, view });
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = pause.mul_f64(1.5).min(PAUSES.1);
        }
    }

    /// Where a request stands now. If its job was not looked at for a while, it is looked at first.
    async fn view(
        &self,
        request: &Request,
        place: &Place,
        runs: Runs,
        lane: &Lane,
        invocation: &Invocation,
    ) -> Result<(View, Runs), Stop> {
        let now = invocation.time();
        let limits = self.engine.board.limits();
        let view = request.view(&runs, lane, limits, now);
        let may_be_looked_at = |run: &&Run| match &run.state {
            State::Running { .. } => run.may_be_looked_at(now),
            State::Starting { at } => now.duration_since(*at) > UNANSWERED && run.may_be_looked_at(now),
            // Its timer should have let it go on.
            State::Held { until } => now.duration_since(*until) > UNANSWERED,
            State::Waiting => false,
        };
        let Some(run) = runs.open(request.run).filter(may_be_looked_at) else { return Ok((view, runs)) };
        // What is found has to be written down, and the answer sent.
        let mut limited = invocation.clone();
        limited.deadline = invocation.deadline.checked_sub(TIME_OF_ANSWER).unwrap_or(invocation.deadline);
        if view.status.is_over() || limited.remaining() < TIME_OF_LOOK {
            return Ok((view, runs));
        }
        let looked = match self.look(place, run, &limited).await {
            Ok(()) => self.engine.pump(&place.site, MOST_STARTS_OF_A_REQUEST, &limited).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = looked {
            // The event or the timer brings the end all the same.
            tracing::warn!(resource.luid = place.luid, reason = failure.reason(), "a look at a job failed");
            return Ok((view, runs));
        }
        let (runs, lane) = self.engine.board.runs(place).await?;
        Ok((request.view(&runs, &lane, limits, invocation.time()), runs))
    }

    /// Looks at the job of a run for a caller who asks, unless another process did so a moment ago.
    async fn look(&self, place: &Place, run: &Run, invocation: &Invocation) -> Result<(), Failure> {
        if let State::Held { .. } = run.state {
            return self.engine.recover(place, run, invocation).await;
        }
        let now = invocation.time();
        let claimed = self.engine.board.claim_look(place, run.number, now).await?;
        self.engine.arm(&claimed.timers, now).await?;
        match claimed.result {
            Some(run) if matches!(run.state, State::Starting { .. }) => {
                self.engine.recover(place, &run, invocation).await
            }
            Some(run) => self.engine.look(place, &run, true, invocation).await.map(drop),
            None => Ok(()),
        }
    }
}

fn unauthorized() -> Problem {
    let detail = "Send a valid key as Authorization: Bearer twk_…";
    Problem::new(Code::Unauthorized, detail).with_header("www-authenticate", "Bearer")
}

fn checked(key: &str) -> Result<&str, Problem> {
    let is_right = (1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let what = "Idempotency-Key: has to have 1 to 128 visible ASCII characters";
    if is_right { Ok(key) } else { Err(Problem::new(Code::Malformed, what).of_field("Idempotency-Key")) }
}

fn random_id() -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    std::iter::repeat_with(|| char::from(LETTERS[fastrand::usize(..LETTERS.len())])).take(24).collect()
}

/// `wait_seconds` of a query, which knows no other parameter.
fn wait_seconds(query: &[(String, String)]) -> Result<u64, Problem> {
    let mut wait = None;
    for (name, value) in query {
        if name != "wait_seconds" || wait.is_some() {
            return Err(unknown(name));
        }
        let number = value.parse::<u64>().ok().filter(|number| *number <= LONGEST_WAIT_SECONDS);
        wait = Some(number.ok_or_else(|| {
            let what = format!("wait_seconds: has to be a whole number from 0 to {LONGEST_WAIT_SECONDS}");
            Problem::new(Code::Malformed, what).of_field("wait_seconds")
        })?);
    }
    Ok(wait.unwrap_or_default())
}

fn no_query(query: &[(String, String)]) -> Result<(), Problem> {
    query.first().map_or(Ok(()), |(name, _)| Err(unknown(name)))
}

fn unknown(name: &str) -> Problem {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    Problem::new(Code::Malformed, format!("{shown}: is not known, or is there twice")).of_field(&shown)
}

impl Wanted {
    /// What is wanted, for a problem.
    pub(crate) fn shown(&self) -> String {
        let kind = self.kind().map_or_else(|| "object".to_owned(), |kind| kind.to_string());
        match self {
            Self::Luid(_, luid) => format!("{kind} with the LUID {luid}"),
            Self::Url(..) => format!("{kind} at this address"),
            Self::Name(_, name, _) => format!("{kind} {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_one_number_from_0_to_25_and_nothing_else() {
        let query = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> =
                pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            wait_seconds(&pairs).map_err(|problem| problem.field.unwrap_or_default())
        };
        assert_eq!(query(&[]), Ok(0));
        assert_eq!(query(&[("wait_seconds", "25")]), Ok(25));
        for wrong in ["26", "-1", "", "five", "1.0"] {
            assert_eq!(query(&[("wait_seconds", wrong)]), Err("wait_seconds".to_owned()), "{wrong}");
        }
        assert_eq!(query(&[("wait_seconds", "1"), ("wait_seconds", "2")]), Err("wait_seconds".to_owned()));
        assert_eq!(query(&[("wait", "1")]), Err("wait".to_owned()));
    }

    #[test]
    fn ids_differ_and_can_stand_in_an_address() {
        let ids: std::collections::BTreeSet<String> = std::iter::repeat_with(random_id).take(100).collect();
        assert_eq!(ids.len(), 100);
        assert!(ids.iter().all(|id| id.len() == 24 && id.bytes().all(|b| b.is_ascii_alphanumeric())));
    }
}
