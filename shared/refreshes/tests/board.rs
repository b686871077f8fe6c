//! The board over the records in memory: who waits for which run, and what a crash leaves behind.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use jiff::{SignedDuration, Timestamp};
use refreshes::{
    Accepted, Begin, Board, By, EndStatus, Limits, NewRequest, Place, Request, Run, State, Status, Target,
};
use std::sync::Arc;
use store::records::MemoryRecords;
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

async fn running(board: &Board, luid: &str, number: u64, second: i64) {
    let place = Place::new(SITE, luid);
    let job = format!("job of {luid}");
    assert!(board.running(&place, number, Some(&job), true, false, at(second)).await.unwrap().result);
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
    assert!(matches!(begun.state, State::Starting { at: start, refused: false } if start == at(1)));
    assert!(begin(&board, 3).await.is_none(), "one start for all");
    running(&board, "d-1", 1, 4).await;
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
    assert_eq!((full.run, full.joined, also.run), (2, true, 1));
    assert_eq!(status(&board, "r2", 4).await, Status::Queued);
    running(&board, "d-1", 1, 4).await;
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
    running(&board, "d-0", 1, 11).await;
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
    let changed = board.running(&place, 1, Some("j"), true, false, at(2)).await.unwrap();
    assert_eq!(changed.timers[0].due, at(32), "the first look");
    let mut looks = Vec::new();
    let mut now = at(32);
    for _ in 0..8 {
        let changed = board.looked(&place, 1, None, None, now).await.unwrap();
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
    assert_eq!(board.settled(&place, 1, now).await.unwrap().runs.unsettled().count(), 0);
}

#[tokio::test]
async fn what_is_found_after_a_crash_between_any_two_steps_is_looked_after() {
    let board = board();
    accept(&board, &new("r1", "d-1"), 0).await;
    begin(&board, 1).await.unwrap();
    let lane = board.lane(SITE).await.unwrap();
    assert_eq!(lane.unanswered(at(5)).count(), 0);
    assert_eq!(lane.unanswered(at(11)).count(), 1);
    running(&board, "d-1", 1, 12).await;
    assert_eq!(board.lane(SITE).await.unwrap().unanswered(at(100)).count(), 0);
    assert_eq!(board.overdue(at(12 + 30 + 301)).await.unwrap(), [format!("refresh-of#{SITE}#d-1")]);
}

#[tokio::test]
async fn the_last_of_those_who_wait_cancels_the_job_that_was_started_for_them() {
    let board = board();
    accept(&board, &new("r1", "d-1"), 0).await;
    accept(&board, &new("r2", "d-1"), 1).await;
    begin(&board, 2).await.unwrap();
    running(&board, "d-1", 1, 3).await;
    let cancel = async |id: &str| board.cancel(id, at(10)).await.unwrap().unwrap().result.job;
    assert_eq!(cancel("r1").await, None);
    assert_eq!(cancel("r1").await, None, "it is over");
    assert_eq!(cancel("r2").await.as_deref(), Some("job of d-1"));
    assert_eq!(status(&board, "r2", 11).await, Status::Cancelled);

    // One that waits is taken out of the queue.
    accept(&board, &new("r3", "d-2"), 20).await;
    assert_eq!(cancel("r3").await, None);
    assert!(board.lane(SITE).await.unwrap().queue.is_empty());
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
    running(&board, "d", 1, 0).await;
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
