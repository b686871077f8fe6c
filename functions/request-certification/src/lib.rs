//! Asks the steward by mail to certify a data source that was published, and does what they decide on a page.

mod config;
mod decide;
mod html;
mod link;
mod lookup;
mod mail;
mod post;
mod request;
mod requests;
mod text;
mod trial;

pub use config::{Config, SCOPES};
pub use link::{LinkKeys, SEGMENT};
pub use post::Post;

use email::EmailNotifier;
use facts::{FactLookups, NO_ANSWER, OTHER_SITE, Question};
use html::Trouble;
use jiff::{SignedDuration, Timestamp};
use lookup::People;
use post::{of_secret, of_steward};
use request::{InTableau, Outgoing, Request, Settled, State};
use requests::{Current, Requests, of_timer};
use rules::{LoadedRules, MissingFact, WorkflowSettings, settings};
use std::sync::Arc;
use store::records::Records;
use tableau::{Action, DatasourceLuid, Event, Subject};
use tableau_client::Item;
use timer::{Timer, TimerMessage};
use workflow::{
    CredentialSource, Effect, Failure, Invocation, Outcome, Page, PageRequest, TestRequest, Tested, Workflow,
};

const NOT_SHOWN: &str = "Tableau does not show the data source: it was deleted, or the user of the credential lacks the right to see it";
const DECIDING: &str = "the steward decides just now";
const CERTIFIED: &str = "the data source is certified already";

/// The workflow and what it talks to.
#[derive(Debug)]
pub struct RequestCertification {
    facts: FactLookups,
    rules: LoadedRules,
    post: Post,
}

/// What the workflow sends with, and where it keeps its requests.
pub struct Parts {
    /// The table.
    pub records: Arc<dyn Records>,
    /// The key of the links.
    pub keys: Arc<dyn CredentialSource<LinkKeys>>,
    /// Amazon SES.
    pub mails: EmailNotifier,
    /// The workflow's timers; `None` in inline mode, where there are no reminders.
    pub timer: Option<Arc<dyn Timer>>,
    /// Where the pages are.
    pub public_url: String,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl RequestCertification {
    /// The workflow with its rules, its questions to Tableau and its parts.
    pub fn new(facts: FactLookups, rules: LoadedRules, parts: Parts) -> Self {
        let Parts { records, keys, mails, timer, public_url } = parts;
        let requests = Requests(records);
        let post = Post { requests, keys, mails, timer, public_url };
        Self { facts, rules, post }
    }

    /// The request of a data source, if it has one that has not ended.
    async fn unended(&self, site: &str, datasource: &DatasourceLuid) -> Result<Option<Request>, Failure> {
        let current = self.post.requests.current(site, datasource.as_str()).await?;
        if current.id.is_empty() {
            return Ok(None);
        }
        Ok(self.post.requests.get(&current.id).await?.filter(Request::is_unended))
    }

    /// Ends the open request of a data source that was deleted.
    async fn deleted(
        &self,
        site: &str,
        datasource: &DatasourceLuid,
        now: Timestamp,
    ) -> Result<Outcome, Failure> {
        const NONE: &str = "no request about the data source was open";
        let Some(open) = self.unended(site, datasource).await? else { return Ok(Outcome::skipped(NONE)) };
        let end = |request: &mut Request| request.end(State::Deleted { at: now }, now);
        Ok(match self.post.requests.change(&open.id, now, end).await? {
            Some((_, Settled::Busy(until))) => Outcome::deferred(until, DECIDING),
            Some((_, Settled::Ended { now: true })) => Outcome::Done,
            _ => Outcome::skipped(NONE),
        })
    }

    /// Asks Tableau about a request that has not ended, draws the conclusion, and sends what is to be sent if it has ended now.
    async fn settle(
        &self,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Result<Settled, Trouble>, Failure> {
        let found = match decide::now_in_tableau(&self.facts, request, invocation).await {
            Ok(found) => found,
            Err(trouble) => return Ok(Err(trouble)),
        };
        self.conclude(request, &found, invocation).await.map(Ok)
    }

    async fn conclude(
        &self,
        request: &Request,
        found: &InTableau,
        invocation: &Invocation,
    ) -> Result<Settled, Failure> {
        let now = invocation.time();
        let settle = |request: &mut Request| request.settle(found, now);
        let Some((settled, what)) = self.post.requests.change(&request.id, now, settle).await? else {
            return Ok(Settled::Ended { now: false });
        };
        match what {
            Settled::Ended { now: true } => drop(self.post.work(&request.id, invocation).await?),
            _ if settled.generation != request.generation => self.post.arm(&settled, now).await?,
            _ => {}
        }
        Ok(what)
    }

    /// What to do about an event of which a rule asks something that is not known.
    async fn without(&self, missing: &MissingFact, question: Question<'_>) -> Result<Outcome, Failure> {
        if self.facts.is_of_another_site(question).await? {
            return Ok(Outcome::skipped(OTHER_SITE));
        }
        if self.facts.item(question).await?.is_none() {
            return Ok(Outcome::skipped(NOT_SHOWN));
        }
        Err(match missing.why.starts_with(NO_ANSWER) {
            true => Failure::transient(missing.to_string()),
            // Tableau refuses it, until a person changes what the token's user may see.
            false => Failure::misconfigured(missing.to_string()),
        })
    }

    async fn ask(
        &self,
        settings: &settings::RequestCertification,
        luid: &DatasourceLuid,
        item: &Item,
        question: Question<'_>,
    ) -> Result<Outcome, Failure> {
        let Question { event, invocation, .. } = question;
        let now = invocation.time();
        let people = lookup::people(&self.facts, settings, item, question).await?;
        let about = lookup::about(&self.facts, luid, item, people.owner.as_ref(), question).await?;
        let requests = &self.post.requests;
        let current = requests.current(event.site.as_str(), luid.as_str()).await?;
        let mut earlier = match current.id.is_empty() {
            true => None,
            false => requests.get(&current.id).await?,
        };
        let keys = self.post.keys.current().await.map_err(of_secret)?;
        let steward = people.steward.as_str();
        let is_unclear =
            |request: &&Request| request.is_unended() && (request.is_left(now) || now >= request.expires_at);
        if let Some(open) = earlier.as_ref().filter(is_unclear) {
            match self.settle(open, invocation).await? {
                Ok(Settled::Busy(until)) => return Ok(Outcome::deferred(until, DECIDING)),
                Ok(_) => {}
                Err(Trouble::Setup(what)) => return Err(Failure::misconfigured(what)),
                Err(_) => return Err(Failure::transient(NO_ANSWER)),
            }
            earlier = requests.get(&current.id).await?;
        }
        if let Some(open) = earlier.as_ref().filter(|request| request.is_unended()) {
            let is_expired = now >= open.expires_at;
            let is_valid = keys.has_sealed(&open.bound(), &open.seal);
            if !is_expired && is_valid && open.steward.eq_ignore_ascii_case(steward) {
                return self.refresh(open, about, people, invocation).await;
            }
            // Its links end before others are valid: of two stewards one decides.
            let end = |request: &mut Request| {
                let end = match is_expired {
                    true => State::Expired { at: now },
                    false => State::Superseded { at: now },
                };
                request.end(end, now)
            };
            match requests.change(&open.id, now, end).await? {
                Some((_, Settled::Busy(until))) => return Ok(Outcome::deferred(until, DECIDING)),
                // "No decision" goes before the new question. What cannot be sent does not keep the question back.
                Some((_, Settled::Ended { now: true })) => {
                    if let Err(failure) = self.post.work(&open.id, invocation).await {
                        let reason = failure.reason();
                        tracing::warn!(certification.id = open.id, reason, "the hourly sweep mails the end");
                    }
                }
                _ => {}
            }
        } else if let Some(why) =
            earlier.as_ref().and_then(|ended| self.too_early(settings, ended, event, now))
        {
            return Ok(Outcome::skipped(why));
        }
        let mut new = self.new_request(settings, luid, people, about, event, now)?;
        new.seal = keys.seal(&new.bound());
        self.create(&new, &current, invocation).await
    }

    /// Why the question is not asked again after the end of the last one.
    fn too_early(
        &self,
        settings: &settings::RequestCertification,
        ended: &Request,
        event: &Event,
        now: Timestamp,
    ) -> Option<String> {
        let end = ended.ended_at()?;
        let day = |at: Timestamp| at.strftime("%-d %b %Y, %H:%M UTC").to_string();
        if event.credible_time(now).is_some_and(|at| at < end) {
            return Some(format!("the event is older than the end of the last request, on {}", day(end)));
        }
        let decided = match &ended.state {
            State::Certified { .. } => "certified",
            State::Declined { .. } => "declined",
            _ => return None,
        };
        let pause = SignedDuration::from_hours(24 * i64::from(settings.ask_again_after_days));
        let again = end.checked_add(pause).ok().filter(|again| now < *again)?;
        Some(format!("it was {decided} on {}, and is asked about again from {} on", day(end), day(again)))
    }

    /// An open request gets what is known now. Its mail is not repeated, unless it was not sent.
    async fn refresh(
        &self,
        open: &Request,
        about: request::About,
        people: People,
        invocation: &Invocation,
    ) -> Result<Outcome, Failure> {
        let now = invocation.time();
        let owner = owner_address(&people);
        let refresh = |request: &mut Request| {
            if request.is_unended() {
                let shown = request.shown();
                request.about = about.clone();
                if request.shown() != shown {
                    request.changed_at = Some(now);
                }
                request.owner = owner.clone();
            }
        };
        self.post.requests.change(&open.id, now, refresh).await?;
        if open.outbox.is_empty() {
            let asked = open.requested_at.strftime("%-d %b %Y, %H:%M UTC");
            let steward = of_steward(&open.steward);
            return Ok(Outcome::skipped(format!("{steward} was asked on {asked} and has not decided yet")));
        }
        self.notify(&open.id, &open.steward, invocation).await
    }

    fn new_request(
        &self,
        settings: &settings::RequestCertification,
        luid: &DatasourceLuid,
        people: People,
        about: request::About,
        event: &Event,
        now: Timestamp,
    ) -> Result<Request, Failure> {
        let in_days = |days: u32| {
            now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX)
        };
        Ok(Request {
            id: link::new_id().map_err(Failure::transient)?,
            site: event.site.to_string(),
            timezone: self.timezone(event),
            datasource: luid.to_string(),
            owner: owner_address(&people),
            steward: people.steward.to_string(),
            steward_is: people.steward_is,
            about,
            requested_at: now,
            expires_at: in_days(settings.expires_after_days),
            reminders: settings.reminders().into_iter().map(in_days).collect(),
            state: State::Open,
            outbox: vec![Outgoing::Request],
            sending_until: None,
            wake_at: Some(now),
            generation: 1,
            confirm: settings.confirm,
            code: None,
            codes: 0,
            codes_from: None,
            seal: String::new(),
            tried: Vec::new(),
            attempts: 0,
            changed_at: None,
            happened: Vec::new(),
        })
    }

    fn timezone(&self, event: &Event) -> Option<String> {
        let rules = self.rules.current().ok()?;
        rules.timezone(&event.site).iana_name().map(str::to_owned)
    }

    async fn create(
        &self,
        new: &Request,
        current: &Current,
        invocation: &Invocation,
    ) -> Result<Outcome, Failure> {
        if !self.post.requests.create(new, current, invocation.time()).await? {
            return Err(Failure::transient(
                "another event about the data source is handled at the same time",
            ));
        }
        self.notify(&new.id, &new.steward, invocation).await
    }

    async fn notify(&self, id: &str, steward: &str, invocation: &Invocation) -> Result<Outcome, Failure> {
        let notified = Effect::Notified { target: of_steward(steward) };
        let work = async {
            match self.post.work(id, invocation).await? {
                Outcome::Done => Ok::<_, Failure>(Ok(())),
                other => Ok(Err(other)),
            }
        };
        Ok(match invocation.once_unless(notified, work).await? {
            Some(Err(other)) => other,
            Some(Ok(())) | None => Outcome::Done,
        })
    }

    /// Looks at a request whose time has come: a reminder, the end, or a data source that is gone or certified.
    async fn look(&self, id: &str, invocation: &Invocation) -> Result<Outcome, Failure> {
        let now = invocation.time();
        let Some(request) = self.post.requests.get(id).await? else {
            return Ok(Outcome::skipped("there is no such request any more"));
        };
        // Also before an end by time: a person may have certified it, or a worker that died.
        let is_due = request.outbox.is_empty() || now >= request.expires_at || request.is_left(now);
        let mut is_known = false;
        if request.is_unended() && is_due {
            match self.settle(&request, invocation).await? {
                Ok(_) => is_known = true,
                // A reminder too many is better than none.
                Err(_) => {
                    tracing::warn!(certification.id = id, "Tableau was not asked before a reminder or an end")
                }
            }
        }
        let now = invocation.time();
        self.post.requests.change(id, now, |request| request.advance(is_known, now)).await?;
        self.post.work(id, invocation).await
    }
}

fn owner_address(people: &People) -> Option<String> {
    facts::mail_address(people.owner.as_ref()).ok().map(|address| address.to_string())
}

impl Workflow for RequestCertification {
    const NAME: &'static str = "request-certification";
    const PAGES: Option<&'static str> = Some(SEGMENT);

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let Subject::Datasource(luid) = &event.subject else {
            return Ok(Outcome::skipped("only data sources are certified"));
        };
        let now = invocation.time();
        if event.name.action() == Some(Action::Deleted) {
            return self.deleted(event.site.as_str(), luid, now).await;
        }
        if !settings::RequestCertification::EVENTS.contains(&event.name) {
            return Ok(Outcome::skipped(format!("{} publishes no data source", event.name)));
        }
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        let matched = self.facts.matching(&rules, Self::NAME, event, None, invocation).await?;
        // A link certifies: what could not be looked up does not count as matched here.
        if let Some(missing) = matched.missing.iter().find(|missing| missing.maintenance.is_empty()) {
            return self.without(missing, Question::new(event, invocation)).await;
        }
        let actions = rules.actions::<settings::RequestCertification>(&matched, &event.site);
        let actions = actions.map_err(Failure::misconfigured)?;
        let action = match actions.iter().find(|action| action.muted_until(now).is_none()) {
            Some(action) => action,
            None => {
                let muted = actions.first().and_then(|action| Some((&action.rule, action.muted_until(now)?)));
                return Ok(Outcome::skipped(match muted {
                    Some((rule, until)) => format!("the rule {rule} is muted until {until:.0}"),
                    None => format!("no rule for this {}", event.name),
                }));
            }
        };
        let question = Question::new(event, invocation);
        if self.facts.is_of_another_site(question).await? {
            return Ok(Outcome::skipped(OTHER_SITE));
        }
        // Only the event of a deletion ends a request: a right that is missing looks the same, and may come back.
        let Some(item) = self.facts.item(question).await? else { return Ok(Outcome::skipped(NOT_SHOWN)) };
        // C01
        if item.is_certified {
            let Some(open) = self.unended(event.site.as_str(), luid).await? else {
                return Ok(Outcome::skipped(CERTIFIED));
            };
            return match self.settle(&open, invocation).await? {
                Ok(Settled::Busy(until)) => Ok(Outcome::deferred(until, DECIDING)),
                Ok(_) => Ok(Outcome::skipped(CERTIFIED)),
                Err(Trouble::Setup(what)) => Err(Failure::misconfigured(what)),
                Err(_) => Err(Failure::transient(NO_ANSWER)),
            };
        }
        self.ask(&action.settings, luid, &item, question).await
    }

    async fn on_timer(&self, timer: &TimerMessage, invocation: &Invocation) -> Result<Outcome, Failure> {
        let Some(id) = of_timer(&timer.key) else {
            return Ok(Outcome::skipped("the timer is of no request"));
        };
        match self.post.requests.get(id).await? {
            Some(request) if request.generation == timer.generation => self.look(id, invocation).await,
            Some(_) => Ok(Outcome::skipped("a newer timer counts")),
            None => Ok(Outcome::skipped("there is no such request any more")),
        }
    }

    async fn on_sweep(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let overdue = self.post.requests.overdue(invocation.now).await?;
        let mut failed = None;
        for id in &overdue {
            if let Err(failure) = self.look(id, invocation).await {
                let reason = failure.reason();
                tracing::warn!(certification.id = id, reason, "an overdue request could not be handled");
                failed = Some(Failure::worse(failed, failure));
            }
        }
        match failed {
            Some(failure) => Err(failure),
            None if overdue.is_empty() => Ok(Outcome::skipped("nothing is overdue")),
            None => Ok(Outcome::Done),
        }
    }

    async fn on_test(&self, test: &TestRequest, invocation: &Invocation) -> Result<Vec<Tested>, Failure> {
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        trial::run(&self.post, &rules, test, invocation).await
    }

    async fn on_page(&self, page: &PageRequest, invocation: &Invocation) -> Result<Page, Failure> {
        match decide::answer(&self.post, &self.facts, page, invocation).await {
            Ok(page) => Ok(page),
            Err(failure) => {
                let reason = failure.reason();
                tracing::error!(reason, request.id = invocation.request_id, "a page could not be answered");
                Ok(html::unavailable())
            }
        }
    }
}
