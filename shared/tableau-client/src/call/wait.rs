//! Calculates how long to wait before the next try.

use jiff::{Timestamp, Zoned};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// The longest wait that the client reports.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest random part that is added to a wait that Tableau asked for.
const MOST_JITTER: Duration = Duration::from_secs(30);

/// A random wait of up to 250 ms before the second try, doubling with each try.
pub(crate) fn back_off(tried: u32) -> Duration {
    let ceiling = 250u64 << tried.min(6).saturating_sub(1);
    Duration::from_millis(fastrand::u64(ceiling / 4..=ceiling))
}

/// How long to wait before the next try: at least what Tableau asked for, and at least the client's own wait.
/// Otherwise a wait of `0`, or a date that has passed by this clock, would mean no pause at all.
pub(crate) fn before_next(tried: u32, named: Option<Duration>) -> Duration {
    let own = back_off(tried);
    named.map_or(own, |named| or_a_little_more(named).max(own))
}

/// Adds a random part of up to a tenth to a wait that Tableau asked for: otherwise all clients would return at the
/// same moment.
fn or_a_little_more(named: Duration) -> Duration {
    let most = (named / 10).clamp(Duration::from_millis(250), MOST_JITTER);
    named + Duration::from_millis(50) + (most - Duration::from_millis(50)).mul_f64(fastrand::f64())
}

/// Reads the `Retry-After` header, in seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => until(&jiff::fmt::rfc2822::parse(text).ok()?, Timestamp::now()),
    };
    Some(wait.min(LONGEST))
}

fn until(when: &Zoned, now: Timestamp) -> Duration {
    when.timestamp().duration_since(now).try_into().unwrap_or_default()
}

/// Reads the wait from an error text such as "… try again in 1 hour 30 minutes". Tableau documents no header for it.
pub(crate) fn named_in(text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase().replace("(s)", "s");
    let (_, rest) = text.split_once("again")?;
    let mut words = words(rest).filter(|word| *word != "and").peekable();
    // A few words may stand between `again` and the number: `in`, `after`, `in approximately`.
    let mut skipped = 0;
    while words.next_if(|word| number(word).is_none()).is_some() {
        skipped += 1;
        if skipped > 3 {
            return None;
        }
    }
    let mut seconds: Option<u64> = None;
    while let Some(part) = words.next().and_then(number).zip(words.next().and_then(unit)) {
        seconds = Some(seconds.unwrap_or_default().saturating_add(part.0.saturating_mul(part.1)));
    }
    seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST))
}

/// Splits a text into words. Digits and letters are separate words, as in `1h30m`, and so is the end of a sentence.
fn words(text: &str) -> impl Iterator<Item = &str> {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Digits,
        Letters,
        End,
        Between,
    }
    let kind = |c: char| match c {
        '0'..='9' => Kind::Digits,
        '.' | '!' | '?' | ';' | '\n' => Kind::End,
        c if c.is_alphanumeric() => Kind::Letters,
        _ => Kind::Between,
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c| kind(c) == Kind::Between);
        let first = kind(rest.chars().next()?);
        let (word, after) = rest.split_at(rest.find(|c| kind(c) != first).unwrap_or(rest.len()));
        rest = after;
        Some(word)
    })
}

fn number(word: &str) -> Option<u64> {
    match word {
        "a" | "an" | "one" => Some(1),
        word => word.parse().ok(),
    }
}

/// The length of a time unit, in seconds.
fn unit(word: &str) -> Option<u64> {
    match word {
        "second" | "seconds" | "sec" | "secs" | "s" => Some(1),
        "minute" | "minutes" | "min" | "mins" | "m" => Some(60),
        "hour" | "hours" | "hr" | "hrs" | "h" => Some(60 * 60),
        "day" | "days" | "d" => Some(24 * 60 * 60),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_names_its_wait() {
        for (text, seconds) in [
            ("Too many requests for api.rest.refresh_extracts. Please try again in 5 minutes.", Some(300)),
            ("Try again after 90 seconds", Some(90)),
            ("try again in approximately 2 hours", Some(7200)),
            ("Please try again after 1 minute(s).", Some(60)),
            ("try again in a minute", Some(60)),
            ("Please try again in 1 hour 30 minutes.", Some(5_400)),
            ("Try again in 1 hour, 30 minutes and 5 seconds", Some(5_405)),
            ("Try again in 1 hour(s) 2 minute(s).", Some(3_720)),
            ("try again in an hour and a minute", Some(3_660)),
            ("try again in 1h30m", Some(5_400)),
            ("try again in 2 days", Some(86_400)),
            ("Try again in 5 minutes. 100 requests in 1 hour are allowed.", Some(300)),
            ("Try again in 1 hour. 30 minutes is the least.", Some(3_600)),
            ("Try again in 1 hour; 30 minutes is the least.", Some(3_600)),
            ("Try again in 5 minutes, 3 of 4 workers are busy", Some(300)),
            ("Try again in 5 minutes, or 6 minutes", Some(300)),
            ("Try again. Please wait 5 minutes.", Some(300)),
            ("try again in 1.5 hours", None),
            ("try again in 500 ms", None),
            ("try again when all of the 5 minutes are over", None),
            ("Too many requests. Try again later.", None),
            ("There were 61 requests in 60 minutes.", None),
            ("try again in 5 parsecs", None),
            ("try again in 99999999999999999999 minutes", None),
            ("try again in 9999999999999999999 minutes", Some(86_400)),
            ("", None),
        ] {
            assert_eq!(named_in(text).map(|wait| wait.as_secs()), seconds, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_of_nothing_is_no_reason_to_ask_without_a_pause() {
        let started = tokio::time::Instant::now();
        let mut tried = 0;
        while started.elapsed() < Duration::from_secs(60) {
            tried += 1;
            tokio::time::sleep(before_next(tried, Some(Duration::ZERO))).await;
        }
        assert!(tried <= 35, "{tried}");
    }

    #[test]
    fn a_longer_wait_has_more_jitter() {
        for (named, most) in [(0, 250), (1_000, 250), (60_000, 6_000), (3_600_000, 30_000)] {
            let named = Duration::from_millis(named);
            for _ in 0..100 {
                let jitter = or_a_little_more(named) - named;
                assert!((50..=most).contains(&jitter.as_millis()), "{named:?}: {jitter:?}");
            }
        }
    }

    #[test]
    fn the_header_is_seconds_or_a_date() {
        let headers = |text: &str| HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
        assert_eq!(retry_after(&headers(" 7 ")), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&headers("Wed, 21 Oct 2015 07:28:00 GMT")), Some(Duration::ZERO));
        let later = retry_after(&headers("Wed, 21 Oct 2099 07:28:00 GMT"));
        assert_eq!(later, Some(LONGEST));
        for nonsense in ["soon", "-1", "1.5", ""] {
            assert_eq!(retry_after(&headers(nonsense)), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_wait_is_absurd(text in ".*", number in any::<u64>(), other in any::<u64>()) {
            for text in [
                text.clone(),
                format!("again {text}"),
                format!("{text} again in {number} minutes {text}"),
                format!("again in {number} days {other} hours and {number} seconds{text}"),
                format!("again {number}{text}{other}{text}"),
            ] {
                prop_assert!(named_in(&text).is_none_or(|wait| wait <= LONGEST), "{text}");
            }
        }

        #[test]
        fn the_parts_of_a_wait_add_up(hours in 0..30_u64, minutes in 0..100_u64, seconds in 0..100_u64) {
            let whole = Duration::from_secs(hours * 3600 + minutes * 60 + seconds).min(LONGEST);
            for text in [
                format!("Please try again in {hours} hours {minutes} minutes {seconds} seconds."),
                format!("try again after {hours} hour(s), {minutes} minute(s), and {seconds} second(s)"),
                format!("Try again in {hours}h{minutes}m{seconds}s"),
            ] {
                prop_assert_eq!(named_in(&text), Some(whole), "{}", text);
            }
        }
    }
}
