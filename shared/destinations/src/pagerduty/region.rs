//! Where events go: PagerDuty has a host for each of its regions.

use confidential::SecureUrl;
use reqwest::Url;
use std::fmt;
use std::str::FromStr;

/// The region of an account: which host takes its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(SecureUrl);

/// The error that a text names no region.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be us or eu: the region of the PagerDuty account, which is eu if its address has `.eu.` in it")]
pub struct InvalidRegion;

/// Shows the same sentence as `Display`, because that is what appears when `main` returns this error.
impl fmt::Debug for InvalidRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvalidRegion({self})")
    }
}

impl Region {
    /// The address that takes events.
    pub(super) fn enqueue(&self) -> Url {
        let mut url = self.0.as_url().clone();
        url.set_path("/v2/enqueue");
        url
    }
}

/// `us`, `eu`, or for tests an address on this machine. No other host may get a routing key.
impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, InvalidRegion> {
        let address = match text {
            "us" => "https://events.pagerduty.com",
            "eu" => "https://events.eu.pagerduty.com",
            other => other,
        };
        let url: SecureUrl = address.parse().map_err(|_| InvalidRegion)?;
        let is_allowed = url.is_loopback() || address != text;
        if is_allowed { Ok(Self(url.origin_only())) } else { Err(InvalidRegion) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // D034
    #[test]
    fn the_region_picks_the_host_and_no_other_host_gets_a_key() {
        for (region, expected) in [
            ("us", "https://events.pagerduty.com/v2/enqueue"),
            ("eu", "https://events.eu.pagerduty.com/v2/enqueue"),
            ("http://127.0.0.1:8095", "http://127.0.0.1:8095/v2/enqueue"),
        ] {
            assert_eq!(region.parse::<Region>().unwrap().enqueue().as_str(), expected);
        }
        for region in ["", "EU", "de", "https://events.pagerduty.com.evil.example", "http://10.0.0.1"] {
            assert_eq!(region.parse::<Region>(), Err(InvalidRegion), "{region}");
        }
    }
}
