//! Keys of the documents, which are also those of their timers. No I/O.

use jiff::SignedDuration;
use store::records::Key;

/// How long after its timer a sweep looks at a document.
pub const OVERDUE: SignedDuration = SignedDuration::from_mins(5);

const REQUEST: &str = "refresh#";
const RUNS: &str = "refresh-of#";
const LANE: &str = "refresh-lane#";

/// Where an object is: its site and its LUID, in small letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The site's LUID.
    pub site: String,
    /// The object's LUID.
    pub luid: String,
}

impl Place {
    /// The object with this LUID.
    pub fn new(site: &str, luid: &str) -> Self {
        Self { site: site.to_ascii_lowercase(), luid: luid.to_ascii_lowercase() }
    }

    pub(crate) fn runs(&self) -> String {
        format!("{RUNS}{}#{}", self.site, self.luid)
    }

    pub(crate) fn lane(&self) -> String {
        lane(&self.site)
    }
}

pub(crate) fn request(id: &str) -> String {
    format!("{REQUEST}{id}")
}

pub(crate) fn lane(site: &str) -> String {
    format!("{LANE}{}", site.to_ascii_lowercase())
}

pub(crate) fn key(partition: String) -> Key {
    Key::single(partition)
}

/// The id of the request that a timer belongs to.
pub fn request_of_timer(key: &str) -> Option<&str> {
    key.strip_prefix(REQUEST)
}

/// The object whose runs a timer belongs to.
pub fn place_of_timer(key: &str) -> Option<Place> {
    let (site, luid) = key.strip_prefix(RUNS)?.split_once('#')?;
    Some(Place::new(site, luid))
}

/// The site whose lane a timer belongs to.
pub fn site_of_timer(key: &str) -> Option<&str> {
    key.strip_prefix(LANE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_timer_is_of_one_document() {
        let place = Place::new("S-1", "W-1");
        assert_eq!(place_of_timer(&place.runs()), Some(Place::new("s-1", "w-1")));
        assert_eq!(site_of_timer(&place.lane()), Some("s-1"));
        assert_eq!(request_of_timer(&request("r1")), Some("r1"));
        for key in [place.runs(), place.lane(), request("r1"), "circuit#x".to_owned()] {
            let found = [
                place_of_timer(&key).is_some(),
                site_of_timer(&key).is_some(),
                request_of_timer(&key).is_some(),
            ];
            assert!(found.iter().filter(|found| **found).count() <= 1, "{key}");
        }
    }
}
