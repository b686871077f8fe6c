//! Puts a refreshed workbook as PDF into SharePoint or Amazon S3: exports it from Tableau into a file, looks whether it is whole, and uploads it in
//! pieces.

mod config;
mod destinations;
mod events;
mod export;
mod exports;
mod history;
mod notes;
mod pdf;
mod place;
mod users;

pub use config::{Config, SCOPES};
pub use destinations::Destinations;
pub use history::History;
pub use users::Users;

use destinations::Published;
use events::PublishedFile;
use export::{Exported, Rendered, export};
use exports::{Export, Target, exports, separate};
use facts::{FactLookups, NO_ANSWER, OTHER_SITE, Question};
use history::Turn;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use notes::{note, times};
use place::Names;
use publishing::Pieces;
use rules::{Action, LoadedRules, MissingFact, Rules, WorkflowSettings, settings};
use runtime::DerivedEvents;
use std::collections::BTreeMap;
use std::time::Duration;
use tableau::{Event, WorkbookLuid};
use tableau_client::Workbook;
use tokio::time::Instant;
use users::Session;
use workflow::{Effect, Failure, Invocation, Outcome, Workflow};

/// How much time an attempt leaves for its end: to cancel an upload, and to write down what was done.
const RESERVE: Duration = Duration::from_secs(30);
/// How much time is kept for the upload of what was exported.
const UPLOAD: Duration = Duration::from_secs(60);
/// After this time a doubtful file is exported again: sooner, Tableau returns the same one.
const AGAIN: SignedDuration = SignedDuration::from_secs(65);

/// Tableau's code for a sign-in that it refuses.
const REFUSED: &str = "401001";
const GONE: &str = "Tableau does not have the workbook any more";

/// The workflow `publish-pdf`, with the clients that it needs.
#[derive(Debug)]
pub struct PublishPdf {
    /// The site that sends the events, as the credential's user sees it.
    pub facts: FactLookups,
    /// The rules that say which workbooks go where.
    pub rules: LoadedRules,
    /// The site as other users see it.
    pub users: Users,
    /// Where files go.
    pub destinations: Destinations,
    /// What is known of earlier exports.
    pub history: History,
    /// Where it sends the events about its files.
    pub bus: DerivedEvents,
}

/// What an attempt has done so far.
#[derive(Default)]
struct Progress {
    failed: Option<Failure>,
    published: usize,
    /// Files that are there from an earlier attempt, or that the rule keeps.
    there: usize,
    /// Exports without data, by name.
    without_data: Vec<String>,
    /// Exports to be made again, by name, and the last time at which one may be.
    doubtful: Vec<String>,
    again_at: Option<Timestamp>,
    /// Files about which this attempt has to send an event.
    unsent: Vec<PublishedFile>,
    /// Whether Tableau does not have the workbook any more.
    is_gone: bool,
}

/// What came of a file.
enum Put {
    /// It was published now. `None`: its rule is silent, so no event is sent.
    Published(Option<PublishedFile>),
    /// It is there already, or the rule keeps another.
    There,
}

/// What is to be exported as one user sees it.
struct Plan<'a> {
    session: Session<'a>,
    workbook: Workbook,
    exports: Vec<Export>,
}

impl Progress {
    fn fail(&mut self, failure: Failure) {
        self.failed = Some(Failure::worse(self.failed.take(), failure));
    }

    fn doubt(&mut self, name: &str, noted: Timestamp) {
        self.doubtful.push(format!("`{name}`"));
        self.again_at = self.again_at.max(noted.checked_add(AGAIN).ok());
    }

    fn is_complete(&self) -> bool {
        self.failed.is_none() && self.doubtful.is_empty()
    }

    fn outcome(self, now: Timestamp) -> Result<Outcome, Failure> {
        if let Some(failure) = self.failed {
            return Err(failure);
        }
        if !self.doubtful.is_empty() {
            let until = self.again_at.unwrap_or(now);
            let names = self.doubtful.join(", ");
            return Ok(Outcome::deferred(
                until,
                format!("the export of {names} is much smaller than before: it is made again"),
            ));
        }
        match (self.published + self.there, self.without_data.is_empty()) {
            (0, false) => Ok(Outcome::skipped(format!(
                "the export of {} has no data with the filters of the rule: nothing was published",
                self.without_data.join(", ")
            ))),
            (0, true) if self.is_gone => Ok(Outcome::skipped(GONE)),
            (0, true) => Ok(Outcome::skipped("the workbook lists no views")),
            _ => Ok(Outcome::Done),
        }
    }
}

impl Workflow for PublishPdf {
    const NAME: &'static str = "publish-pdf";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let of_event = event.workbook().filter(|_| settings::PublishPdf::EVENTS.contains(&event.name));
        let Some(workbook) = of_event else {
            return Ok(Outcome::skipped(format!("{} is no refresh of a workbook", event.name)));
        };
        // First, because the rules, or the workbook, may have changed since.
        events::send(events::pending(invocation), event, &self.bus, invocation).await?;
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        let matched = self.facts.matching(&rules, Self::NAME, event, None, invocation).await?;
        let question = Question::new(event, invocation);
        let actions = rules.actions::<settings::PublishPdf>(&matched, &event.site);
        let mut actions = actions.map_err(Failure::misconfigured)?;
        let mut progress = Progress::default();
        // What could not be looked up does not count as matched here: the file would be where it may not be. Other rules go on.
        for missing in matched.missing.iter().filter(|missing| missing.maintenance.is_empty()) {
            match self.without(missing, question).await? {
                Ok(failure) => progress.fail(failure),
                Err(outcome) => return Ok(outcome),
            }
            actions.retain(|action| action.rule != missing.rule);
        }
        if let (true, Some(failure)) = (actions.is_empty(), progress.failed.take()) {
            return Err(failure);
        }
        if actions.is_empty() {
            return Ok(Outcome::skipped(format!("no rule publishes PDF files on {}", event.name)));
        }
        let (actions, muted): (Vec<_>, Vec<_>) =
            actions.into_iter().partition(|action| action.muted_until(invocation.now).is_none());
        if let (true, Some(action)) = (actions.is_empty(), muted.first()) {
            return match progress.failed.take() {
                Some(failure) => Err(failure),
                None => Ok(Outcome::skipped(format!("the rule `{}` is muted", action.rule))),
            };
        }
        if self.facts.is_of_another_site(question).await? {
            return Ok(Outcome::skipped(OTHER_SITE));
        }
        let refreshed = event.credible_time(invocation.now).unwrap_or(invocation.now);
        let id = event.id.as_str();
        let times = (invocation.now, invocation.ends_at());
        match self.history.claim(workbook, id, refreshed, times, invocation.retried).await? {
            Turn::At(until) => {
                let reason = "Tableau could return the export of the refresh before: it waits for a minute";
                return Ok(Outcome::deferred(until, reason));
            }
            Turn::Shared(began) => {
                return Ok(Outcome::skipped(format!(
                    "the export that began at {} shows this refresh too, and is published",
                    began.strftime("%H:%M:%S UTC")
                )));
            }
            Turn::Now => {}
        }
        let published =
            self.publish_all(event, workbook, &rules, &actions, refreshed, &mut progress, invocation).await;
        let is_complete = published.is_ok() && progress.is_complete();
        let batches = events::batches(std::mem::take(&mut progress.unsent));
        if let Err(failure) = events::send(batches, event, &self.bus, invocation).await {
            progress.fail(failure);
        }
        self.history.ended(workbook, id, is_complete, invocation.time()).await?;
        published?;
        progress.outcome(invocation.time())
    }
}

impl PublishPdf {
    /// What to do about a rule that asks something that is not known: its failure, or the end of the event.
    async fn without(
        &self,
        missing: &MissingFact,
        question: Question<'_>,
    ) -> Result<Result<Failure, Outcome>, Failure> {
        if self.facts.is_of_another_site(question).await? {
            return Ok(Err(Outcome::skipped(OTHER_SITE)));
        }
        if self.facts.item(question).await?.is_none() {
            return Ok(Err(Outcome::skipped(GONE)));
        }
        Ok(Ok(match missing.why.starts_with(NO_ANSWER) {
            true => Failure::transient(missing.to_string()),
            // Tableau refuses it, until a person changes what the token's user may see.
            false => Failure::misconfigured(missing.to_string()),
        }))
    }

    /// Makes and publishes all that rules want of a workbook, one user after the other. All places are known before the first export.
    #[expect(clippy::too_many_arguments, reason = "each is used, and no two belong together")]
    async fn publish_all(
        &self,
        event: &Event,
        luid: &WorkbookLuid,
        rules: &Rules,
        actions: &[Action<settings::PublishPdf>],
        refreshed: Timestamp,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let timezone = rules.site(&event.site).map_or(TimeZone::UTC, |site| site.timezone.clone());
        let time = refreshed.to_zoned(timezone);
        let mut by_user: BTreeMap<Option<&str>, Vec<&Action<settings::PublishPdf>>> = BTreeMap::new();
        for action in actions {
            by_user.entry(action.settings.user.as_deref()).or_default().push(action);
        }
        let remaining = invocation.remaining();
        let until = Instant::now() + remaining.saturating_sub(RESERVE.min(remaining / 4));
        let mut plans = Vec::new();
        for (user, actions) in by_user {
            match self.wanted_by(event, luid, user, &actions, &time, progress, invocation).await {
                Ok(wanted) => plans.extend(wanted),
                // What another user's rules want could be the same file.
                Err(failure @ Failure::Transient { .. }) => return Err(failure),
                Err(failure) => progress.fail(failure),
            }
        }
        self.settle_places(luid, &mut plans, progress, invocation).await?;
        for Plan { session, workbook, exports } in &plans {
            let sheets = workbook.views.len();
            tracing::info!(event.id = %event.id, sheets, exports = exports.len(), "exporting the workbook as PDF");
            for wanted in exports {
                let published =
                    self.publish_one(session, workbook, wanted, &time, until, progress, invocation).await;
                if let Err(failure) = published {
                    progress.fail(failure);
                }
            }
        }
        Ok(())
    }

    /// Gives each file its place: not one of another workbook, and none twice.
    async fn settle_places(
        &self,
        luid: &WorkbookLuid,
        plans: &mut [Plan<'_>],
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        for file in
            plans.iter_mut().flat_map(|wanted| &mut wanted.exports).flat_map(|export| &mut export.files)
        {
            file.place = self.destinations.place(file).await;
            if !self.history.holds(luid, &file.place, invocation.now).await? {
                file.file.add_id();
                file.place = self.destinations.place(file).await;
                let name = &file.file.stem;
                tracing::info!(
                    rule = file.rule,
                    name,
                    "another workbook has this name there: the file gets an id"
                );
            }
        }
        let mut exports: Vec<&mut Export> = plans.iter_mut().flat_map(|wanted| &mut wanted.exports).collect();
        for problem in separate(&mut exports) {
            progress.fail(Failure::misconfigured(problem));
        }
        Ok(())
    }

    /// What rules want for one user; `None` if Tableau does not have the workbook any more.
    #[expect(clippy::too_many_arguments, reason = "each is used, and no two belong together")]
    async fn wanted_by<'a>(
        &'a self,
        event: &Event,
        luid: &WorkbookLuid,
        user: Option<&'a str>,
        actions: &[&Action<settings::PublishPdf>],
        time: &Zoned,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<Option<Plan<'a>>, Failure> {
        let own = self.facts.tableau();
        let session = match user {
            None => Session::Own(own),
            Some(user) => self.users.of(user, own, invocation).await?,
        };
        let tableau = session.tableau();
        let workbook = match tableau.call(invocation, tableau.client().workbook(luid)).await {
            Ok(workbook) => workbook,
            Err(circuit::Guarded::Call(error)) if user.is_some() && error.code() == Some(REFUSED) => {
                let user = user.unwrap_or_default();
                let rule = actions.first().map(|action| action.rule.as_str()).unwrap_or_default();
                return Err(Failure::misconfigured(format!(
                    "`{user}`, who is named by `as` in the rule `{rule}`, cannot sign in: write the name with which the user signs in, and \
                     check that the user has a licence and that the credential may act as this user: {}",
                    workflow::chain(&error)
                )));
            }
            Err(circuit::Guarded::Call(error)) if error.is_not_found() || error.lacks_right() => match user {
                // Whether the workbook is gone, the credential's own user decides.
                Some(user) => {
                    return Err(Failure::misconfigured(format!(
                        "`{user}`, who is named by `as` in a rule, does not see the workbook: {}",
                        workflow::chain(&error)
                    )));
                }
                None if error.is_not_found() => {
                    progress.is_gone = true;
                    return Ok(None);
                }
                None => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        };
        let version = tableau.session_version(invocation).await?;
        let project = self.project(&workbook, Question::new(event, invocation)).await?;
        let names = Names {
            time,
            workbook: &workbook.name,
            view: None,
            project: &project,
            luid: workbook.id.as_str(),
        };
        let (exports, problems) = exports(actions, &workbook, version, &names, event.id.as_str());
        for problem in problems {
            progress.fail(Failure::misconfigured(problem));
        }
        Ok(Some(Plan { session, workbook, exports }))
    }

    /// The names of the workbook's projects, from the top.
    async fn project(&self, workbook: &Workbook, question: Question<'_>) -> Result<Vec<String>, Failure> {
        let Some(project) = &workbook.project else { return Ok(Vec::new()) };
        let names = match &project.id {
            Some(luid) => self.facts.project_names(luid, question).await?,
            None => None,
        };
        // Not all projects may be visible.
        Ok(names.unwrap_or_else(|| vec![project.name.clone()]))
    }

    /// Makes one export, and publishes it to each place where it is not yet.
    #[expect(clippy::too_many_arguments, reason = "each is used, and no two belong together")]
    async fn publish_one(
        &self,
        session: &Session<'_>,
        workbook: &Workbook,
        wanted: &Export,
        time: &Zoned,
        until: Instant,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let is_missing = |target: &&Target| !invocation.has_happened(&published(target));
        let missing: Vec<&Target> = wanted.files.iter().filter(is_missing).collect();
        progress.there += wanted.files.len() - missing.len();
        if missing.is_empty() {
            return Ok(());
        }
        let name = wanted.what.name(workbook);
        let key = wanted.key(workbook, session.name());
        let doubted = format!("doubted/{key}");
        let noted = times(invocation, &doubted).last().copied();
        if let Some(noted) = noted.filter(|noted| invocation.now.duration_since(*noted) < AGAIN) {
            // Another part of the event brought this attempt about. Tableau would return the same file.
            progress.doubt(name, noted);
            return Ok(());
        }
        let export_until = until - UPLOAD.min(until.saturating_duration_since(Instant::now()) / 4);
        let exported = match export(session, workbook, wanted, export_until, invocation).await? {
            Rendered::File(exported) => exported,
            Rendered::NoData => {
                tracing::warn!(
                    view = name,
                    "the export has no data with these filters, and is not published"
                );
                progress.without_data.push(format!("`{name}`"));
                return Ok(());
            }
        };
        let is_doubtful = self.history.is_doubtful(&workbook.id, &key, exported.seen).await?;
        if is_doubtful && invocation.retried && noted.is_none() {
            note(invocation, &doubted).await?;
            progress.doubt(name, invocation.time());
            return Ok(());
        }
        let looks_incomplete = is_doubtful || exported.may_lack_data;
        let before = progress.published;
        for target in &missing {
            let others = &progress.unsent;
            let put = self.put(target, &exported, name, looks_incomplete, time, until, others, invocation);
            match put.await {
                Ok(Put::Published(file)) => {
                    progress.published += 1;
                    progress.unsent.extend(file);
                }
                Ok(Put::There) => progress.there += 1,
                Err(failure) => progress.fail(failure),
            }
        }
        if progress.published == before {
            return Ok(());
        }
        // The targets of one export are of one event.
        let event = missing.first().map(|target| target.event.as_str()).unwrap_or_default();
        self.history.published(&workbook.id, event, &key, exported.seen, invocation.time()).await
    }

    /// Publishes a file to one place. `others`: files of this attempt about which no event is sent yet.
    #[expect(clippy::too_many_arguments, reason = "each is used, and no two belong together")]
    async fn put(
        &self,
        target: &Target,
        exported: &Exported,
        name: &str,
        looks_incomplete: bool,
        time: &Zoned,
        until: Instant,
        others: &[PublishedFile],
        invocation: &Invocation,
    ) -> Result<Put, Failure> {
        let pieces = Pieces::new(&exported.file, exported.seen.size_bytes);
        let publish = async {
            match self.destinations.publish(target, &pieces, time, until, invocation).await? {
                Published::There { uploaded, note } => {
                    let file = (!target.settings.silent).then(|| {
                        let notes = (note.as_str(), looks_incomplete);
                        PublishedFile::of(target, &uploaded, notes, time.timestamp(), invocation, others)
                    });
                    // Noted at once: after a failure, the next attempt sends the event without publishing the file again.
                    if let Some(file) = &file {
                        file.note(invocation).await?;
                    }
                    Ok::<_, Failure>(Ok((uploaded, note, file)))
                }
                Published::Kept => Ok(Err("the file is there, and the rule keeps it")),
            }
        };
        match invocation.once_unless(published(target), publish).await? {
            Some(Ok((uploaded, note, file))) => {
                let size_bytes = exported.seen.size_bytes;
                let pages = exported.seen.pages;
                let service = target.service();
                tracing::info!(
                    rule = target.rule,
                    view = name,
                    service,
                    size_bytes,
                    pages,
                    looks_incomplete,
                    note,
                    item = uploaded.id,
                    "published a PDF"
                );
                Ok(Put::Published(file))
            }
            Some(Err(why)) => {
                tracing::info!(rule = target.rule, view = name, "{why}");
                Ok(Put::There)
            }
            None => Ok(Put::There),
        }
    }
}

/// The effect that a file is there.
fn published(target: &Target) -> Effect {
    Effect::from(format!("published/{}/{}", target.service(), target.key()).as_str())
}
