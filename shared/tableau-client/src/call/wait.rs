//! How long to wait before the next try.

use jiff::{Timestamp, Zoned};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// Nobody is asked to wait for longer than this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Jitter over 250 ms, 500 ms, …
pub(crate) fn back_off(tried: u32) -> Duration {
    let ceiling = 250u64 << tried.min(6).saturating_sub(1);
    Duration::from_millis(fastrand::u64(ceiling / 4..=ceiling))
}

/// A wait that was named, with jitter: all who were told the same would come back at once.
pub(crate) fn or_a_little_more(named: Duration) -> Duration {
    named + Duration::from_millis(fastrand::u64(50..=250))
}

/// The header, in seconds or as a date.
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

/// The wait that a text names: "… try again in 5 minutes". Tableau documents no header for it, and says it here.
pub(crate) fn named_in(text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    let (_, rest) = text.split_once("again")?;
    let mut words = rest.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let number = words.by_ref().take(4).find_map(|word| match word {
        "a" | "an" | "one" => Some(1),
        word => word.parse::<u64>().ok(),
    })?;
    let seconds = match words.next()? {
        "second" | "seconds" | "sec" | "secs" | "s" => 1,
        "minute" | "minutes" | "min" | "mins" | "m" => 60,
        "hour" | "hours" | "h" => 60 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(number.saturating_mul(seconds)).min(LONGEST))
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
        fn no_text_panics(text in ".*", number in any::<u64>()) {
            let _ = named_in(&text);
            let _ = named_in(&format!("{text} again in {number} minutes {text}"));
        }
    }
}
