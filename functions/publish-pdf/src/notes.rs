//! What attempts at an event note for its next attempts, with the time.

use jiff::Timestamp;
use workflow::{Effect, Failure, Invocation};

/// After so many attempts that had too little time, a person has to change something.
const MOST_LATE: usize = 3;

/// When earlier attempts noted this, oldest first.
pub(crate) fn times(invocation: &Invocation, what: &str) -> Vec<Timestamp> {
    let time = |text: &str| {
        let seconds = text.strip_prefix(what)?.strip_prefix('/')?.parse().ok()?;
        Timestamp::from_second(seconds).ok()
    };
    let mut times: Vec<Timestamp> =
        invocation.happened().filter_map(|effect| time(&effect.to_string())).collect();
    times.sort_unstable();
    times
}

/// Notes this, with the time of this attempt.
pub(crate) async fn note(invocation: &Invocation, what: &str) -> Result<(), Failure> {
    let effect = Effect::from(format!("{what}/{}", invocation.now.as_second()).as_str());
    invocation.once(effect, async { Ok::<_, Failure>(()) }).await?;
    Ok(())
}

/// The failure of `what`, which needed more time than an attempt has: a passing one at first, then one that a person has to help with.
pub(crate) async fn late(invocation: &Invocation, what: &str, failure: Failure) -> Failure {
    let what = format!("late/{what}");
    let attempts = times(invocation, &what).len() + 1;
    if attempts >= MOST_LATE {
        return Failure::permanent(format!(
            "{}. {attempts} attempts had too little time: let the rule ask for fewer views, or for a smaller `paper` or `size`",
            failure.reason()
        ));
    }
    match note(invocation, &what).await {
        Ok(()) => failure,
        Err(other) => other,
    }
}
