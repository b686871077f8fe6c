//! The board over the records in memory: who waits for which run, and what a crash leaves behind.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use jiff::{SignedDuration, Timestamp};
use refreshes::{
    Accepted, Begin, Board, By, EndStatus, Limits, NewRequest, Next, Place, Request, Run, Runs, Start, State,
    Status, Taken, Target,
};
use std::sync::Arc;
use store::records::{Key, MemoryRecords, Records, Write};
use tableau::ContentKind;

const SITE: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
const LIMITS: Limits = Limits { per_hour: Some(3), at_once: 2 };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_796_000_000 + second).unwrap()
}

fn board() -> Board {
    Board::new(Arc::new(MemoryRecords::default()), LIMITS)
}

fn new(id: &str, luid: &str) -> NewRequest {
    NewRequest {
        id: id.to_owned(),
        by: By::Key { id: "k".to_owned(), caller: "c".to_owned() },
        target: Target {
            kind: ContentKind::Datasource,
            luid: luid.to_owned(),
            name: format!("Name of {luid}"),
            project: None,
        },
        site: SITE.to_owned(),
        incremental: false,
        allow_full: false,
        fresh: false,
        asked: "a".to_owned(),
        timeout: SignedDuration::from_mins(180),
        callback_url: None,
        trail: Vec::new(),
    }
}

async fn accept(board: &Board, new: &NewRequest, second: i64) -> Request {
    match board.accept(new, at(second)).await.unwrap().result {
        Accepted::Stored(request) => request,
        other => panic!("{other:?}"),
    }
}

async fn begin(board: &Board, second: i64) -> Option<Run> {
    match board.begin(SITE, at(second)).await.unwrap().0 {
        Begin::Start(_, run) => Some(*run),
        Begin::Nothing => None,
    }
}

const OURS: Taken<'_> = Taken { job: Some("a job"), ours: true, incremental: false };

async fn runs(board: &Board, luid: &str) -> Runs {
    board.runs(&Place::new(SITE, luid)).await.unwrap().0
}

/// The start of the open run.
async fn start(board: &Board, luid: &str) -> Start {
    runs(board, luid).await.run.and_then(|run| run.start()).unwrap()
}

async fn running(board: &Board, luid: &str, second: i64) {
    let start = start(board, luid).await;
    let place = Place::new(SITE, luid);
    let job = format!("job of {luid}");
    let taken = Taken { job: Some(&job), ..OURS };
    assert!(board.running(&place, start, taken, at(second)).await.unwrap().result);
}

async fn end(board: &Board, luid: &str, number: u64, second: i64) -> bool {
    let place = Place::new(SITE, luid);
    let (runs, _) = board.runs(&place).await.unwrap();
    let Some(run) = runs.open(number) else { return false };
    let end = run.end(EndStatus::Succeeded, at(second), "done");
    board.end(&place, number, &end, at(second)).await.unwrap().result
}

async fn status(board: &Board, id: &str, second: i64) -> Status {
    let request = board.request(id).await.unwrap().unwrap();
    let (runs, lane) = board.runs(&Place::new(SITE, &request.target.luid)).await.unwrap();
    request.view(&runs, &lane, LIMITS, at(second)).status
}

#[tokio::test]
async fn requests_of_one_object_share_its_run_and_its_end() {
    let board = board();
    let first = accept(&board, &new("r1", "d-1"), 0).await;
    let begun = begin(&board, 1).await.unwrap();
    let second = accept(&board, &new("r2", "D-1"), 2).await;

    assert_eq!((first.joined, second.joined, first.run, second.run), (false, true, 1, 1));
    assert!(matches!(begun.state, State::Starting { at: start } if start == at(1)));
    assert!(begin(&board, 3).await.is_none(), "one start for all");
    running(&board, "d-1", 4).await;
    assert!(end(&board, "d-1", 1, 60).await);
    assert!(!end(&board, "d-1", 1, 61).await, "it has ended before");
    for id in ["r1", "r2"] {
        assert_eq!(status(&board, id, 70).await, Status::Succeeded);
    }
    let next = accept(&board, &new("r3", "d-1"), 80).await;
    assert_eq!((next.joined, next.run), (false, 2));
}

#[tokio::test]
async fn a_repeated_request_is_the_one_that_is_stored() {
    let board = board();
    accept(&board, &new("r1", "d-1"), 0).await;
    let changed = board.accept(&new("r1", "d-1"), at(10)).await.unwrap();
    assert!(matches!(&changed.result, Accepted::Repeated(there) if there.requested_at == at(0)));
    assert!(changed.timers.is_empty());
}

#[tokio::test]
async fn a_full_refresh_does_not_join_an_incremental_one_that_has_begun() {
    let board = board();
    let incremental = NewRequest { incremental: true, ..new("r1", "d-1") };
    accept(&board, &incremental, 0).await;
    begin(&board, 1).await.unwrap();
    let full = accept(&board, &new("r2", "d-1"), 2).await;
    let also = accept(&board, &NewRequest { incremental: true, ..new("r3", "d-1") }, 3).await;
    assert_eq!((full.run, full.joined, also.run), (2, false, 1), "it has a run of its own, the next");
    assert_eq!(status(&board, "r2", 4).await, Status::Queued);
    running(&board, "d-1", 4).await;
    end(&board, "d-1", 1, 60).await;
    assert_eq!(
        (status(&board, "r2", 61).await, status(&board, "r3", 61).await),
        (Status::Queued, Status::Succeeded)
    );
    let next = begin(&board, 62).await.unwrap();
    assert_eq!((next.number, next.incremental), (2, false));

    // One that waits becomes a full one.
    accept(&board, &NewRequest { incremental: true, ..new("r4", "d-2") }, 70).await;
    accept(&board, &new("r5", "d-2"), 71).await;
    assert!(!begin(&board, 72).await.unwrap().incremental);
}

#[tokio::test]
async fn no_more_start_than_the_limits_allow() {
    let board = board();
    for n in 0..5 {
        accept(&board, &new(&format!("r{n}"), &format!("d-{n}")), n).await;
    }
    assert!(begin(&board, 10).await.is_some() && begin(&board, 10).await.is_some());
    assert!(begin(&board, 10).await.is_none(), "two run");
    running(&board, "d-0", 11).await;
    end(&board, "d-0", 1, 20).await;
    assert!(begin(&board, 21).await.is_some());
    end(&board, "d-1", 1, 30).await;
    assert!(begin(&board, 31).await.is_none(), "three have started within the hour");
    let (_, timers) = board.begin(SITE, at(100)).await.unwrap();
    let lane = board.lane(SITE).await.unwrap();
    assert_eq!(lane.queue.len(), 2);
    assert!(begin(&board, 10 + 3_605).await.is_some());
    drop(timers);
}

#[tokio::test]
async fn every_step_that_is_waited_for_has_a_timer() {
    let board = board();
    let accepted = board.accept(&new("r1", "d-1"), at(0)).await.unwrap();
    let lane: Vec<&str> = accepted.timers.iter().map(|timer| timer.key.as_str()).collect();
    assert_eq!(lane, [format!("refresh-lane#{SITE}")], "if the process dies before it starts anything");
    let (_, timers) = board.begin(SITE, at(1)).await.unwrap();
    assert_eq!(timers.len(), 1, "if it dies before Tableau answers");
    assert_eq!((timers[0].key.as_str(), timers[0].due), (format!("refresh-of#{SITE}#d-1").as_str(), at(21)));
    let place = Place::new(SITE, "d-1");
    let changed = board.running(&place, start(&board, "d-1").await, OURS, at(2)).await.unwrap();
    assert_eq!(changed.timers[0].due, at(32), "the first look");
    let mut looks = Vec::new();
    let mut now = at(32);
    for _ in 0..8 {
        let changed = board.looked(&place, 1, None, (None, false), now).await.unwrap();
        now = changed.timers[0].due;
        looks.push(now.duration_since(at(1)).as_secs());
    }
    assert_eq!(looks, [62, 124, 248, 496, 992, 1_984, 3_184, 4_384], "gaps grow up to 20 minutes");
    let (runs, _) = board.runs(&place).await.unwrap();
    let ended = runs.open(1).unwrap().end(EndStatus::Failed, now, "no");
    let changed = board.end(&place, 1, &ended, now).await.unwrap();
    assert_eq!(changed.timers.len(), 1, "if it dies before the requests are settled");
    assert_eq!(changed.runs.unsettled().count(), 1);
    assert_eq!(
        board.settle("r1", now).await.unwrap().unwrap().result.outcome.unwrap().status,
        Status::Failed
    );
    assert_eq!(board.settled(&place, 1, &["r1".to_owned()], now).await.unwrap().runs.unsettled().count(), 0);
}

#[tokio::test]
async fn a_start_without_an_answer_and_a_timer_that_was_lost_are_found() {
    let board = board();
    accept(&board, &new("r1", "d-1"), 0).await;
    begin(&board, 1).await.unwrap();
    let lane = board.lane(SITE).await.unwrap();
    assert_eq!(lane.unanswered(at(5)).count(), 0);
    assert_eq!(lane.unanswered(at(11)).count(), 1);
    running(&board, "d-1", 12).await;
    assert_eq!(board.lane(SITE).await.unwrap().unanswered(at(100)).count(), 0);
    assert_eq!(board.overdue(at(12 + 30 + 301)).await.unwrap(), [format!("refresh-of#{SITE}#d-1")]);
}

#[tokio::test]
async fn what_comes_of_an_earlier_start_changes_nothing_of_a_later_one() {
    let board = board();
    let place = Place::new(SITE, "d-1");
    accept(&board, &new("r1", "d-1"), 0).await;
    begin(&board, 1).await.unwrap();
    let first = start(&board, "d-1").await;
    // Two processes find no job for it, 75 s later. One of them sends it again.
    assert!(board.send_again(&place, first, at(76)).await.unwrap().result);
    assert_eq!(begin(&board, 76).await.unwrap().posts, 2);
    let second = start(&board, "d-1").await;
    let before = runs(&board, "d-1").await;

    assert!(!board.send_again(&place, first, at(77)).await.unwrap().result);
    assert!(!board.put_back(&place, first, (None, "why"), at(77)).await.unwrap().result);
    assert!(!board.hold(&place, first, ("why", true), at(99), at(77)).await.unwrap().result);
    assert!(!board.recover_at(&place, first, "why", at(99), at(77)).await.unwrap().result);
    assert!(!board.running(&place, first, OURS, at(77)).await.unwrap().result);
    let end = before.run.as_ref().unwrap().end(EndStatus::Failed, at(77), "refused");
    assert!(!board.refuse(&place, first, &end, at(77)).await.unwrap().result);

    assert_eq!(runs(&board, "d-1").await, before);
    assert!(board.lane(SITE).await.unwrap().pause.is_none());
    assert!(board.running(&place, second, OURS, at(78)).await.unwrap().result);
}

#[tokio::test]
async fn the_answer_to_a_start_counts_though_another_process_has_not_seen_its_job() {
    let board = board();
    let place = Place::new(SITE, "d-1");
    accept(&board, &new("r1", "d-1"), 0).await;
    begin(&board, 1).await.unwrap();
    let start = start(&board, "d-1").await;
    let unseen = Taken { job: None, ours: false, incremental: false };
    assert!(board.running(&place, start, unseen, at(20)).await.unwrap().result);
    assert!(board.running(&place, start, OURS, at(21)).await.unwrap().result);
    assert!(
        !board.running(&place, start, Taken { job: Some("other"), ..OURS }, at(22)).await.unwrap().result
    );
    let run = runs(&board, "d-1").await.run.unwrap();
    assert!(matches!(run.state, State::Running { ours: true, .. }) && run.job() == Some("a job"), "{run:?}");
}

#[tokio::test]
async fn a_start_that_is_sent_again_waits_for_the_hourly_limit_and_for_a_pause() {
    let board = board();
    for n in 0..3 {
        accept(&board, &new(&format!("r{n}"), &format!("d-{n}")), 0).await;
        begin(&board, n).await.unwrap();
        if n > 0 {
            running(&board, &format!("d-{n}"), n).await;
            assert!(end(&board, &format!("d-{n}"), 1, n).await);
        }
    }
    let lost = start(&board, "d-0").await;
    let place = Place::new(SITE, "d-0");
    assert!(board.send_again(&place, lost, at(76)).await.unwrap().result);
    assert!(begin(&board, 77).await.is_none(), "three starts are counted");
    assert_eq!(begin(&board, 3_606).await.unwrap().posts, 2);

    // One that Tableau has not taken is not counted, and does not use up the tries.
    let refused = start(&board, "d-0").await;
    let wait = Some(SignedDuration::from_mins(30));
    assert!(board.put_back(&place, refused, (wait, "a limit"), at(3_607)).await.unwrap().result);
    assert!(matches!(
        board.lane(SITE).await.unwrap().next(LIMITS, at(3_608)),
        Next::Wait { until: Some(until), .. } if until == at(5_407)
    ));
    assert_eq!(begin(&board, 5_407).await.unwrap().posts, 2);
}

// R10
#[tokio::test]
async fn a_start_that_is_refused_for_now_holds_no_place_and_keeps_its_gap() {
    let board = board();
    let place = Place::new(SITE, "d-1");
    accept(&board, &new("r1", "d-1"), 0).await;
    begin(&board, 1).await.unwrap();
    let start = start(&board, "d-1").await;
    let changed = board.hold(&place, start, ("why", true), at(26), at(1)).await.unwrap();
    assert_eq!(changed.timers.iter().map(|timer| timer.due).collect::<Vec<_>>(), [at(26)]);
    assert!(
        changed.lane.running.is_empty() && changed.lane.queue.is_empty() && changed.lane.starts.is_empty()
    );
    accept(&board, &new("r2", "d-1"), 10).await;
    assert!(!board.release(&place, 1, at(25), at(25)).await.unwrap().result);
    assert!(begin(&board, 25).await.is_none());
    assert!(board.release(&place, 1, at(26), at(26)).await.unwrap().result);
    assert_eq!(begin(&board, 26).await.unwrap().posts, 2);
}

#[tokio::test]
async fn a_request_that_needs_new_data_waits_for_a_refresh_that_begins_after_it() {
    let board = board();
    let fresh = |id: &str| NewRequest { fresh: true, incremental: true, ..new(id, "d-1") };
    let any = NewRequest { incremental: true, ..new("r1", "d-1") };
    accept(&board, &any, 0).await;
    // One that has not begun is right.
    assert_eq!(accept(&board, &fresh("r2"), 1).await.run, 1);
    begin(&board, 2).await.unwrap();
    let second = accept(&board, &fresh("r3"), 3).await;
    running(&board, "d-1", 4).await;
    let third = accept(&board, &fresh("r4"), 5).await;
    let joins = accept(&board, &NewRequest { incremental: true, ..new("r5", "d-1") }, 6).await;
    assert_eq!((second.run, second.joined, third.run, third.joined, joins.run), (2, false, 2, true, 1));
    assert!(end(&board, "d-1", 1, 60).await);
    assert_eq!(status(&board, "r3", 61).await, Status::Queued);
    assert_eq!(status(&board, "r5", 61).await, Status::Succeeded);
    let next = begin(&board, 62).await.unwrap();
    assert_eq!(
        (next.number, next.incremental, next.waiters.len()),
        (2, true, 2),
        "as wide as its own requests"
    );
    assert!(
        next.is_too_old(Some(at(1)))
            && !next.is_too_old(Some(at(5)))
            && !next.is_too_old(Some(at(3)))
            && !next.is_too_old(None)
    );
}

#[tokio::test]
async fn a_run_knows_what_led_to_each_of_its_requests_and_to_no_other() {
    let board = board();
    let led_by =
        |id: &str, luid: &str| NewRequest { trail: vec![luid.to_owned()], fresh: true, ..new(id, "d-1") };
    accept(&board, &led_by("r1", "a"), 0).await;
    accept(&board, &led_by("r2", "b"), 1).await;
    begin(&board, 2).await.unwrap();
    accept(&board, &led_by("r3", "c"), 3).await;
    running(&board, "d-1", 4).await;
    assert_eq!(runs(&board, "d-1").await.trail_at(at(10)), ["a", "b"]);
    assert!(end(&board, "d-1", 1, 60).await);
    begin(&board, 61).await.unwrap();
    running(&board, "d-1", 62).await;
    let after = runs(&board, "d-1").await;
    assert_eq!(
        (after.trail_at(at(900)), after.trail_at(at(30))),
        (vec!["c".to_owned()], vec!["a".to_owned(), "b".to_owned()])
    );
}

#[tokio::test]
async fn a_question_of_a_caller_moves_no_timer_and_only_one_of_many_looks() {
    let board = board();
    let place = Place::new(SITE, "d-1");
    accept(&board, &new("r1", "d-1"), 0).await;
    begin(&board, 0).await.unwrap();
    running(&board, "d-1", 0).await;
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let (board, place) = (board.clone(), place.clone());
        claims.spawn(async move { board.claim_look(&place, 1, at(20)).await.unwrap().result.is_some() });
    }
    assert_eq!(claims.join_all().await.into_iter().filter(|has_claimed| *has_claimed).count(), 1);
    let asked = board.looked(&place, 1, Some(at(10)), (None, true), at(20)).await.unwrap();
    assert!(asked.timers.is_empty(), "the look after 30 s stays: {:?}", asked.timers);
    let late = board.looked(&place, 1, Some(at(10)), (None, true), at(40)).await.unwrap();
    assert_eq!(late.timers.len(), 1, "the time of the look has passed");
}

#[tokio::test]
async fn timers_are_set_again_after_a_while_and_at_once_for_an_attempt_after_another() {
    let board = board();
    let place = Place::new(SITE, "d-1");
    let with_callback =
        NewRequest { callback_url: Some("https://example.com/x".to_owned()), ..new("r1", "d-1") };
    let before = board.timers_before(&with_callback, at(0));
    let stored = board.accept(&with_callback, at(0)).await.unwrap();
    let of = |timers: &[timer::TimerMessage]| {
        timers.iter().map(|timer| (timer.key.clone(), timer.due)).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(of(&before), of(&stored.timers), "each was set before");
    let age = SignedDuration::from_secs(10);
    let again =
        async |age, second| of(&board.timers_again(&place, Some("r1"), age, at(second)).await.unwrap());
    assert!(again(age, 9).await.is_empty());
    assert_eq!(again(age, 10).await, of(&stored.timers));
    assert!(again(age, 19).await.is_empty(), "they were set a moment ago");
    assert_eq!(again(SignedDuration::ZERO, 19).await, of(&stored.timers));
    // A lane that waits for long has its timer set each minute: the process that wrote it may have died.
    begin(&board, 20).await.unwrap();
    for n in 2..5 {
        accept(&board, &new(&format!("r{n}"), &format!("d-{n}")), 20).await;
        begin(&board, 20).await;
    }
    let timers = async |second| board.begin(SITE, at(second)).await.unwrap().1.len();
    assert_eq!((timers(30).await, timers(90).await, timers(100).await, timers(151).await), (0, 1, 0, 1));
}

#[tokio::test]
async fn the_documents_fit_into_an_item_though_many_wait() {
    let records = Arc::new(MemoryRecords::default());
    let limits = Limits { per_hour: Some(10_000), at_once: 100 };
    let board = Board::new(records.clone(), limits);
    let id = |n: usize| format!("{n:024}");
    let luid = |n: usize| format!("4cdd2055-930d-4eaf-94f4-{n:012}");
    let mut taken = 0;
    for n in 0..1_100 {
        let fresh = n % 2 == 0;
        let request = NewRequest { fresh, ..new(&id(n), &luid(0)) };
        if matches!(board.accept(&request, at(0)).await.unwrap().result, Accepted::Stored(_)) {
            taken += 1;
        }
        if n == 0 {
            begin(&board, 0).await.unwrap();
            running(&board, &luid(0), 0).await;
        }
    }
    assert_eq!(taken, 1_000);
    assert!(end(&board, &luid(0), 1, 1).await);
    let full = board.accept(&new("more", &luid(0)), at(2)).await.unwrap().result;
    assert!(matches!(full, Accepted::TooMany), "those that have not got their result count too");

    let mut queued = 0;
    for n in 1..2_200 {
        let request = new(&id(2_000 + n), &luid(n));
        let accepted = board.accept(&request, at(3)).await.unwrap().result;
        queued += usize::from(matches!(accepted, Accepted::Stored(_)));
    }
    assert_eq!(queued, 1_999, "one waited already");
    let keys = [format!("refresh-of#{SITE}#{}", luid(0)), format!("refresh-lane#{SITE}")];
    let keys: Vec<Key> = keys.into_iter().map(Key::single).collect();
    for record in records.load(&keys).await.unwrap().into_iter().flatten() {
        // With 10,000 starts of an hour, of 11 bytes each. An item of DynamoDB has 400 KB at most.
        assert!(record.text.len() + 110_000 < 350_000, "{}", record.text.len());
    }
}

#[tokio::test]
async fn the_last_of_those_who_wait_has_the_job_cancelled_that_was_started_for_them() {
    let board = board();
    accept(&board, &new("r1", "d-1"), 0).await;
    accept(&board, &new("r2", "d-1"), 1).await;
    begin(&board, 2).await.unwrap();
    running(&board, "d-1", 3).await;
    let cancel = async |id: &str| {
        let changed = board.cancel(id, at(10)).await.unwrap().unwrap();
        changed.runs.run.is_some_and(|run| run.cancelling)
    };
    assert!(!cancel("r1").await);
    assert!(!cancel("r1").await, "it is over");
    assert!(cancel("r2").await);
    assert_eq!(status(&board, "r2", 11).await, Status::Cancelled);
    assert!(cancel("r2").await, "also if the process died that was to cancel the job");
    // Who comes now does not wait for a job that is being cancelled.
    assert_eq!(accept(&board, &new("r3", "d-1"), 12).await.run, 2);
    assert!(end(&board, "d-1", 1, 13).await);
    assert_eq!(begin(&board, 14).await.unwrap().number, 2);

    // One that waits is taken out of the queue.
    accept(&board, &new("r4", "d-2"), 20).await;
    assert!(!cancel("r4").await);
    assert!(board.lane(SITE).await.unwrap().queue.is_empty());

    // One whose answer is on its way is cancelled once its job is known, unless it is another's.
    for (luid, ours) in [("d-3", true), ("d-4", false)] {
        let board = Board::new(Arc::new(MemoryRecords::default()), LIMITS);
        accept(&board, &new("r", luid), 20).await;
        begin(&board, 21).await.unwrap();
        assert!(board.cancel("r", at(22)).await.unwrap().unwrap().runs.run.unwrap().cancelling);
        let place = Place::new(SITE, luid);
        let taken = Taken { ours, ..OURS };
        let changed = board.running(&place, start(&board, luid).await, taken, at(23)).await.unwrap();
        assert_eq!(changed.runs.run.unwrap().cancelling, ours);
    }
}

#[tokio::test]
async fn a_lane_that_was_lost_and_a_run_that_was_lost_hold_no_one_up() {
    let records = Arc::new(MemoryRecords::default());
    let board = Board::new(records.clone(), LIMITS);
    accept(&board, &new("r1", "d-1"), 0).await;
    accept(&board, &new("r2", "d-2"), 0).await;
    lose(&records, format!("refresh-lane#{SITE}")).await;
    accept(&board, &new("r3", "d-1"), 1).await;
    assert_eq!(begin(&board, 2).await.unwrap().target.luid, "d-1", "it waits again");
    lose(&records, format!("refresh-of#{SITE}#d-1")).await;
    let lane = board.lane(SITE).await.unwrap();
    let lost: Vec<_> = lane.started_before(SignedDuration::from_mins(15), at(902)).collect();
    assert_eq!(lost.len(), 1);
    assert!(board.forget_lost(SITE, lost[0], at(902)).await.unwrap().result);
    assert!(board.lane(SITE).await.unwrap().running.is_empty());
}

async fn lose(records: &MemoryRecords, partition: String) {
    let key = Key::single(partition);
    let version = records.load(std::slice::from_ref(&key)).await.unwrap()[0].as_ref().unwrap().version;
    let write = Write { text: "{".to_owned(), expires_at: at(9_999), due: None, is_active: false };
    let change = store::records::Change { key, expected: Some(version), write: Some(write) };
    let done = records.commit(&[change]).await.unwrap();
    assert!(matches!(done, store::records::Commit::Done(_)), "{done:?}");
}

// R13
#[tokio::test]
async fn a_request_has_a_limit_and_a_run_that_no_one_waits_for_is_not_started() {
    let board = board();
    accept(&board, &NewRequest { timeout: SignedDuration::from_mins(1), ..new("r1", "d-1") }, 0).await;
    assert_eq!(status(&board, "r1", 59).await, Status::Queued);
    assert_eq!(status(&board, "r1", 60).await, Status::TimedOut);
    assert!(begin(&board, 61).await.is_none());
    assert!(board.lane(SITE).await.unwrap().queue.is_empty());
    assert_eq!(status(&board, "r1", 90).await, Status::TimedOut, "not cancelled");
}

// docs/performance.md, "A wait of two hours"
#[tokio::test]
async fn the_job_of_a_refresh_of_two_hours_is_looked_at_eleven_times() {
    let board = board();
    accept(&board, &new("a", "d"), 0).await;
    begin(&board, 0).await.unwrap();
    running(&board, "d", 0).await;
    let (runs, _) = board.runs(&Place::new(SITE, "d")).await.unwrap();
    let run = runs.open(1).unwrap();
    let mut looks = vec![run.next_look(at(0))];
    while let Some(last) = looks.last().copied().filter(|last| *last < at(7_200)) {
        looks.push(run.next_look(last));
    }
    let seconds: Vec<i64> = looks.iter().map(|look| look.duration_since(at(0)).as_secs()).collect();
    assert_eq!(seconds, [30, 60, 120, 240, 480, 960, 1_920, 3_120, 4_320, 5_520, 6_720, 7_920]);
}

#[tokio::test]
async fn many_at_once_get_one_run_and_keep_to_the_limits() {
    let board = board();
    let mut requests = tokio::task::JoinSet::new();
    for n in 0..200 {
        let board = board.clone();
        requests.spawn(async move {
            let request = new(&format!("r{n}"), &format!("d-{}", n % 10));
            let _ = board.accept(&request, at(0)).await.unwrap();
            board.begin(SITE, at(1)).await.unwrap().0
        });
    }
    let begun = requests.join_all().await;
    assert_eq!(begun.iter().filter(|begin| matches!(begin, Begin::Start(..))).count(), 2);
    let lane = board.lane(SITE).await.unwrap();
    assert_eq!((lane.queue.len(), lane.running.len(), lane.starts.len()), (8, 2, 2));
}
