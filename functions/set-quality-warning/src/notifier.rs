//! The warnings on data sources as what alerting announces: a new incident sets one, a further failure changes it, the end removes it.

use crate::licence::Licence;
use crate::text;
use alerting::Capabilities;
use alerting::incident::MessageRef;
use alerting::notification::Notification;
use alerting::notifier::{Delivered, Delivery, Notifier, Undelivered};
use async_trait::async_trait;
use circuit::Guarded;
use guarded_tableau::{GuardedTableau, TableauError};
use jiff::Timestamp;
use rules::settings::{QualityWarningType, SetQualityWarning};
use store::Documents;
use tableau::{DatasourceLuid, SiteLuid, Subject};
use tableau_client::{Error, Filter, NewQualityWarning, QualityWarning, Warnable, WarningKind};
use workflow::{Failure, Invocation};

/// Tableau's code for a user who lacks a right.
const NO_RIGHT: &str = "403004";
/// What a person is told about a user who lacks it.
const NEEDED: &str = "the user of the Tableau credential may not set a quality warning here: let it be an administrator, or the owner or the \
                      project leader of the data source";

/// Why no warning is set beside another one.
const HELD: &str = "a person has set a quality warning, and Tableau allows no second one of this type; up to version 2024.2, none at all";

/// The data sources of a site, as what is warned about.
#[derive(Debug)]
pub struct WarningNotifier {
    tableau: GuardedTableau,
    licence: Licence,
}

/// A warning to set, change or remove, and where.
struct Task<'a> {
    datasource: Warnable,
    site: &'a SiteLuid,
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

impl WarningNotifier {
    /// Sets warnings in `tableau`. Which sites refuse them is kept in `documents`, for `workflow`.
    pub fn new(tableau: GuardedTableau, documents: Documents, workflow: &'static str) -> Self {
        Self { tableau, licence: Licence::new(documents, workflow) }
    }

    /// The data source has our warning afterwards, with the present text.
    async fn set(&self, task: &Task<'_>, warning: &NewQualityWarning) -> Result<Delivered, Trouble> {
        let warnings = self.warnings(task).await?;
        let set = match warnings.iter().find(|other| text::is_ours(other)) {
            Some(ours) => self.change(task, ours, warning).await?,
            None => self.add(task, warning).await?,
        };
        let id = set.id.map(|id| id.as_str().to_owned());
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
        let listed = warnings.iter().find(|other| is(other, message));
        match listed.or_else(|| warnings.iter().find(|other| text::is_ours(other))) {
            Some(ours) if text::is_ours(ours) => self.change(task, ours, warning).await?,
            Some(_) => return Err(skipped("a person has changed the warning, so it is left as it is")),
            None => {
                return Err(skipped(
                    "a person has removed the warning, so none is set before the next incident",
                ));
            }
        };
        Ok(Delivered::default())
    }

    /// The data source has no warning of ours afterwards. Others stay.
    async fn remove(&self, task: &Task<'_>) -> Result<Delivered, Trouble> {
        let warnings = self.warnings(task).await?;
        let ours = warnings
            .iter()
            .filter(|warning| text::is_ours(warning))
            .filter_map(|warning| warning.id.as_ref());
        let mut removed = false;
        for id in ours {
            let remove = self.tableau.client().remove_quality_warning(id);
            let answer = self.tableau.call(task.invocation, remove).await;
            self.judge(task, answer).await?;
            removed = true;
        }
        match removed {
            true => Ok(Delivered::default()),
            false => Err(skipped("the data source has no warning of ours")),
        }
    }

    async fn warnings(&self, task: &Task<'_>) -> Result<Vec<QualityWarning>, Trouble> {
        let now = task.invocation.time();
        if let Some(at) = self.licence.refused_at(task.site, now).await? {
            return Err(Trouble::Skipped(unlicensed(at)));
        }
        let list = self.tableau.client().quality_warnings(&task.datasource);
        let answer = self.tableau.call(task.invocation, list).await;
        self.judge(task, answer).await
    }

    async fn change(
        &self,
        task: &Task<'_>,
        ours: &QualityWarning,
        warning: &NewQualityWarning,
    ) -> Result<QualityWarning, Trouble> {
        let Some(id) = &ours.id else { return Ok(ours.clone()) };
        let change = self.tableau.client().change_quality_warning(id, warning);
        let answer = self.tableau.call(task.invocation, change).await;
        self.judge(task, answer).await
    }

    async fn add(&self, task: &Task<'_>, warning: &NewQualityWarning) -> Result<QualityWarning, Trouble> {
        let add = self.tableau.client().add_quality_warning(&task.datasource, warning);
        let answer = self.tableau.call(task.invocation, add).await;
        // Without an answer the warning may be there. Then the end of the incident has to remove it, also if it comes before the retry.
        let maybe_set = match &answer {
            Err(Guarded::Call(TableauError(Error::Refused { status: 409, .. }))) => {
                return Err(skipped(HELD));
            }
            Err(Guarded::Call(TableauError(Error::Refused { .. })) | Guarded::CircuitOpen(_)) => false,
            _ => true,
        };
        self.judge(task, answer).await.map_err(|trouble| match trouble {
            Trouble::Undelivered(undelivered) => {
                Trouble::Undelivered(Undelivered { maybe_sent: maybe_set, ..undelivered })
            }
            skipped => skipped,
        })
    }

    /// What an answer of Tableau means for the task.
    async fn judge<T: Send>(
        &self,
        task: &Task<'_>,
        answer: Result<T, Guarded<TableauError>>,
    ) -> Result<T, Trouble> {
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(Guarded::CircuitOpen(open)) => return Err(Failure::from(open).into()),
            Err(Guarded::Call(error)) => error,
        };
        match &*error {
            error if error.is_not_found() => Err(skipped(
                "Tableau does not have the data source any more, or the user of the credential may not see it",
            )),
            Error::Refused { code, .. } if code == NO_RIGHT => {
                Err(Failure::misconfigured(format!("{error}: {NEEDED}")).into())
            }
            Error::Refused { status: 403, .. } => {
                let now = task.invocation.time();
                match self.licence.refused(task.site, now).await? {
                    true => Err(Failure::permanent(format!("{error}; {}", unlicensed(now))).into()),
                    false => Err(Trouble::Skipped(unlicensed(now))),
                }
            }
            _ => Err(Failure::from(error).into()),
        }
    }

    /// Asks for the warnings of some data source: that needs the licence and a scope.
    async fn test(&self, invocation: &Invocation) -> Result<Delivered, Trouble> {
        let client = self.tableau.client();
        let site = self.tableau.call(invocation, client.session_site()).await.map_err(Failure::from)?;
        let any = async { client.datasources(Filter::all()).next().await };
        let Some(datasource) = self.tableau.call(invocation, any).await.map_err(Failure::from)? else {
            return Err(Failure::permanent("the site has no published data source").into());
        };
        let task = Task { datasource: Warnable::from(datasource.id), site: &site, invocation };
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
        let Some(datasource) = datasource(&event.subject) else {
            return Err(skipped("only published data sources have quality warnings"));
        };
        let task = Task { datasource: Warnable::from(datasource.clone()), site: &event.site, invocation };
        let warning = NewQualityWarning {
            kind: kind(settings.kind),
            message: text::of(shown, settings),
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

fn is(warning: &QualityWarning, message: &MessageRef) -> bool {
    warning.id.as_ref().is_some_and(|id| id.as_str() == message.id)
}

fn datasource(subject: &Subject) -> Option<&DatasourceLuid> {
    match subject {
        Subject::Datasource(luid) => Some(luid),
        _ => None,
    }
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

    async fn deliver(
        &self,
        settings: &SetQualityWarning,
        delivery: Delivery<'_>,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        match self.carry_out(settings, delivery, notification, invocation).await {
            Ok(delivered) => Ok(delivered),
            Err(Trouble::Skipped(why)) => Ok(Delivered::skipped(why)),
            Err(Trouble::Undelivered(undelivered)) => Err(undelivered),
        }
    }

    async fn receipt(&self, _: &SetQualityWarning, delivered: &Delivered) -> String {
        match &delivered.skipped {
            Some(why) => why.clone(),
            None => "Tableau lists the quality warnings of a data source, so the site has Data Management and the credential may read \
                     them. No warning was set: whether the credential may set and remove one shows with the first failure"
                .to_owned(),
        }
    }
}
