//! Answers that go wrong on demand.

use std::time::Duration;

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This status and an empty body.
    Status(u16),
    /// This status and an HTML page, as load balancers and proxies answer.
    Html(u16),
    /// `429`. Tableau documents no `Retry-After`; give one to see it honoured.
    TooManyRequests {
        /// The header's value in seconds; `None` leaves it out.
        retry_after: Option<u64>,
    },
    /// A Tableau error by its code, such as `"409093"`, with the status its first three digits name.
    /// At a recorder: that status with the code as its text.
    Error(&'static str),
    /// At the Metadata API: this error beside the data, such as `"TIME_LIMIT_EXCEEDED"`, in an answer that is 200 all
    /// the same. The call is served; anywhere else nothing goes wrong.
    Partial(&'static str),
    /// The connection is reset before a byte of the answer.
    Reset,
    /// The call is served, after this delay.
    Delay(Duration),
}

/// The faults that are still to happen.
#[derive(Debug)]
pub(crate) struct FaultPlan<F> {
    planned: Vec<Planned<F>>,
    last_id: u32,
}

#[derive(Debug)]
pub(crate) struct Planned<F> {
    pub(crate) id: u32,
    pub(crate) pattern: String,
    /// How many more times; `None` until it is cleared.
    pub(crate) times: Option<u32>,
    pub(crate) fault: F,
}

impl<F> Default for FaultPlan<F> {
    fn default() -> Self {
        Self { planned: Vec::new(), last_id: 0 }
    }
}

impl<F: Clone> FaultPlan<F> {
    /// Plans a fault, for so many calls or until it is cleared, and gives its id.
    pub(crate) fn add(&mut self, pattern: &str, times: impl Into<Option<u32>>, fault: F) -> u32 {
        self.last_id += 1;
        let planned = Planned { id: self.last_id, pattern: pattern.to_owned(), times: times.into(), fault };
        self.planned.push(planned);
        self.last_id
    }

    /// The fault for a call that has these names, if one is planned: the oldest that matches one of them.
    pub(crate) fn take(&mut self, names: &[&str]) -> Option<F> {
        self.planned.retain(|p| p.times != Some(0));
        let fits = |p: &&mut Planned<F>| names.iter().any(|name| matches(&p.pattern, name));
        let planned = self.planned.iter_mut().find(fits)?;
        planned.times = planned.times.map(|times| times - 1);
        Some(planned.fault.clone())
    }

    /// Those that are still to happen, oldest first.
    pub(crate) fn planned(&self) -> impl Iterator<Item = &Planned<F>> {
        self.planned.iter().filter(|p| p.times != Some(0))
    }

    /// Clears the fault with this id, or all. Says how many there were.
    pub(crate) fn clear(&mut self, id: Option<u32>) -> usize {
        let before = self.planned().count();
        self.planned.retain(|p| id.is_some_and(|id| p.id != id));
        before - self.planned().count()
    }
}

/// Whether `text` is as `pattern` says, where `*` stands for any characters, none included.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("*", "GET /x", true),
            ("GET /sites/*/jobs", "GET /sites/1/jobs", true),
            ("GET /sites/*/jobs", "GET /sites/1/jobs/2", false),
            ("GET /sites/*/jobs*", "GET /sites/1/jobs/2", true),
            ("* /auth/signin", "POST /auth/signin", true),
            ("POST /a", "POST /a", true),
            ("POST /a", "POST /ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_fault_happens_as_often_as_it_was_planned() {
        let mut plan = FaultPlan::default();
        plan.add("GET *", 2, Fault::Status(503));

        assert_eq!(plan.take(&["POST /x"]), None);
        assert_eq!(plan.take(&["GET /x"]), Some(Fault::Status(503)));
        assert_eq!(plan.take(&["GET /y"]), Some(Fault::Status(503)));
        assert_eq!(plan.take(&["GET /z"]), None);
    }

    #[test]
    fn a_fault_without_a_number_happens_until_it_is_cleared() {
        let mut plan = FaultPlan::default();
        let first = plan.add("GET *", None, Fault::Reset);
        plan.add("*", None, Fault::Status(503));

        assert!((0..3).all(|_| plan.take(&["GET /x"]) == Some(Fault::Reset)));
        assert_eq!(plan.clear(Some(first)), 1);
        assert_eq!(plan.take(&["GET /x"]), Some(Fault::Status(503)));
        assert_eq!((plan.clear(None), plan.take(&["GET /x"])), (1, None));
    }
}
