//! One test suite for every `Timer`: memory, SQS and EventBridge Scheduler on the AWS double, and on the emulator at
//! `AWS_CONTRACT_URL`, when set.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod backends;

use backends::{Backend, Double, Memory, OnAws, Scheduler};
use jiff::{SignedDuration, Timestamp};
use local_aws::Fault;
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

async fn suite(backend: &dyn Backend) {
    a_timer_of_the_past_comes_at_once(backend).await;
    a_short_timer_comes_at_its_time_and_not_before(backend).await;
    a_long_timer_waits_and_is_there_once_however_often_it_is_ensured(backend).await;
    what_is_armed_again_is_another_timer(backend).await;
    what_can_never_be_armed_is_refused_for_good(backend).await;
}

async fn a_timer_of_the_past_comes_at_once(backend: &dyn Backend) {
    for past in [seconds(1), seconds(86_400 * 400)] {
        let timer = due(now() - past);
        backend.timer().ensure(&timer, now()).await.unwrap();
        assert_eq!(backend.next(seconds(0)).await, Some(timer.to_json()));
    }
}

async fn a_short_timer_comes_at_its_time_and_not_before(backend: &dyn Backend) {
    let armed_at = now();
    let timer = due(armed_at + SignedDuration::from_millis(1_500));
    backend.timer().ensure(&timer, armed_at).await.unwrap();
    assert_eq!(backend.next(seconds(0)).await, None, "early");
    let body = backend.next(seconds(4)).await.unwrap();
    assert_eq!(TimerMessage::parse(&body), Ok(timer.clone()));
    assert!(backend.is_virtual() || now() >= timer.due, "early");
}

async fn a_long_timer_waits_and_is_there_once_however_often_it_is_ensured(backend: &dyn Backend) {
    let armed_at = now();
    let timer = due(armed_at + seconds(8 * 3_600));
    for _ in 0..3 {
        backend.timer().ensure(&timer, armed_at).await.unwrap();
    }
    assert_eq!(backend.next(seconds(0)).await, None);
    assert_eq!(backend.scheduled(&timer).await, Some(timer.to_json()));
    if backend.can_skip_hours() {
        assert_eq!(backend.next(seconds(8 * 3_600 - 5)).await, None, "early");
        assert_eq!(backend.next(seconds(8 * 3_600 + 5)).await, Some(timer.to_json()));
        assert_eq!(backend.next(seconds(9 * 3_600)).await, None, "once");
    }
}

async fn what_is_armed_again_is_another_timer(backend: &dyn Backend) {
    let timer = due(now() + seconds(7_200));
    let later = TimerMessage { generation: 2, ..timer.clone() };
    for timer in [&timer, &timer.again(), &later] {
        backend.timer().ensure(timer, now()).await.unwrap();
        assert_eq!(backend.scheduled(timer).await, Some(timer.to_json()));
    }
}

async fn what_can_never_be_armed_is_refused_for_good(backend: &dyn Backend) {
    let far = due(now() + seconds(367 * 86_400));
    assert!(matches!(backend.timer().ensure(&far, now()).await, Err(TimerError::TooFar { .. })));
    let tired = TimerMessage { hops: 9, ..due(now() + seconds(60)) };
    assert!(matches!(backend.timer().ensure(&tired, now()).await, Err(TimerError::TooManyHops { .. })));
    assert_eq!(backend.next(seconds(2)).await, None);
}

/// Runs on AWS backends only.
async fn of_aws(backend: &dyn OnAws) {
    without_a_scheduler_a_long_timer_is_a_delayed_message(backend).await;
    a_schedule_of_that_name_that_is_another_timers_is_an_error(backend).await;
}

async fn without_a_scheduler_a_long_timer_is_a_delayed_message(backend: &dyn OnAws) {
    let timers = backend.without_scheduler().await;
    let timer = due(now() + seconds(26 * 3_600));
    timers.timer.ensure(&timer, now()).await.unwrap();
    assert_eq!(timers.delayed().await, 1);
    assert_eq!(backend.scheduled(&timer).await, None);
    let far = due(now() + seconds(26 * 3_600 + 60));
    let far = timers.timer.ensure(&far, now()).await.unwrap_err();
    assert!(far.is_permanent(), "{far}");
    assert_eq!(timers.delayed().await, 1);
}

async fn a_schedule_of_that_name_that_is_another_timers_is_an_error(backend: &dyn OnAws) {
    for part in ["expression", "queue", "role", "message"] {
        let timer = due(now() + seconds(7_200));
        backend.occupy(&schedule_name("notify-slack", &timer), &timer, part).await;
        let error = backend.timer().ensure(&timer, now()).await.unwrap_err();
        assert!(!error.is_permanent());
        assert!(
            matches!(&error, TimerError::NameTaken { part: found, .. } if *found == part),
            "{part}: {error:?}"
        );
    }
    let timer = due(now() + seconds(7_200));
    backend.occupy(&schedule_name("notify-slack", &timer), &timer, "nothing").await;
    backend.timer().ensure(&timer, now()).await.unwrap();
}

#[tokio::test]
async fn timers_in_memory() {
    suite(&Memory::new()).await;
}

#[tokio::test]
async fn timers_on_the_double() {
    let backend = Double::start().await;
    suite(&backend).await;
    of_aws(&backend).await;
}

#[tokio::test]
async fn timers_on_an_emulator() {
    let Some(backend) = Scheduler::of_emulator().await else { return };
    suite(&backend).await;
    of_aws(&backend).await;
}

/// `Ok` promises that the timer is armed: any other answer of a service is an error, and the caller retries.
#[tokio::test]
async fn what_the_queue_or_the_scheduler_does_not_confirm_is_an_error_and_is_armed_by_the_next_call() {
    let backend = Double::start().await;
    let short = due(now() + seconds(60));
    let long = due(now() + seconds(7_200));
    for (operation, timer) in [("SQS.SendMessage", short), ("Scheduler.CreateSchedule", long)] {
        for fault in [Fault::InternalError, Fault::Throttled, Fault::AccessDenied] {
            // As many attempts as the SDK makes.
            backend.aws.fail_next(operation, 3, fault);
            let error = backend.timer().ensure(&timer, now()).await.unwrap_err();
            assert!(!error.is_permanent() && matches!(error, TimerError::NotConfirmed { .. }), "{error:?}");
            while backend.timer().ensure(&timer, now()).await.is_err() {}
        }
    }
    // The schedule exists, but cannot be read to compare it.
    let timer = due(now() + seconds(7_200));
    backend.occupy(&schedule_name("notify-slack", &timer), &timer, "nothing").await;
    backend.aws.fail_next("Scheduler.GetSchedule", 3, Fault::InternalError);
    assert!(backend.timer().ensure(&timer, now()).await.is_err());
    backend.timer().ensure(&timer, now()).await.unwrap();
}

/// A cold start builds the scheduler's client only when a long timer is armed.
#[tokio::test]
async fn a_short_timer_makes_no_call_of_the_scheduler() {
    let backend = Double::start().await;
    backend.timer().ensure(&due(now() + seconds(900)), now()).await.unwrap();
    let calls = ["Scheduler.CreateSchedule", "Scheduler.GetSchedule", "SQS.SendMessage"];
    assert_eq!(calls.map(|operation| backend.aws.calls(operation)), [0, 0, 1]);
    backend.timer().ensure(&due(now() + seconds(902)), now()).await.unwrap();
    assert_eq!(calls.map(|operation| backend.aws.calls(operation)), [1, 0, 1], "a long timer is one request");
}

/// The members of a schedule.
#[tokio::test]
async fn a_schedule_names_the_workflows_queue_its_dead_letters_and_the_timers_role() {
    let backend = Double::start().await;
    let timer = due(now() + seconds(7_200));
    backend.timer().ensure(&timer, now()).await.unwrap();
    let [schedule] = &backend.aws.schedules()[..] else { panic!("{:?}", backend.aws.schedules()) };
    assert_eq!(schedule.name, schedule_name("notify-slack", &timer));
    assert_eq!(schedule.group, backend.on_aws().group());
    assert_eq!(schedule.queue, backend.on_aws().queue());
    assert_eq!(schedule.dead_letters.as_deref(), Some("letters"));
    assert_eq!(schedule.role_arn, "arn:aws:iam::000000000000:role/timers");
    assert!(schedule.deleted_after_completion);
    assert!(schedule.at >= timer.due && schedule.at < timer.due + seconds(1));
}
