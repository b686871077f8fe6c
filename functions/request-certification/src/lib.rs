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

use decide::Now;
use email::EmailNotifier;
use facts::{FactLookups, OTHER_SITE, Question};
use html::Trouble;
use jiff::{SignedDuration, Timestamp};
use lookup::People;
use post::of_steward;
use request::{Outgoing, Request, State};
use requests::{Current, Requests, of_timer};
use rules::{LoadedRules, WorkflowSettings, settings};
use std::sync::Arc;
use store::records::Records;
use tableau::{Action, DatasourceLuid, Event, Subject};
use tableau_client::Item;
use timer::{Timer, TimerMessage};
use workflow::{
    CredentialSource, Effect, Failure, Invocation, Outcome, Page, PageRequest, TestRequest, Tested, Workflow,
};

const GONE: &str = "Tableau does not have the data source any more";
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

    /// Ends the open request of a data source. Whether there was one.
    async fn end(
        &self,
        site: &str,
        datasource: &DatasourceLuid,
        state: State,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let current = self.post.requests.current(site, datasource.as_str()).await?;
        if current.id.is_empty() {
            return Ok(false);
        }
        let ended =
            self.post.requests.change(&current.id, now, |request| request.end(state.clone(), now)).await?;
        Ok(ended.is_some_and(|(_, ended)| ended))
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
        let earlier = match current.id.is_empty() {
            true => None,
            false => requests.get(&current.id).await?,
        };
        let steward = people.steward.as_str();
        if let Some(open) = earlier.filter(Request::is_unended) {
            if open.is_open(now) && open.steward.eq_ignore_ascii_case(steward) {
                return self.refresh(&open, about, people, invocation).await;
            }
            // Its links end before others are valid: of two stewards one decides.
            let end = match open.closed(now) {
                Some(request::Closed::Busy) => {
                    let until = now.checked_add(SignedDuration::from_mins(1)).unwrap_or(now);
                    return Ok(Outcome::deferred(until, "the steward decides just now"));
                }
                Some(_) => State::Expired { at: now },
                None => State::Superseded { at: now },
            };
            requests.change(&open.id, now, |request| request.end(end.clone(), now)).await?;
        }
        let new = self.new_request(settings, luid, people, about, event, now)?;
        self.create(&new, &current, invocation).await
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
                request.about = about.clone();
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
        if request.is_open(now) && request.outbox.is_empty() {
            self.look_in_tableau(&request, invocation).await?;
        }
        let now = invocation.time();
        self.post.requests.change(id, now, |request| request.advance(now)).await?;
        self.post.work(id, invocation).await
    }

    /// Ends a request that has nothing to ask for any more.
    async fn look_in_tableau(&self, request: &Request, invocation: &Invocation) -> Result<(), Failure> {
        let Ok(luid) = request.datasource.parse::<DatasourceLuid>() else { return Ok(()) };
        let now = invocation.time();
        let end = match decide::now_in_tableau(&self.facts, request, &luid, invocation).await {
            Ok(Now::Deleted) => State::Deleted { at: now },
            // The worker that certified has died before it noted it.
            Ok(Now::Certified { ours: true }) => State::Certified { at: now, note: String::new() },
            Ok(Now::Certified { ours: false }) => State::CertifiedElsewhere { at: now },
            Ok(Now::Uncertified { .. }) => return Ok(()),
            // A reminder too many is better than none.
            Err(trouble) => {
                let reason = match trouble {
                    Trouble::Setup(what) => what,
                    _ => "Tableau does not answer".to_owned(),
                };
                tracing::warn!(certification.id = request.id, reason, "not looked at before a reminder");
                return Ok(());
            }
        };
        self.post.requests.change(&request.id, now, |request| request.end(end.clone(), now)).await?;
        Ok(())
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
            let ended = self.end(event.site.as_str(), luid, State::Deleted { at: now }, now).await?;
            return Ok(match ended {
                true => Outcome::Done,
                false => Outcome::skipped("no request about the data source was open"),
            });
        }
        if !settings::RequestCertification::EVENTS.contains(&event.name) {
            return Ok(Outcome::skipped(format!("{} publishes no data source", event.name)));
        }
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        let matched = self.facts.matching(&rules, Self::NAME, event, None, invocation).await?;
        let actions = rules.actions::<settings::RequestCertification>(&matched, &event.site);
        let Some(action) = actions.map_err(Failure::misconfigured)?.into_iter().next() else {
            return Ok(Outcome::skipped(format!("no rule for this {}", event.name)));
        };
        if let Some(until) = action.muted_until(now) {
            return Ok(Outcome::skipped(format!("the rule {} is muted until {until:.0}", action.rule)));
        }
        let question = Question::new(event, invocation);
        if self.facts.is_of_another_site(question).await? {
            return Ok(Outcome::skipped(OTHER_SITE));
        }
        let Some(item) = self.facts.item(question).await? else {
            self.end(event.site.as_str(), luid, State::Deleted { at: now }, now).await?;
            return Ok(Outcome::skipped(GONE));
        };
        // C01
        if item.is_certified {
            self.end(event.site.as_str(), luid, State::CertifiedElsewhere { at: now }, now).await?;
            return Ok(Outcome::skipped(CERTIFIED));
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
