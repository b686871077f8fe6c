//! PagerDuty as a destination: renders and sends notifications. The crate `alerting` decides when and to whom.

use super::guarded::{GuardedPagerDuty, may_have_arrived};
use super::{Alert, Change, DedupKey, Error, NoKey, Origin, PagerDuty, RoutingFields};
use alerting::Capabilities;
use alerting::incident::MessageRef;
use alerting::notification::{Kind, Notification, Severity};
use alerting::notifier::{Delivered, Delivery, Notifier, Undelivered};
use async_trait::async_trait;
use circuit::{Circuits, Guarded};
use rules::settings::{PageOnCall, PageSeverity};
use workflow::{Failure, Invocation};

/// The services that notifications are sent to.
#[derive(Debug)]
pub struct PagerDutyNotifier {
    pagerduty: GuardedPagerDuty,
    origin: Origin,
}

impl PagerDutyNotifier {
    /// Puts `pagerduty` behind `circuits`. `origin`: the site of Tableau whose alerts these are.
    pub fn new(pagerduty: PagerDuty, circuits: Circuits, origin: Origin) -> Self {
        Self { pagerduty: GuardedPagerDuty::new(pagerduty, circuits), origin }
    }

    /// The event for PagerDuty, and the reference to its alert. `open`: the alert, if it is known to be open.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn alert(
        &self,
        target: &PageOnCall,
        change: Change,
        open: Option<&MessageRef>,
        shown: &Notification,
    ) -> Result<(Alert, MessageRef), NoKey> {
        let (key, fields) = match open.and_then(RoutingFields::read) {
            Some(known) => known,
            None => {
                let severity = target.severity.unwrap_or_else(|| severity_of(shown));
                let fields = RoutingFields::of(shown, severity, &self.origin);
                (DedupKey::of(shown, &self.origin)?, fields)
            }
        };
        let stored = fields.stored(&target.service, &key);
        Ok((Alert::new(change, shown, key, &fields, &self.origin), stored))
    }
}

/// How severe the news is, if the rule does not say it. The end of an incident has the severity of its failures.
fn severity_of(shown: &Notification) -> PageSeverity {
    let is_end = matches!(shown.kind, Kind::Resolved | Kind::GroupResolved);
    if is_end || shown.severity == Severity::Error { PageSeverity::Error } else { PageSeverity::Info }
}

/// Whether a digest tells only of what has recovered: an item that still fails, or that has no end, has an id.
fn is_over(shown: &Notification) -> bool {
    let mut items = shown.lists.iter().flat_map(|list| &list.items);
    shown.kind == Kind::Digest && items.all(|item| item.id.is_none())
}

fn no_key(error: NoKey) -> Undelivered {
    Undelivered { failure: Failure::permanent(error), maybe_sent: false }
}

fn undelivered(error: Guarded<Error>) -> Undelivered {
    let maybe_sent = may_have_arrived(&error);
    Undelivered { failure: error.into(), maybe_sent }
}

#[async_trait]
impl Notifier for PagerDutyNotifier {
    type Target = PageOnCall;

    /// A trigger with the key of an open alert changes it, and one that is sent twice is recognised.
    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        Ok(Capabilities { edit: true, thread: false, idempotency_key: true, grouping: true })
    }

    async fn deliver(
        &self,
        target: &PageOnCall,
        delivery: Delivery<'_>,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        let (change, open, audible) = match delivery {
            // What is over pages no one.
            Delivery::Post if is_over(notification) => return Ok(Delivered::default()),
            Delivery::Post => (Change::Trigger, None, true),
            // If a person has resolved the alert, a trigger would page.
            Delivery::Edit { audible: false, .. } => return Ok(Delivered::default()),
            Delivery::Edit { message, audible: true } => (Change::Trigger, Some(message), false),
            // A resolve pages no one.
            Delivery::Close { message, .. } => (Change::Resolve, message, false),
        };
        let (alert, stored) = self.alert(target, change, open, notification).map_err(no_key)?;
        self.pagerduty.send(&target.service, &alert, invocation).await.map_err(undelivered)?;
        Ok(Delivered { message: Some(stored), audible, note: None, skipped: None })
    }

    // D007
    async fn receipt(&self, target: &PageOnCall, delivered: &Delivered) -> String {
        let key = delivered.message.as_ref().map_or("", |message| message.id.as_str());
        format!(
            "accepted by PagerDuty, which does not say whether it pages: look at the service of `{}` for the alert {key}, and resolve it there \
             (a further test pages no one while it is open). If there is none: is the service disabled or in maintenance, is the integration \
             deleted, or does an event rule or orchestration suppress or reroute it?",
            target.service
        )
    }

    fn repeats_ends(&self) -> bool {
        true
    }

    fn ends_by_key(&self) -> bool {
        true
    }
}
