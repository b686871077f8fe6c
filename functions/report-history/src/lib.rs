#![doc = include_str!("../README.md")]

mod config;
mod sites;

pub use config::{Config, SCOPES};

use history::{
    Answer, Exported, Exporter, Files, Owners, Records, Reporter, Reports, SiteReport, SiteReports, Start,
    Week, day_of, is_kept,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use published_rules::PublishedRules;
use rules::Site;
use runtime::DerivedEvents;
use std::fmt;
use std::future::Future;
use store::Documents;
use tableau::{Payload, WeeklyReport};
use tableau_client::TableauClient;
use tokio::time::Instant;
use workflow::{BoxError, chain};

/// Sends events over the stack's bus.
pub trait SendEvent {
    /// Sends an event.
    ///
    /// # Errors
    /// When the bus did not confirm the event.
    fn send(&self, payload: Payload) -> impl Future<Output = Result<(), BoxError>> + Send;
}

impl SendEvent for DerivedEvents {
    async fn send(&self, payload: Payload) -> Result<(), BoxError> {
        let has_bus = Self::send(self, payload).await.map_err(|failure| failure.reason())?;
        if has_bus { Ok(()) } else { Err("EVENT_BUS_NAME is not set".into()) }
    }
}

/// The function.
pub struct ReportHistory<E = DerivedEvents> {
    /// The delivery records.
    pub records: Records,
    /// What is known about exports and reports.
    pub documents: Documents,
    /// Where the export goes; `None`: nowhere.
    pub files: Option<Files>,
    /// The rules in force, which say the sites.
    pub published: PublishedRules,
    /// Who owns what failed.
    pub tableau: TableauClient,
    /// What reports call the site of the credential, if the rules list no sites.
    pub site_name: String,
    /// Sends the weekly report.
    pub events: E,
}

impl<E> fmt::Debug for ReportHistory<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportHistory").field("files", &self.files).finish_non_exhaustive()
    }
}

/// Why a person's request was refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the export is off: deploy the stack with HistoryExportEnabled=true")]
    NoBucket,
    #[error("the day {0} is in the future")]
    Future(Date),
    #[error(
        "the week of {0} is no longer whole: delivery records are kept for 30 days. The exported files have it"
    )]
    TooOld(Date),
}

impl<E: SendEvent> ReportHistory<E> {
    /// Does what `start` says, at `now`, until `until`.
    ///
    /// # Errors
    /// When the table, the bucket, the bus or Tableau fails. What was done stays, and the next run goes on.
    pub async fn handle(&self, start: &Start, now: Timestamp, until: Instant) -> Result<Answer, BoxError> {
        match start {
            Start::Periodic => Box::pin(self.scheduled(now, until)).await,
            Start::Export { through } => {
                let today = day_of(now);
                let last = through.unwrap_or_else(|| yesterday(today));
                if last > today {
                    return Err(Refused::Future(last).into());
                }
                let exported = self.export(now, last, until, false).await?.ok_or(Refused::NoBucket)?;
                Ok(Answer::Export(exported))
            }
            Start::Report { week } => {
                if let Some(week) = week {
                    check(*week, now)?;
                }
                let weeks = self.sites().await?.into_iter().map(|site| {
                    let timezone = site.timezone.clone();
                    let of_site = match week {
                        Some(day) => Week::of(*day, timezone),
                        None => Week::last(now, timezone),
                    };
                    (site, of_site)
                });
                let reports = self.reports(weeks.collect(), now).await?;
                let reports = reports.into_iter().map(|(site, _, report)| SiteReport {
                    site: site.luid,
                    name: site.name,
                    report,
                });
                Ok(Answer::Reports(SiteReports { reports: reports.collect() }))
            }
        }
    }

    async fn scheduled(&self, now: Timestamp, until: Instant) -> Result<Answer, BoxError> {
        self.note_sign_ins(now).await;
        // The report comes first, and has half of the time: an export may need all that there is. Neither waits for the other to succeed.
        let begun = Instant::now();
        let half = begun + until.saturating_duration_since(begun) / 2;
        let sent = match tokio::time::timeout_at(half, self.send_due(now)).await {
            Ok(sent) => sent,
            Err(_) => Err(
                "the weekly reports are not made in half of the time that there is; the next run tries again"
                    .into(),
            ),
        };
        let export = self.export(now, yesterday(day_of(now)), until, true).await.inspect_err(|_| {
            // The answer has room for one error.
            if let Err(error) = &sent {
                tracing::error!(reason = chain(error.as_ref()), "not all weekly reports are sent");
            }
        })?;
        if let Some(Exported { days, unchanged, left }) = &export {
            let rows: u64 = days.iter().map(|day| day.deliveries).sum();
            tracing::info!(days = days.len(), rows, unchanged, left, "history exported");
        }
        Ok(Answer::Scheduled { export, sent: sent? })
    }

    /// Exports the days up to `last`; `None` without a bucket.
    async fn export(
        &self,
        now: Timestamp,
        last: Date,
        until: Instant,
        only_with_new_days: bool,
    ) -> Result<Option<Exported>, BoxError> {
        let Some(files) = &self.files else { return Ok(None) };
        let exporter = Exporter { records: &self.records, documents: &self.documents, files };
        let mut owners = self.owners(Owners::deadline()).await?;
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        let exported = Box::pin(exporter.run(now, last, until, &mut owners, only_with_new_days)).await?;
        if let Some(reason) = owners.problem() {
            tracing::warn!(reason, "not all owners are known");
        }
        Ok(Some(exported))
    }

    /// How often the stack has signed in until this day. A count that cannot be had is missing in a report, and no more.
    async fn note_sign_ins(&self, now: Timestamp) {
        let noted = async {
            let Some(count) = self.tableau.sign_ins_so_far().await? else { return Ok(()) };
            let today = day_of(now);
            let note = |reports: &mut Reports| reports.note_sign_ins(today, count);
            self.documents.change(Reports::KEY, now, note).await?;
            Ok::<_, BoxError>(())
        };
        if let Err(error) = noted.await {
            tracing::warn!(reason = chain(error.as_ref()), "the sign-ins of the day are not noted");
        }
    }

    /// Sends the weekly reports that are due. Returns how many.
    async fn send_due(&self, now: Timestamp) -> Result<usize, BoxError> {
        let state: Reports = self.documents.read(Reports::KEY).await?;
        if !Reports::may_be_due(now) {
            return Ok(0);
        }
        let sites = self.sites().await?.into_iter();
        let due = sites.filter_map(|site| {
            let week = state.due(site.luid.as_str(), site.timezone.clone(), now)?;
            Some((site, week))
        });
        let mut sent = 0;
        let mut new = Vec::new();
        for (site, week) in due {
            // It may have been sent: the same payload is the same event.
            match state.pending(site.luid.as_str(), &week) {
                Some(payload) => {
                    self.send(&site, &week, payload, now).await?;
                    sent += 1;
                }
                None => new.push((site, week)),
            }
        }
        for (site, week, report) in self.reports(new, now).await? {
            let payload = report.payload(&site.luid, &site.name, week.ends());
            let begin = |reports: &mut Reports| reports.begin(site.luid.as_str(), &week, &payload);
            // `None`: another run has sent the report meanwhile.
            if let (_, Some(payload)) = self.documents.change(Reports::KEY, now, begin).await? {
                self.send(&site, &week, payload, now).await?;
                sent += 1;
            }
        }
        Ok(sent)
    }

    async fn send(&self, site: &Site, week: &Week, payload: Payload, now: Timestamp) -> Result<(), BoxError> {
        self.events.send(payload).await?;
        let sent = |reports: &mut Reports| reports.sent(site.luid.as_str(), week);
        self.documents.change(Reports::KEY, now, sent).await?;
        tracing::info!(site.luid = %site.luid, week = %week.first_day, "weekly report sent");
        Ok(())
    }

    async fn reports(
        &self,
        weeks: Vec<(Site, Week)>,
        now: Timestamp,
    ) -> Result<Vec<(Site, Week, WeeklyReport)>, BoxError> {
        if weeks.is_empty() {
            return Ok(Vec::new());
        }
        let state: Reports = self.documents.read(Reports::KEY).await?;
        let webhooks = webhooks::figures(&self.documents).await?;
        let counted = weeks.iter().map(|(site, week)| (site.luid.to_string(), week.clone())).collect();
        let tallies = Reporter { records: &self.records }.tallies(counted).await?;
        // Of all sites: a Tableau that does not answer costs the owners, and no report.
        let until = Owners::deadline();
        let mut reports = Vec::new();
        for ((site, week), tally) in weeks.into_iter().zip(tallies) {
            let mut owners = self.owners(until).await?;
            let mut report = Box::pin(tally.finish(&mut owners, now)).await;
            // What is known of webhooks is their present state.
            let is_recent = week.ends() >= Week::last(now, site.timezone.clone()).ends();
            report.webhooks = webhooks.filter(|_| is_recent);
            state.count_sign_ins(&week, &mut report.week);
            if let Some(before) = &mut report.week_before {
                state.count_sign_ins(&week.before(), before);
            }
            reports.push((site, week, report));
        }
        Ok(reports)
    }
}

/// A week whose records are all there, in any time zone.
fn check(day: Date, now: Timestamp) -> Result<(), Refused> {
    let week = Week::of(day, TimeZone::UTC);
    if week.first_day > day_of(now).saturating_add(1.day()) {
        return Err(Refused::Future(day));
    }
    if !is_kept(week.begins(), now) {
        return Err(Refused::TooOld(day));
    }
    Ok(())
}

fn yesterday(day: Date) -> Date {
    day.yesterday().unwrap_or(day)
}
