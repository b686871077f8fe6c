//! What is known of earlier exports of a workbook: when the last one was made, and how large good ones were.

use crate::pdf::Seen;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Document, Documents};
use tableau::WorkbookLuid;
use workflow::Failure;

/// How old an export may be that Tableau returns again: one minute is the least that can be asked for. A little more, since clocks differ.
const KEPT: SignedDuration = SignedDuration::from_secs(62);
/// How much later than a refresh an export must have begun to show it for certain: clocks differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(5);
/// After this time an export that has not ended was broken off.
const LONGEST_EXPORT: SignedDuration = SignedDuration::from_mins(16);
/// How many measures of one workbook are kept.
const MOST: usize = 200;
/// After so many exports in a row that are all smaller than before, the smaller size is the usual one.
const USUAL_AFTER: u32 = 3;

/// A good export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Good {
    bytes: u64,
    pages: Option<u32>,
    at: Timestamp,
    /// How many exports since then were smaller.
    #[serde(default)]
    smaller: u32,
}

/// The exports of a workbook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Exports {
    /// The event that was exported last.
    event: String,
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
    /// Whether all of it was published.
    complete: bool,
    /// By what was exported.
    good: BTreeMap<String, Good>,
}

impl Document for Exports {
    const KIND: &'static str = "pdf-export";
    /// Some workbooks are refreshed once in three months.
    const KEPT_DAYS: i64 = 120;
}

/// Whether an export may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may.
    Now,
    /// Before this time Tableau could return an export from before the refresh.
    At(Timestamp),
    /// An export that began after this refresh is published already.
    Shared(Timestamp),
}

/// What is known of earlier exports of workbooks.
#[derive(Debug)]
pub struct History(Documents);

fn key(workbook: &WorkbookLuid) -> String {
    format!("publish-pdf#{}", workbook.as_str().to_ascii_lowercase())
}

impl Exports {
    fn turn(&self, event: &str, refreshed: Timestamp, now: Timestamp) -> Turn {
        let Some(began) = self.began.filter(|began| *began <= now) else { return Turn::Now };
        if self.event == event {
            return Turn::Now;
        }
        if began.duration_since(refreshed) >= CLOCKS_DIFFER {
            return if self.complete { Turn::Shared(began) } else { Turn::Now };
        }
        let ended = self.ended.filter(|ended| *ended >= began);
        match ended {
            Some(ended) if now.duration_since(ended) < KEPT => {
                Turn::At(ended.saturating_add(KEPT).unwrap_or(now))
            }
            None if now.duration_since(began) < LONGEST_EXPORT => {
                Turn::At(now.saturating_add(KEPT).unwrap_or(now))
            }
            _ => Turn::Now,
        }
    }
}

impl Good {
    /// Whether a file is so much smaller that something may be missing in it.
    fn is_doubtful(&self, seen: Seen) -> bool {
        let has_fewer_pages = seen.pages.zip(self.pages).is_some_and(|(now, before)| now < before);
        has_fewer_pages || seen.size_bytes.saturating_mul(2) < self.bytes
    }
}

impl History {
    /// The history in these documents.
    pub fn new(documents: Documents) -> Self {
        Self(documents)
    }

    /// Whether an export for the refresh at `refreshed` may begin now.
    pub(crate) async fn turn(
        &self,
        workbook: &WorkbookLuid,
        event: &str,
        refreshed: Timestamp,
        now: Timestamp,
    ) -> Result<Turn, Failure> {
        let exports: Exports = self.0.read(&key(workbook)).await?;
        Ok(exports.turn(event, refreshed, now))
    }

    /// Notes that an export begins.
    pub(crate) async fn begins(
        &self,
        workbook: &WorkbookLuid,
        event: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let note = |exports: &mut Exports| {
            event.clone_into(&mut exports.event);
            (exports.began, exports.ended, exports.complete) = (Some(now), None, false);
        };
        self.0.change(&key(workbook), now, note).await?;
        Ok(())
    }

    /// Notes that the exports of an attempt have ended, and whether all of the event is published.
    pub(crate) async fn ended(
        &self,
        workbook: &WorkbookLuid,
        event: &str,
        complete: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let note = |exports: &mut Exports| {
            if exports.event == event {
                (exports.ended, exports.complete) = (Some(now), complete);
            }
        };
        self.0.change(&key(workbook), now, note).await?;
        Ok(())
    }

    /// Whether something may be missing in a file, because earlier ones were larger.
    pub(crate) async fn is_doubtful(
        &self,
        workbook: &WorkbookLuid,
        of: &str,
        seen: Seen,
    ) -> Result<bool, Failure> {
        let exports: Exports = self.0.read(&key(workbook)).await?;
        Ok(exports.good.get(of).is_some_and(|good| good.is_doubtful(seen)))
    }

    /// Notes a file that was published.
    pub(crate) async fn published(
        &self,
        workbook: &WorkbookLuid,
        of: &str,
        seen: Seen,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let good = Good { bytes: seen.size_bytes, pages: seen.pages, at: now, smaller: 0 };
        let note = |exports: &mut Exports| {
            match exports.good.get_mut(of) {
                Some(earlier) if earlier.is_doubtful(seen) && earlier.smaller + 1 < USUAL_AFTER => {
                    earlier.smaller += 1
                }
                _ => {
                    exports.good.insert(of.to_owned(), good);
                }
            }
            while exports.good.len() > MOST {
                let oldest = exports.good.iter().min_by_key(|(_, good)| good.at).map(|(of, _)| of.clone());
                let Some(oldest) = oldest else { break };
                exports.good.remove(&oldest);
            }
        };
        self.0.change(&key(workbook), now, note).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + seconds).unwrap()
    }

    fn exports(began: i64, ended: Option<i64>, complete: bool) -> Exports {
        Exports {
            event: "one".to_owned(),
            began: Some(at(began)),
            ended: ended.map(at),
            complete,
            ..Exports::default()
        }
    }

    // E27
    #[test]
    fn of_two_refreshes_the_later_export_begins_when_tableau_makes_a_new_one_or_both_share_one() {
        let shown = |exports: &Exports, refreshed, now| exports.turn("two", at(refreshed), at(now));
        assert_eq!(shown(&Exports::default(), 40, 41), Turn::Now);
        // The first export ended before the second refresh.
        assert_eq!(shown(&exports(1, Some(20), true), 40, 41), Turn::At(at(82)));
        assert_eq!(shown(&exports(1, Some(20), true), 40, 82), Turn::Now);
        assert_eq!(shown(&exports(1, Some(20), true), 100, 101), Turn::Now);
        // It began before the second refresh, and goes on.
        assert_eq!(shown(&exports(30, None, false), 40, 41), Turn::At(at(103)));
        assert_eq!(shown(&exports(30, None, false), 40, 30 + 17 * 60), Turn::Now);
        // It began after the second refresh.
        assert_eq!(shown(&exports(50, Some(70), true), 40, 75), Turn::Shared(at(50)));
        assert_eq!(shown(&exports(50, Some(70), false), 40, 75), Turn::Now);
        // By two clocks that differ by seconds, that is not certain.
        assert_eq!(shown(&exports(43, Some(44), true), 40, 45), Turn::At(at(106)));
        // The same event again, and a clock that was wrong.
        assert_eq!(exports(1, None, false).turn("one", at(0), at(5)), Turn::Now);
        assert_eq!(shown(&exports(9_000, None, false), 40, 41), Turn::Now);
    }

    // E02
    #[tokio::test]
    async fn a_file_that_is_much_smaller_is_doubtful_until_it_is_the_usual_size() {
        let history = History::new(store::documents(None));
        let workbook: WorkbookLuid = "w-1".parse().unwrap();
        let seen = |size_bytes, pages| Seen { size_bytes, pages };
        let doubtful = async |seen| history.is_doubtful(&workbook, "x", seen).await.unwrap();
        assert!(!doubtful(seen(10, None)).await);
        history.published(&workbook, "x", seen(1_000, Some(4)), at(0)).await.unwrap();
        assert!(!doubtful(seen(500, Some(4))).await && !doubtful(seen(900, None)).await);
        assert!(doubtful(seen(499, Some(4))).await && doubtful(seen(1_000, Some(3))).await);
        for n in 1..=3 {
            assert!(doubtful(seen(300, Some(4))).await, "{n}");
            history.published(&workbook, "x", seen(300, Some(4)), at(n)).await.unwrap();
        }
        assert!(!doubtful(seen(300, Some(4))).await);
    }
}
