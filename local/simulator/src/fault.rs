//! Faults: calls that fail on request.

use std::time::Duration;

/// How a call to the simulator fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Answers this status with an empty body.
    Status(u16),
    /// Answers this status with an HTML page, as load balancers and proxies do.
    Html(u16),
    /// Answers `429`. Tableau documents no `Retry-After` header; set one to test that a client honours it.
    TooManyRequests {
        /// The `Retry-After` value in seconds; `None` omits the header.
        retry_after: Option<u64>,
    },
    /// Answers a Tableau error code, such as `"409093"`; its first three digits are the HTTP status.
    /// A [`Recorder`](crate::Recorder) answers that status with the code as its text.
    Error(&'static str),
    /// The Metadata API answers status 200 with its data and this error, such as `"TIME_LIMIT_EXCEEDED"`. Has no
    /// effect on other calls.
    Partial(&'static str),
    /// Resets the connection before the first byte of the answer.
    Reset,
    /// Carries the call out and resets the connection before the first byte of the answer.
    Lost,
    /// Carries the call out and answers this status with an empty body.
    DoneThen(u16),
    /// Answers normally after this delay.
    Delay(Duration),
    /// Carries the call out and answers after this delay.
    Late(Duration),
}

/// The planned faults.
#[derive(Debug)]
pub(crate) struct FaultPlan<F> {
    planned: Vec<Planned<F>>,
    last_id: u32,
}

#[derive(Debug)]
pub(crate) struct Planned<F> {
    pub(crate) id: u32,
    pub(crate) pattern: String,
    /// How many more calls fail; `None`: all calls until the fault is cleared.
    pub(crate) times: Option<u32>,
    pub(crate) fault: F,
}

impl<F> Default for FaultPlan<F> {
    fn default() -> Self {
        Self { planned: Vec::new(), last_id: 0 }
    }
}

impl<F: Clone> FaultPlan<F> {
    /// Plans a fault for a number of calls, or until it is cleared. Returns the fault's id.
    pub(crate) fn add(&mut self, pattern: &str, times: impl Into<Option<u32>>, fault: F) -> u32 {
        self.last_id += 1;
        let planned = Planned { id: self.last_id, pattern: pattern.to_owned(), times: times.into(), fault };
        self.planned.push(planned);
        self.last_id
    }

    /// The oldest planned fault whose pattern matches one of the call's names.
    pub(crate) fn take(&mut self, names: &[&str]) -> Option<F> {
        self.planned.retain(|p| p.times != Some(0));
        let fits = |p: &&mut Planned<F>| names.iter().any(|name| matches(&p.pattern, name));
        let planned = self.planned.iter_mut().find(fits)?;
        planned.times = planned.times.map(|times| times - 1);
        Some(planned.fault.clone())
    }

    /// The planned faults, oldest first.
    pub(crate) fn planned(&self) -> impl Iterator<Item = &Planned<F>> {
        self.planned.iter().filter(|p| p.times != Some(0))
    }

    /// Clears the fault with this id, or all faults. Returns how many were cleared.
    pub(crate) fn clear(&mut self, id: Option<u32>) -> usize {
        let before = self.planned().count();
        self.planned.retain(|p| id.is_some_and(|id| p.id != id));
        before - self.planned().count()
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters or none.
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
