//! What rules say to `page-on-call`.

mod service;
mod severity;

pub use severity::PageSeverity;

use crate::workflow::{Invalid, TargetSettings, WorkflowSettings};
use serde::{Deserialize, Deserializer};
use tableau::EventName;

/// `page-on-call: { service: finance, severity: error }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct PageOnCall {
    /// The service of PagerDuty: a key of `routing_keys` in the PagerDuty secret.
    pub service: String,
    /// How severe alerts are. `None`: as severe as the news.
    pub severity: Option<PageSeverity>,
    /// Service and severity. Failures of one severity make groups of their own, so that a group of warnings hides nothing critical.
    key: String,
}

/// The settings as a rule writes them.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Written {
    /// Which service is paged: a key of `routing_keys` in the PagerDuty secret. Required; 80 characters at most.
    service: String,
    /// How severe alerts are: `critical`, `error`, `warning` or `info`. Default: error for what fails, info for anything else.
    #[serde(default, deserialize_with = "given")]
    severity: Option<PageSeverity>,
}

/// A severity that is there: a key without a value is a mistake.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<PageSeverity>, D::Error> {
    PageSeverity::deserialize(value).map(Some)
}

impl From<Written> for PageOnCall {
    fn from(Written { service, severity }: Written) -> Self {
        Self::new(service, severity)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for PageOnCall {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PageOnCall".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

impl PageOnCall {
    /// The settings of a rule.
    pub fn new(service: impl Into<String>, severity: Option<PageSeverity>) -> Self {
        let service = service.into();
        let key = match severity {
            Some(severity) => format!("{service} ({})", severity.as_str()),
            None => service.clone(),
        };
        Self { service, severity, key }
    }
}

impl WorkflowSettings for PageOnCall {
    const WORKFLOW: &'static str = "page-on-call";
    const EVENTS: &'static [EventName] = &EventName::ALL;

    /// Refuses what can be no key of `routing_keys`. No problem repeats the value, which may be a secret in the wrong place.
    fn check(&self) -> Result<(), Invalid> {
        match service::problem_of(&self.service) {
            Some(problem) => Err(Invalid { field: "service", problem }),
            None => Ok(()),
        }
    }

    /// Two severities for one service are a mistake too: PagerDuty makes one alert of both.
    fn repeats(&self, earlier: &Self) -> bool {
        self.service == earlier.service
    }
}

impl TargetSettings for PageOnCall {
    fn key(&self) -> &str {
        &self.key
    }

    fn of_key(key: &str) -> Option<Self> {
        let with_severity = key.strip_suffix(')').and_then(|rest| {
            let (service, word) = rest.rsplit_once(" (")?;
            Some(Self::new(service, Some(PageSeverity::of(word)?)))
        });
        Some(with_severity.unwrap_or_else(|| Self::new(key, None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_in_a_service_that_no_rule_names_any_more_ends_with_the_severity_of_before() {
        let severities = PageSeverity::ALL.map(Some);
        for severity in severities.into_iter().chain([None]) {
            let settings = PageOnCall::new("finance", severity);
            assert_eq!(PageOnCall::of_key(settings.key()), Some(settings));
        }
        let other = PageOnCall::of_key("finance (eu)").unwrap();
        assert_eq!((other.service.as_str(), other.severity), ("finance (eu)", None));
    }

    #[test]
    fn severities_are_compared_and_one_service_twice_in_a_rule_repeats() {
        assert!(PageSeverity::ALL.is_sorted());
        let of = |service: &str, severity| PageOnCall::new(service, severity);
        assert!(of("a", None).repeats(&of("a", Some(PageSeverity::Info))));
        assert!(!of("a", None).repeats(&of("b", None)));
    }
}
