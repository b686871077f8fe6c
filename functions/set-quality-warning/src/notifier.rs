//! The warnings on data sources as what alerting announces: a new incident sets one, a further failure changes it, the end removes it.

use crate::licence::Licence;
use crate::text;
use alerting::Capabilities;
use alerting::incident::MessageRef;
use alerting::notification::{Kind, Notification};
use alerting::notifier::{Delivered, Delivery, Notifier, Undelivered};
use async_trait::async_trait;
use circuit::Guarded;
use facts::{FactLookups, OTHER_SITE, Question};
use guarded_tableau::{GuardedTableau, TableauError};
use jiff::Timestamp;
use rules::settings::{QualityWarningType, SetQualityWarning};
use store::Documents;
use tableau::{DatasourceLuid, SiteLuid, Subject};
use tableau_client::{Error, Filter, NewQualityWarning, QualityWarning, Warnable, WarningKind};
use workflow::{Failure, Invocation};

/// Tableau's code for a warning that does not exist.
const NO_WARNING: &str = "404030";
/// The advice where the user lacks the right.
const NEEDED: &str = "the user of the Tableau credential may not set a quality warning here: let it be an administrator, or the owner or the \
                      project leader of the data source";
/// Why no warning is set beside another one.
const HELD: &str = "a person has set a quality warning of this type on the data source. Tableau allows one of each type (up to Server 2024.2 \
                    one in all), so none is set";
const CHANGED: &str = "a person has changed the warning, so it is left as it is";
const REMOVED: &str =
    "a person has removed the warning, so none is set before the next incident or a reminder";
const NOTHING_TO_REMOVE: &str = "the data source has no warning about this incident any more";
const NO_DATASOURCE: &str =
    "Tableau does not have the data source any more, or the user of the credential may not see it";

/// The data sources of a site, as what is warned about.
#[derive(Debug)]
pub struct WarningNotifier {
    facts: FactLookups,
    licence: Licence,
}

/// A warning to set, change or remove, and where.
struct Task<'a> {
    datasource: &'a DatasourceLuid,
    /// The incident, in short.
    incident: String,
    site: &'a SiteLuid,
    /// The event; empty for a test.
    event: &'a str,
    /// Whether a site that has refused warnings is asked all the same: a warning may be there, or a person wants to know.
    asks_in_any_case: bool,
    invocation: &'a Invocation,
}

/// Why a warning was not set, changed or removed.
enum Trouble {
    /// That is right, and lasts.
    Skipped(String),
    Undelivered(Undelivered),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Undelivered(Undelivered { failure, maybe_sent: false })
    }
}

impl Task<'_> {
    /// Whether a warning is ours, and about this incident.
    fn is_about(&self, warning: &QualityWarning) -> bool {
        text::of_ours(warning, self.datasource).is_some_and(|incident| incident == self.incident)
    }
}

impl Trouble {
    /// Says whether a warning of ours may be there. Then the end of the incident has to remove it, also if it comes before the retry.
    fn leaving(self, a_warning: bool) -> Self {
        match self {
            Self::Undelivered(undelivered) => {
                Self::Undelivered(Undelivered { maybe_sent: a_warning, ..undelivered })
            }
            skipped @ Self::Skipped(_) => skipped,
        }
    }
}

impl WarningNotifier {
    /// Sets warnings in `tableau`. Which sites refuse them is kept in `documents`, for `workflow`.
    pub fn new(tableau: GuardedTableau, documents: Documents, workflow: &'static str) -> Self {
        Self { facts: FactLookups::new(tableau), licence: Licence::new(documents, workflow) }
    }

    fn tableau(&self) -> &GuardedTableau {
        self.facts.tableau()
    }

    /// The data source has our warning afterwards, with the present text. One of an earlier incident is replaced and not taken over: the
    /// end of that incident may still be under way, and would take it away.
    async fn set(&self, task: &Task<'_>, warning: &NewQualityWarning) -> Result<Delivered, Trouble> {
        let warnings = self.warnings(task).await?;
        let ours = |other: &&QualityWarning| text::of_ours(other, task.datasource).is_some();
        let set = match warnings.iter().find(|other| task.is_about(other)) {
            Some(ours) => self.change(task, ours, warning).await.map_err(|trouble| trouble.leaving(true))?,
            None => {
                for earlier in warnings.iter().filter(ours) {
                    self.take_away(task, earlier).await?;
                }
                self.add(task, warning).await?
            }
        };
        let id = set.and_then(|set| set.id).map(|id| id.as_str().to_owned());
        let message = id.map(|id| MessageRef { conversation: task.site.as_str().to_owned(), id });
        Ok(Delivered { message, audible: true, ..Delivered::default() })
    }

    /// Our warning has the present text, unless a person has changed or removed it.
    async fn update(
        &self,
        task: &Task<'_>,
        message: &MessageRef,
        warning: &NewQualityWarning,
    ) -> Result<Delivered, Trouble> {
        let warnings = self.warnings(task).await?;
        let is_it =
            |warning: &QualityWarning| warning.id.as_ref().is_some_and(|id| id.as_str() == message.id);
        let ours = warnings.iter().find(|warning| task.is_about(warning));
        match (ours, warnings.iter().any(is_it)) {
            (Some(ours), _) => self.change(task, ours, warning).await.map(|_| Delivered::default()),
            (None, true) => Err(skipped(CHANGED)),
            (None, false) => Err(skipped(REMOVED)),
        }
    }

    /// The data source has no warning about this incident afterwards. Others stay.
    async fn remove(&self, task: &Task<'_>) -> Result<Delivered, Trouble> {
        let warnings = self.warnings(task).await?;
        let mut removed = false;
        for ours in warnings.iter().filter(|warning| task.is_about(warning)) {
            self.take_away(task, ours).await?;
            removed = true;
        }
        if removed { Ok(Delivered::default()) } else { Err(skipped(NOTHING_TO_REMOVE)) }
    }

    async fn take_away(&self, task: &Task<'_>, ours: &QualityWarning) -> Result<(), Trouble> {
        let Some(id) = &ours.id else { return Ok(()) };
        let remove = self.tableau().client().remove_quality_warning(id);
        match self.tableau().call(task.invocation, remove).await {
            // A person was faster.
            Err(Guarded::Call(error)) if error.code() == Some(NO_WARNING) => Ok(()),
            answer => judged(answer),
        }
    }

    /// The warnings on the data source. A site that refuses to list them lacks Data Management.
    async fn warnings(&self, task: &Task<'_>) -> Result<Vec<QualityWarning>, Trouble> {
        let now = task.invocation.time();
        let known = self.licence.known(task.site, now).await?;
        if let Some(refusal) = &known
            && !task.asks_in_any_case
            && !refusal.is_by(task.event)
        {
            return Err(Trouble::Skipped(unlicensed(refusal.at())));
        }
        let on = Warnable::from(task.datasource.clone());
        let list = self.tableau().client().quality_warnings(&on);
        match self.tableau().call(task.invocation, list).await {
            Err(Guarded::Call(error)) if is_for_the_site(&error) => {
                let failure = format!("{}; {}", workflow::chain(&error), unlicensed(now));
                if task.asks_in_any_case {
                    return Err(Failure::misconfigured(failure).into());
                }
                match self.licence.refused(task.site, task.event, now).await? {
                    true => Err(Failure::permanent(failure).into()),
                    false => Err(Trouble::Skipped(unlicensed(now))),
                }
            }
            answer => {
                let warnings = judged(answer)?;
                if known.is_some() {
                    self.licence.answered(task.site, now).await?;
                }
                Ok(warnings)
            }
        }
    }

    async fn change(
        &self,
        task: &Task<'_>,
        ours: &QualityWarning,
        warning: &NewQualityWarning,
    ) -> Result<Option<QualityWarning>, Trouble> {
        let Some(id) = &ours.id else { return Ok(Some(ours.clone())) };
        let change = self.tableau().client().change_quality_warning(id, warning);
        match self.tableau().call(task.invocation, change).await {
            Err(Guarded::Call(error)) if error.code() == Some(NO_WARNING) => Err(skipped(REMOVED)),
            // The rule has another type by now, of which a person has set one. Ours stays as it is.
            Err(Guarded::Call(error)) if is_conflict(&error) => Err(skipped(HELD)),
            answer => Ok(judged(answer)?.or_else(|| Some(ours.clone()))),
        }
    }

    async fn add(
        &self,
        task: &Task<'_>,
        warning: &NewQualityWarning,
    ) -> Result<Option<QualityWarning>, Trouble> {
        let on = Warnable::from(task.datasource.clone());
        let add = self.tableau().client().add_quality_warning(&on, warning);
        let answer = self.tableau().call(task.invocation, add).await;
        let maybe_set = match &answer {
            Err(Guarded::Call(error)) if is_conflict(error) => return Err(skipped(HELD)),
            Err(Guarded::Call(error)) => !is_certainly_refused(error),
            Err(Guarded::CircuitOpen(_)) | Ok(_) => false,
        };
        judged(answer).map_err(|trouble| trouble.leaving(maybe_set))
    }

    /// Asks for the warnings of some data source: that needs the licence and a scope.
    async fn test(&self, invocation: &Invocation) -> Result<Delivered, Trouble> {
        let client = self.tableau().client();
        let site = self.tableau().session_site(invocation).await.map_err(Failure::from)?;
        let any = async { client.datasources(Filter::all()).next().await };
        let Some(datasource) = self.tableau().call(invocation, any).await.map_err(Failure::from)? else {
            return Err(Failure::permanent("the site has no published data source").into());
        };
        let task = Task {
            datasource: &datasource.id,
            incident: String::new(),
            site: &site,
            event: "",
            asks_in_any_case: true,
            invocation,
        };
        self.warnings(&task).await?;
        Ok(Delivered { audible: true, ..Delivered::default() })
    }

    async fn carry_out(
        &self,
        settings: &SetQualityWarning,
        delivery: Delivery<'_>,
        shown: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Trouble> {
        let Some(event) = &shown.event else { return self.test(invocation).await };
        let Subject::Datasource(luid) = &event.subject else {
            return Err(skipped("only published data sources have quality warnings"));
        };
        if !matches!(shown.kind, Kind::Opened | Kind::Updated | Kind::Resolved) {
            return Err(skipped("a warning is set for a refresh that fails, and for nothing else"));
        }
        let is_of_another_site = self.facts.is_of_another_site(Question::new(event, invocation)).await;
        if is_of_another_site.map_err(Failure::from)? {
            return Err(skipped(OTHER_SITE));
        }
        let task = Task {
            datasource: luid,
            incident: text::incident(shown),
            site: &event.site,
            event: event.id.as_str(),
            asks_in_any_case: matches!(delivery, Delivery::Close { message: Some(_), .. }),
            invocation,
        };
        let warning = NewQualityWarning {
            kind: kind(settings.kind),
            message: text::of(shown, settings, luid),
            is_active: true,
            is_severe: settings.severe,
        };
        match delivery {
            Delivery::Post => self.set(&task, &warning).await,
            Delivery::Edit { message, .. } => self.update(&task, message, &warning).await,
            Delivery::Close { .. } => self.remove(&task).await,
        }
    }
}

/// What an answer of Tableau means.
fn judged<T>(answer: Result<T, Guarded<TableauError>>) -> Result<T, Trouble> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(Guarded::CircuitOpen(open)) => Err(Failure::from(open).into()),
        Err(Guarded::Call(error)) if error.is_not_found() => Err(skipped(NO_DATASOURCE)),
        Err(Guarded::Call(error)) if error.lacks_right() => {
            Err(Failure::misconfigured(format!("{}: {NEEDED}", workflow::chain(&error))).into())
        }
        Err(Guarded::Call(error)) => Err(Failure::from(error).into()),
    }
}

/// Whether Tableau refuses to say anything about warnings on this site. No code is documented for a missing licence.
fn is_for_the_site(error: &Error) -> bool {
    matches!(error, Error::Refused { status: 403, .. }) && !error.lacks_right()
}

fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::Refused { status: 409, .. })
}

/// Whether Tableau has certainly not carried the call out. A server that fails may have.
fn is_certainly_refused(error: &Error) -> bool {
    matches!(error, Error::Refused { status, .. } if (400..500).contains(status) && *status != 408)
}

fn skipped(why: &str) -> Trouble {
    Trouble::Skipped(why.to_owned())
}

fn unlicensed(at: Timestamp) -> String {
    format!(
        "the site refuses data quality warnings: they need Data Management. This was found on {}, and is tried again after a week; \
         without Data Management, take set-quality-warning out of the rules",
        at.strftime("%Y-%m-%d")
    )
}

fn kind(kind: QualityWarningType) -> WarningKind {
    match kind {
        QualityWarningType::Stale => WarningKind::Stale,
        QualityWarningType::Warning => WarningKind::Warning,
        QualityWarningType::Maintenance => WarningKind::Maintenance,
        QualityWarningType::Deprecated => WarningKind::Deprecated,
    }
}

#[async_trait]
impl Notifier for WarningNotifier {
    type Target = SetQualityWarning;

    /// Each data source has a warning of its own. A repeat finds it in the list.
    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        Ok(Capabilities { edit: true, thread: false, idempotency_key: true, grouping: false })
    }

    fn ends_by_key(&self) -> bool {
        true
    }

    fn shows_content(&self) -> bool {
        false
    }

    async fn deliver(
        &self,
        settings: &SetQualityWarning,
        delivery: Delivery<'_>,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        match self.carry_out(settings, delivery, notification, invocation).await {
            Ok(delivered) => Ok(delivered),
            Err(Trouble::Skipped(why)) => {
                // Where nothing could be set, the next reminder tries it again. A failure in between changes nothing about that.
                let audible = matches!(delivery, Delivery::Post);
                Ok(Delivered { audible, ..Delivered::skipped(why) })
            }
            Err(Trouble::Undelivered(undelivered)) => Err(undelivered),
        }
    }

    async fn receipt(&self, _: &SetQualityWarning, _: &Delivered) -> String {
        "Tableau lists the quality warnings of a data source, so the site has Data Management and the credential may read them. No warning \
         was set: whether the credential may set and remove one shows with the first failure"
            .to_owned()
    }
}
