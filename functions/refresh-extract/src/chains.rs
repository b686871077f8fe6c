//! Refreshes that rules start, and the guard against one that would start itself.

use crate::RefreshExtract;
use crate::api::Stop;
use crate::body::digest;
use crate::jobs::subject;
use facts::OTHER_SITE;
use facts::Question;
use jiff::SignedDuration;
use refreshes::{Accepted, By, NewRequest, Place, Target};
use rules::{Rules, settings};
use std::collections::BTreeSet;
use tableau::{Action, ContentKind, Event, EventId, EventName, Subject};
use workflow::{Failure, Invocation, Outcome, Workflow};

/// The most refreshes in a chain.
const LONGEST_TRAIL: usize = 20;
const STARTS_ITSELF: &str = "the refresh would start itself";

/// What a rule starts on an event, and by which name.
struct Started {
    rule: String,
    settings: settings::RefreshExtract,
    kind: ContentKind,
    luid: String,
    /// Whether all its conditions are known to hold. One that cannot be looked up counts as holding when the rule runs.
    is_certain: bool,
}

impl RefreshExtract {
    /// Starts what rules say about an event. `trail`: what led to it. `None` if none says anything.
    pub(crate) async fn by_rules(
        &self,
        event: &Event,
        trail: &[String],
        invocation: &Invocation,
    ) -> Result<Option<Outcome>, Failure> {
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        if !rules.workflows().any(|(name, _)| name == Self::NAME) {
            return Ok(None);
        }
        let started = self.started(&rules, event, invocation).await?;
        if started.is_empty() {
            return Ok(None);
        }
        if self.engine.facts.is_of_another_site(Question::new(event, invocation)).await? {
            return Ok(Some(Outcome::skipped(OTHER_SITE)));
        }
        let (mut outcome, mut failed) = (None, None);
        for start in started {
            match self.start_by_rule(event, trail, start, invocation).await {
                Ok(Outcome::Done) => outcome = Some(Outcome::Done),
                Ok(one) => outcome = outcome.or(Some(one)),
                // The others do not wait for a person to mend one rule. A later attempt finds what they have started.
                Err(failure) => failed = Some(Failure::worse(failed, failure)),
            }
        }
        failed.map_or(Ok(outcome), Err)
    }

    /// What rules start on an event.
    async fn started(
        &self,
        rules: &Rules,
        event: &Event,
        invocation: &Invocation,
    ) -> Result<Vec<Started>, Failure> {
        let matched = self.engine.facts.matching(rules, Self::NAME, event, None, invocation).await?;
        if let Some(missing) = matched.missing.iter().find(|missing| missing.maintenance.is_empty()) {
            tracing::warn!(event.id = %event.id, reason = %missing, "a condition counts as matched");
        }
        let actions = rules.actions::<settings::RefreshExtract>(&matched, &event.site);
        let actions = actions.map_err(Failure::misconfigured)?;
        let now = invocation.now;
        let active = actions.into_iter().filter(|action| action.muted_until(now).is_none());
        let own = of_event(event);
        Ok(active
            .filter_map(|action| {
                let (kind, luid) = match (action.settings.kind, &action.settings.luid) {
                    (Some(kind), Some(luid)) => (kind, luid.clone()),
                    _ => own.clone()?,
                };
                let is_certain = !matched.missing.iter().any(|missing| missing.rule == action.rule);
                Some(Started { rule: action.rule, settings: action.settings, kind, luid, is_certain })
            })
            .collect())
    }

    async fn start_by_rule(
        &self,
        event: &Event,
        trail: &[String],
        start: Started,
        invocation: &Invocation,
    ) -> Result<Outcome, Failure> {
        let Started { rule, settings, kind, luid, .. } = start;
        if trail.contains(&luid.to_ascii_lowercase()) || trail.len() >= LONGEST_TRAIL {
            let trail = trail.join(" → ");
            tracing::warn!(event.id = %event.id, rule, resource.luid = luid, trail, STARTS_ITSELF);
            let reason = format!(
                "{STARTS_ITSELF}: the rule `{rule}` starts {luid}, which led to this event ({trail})"
            );
            return Ok(Outcome::skipped(reason));
        }
        let target = match self.by_luid(kind, &luid, invocation).await {
            Ok(Some(target)) => target,
            Ok(None) => {
                let reason =
                    format!("Tableau shows no {} with the LUID {luid}, which the rule `{rule}` names", kind);
                return Err(Failure::misconfigured(reason));
            }
            Err(Stop::Failure(failure)) => return Err(failure),
            Err(Stop::Problem(problem)) => return Err(Failure::transient(problem.detail)),
        };
        let new = NewRequest {
            id: digest(&[event.id.as_str(), &rule, &luid], 24),
            by: By::Rule { rule: rule.clone(), event: event.id.to_string() },
            target,
            site: event.site.to_string(),
            incremental: settings.incremental,
            allow_full: settings.allow_full,
            // The event says that something has changed: a refresh that began before may not have it.
            fresh: true,
            asked: String::new(),
            timeout: SignedDuration::from_mins(settings.timeout_minutes.into()),
            callback_url: None,
            trail: trail.to_vec(),
        };
        match self.accept(&new, invocation).await? {
            Accepted::Stored(request) => {
                tracing::info!(
                    refresh.id = request.id,
                    rule,
                    event.id = %event.id,
                    kind = request.target.kind.as_str(),
                    resource.luid = request.target.luid,
                    resource.name = request.target.name,
                    joined = request.joined,
                    "refresh requested"
                );
            }
            Accepted::Repeated(request) => self.resume(&request, invocation).await?,
            Accepted::TooMany => return Err(Failure::transient("too many requests wait for the refresh")),
        }
        Ok(Outcome::Done)
    }

    /// The objects whose refreshes led to an event, with the event's own.
    pub(crate) async fn trail(&self, event: &Event, invocation: &Invocation) -> Result<Vec<String>, Failure> {
        let is_refresh = matches!(
            event.name.action(),
            Some(Action::RefreshStarted | Action::RefreshSucceeded | Action::RefreshFailed)
        );
        if !is_refresh {
            return Ok(Vec::new());
        }
        let place = Place::new(event.site.as_str(), event.subject.luid());
        let (runs, _) = self.engine.board.runs(&place).await?;
        let at = event.credible_time(invocation.now).unwrap_or(invocation.now);
        // The event has its time by Tableau's clock.
        let ahead = self.engine.facts.tableau().client().clock_ahead();
        let mut trail = runs.trail_at(at.checked_sub(ahead).unwrap_or(at));
        if !trail.contains(&place.luid) {
            trail.push(place.luid);
        }
        Ok(trail)
    }

    /// Whether rules would start the refresh of `target` again when it has ended, also through others: then by which way.
    ///
    /// # Errors
    /// When Tableau or the rules do not answer what conditions ask.
    pub(crate) async fn would_start_itself(
        &self,
        target: &Target,
        site: &str,
        invocation: &Invocation,
    ) -> Result<Option<String>, Stop> {
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        if !rules.workflows().any(|(name, _)| name == Self::NAME) {
            return Ok(None);
        }
        let first = target.luid.to_ascii_lowercase();
        let mut seen = BTreeSet::new();
        let mut left = vec![(target.clone(), target.name.clone())];
        while let Some((target, way)) = left.pop() {
            if !seen.insert(target.luid.to_ascii_lowercase()) || seen.len() > LONGEST_TRAIL {
                continue;
            }
            for name in ends(target.kind) {
                let Some(event) = ended(&target, site, name, invocation) else { continue };
                let started = self.started(&rules, &event, invocation).await?;
                // A caller is not refused because of a condition that is not known now: the rule itself looks again.
                for start in started.into_iter().filter(|start| start.is_certain) {
                    let way = format!("{way}, then by the rule `{}` {}", start.rule, start.luid);
                    if start.luid.eq_ignore_ascii_case(&first) {
                        return Ok(Some(way));
                    }
                    // What is gone starts nothing.
                    if let Some(next) = self.by_luid(start.kind, &start.luid, invocation).await? {
                        left.push((next, way));
                    }
                }
            }
        }
        Ok(None)
    }
}

/// The kind and LUID of an event's own object.
fn of_event(event: &Event) -> Option<(ContentKind, String)> {
    match &event.subject {
        Subject::Workbook(luid) => Some((ContentKind::Workbook, luid.to_string())),
        Subject::Datasource(luid) => Some((ContentKind::Datasource, luid.to_string())),
        _ => None,
    }
}

/// The events of the end of a refresh. A flow has none.
fn ends(kind: ContentKind) -> &'static [EventName] {
    match kind {
        ContentKind::Workbook => &[EventName::WorkbookRefreshSucceeded, EventName::WorkbookRefreshFailed],
        ContentKind::Datasource => {
            &[EventName::DatasourceRefreshSucceeded, EventName::DatasourceRefreshFailed]
        }
        ContentKind::Flow => &[],
    }
}

/// The event of the end of a refresh, as it would come.
fn ended(target: &Target, site: &str, name: &EventName, invocation: &Invocation) -> Option<Event> {
    Some(Event {
        id: EventId::of_bytes(format!("{name}/{}/{}", target.luid, invocation.now).as_bytes()),
        name: name.clone(),
        site: site.parse().ok()?,
        subject: subject(target)?,
        resource_name: Some(target.name.clone()),
        created_at: Some(invocation.now),
        pdf: None,
        webhook: None,
        report: None,
        own: None,
    })
}
