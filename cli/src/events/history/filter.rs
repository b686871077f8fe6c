//! The filter of `events list`. No I/O.

use super::causes::can_have_cause;
use super::record::Outcome;
use crate::events::dead_letters::DeadLetter;
use crate::out::plain;
use deliveries::Record;
use jiff::Timestamp;

/// How many first digits of a LUID identify it.
const LUID_DIGITS: usize = 8;

/// What a record must be like; what is not said may be anything.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub(super) event: Option<String>,
    pub(super) workflow: Option<String>,
    /// Only these outcomes; empty means all.
    pub(super) outcomes: Vec<Outcome>,
    /// Only these causes; empty means all, and events without one.
    pub(super) causes: Vec<String>,
    /// A LUID, its first digits, or a part of the object's name.
    pub(super) resource: Option<String>,
}

impl Filter {
    /// Whether the filter accepts every record.
    pub(super) fn is_open(&self) -> bool {
        self.event.is_none()
            && self.workflow.is_none()
            && self.outcomes.is_empty()
            && self.causes.is_empty()
            && self.resource.is_none()
    }

    /// The filter in words.
    pub(super) fn words(&self) -> Vec<String> {
        let outcomes: Vec<&str> = self.outcomes.iter().map(|outcome| outcome.as_str()).collect();
        let outcomes = (!outcomes.is_empty()).then(|| outcomes.join(" or "));
        let causes = (!self.causes.is_empty()).then(|| self.causes.join(" or "));
        let words = [
            ("outcome", &outcomes),
            ("cause", &causes),
            ("event", &self.event),
            ("workflow", &self.workflow),
            ("resource", &self.resource),
        ];
        let words = words.into_iter();
        words.filter_map(|(name, text)| Some(format!("{name} {}", plain(text.as_ref()?)))).collect()
    }

    /// Whether the filter accepts a failed timer, by its key or a part of its description. Workflow, event name and
    /// outcome are checked elsewhere.
    pub(super) fn takes_timer(&self, letter: &DeadLetter) -> bool {
        let Some(timer) = letter.timer() else { return false };
        let contains = |wanted: &String| {
            let wanted = wanted.to_lowercase();
            timer.to_string().to_lowercase().contains(&wanted) || timer.key.to_lowercase().contains(&wanted)
        };
        self.resource.as_ref().is_none_or(contains)
    }

    /// Whether the filter accepts a record of the index, which has no cause.
    pub(super) fn takes(&self, record: &Record, now: Timestamp) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        same(&self.event, &record.event.name)
            && same(&self.workflow, &record.workflow)
            && (self.outcomes.is_empty() || self.outcomes.contains(&Outcome::of(record, now)))
            && (self.causes.is_empty() || can_have_cause(record))
            && self.resource.as_ref().is_none_or(|wanted| is_of(record, wanted))
    }

    /// Whether the filter accepts the record's cause.
    pub(super) fn takes_cause(&self, record: &Record) -> bool {
        self.causes.is_empty() || self.causes.contains(&record.cause)
    }
}

fn is_of(record: &Record, resource: &str) -> bool {
    let luid = || record.event.resource.to_ascii_lowercase().starts_with(&resource.to_ascii_lowercase());
    (resource.len() >= LUID_DIGITS && luid())
        || record.event.resource_name.to_lowercase().contains(&resource.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use deliveries::{EventFacts, State};

    fn takes(filter: Filter) -> bool {
        let event = EventFacts {
            name: "DatasourceRefreshFailed".to_owned(),
            resource: "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb".to_owned(),
            resource_name: "Größe der Sales Orders".to_owned(),
            ..EventFacts::default()
        };
        let workflow = "notify-slack".to_owned();
        let record = Record { event, workflow, state: Some(State::Failed), ..Record::default() };
        filter.takes(&record, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_record_must_be_all_that_is_asked_for() {
        let text = |text: &str| Some(text.to_owned());
        let event = text("DatasourceRefreshFailed");
        assert!(takes(Filter::default()) && Filter::default().is_open());
        assert!(takes(Filter { event: event.clone(), workflow: text("notify-slack"), ..Filter::default() }));
        assert!(!takes(Filter { event, workflow: text("update-broadcast"), ..Filter::default() }));
        assert!(!takes(Filter { event: text("SiteUpdated"), ..Filter::default() }));
    }

    #[test]
    fn any_of_several_outcomes_will_do() {
        let outcomes = |outcomes: &[Outcome]| Filter { outcomes: outcomes.to_vec(), ..Filter::default() };
        assert!(takes(outcomes(&[Outcome::Waiting, Outcome::Failed])));
        assert!(!takes(outcomes(&[Outcome::Waiting, Outcome::Done])));
    }

    #[test]
    fn a_cause_is_one_of_those_asked_for_and_events_that_have_none_are_not_read() {
        let filter = Filter { causes: ["Quota", "Busy"].map(str::to_owned).into(), ..Filter::default() };
        assert!(!filter.is_open() && takes(filter.clone()));
        let of = |cause: &str| Record { cause: cause.to_owned(), ..Record::default() };
        assert!(filter.takes_cause(&of("Busy")));
        assert!(!filter.takes_cause(&of("Schema")) && !filter.takes_cause(&of("")));
        assert!(Filter::default().takes_cause(&of("")));
        assert!(!filter.takes(&of(""), Timestamp::UNIX_EPOCH), "no failed refresh");
    }

    #[test]
    fn a_resource_is_its_luid_or_eight_digits_of_it_or_a_part_of_its_name() {
        let resource = |text: &str| Filter { resource: Some(text.to_owned()), ..Filter::default() };
        for found in
            ["sales", "GRÖSSE DER".to_lowercase().as_str(), "größe", "4CDD2055-930d-4eaf-94f4-733f3e7d1bfb"]
        {
            assert_eq!(takes(resource(found)), found != "grösse der", "{found}");
        }
        assert!(takes(resource("4cdd2055")) && takes(resource("4CDD2055-93")));
        assert!(!takes(resource("4cdd205")) && !takes(resource("930d-4eaf")));
        assert!(!takes(resource("orders of sales")));
    }
}
