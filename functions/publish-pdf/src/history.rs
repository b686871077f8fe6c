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
/// How far ahead the clock of another instance may be. A beginning later than that was written by a wrong clock.
const CLOCK_AHEAD: SignedDuration = SignedDuration::from_mins(1);
/// How many measures of one workbook are kept.
const MOST: usize = 200;
/// After so many exports in a row that are all smaller than before, the smaller size is the usual one.
const USUAL_AFTER: u32 = 3;

/// A good export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Good {
    bytes: u64,
    pages: Option<u32>,
    at: Timestamp,
    /// How many exports since then were smaller.
    #[serde(default)]
    smaller: u32,
    /// The event that was counted last: its further attempts do not count again.
    #[serde(default)]
    counted: String,
}

/// The exports of a workbook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Exports {
    /// The event that was exported last. While its attempt runs, no other event is exported.
    event: String,
    began: Option<Timestamp>,
    /// When the attempt ends, also if its process dies.
    until: Option<Timestamp>,
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
    /// Before this time Tableau could return an export from before the refresh, or another event is being exported.
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

fn later(from: Timestamp) -> Timestamp {
    from.saturating_add(KEPT).unwrap_or(from)
}

impl Exports {
    fn turn(&self, event: &str, refreshed: Timestamp, now: Timestamp) -> Turn {
        let is_credible = |began: &Timestamp| began.duration_since(now) <= CLOCK_AHEAD;
        let Some(began) = self.began.filter(is_credible) else { return Turn::Now };
        if self.event == event {
            return Turn::Now;
        }
        let until = self.until.unwrap_or(began);
        let ended = match self.ended.filter(|ended| *ended >= began) {
            Some(ended) => ended,
            None if now < until => return Turn::At(later(now)),
            // It was broken off.
            None => until,
        };
        if began.duration_since(refreshed) >= CLOCKS_DIFFER {
            return if self.complete { Turn::Shared(began) } else { Turn::Now };
        }
        if now.duration_since(ended) < KEPT { Turn::At(later(ended)) } else { Turn::Now }
    }
}

/// Which workbook has a place for its files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Holder {
    workbook: String,
    /// The day of the last export to it, so that the document is kept as long as it is used.
    day: String,
}

impl Document for Holder {
    const KIND: &'static str = "pdf-export";
    const KEPT_DAYS: i64 = Exports::KEPT_DAYS;
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

    /// Whether an export for the refresh at `refreshed` may begin now. If so, the workbook is this event's until `until`; that is decided and
    /// written at once. Without `waits`, an event that cannot come again later begins all the same.
    pub(crate) async fn claim(
        &self,
        workbook: &WorkbookLuid,
        event: &str,
        refreshed: Timestamp,
        (now, until): (Timestamp, Timestamp),
        waits: bool,
    ) -> Result<Turn, Failure> {
        let claim = |exports: &mut Exports| {
            let turn = exports.turn(event, refreshed, now);
            let begins = turn == Turn::Now || (!waits && matches!(turn, Turn::At(_)));
            if begins {
                event.clone_into(&mut exports.event);
                (exports.began, exports.until) = (Some(now), Some(until));
                (exports.ended, exports.complete) = (None, false);
            }
            if begins { Turn::Now } else { turn }
        };
        Ok(self.0.change(&key(workbook), now, claim).await?.1)
    }

    /// Whether files of this workbook may have the place: no file of another workbook has been there. Takes the place if so.
    pub(crate) async fn holds(
        &self,
        workbook: &WorkbookLuid,
        place: &str,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let day = now.strftime("%Y-%m-%d").to_string();
        let take = |holder: &mut Holder| {
            if holder.workbook.is_empty() {
                workbook.as_str().clone_into(&mut holder.workbook);
            }
            let is_ours = holder.workbook.eq_ignore_ascii_case(workbook.as_str());
            if is_ours {
                day.clone_into(&mut holder.day);
            }
            is_ours
        };
        Ok(self.0.change(&format!("publish-pdf#place#{place}"), now, take).await?.1)
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

    /// Notes a file that was published for an event.
    pub(crate) async fn published(
        &self,
        workbook: &WorkbookLuid,
        event: &str,
        of: &str,
        seen: Seen,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let good = Good {
            bytes: seen.size_bytes,
            pages: seen.pages,
            at: now,
            smaller: 0,
            counted: event.to_owned(),
        };
        let note = |exports: &mut Exports| {
            match exports.good.get_mut(of) {
                Some(earlier) if earlier.is_doubtful(seen) && earlier.counted == event => {}
                Some(earlier) if earlier.is_doubtful(seen) && earlier.smaller + 1 < USUAL_AFTER => {
                    earlier.smaller += 1;
                    event.clone_into(&mut earlier.counted);
                }
                _ => {
                    exports.good.insert(of.to_owned(), good.clone());
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
            until: Some(at(began + 900)),
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
        // It began after the second refresh, and goes on.
        assert_eq!(shown(&exports(50, None, false), 40, 75), Turn::At(at(137)));
        // It began on an instance whose clock is a little ahead.
        assert_eq!(shown(&exports(50, None, false), 40, 45), Turn::At(at(107)));
        // It was broken off: what it asked for before its end, Tableau could return again.
        assert_eq!(shown(&exports(30, None, false), 40, 940), Turn::At(at(992)));
        // It began after the second refresh.
        assert_eq!(shown(&exports(50, Some(70), true), 40, 75), Turn::Shared(at(50)));
        assert_eq!(shown(&exports(50, Some(70), false), 40, 75), Turn::Now);
        // By two clocks that differ by seconds, that is not certain.
        assert_eq!(shown(&exports(43, Some(44), true), 40, 45), Turn::At(at(106)));
        // The same event again, and a clock that was wrong.
        assert_eq!(exports(1, None, false).turn("one", at(0), at(5)), Turn::Now);
        assert_eq!(shown(&exports(9_000, None, false), 40, 41), Turn::Now);
    }

    // E27
    #[tokio::test]
    async fn of_two_events_at_once_one_claims_the_workbook() {
        let history = History::new(store::documents(None));
        let workbook: WorkbookLuid = "w-1".parse().unwrap();
        let claim = async |event: &str, now, waits| {
            history.claim(&workbook, event, at(0), (at(now), at(now + 900)), waits).await.unwrap()
        };
        let (one, two) = tokio::join!(claim("one", 10, true), claim("two", 10, true));
        assert_eq!((one, two), (Turn::Now, Turn::At(at(72))));
        assert_eq!(claim("two", 11, true).await, Turn::At(at(73)));
        assert_eq!(claim("one", 12, true).await, Turn::Now);
        history.ended(&workbook, "two", true, at(13)).await.unwrap();
        assert_eq!(claim("two", 14, true).await, Turn::At(at(76)));
        history.ended(&workbook, "one", true, at(15)).await.unwrap();
        assert_eq!(claim("two", 16, true).await, Turn::Shared(at(12)));
        assert_eq!(claim("two", 17, false).await, Turn::Shared(at(12)));
        history.ended(&workbook, "one", false, at(15)).await.unwrap();
        assert_eq!(claim("two", 16, true).await, Turn::Now);
    }

    #[tokio::test]
    async fn a_place_belongs_to_the_workbook_that_came_first() {
        let history = History::new(store::documents(None));
        let (one, two): (WorkbookLuid, WorkbookLuid) = ("w-1".parse().unwrap(), "w-2".parse().unwrap());
        assert!(history.holds(&one, "x", at(0)).await.unwrap());
        assert!(!history.holds(&two, "x", at(1)).await.unwrap());
        assert!(history.holds(&two, "y", at(1)).await.unwrap());
        assert!(history.holds(&one, "x", at(200_000)).await.unwrap());
    }

    // E02
    #[tokio::test]
    async fn a_file_that_is_much_smaller_is_doubtful_until_it_is_the_usual_size() {
        let history = History::new(store::documents(None));
        let workbook: WorkbookLuid = "w-1".parse().unwrap();
        let seen = |size_bytes, pages| Seen { size_bytes, pages };
        let doubtful = async |seen| history.is_doubtful(&workbook, "x", seen).await.unwrap();
        assert!(!doubtful(seen(10, None)).await);
        history.published(&workbook, "0", "x", seen(1_000, Some(4)), at(0)).await.unwrap();
        assert!(!doubtful(seen(500, Some(4))).await && !doubtful(seen(900, None)).await);
        assert!(doubtful(seen(499, Some(4))).await && doubtful(seen(1_000, Some(3))).await);
        for n in 1..=3 {
            assert!(doubtful(seen(300, Some(4))).await, "{n}");
            // The attempts of one event count once.
            for _ in 0..3 {
                let event = n.to_string();
                history.published(&workbook, &event, "x", seen(300, Some(4)), at(n)).await.unwrap();
            }
        }
        assert!(!doubtful(seen(300, Some(4))).await);
    }
}
