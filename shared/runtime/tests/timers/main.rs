//! One suite for every form of `Timer`: memory, SQS and EventBridge Scheduler on the double, and on the emulator at
//! `AWS_CONTRACT_URL`, when that is set.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod places;

use jiff::{SignedDuration, Timestamp};
use local_aws::Fault;
use places::{Double, Memory, OnAws, Place, Scheduler};
use timer::{Timer as _, TimerError, TimerMessage, schedule_name};

fn now() -> Timestamp {
    Timestamp::now()
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// A timer that no other test uses.
fn due(at: Timestamp) -> TimerMessage {
    TimerMessage::new(format!("digest#notify-slack#{}", fastrand::u64(..)), at, 1)
}

async fn suite(place: &dyn Place) {
    a_timer_of_the_past_comes_at_once(place).await;
    a_short_timer_comes_at_its_time_and_not_before(place).await;
    a_long_timer_waits_and_is_there_once_however_often_it_is_ensured(place).await;
    what_is_armed_again_is_another_timer(place).await;
    what_can_never_be_armed_is_refused_for_good(place).await;
}

async fn a_timer_of_the_past_comes_at_once(place: &dyn Place) {
    for past in [seconds(1), seconds(86_400 * 400)] {
        let timer = due(now() - past);
        place.timer().ensure(&timer, now()).await.unwrap();
        assert_eq!(place.next(seconds(0)).await, Some(timer.to_json()));
    }
}

async fn a_short_timer_comes_at_its_time_and_not_before(place: &dyn Place) {
    let armed_at = now();
    let timer = due(armed_at + SignedDuration::from_millis(1_500));
    place.timer().ensure(&timer, armed_at).await.unwrap();
    assert_eq!(place.next(seconds(0)).await, None, "early");
    let body = place.next(seconds(4)).await.unwrap();
    assert_eq!(TimerMessage::parse(&body), Ok(timer.clone()));
    assert!(place.is_virtual() || now() >= timer.due, "early");
}

async fn a_long_timer_waits_and_is_there_once_however_often_it_is_ensured(place: &dyn Place) {
    let armed_at = now();
    let timer = due(armed_at + seconds(8 * 3_600));
    for _ in 0..3 {
        place.timer().ensure(&timer, armed_at).await.unwrap();
    }
    assert_eq!(place.next(seconds(0)).await, None);
    assert_eq!(place.scheduled(&timer).await, Some(timer.to_json()));
    if place.can_skip_hours() {
        assert_eq!(place.next(seconds(8 * 3_600 - 5)).await, None, "early");
        assert_eq!(place.next(seconds(8 * 3_600 + 5)).await, Some(timer.to_json()));
        assert_eq!(place.next(seconds(9 * 3_600)).await, None, "once");
    }
}

async fn what_is_armed_again_is_another_timer(place: &dyn Place) {
    let timer = due(now() + seconds(7_200));
    let later = TimerMessage { generation: 2, ..timer.clone() };
    for timer in [&timer, &timer.again(), &later] {
        place.timer().ensure(timer, now()).await.unwrap();
        assert_eq!(place.scheduled(timer).await, Some(timer.to_json()));
    }
}

async fn what_can_never_be_armed_is_refused_for_good(place: &dyn Place) {
    let far = due(now() + seconds(367 * 86_400));
    assert!(matches!(place.timer().ensure(&far, now()).await, Err(TimerError::TooFar { .. })));
    let tired = TimerMessage { hops: 9, ..due(now() + seconds(60)) };
    assert!(matches!(place.timer().ensure(&tired, now()).await, Err(TimerError::TooManyHops { .. })));
    assert_eq!(place.next(seconds(2)).await, None);
}

/// On AWS alone.
async fn of_aws(place: &dyn OnAws) {
    without_a_scheduler_a_long_timer_is_a_delayed_message(place).await;
    a_schedule_of_that_name_that_is_another_timers_is_an_error(place).await;
}

async fn without_a_scheduler_a_long_timer_is_a_delayed_message(place: &dyn OnAws) {
    let timers = place.without_scheduler().await;
    let timer = due(now() + seconds(26 * 3_600));
    timers.timer.ensure(&timer, now()).await.unwrap();
    assert_eq!(timers.delayed().await, 1);
    assert_eq!(place.scheduled(&timer).await, None);
    let far = due(now() + seconds(26 * 3_600 + 60));
    let far = timers.timer.ensure(&far, now()).await.unwrap_err();
    assert!(far.is_permanent(), "{far}");
    assert_eq!(timers.delayed().await, 1);
}

async fn a_schedule_of_that_name_that_is_another_timers_is_an_error(place: &dyn OnAws) {
    for part in ["expression", "queue", "role", "message"] {
        let timer = due(now() + seconds(7_200));
        place.occupy(&schedule_name("notify-slack", &timer), &timer, part).await;
        let error = place.timer().ensure(&timer, now()).await.unwrap_err();
        assert!(!error.is_permanent());
        assert!(
            matches!(&error, TimerError::NameTaken { part: found, .. } if *found == part),
            "{part}: {error:?}"
        );
    }
    let timer = due(now() + seconds(7_200));
    place.occupy(&schedule_name("notify-slack", &timer), &timer, "nothing").await;
    place.timer().ensure(&timer, now()).await.unwrap();
}

#[tokio::test]
async fn timers_in_memory() {
    suite(&Memory::new()).await;
}

#[tokio::test]
async fn timers_on_the_double() {
    let place = Double::start().await;
    suite(&place).await;
    of_aws(&place).await;
}

#[tokio::test]
async fn timers_on_an_emulator() {
    let Some(place) = Scheduler::of_emulator().await else { return };
    suite(&place).await;
    of_aws(&place).await;
}

/// `Ok` is a promise: any other answer of a service is an error, and the caller asks again.
#[tokio::test]
async fn what_the_queue_or_the_scheduler_does_not_confirm_is_an_error_and_is_armed_by_the_next_call() {
    let place = Double::start().await;
    let short = due(now() + seconds(60));
    let long = due(now() + seconds(7_200));
    for (operation, timer) in [("SQS.SendMessage", short), ("Scheduler.CreateSchedule", long)] {
        for fault in [Fault::InternalError, Fault::Throttled, Fault::AccessDenied] {
            // As often as the SDK asks.
            place.aws.fail_next(operation, 3, fault);
            let error = place.timer().ensure(&timer, now()).await.unwrap_err();
            assert!(!error.is_permanent() && matches!(error, TimerError::NotConfirmed { .. }), "{error:?}");
            while place.timer().ensure(&timer, now()).await.is_err() {}
        }
    }
    // The schedule is there, and whether it is the same cannot be read.
    let timer = due(now() + seconds(7_200));
    place.occupy(&schedule_name("notify-slack", &timer), &timer, "nothing").await;
    place.aws.fail_next("Scheduler.GetSchedule", 3, Fault::InternalError);
    assert!(place.timer().ensure(&timer, now()).await.is_err());
    place.timer().ensure(&timer, now()).await.unwrap();
}

/// A cold start pays for the scheduler's client only when a long timer is armed.
#[tokio::test]
async fn a_short_timer_makes_no_call_of_the_scheduler() {
    let place = Double::start().await;
    place.timer().ensure(&due(now() + seconds(900)), now()).await.unwrap();
    let calls = ["Scheduler.CreateSchedule", "Scheduler.GetSchedule", "SQS.SendMessage"];
    assert_eq!(calls.map(|operation| place.aws.calls(operation)), [0, 0, 1]);
    place.timer().ensure(&due(now() + seconds(902)), now()).await.unwrap();
    assert_eq!(calls.map(|operation| place.aws.calls(operation)), [1, 0, 1], "a long timer is one request");
}

/// What a schedule is made of.
#[tokio::test]
async fn a_schedule_names_the_workflows_queue_its_dead_letters_and_the_timers_role() {
    let place = Double::start().await;
    let timer = due(now() + seconds(7_200));
    place.timer().ensure(&timer, now()).await.unwrap();
    let [schedule] = &place.aws.schedules()[..] else { panic!("{:?}", place.aws.schedules()) };
    assert_eq!(schedule.name, schedule_name("notify-slack", &timer));
    assert_eq!(schedule.group, place.on_aws().group());
    assert_eq!(schedule.queue, place.on_aws().queue());
    assert_eq!(schedule.dead_letters.as_deref(), Some("letters"));
    assert_eq!(schedule.role_arn, "arn:aws:iam::000000000000:role/timers");
    assert!(schedule.deleted_after_completion);
    assert!(schedule.at >= timer.due && schedule.at < timer.due + seconds(1));
}
