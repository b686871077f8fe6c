//! The backends of the timer tests.

use async_trait::async_trait;
use aws_sdk_scheduler::types::{FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use local_aws::{Aws, QueueSpec};
use runtime::{AwsTimer, Schedules};
use testkit::dynamodb::{config, say};
use timer::{MemoryTimer, Route, Timer, TimerMessage, route, schedule_name};

const ROLE: &str = "arn:aws:iam::000000000000:role/timers";

/// A backend: arms timers and returns those that fire.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    fn timer(&self) -> &dyn Timer;

    /// The next timer that fires within this time from now.
    async fn next(&self, within: SignedDuration) -> Option<String>;

    /// The message that the timer's schedule will send, if the timer waits as a schedule.
    async fn scheduled(&self, timer: &TimerMessage) -> Option<String>;

    fn can_skip_hours(&self) -> bool;

    /// Whether time passes only when the test advances it.
    fn is_virtual(&self) -> bool;
}

/// Timers in memory.
pub(crate) struct Memory(MemoryTimer);

impl Memory {
    pub(crate) fn new() -> Self {
        Self(MemoryTimer::default())
    }
}

#[async_trait]
impl Backend for Memory {
    fn timer(&self) -> &dyn Timer {
        &self.0
    }

    async fn next(&self, within: SignedDuration) -> Option<String> {
        self.0.fire(Timestamp::now() + within).first().map(TimerMessage::to_json)
    }

    async fn scheduled(&self, timer: &TimerMessage) -> Option<String> {
        self.0.waiting().iter().find(|waiting| *waiting == timer).map(TimerMessage::to_json)
    }

    fn can_skip_hours(&self) -> bool {
        true
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// SQS and EventBridge Scheduler, on the AWS double or the emulator.
pub(crate) struct Scheduler {
    config: SdkConfig,
    queue: String,
    queue_url: String,
    group: String,
    timer: AwsTimer,
}

/// Timers without a scheduler, and their queue.
pub(crate) struct Chain {
    pub(crate) timer: AwsTimer,
    sqs: aws_sdk_sqs::Client,
    queue_url: String,
}

impl Chain {
    /// How many messages are delayed.
    pub(crate) async fn delayed(&self) -> u32 {
        let name = QueueAttributeName::ApproximateNumberOfMessagesDelayed;
        let get = self.sqs.get_queue_attributes().queue_url(&self.queue_url).attribute_names(name.clone());
        get.send().await.unwrap().attributes.unwrap()[&name].parse().unwrap()
    }
}

fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{name}")
}

fn unique(name: &str) -> String {
    format!("{name}-{}", fastrand::u64(..))
}

impl Scheduler {
    fn new(config: SdkConfig, queue: String, queue_url: String, group: String) -> Self {
        let schedules = Schedules {
            group: group.clone(),
            role_arn: ROLE.to_owned(),
            queue_arn: queue_arn(&queue),
            dead_letters_arn: queue_arn("letters"),
        };
        let timer = AwsTimer::new("notify-slack", config.clone(), &queue_url).with_schedules(schedules);
        Self { config, queue, queue_url, group, timer }
    }

    /// The emulator at `AWS_CONTRACT_URL`; `None` when it is not set.
    pub(crate) async fn of_emulator() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "where the emulator is, is a matter of the run")]
        let Ok(url) = std::env::var("AWS_CONTRACT_URL") else {
            say("SKIPPED: AWS_CONTRACT_URL is not set; `cargo xtask check` sets it");
            return None;
        };
        let config = config(&url);
        let queue = unique("work");
        let create = aws_sdk_sqs::Client::new(&config).create_queue().queue_name(&queue);
        let queue_url = create.send().await.unwrap().queue_url.unwrap();
        let group = unique("timers");
        let client = aws_sdk_scheduler::Client::new(&config);
        client.create_schedule_group().name(&group).send().await.unwrap();
        Some(Self::new(config, queue, queue_url, group))
    }

    pub(crate) fn group(&self) -> &str {
        &self.group
    }

    pub(crate) fn queue(&self) -> &str {
        &self.queue
    }

    async fn receive(&self, wait: SignedDuration) -> Option<String> {
        let sqs = aws_sdk_sqs::Client::new(&self.config);
        // The client gives up after two seconds, so a longer wait takes several receives.
        let until = Timestamp::now() + wait;
        loop {
            let receive = sqs.receive_message().queue_url(&self.queue_url).wait_time_seconds(1);
            let messages = receive.send().await.unwrap().messages.unwrap_or_default();
            if let Some(message) = messages.into_iter().next() {
                let receipt = message.receipt_handle.unwrap_or_default();
                let delete = sqs.delete_message().queue_url(&self.queue_url).receipt_handle(receipt);
                delete.send().await.unwrap();
                return message.body;
            }
            if Timestamp::now() >= until {
                return None;
            }
        }
    }
}

#[async_trait]
impl Backend for Scheduler {
    fn timer(&self) -> &dyn Timer {
        &self.timer
    }

    async fn next(&self, within: SignedDuration) -> Option<String> {
        // Without waiting, a receive sees what is in the queue now.
        if within.is_zero() {
            let sqs = aws_sdk_sqs::Client::new(&self.config);
            let receive = sqs.receive_message().queue_url(&self.queue_url).wait_time_seconds(0);
            let messages = receive.send().await.unwrap().messages.unwrap_or_default();
            return messages.into_iter().next().and_then(|message| message.body);
        }
        self.receive(within.min(SignedDuration::from_secs(5))).await
    }

    async fn scheduled(&self, timer: &TimerMessage) -> Option<String> {
        let client = aws_sdk_scheduler::Client::new(&self.config);
        let get = client.get_schedule().name(schedule_name("notify-slack", timer)).group_name(&self.group);
        match get.send().await {
            Ok(found) => found.target.and_then(|target| target.input),
            Err(error) => {
                let error = error.into_service_error();
                assert!(error.is_resource_not_found_exception(), "{error:?}");
                None
            }
        }
    }

    fn can_skip_hours(&self) -> bool {
        false
    }

    fn is_virtual(&self) -> bool {
        false
    }
}

/// Operations that only AWS backends have.
#[async_trait]
pub(crate) trait OnAws: Backend {
    fn on_aws(&self) -> &Scheduler;

    /// A new queue for this test.
    async fn another_queue(&self) -> String;

    /// Timers without a scheduler, with a new queue.
    async fn without_scheduler(&self) -> Chain {
        let sqs = aws_sdk_sqs::Client::new(&self.on_aws().config);
        let queue_url = self.another_queue().await;
        let timer = AwsTimer::new("notify-slack", self.on_aws().config.clone(), &queue_url);
        Chain { timer, sqs, queue_url }
    }

    /// Creates a schedule with this name that equals the timer's schedule except for one member.
    async fn occupy(&self, name: &str, timer: &TimerMessage, other: &str) {
        let backend = self.on_aws();
        let Ok(Route::Schedule { expression, .. }) = route("notify-slack", timer, Timestamp::now(), true)
        else {
            panic!("{timer:?}")
        };
        let choose = |part: &str, same: String, different: &str| {
            if part == other { different.to_owned() } else { same }
        };
        let target = Target::builder()
            .arn(choose("queue", queue_arn(&backend.queue), &queue_arn("another")))
            .role_arn(choose("role", ROLE.to_owned(), "arn:aws:iam::000000000000:role/another"))
            .input(choose("message", timer.to_json(), "another"));
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap();
        let client = aws_sdk_scheduler::Client::new(&backend.config);
        let create = client
            .create_schedule()
            .name(name)
            .group_name(&backend.group)
            .schedule_expression(choose("expression", expression, "at(2099-01-01T00:00:00)"))
            .flexible_time_window(window)
            .target(target.build().unwrap());
        create.send().await.unwrap();
    }
}

#[async_trait]
impl OnAws for Scheduler {
    fn on_aws(&self) -> &Scheduler {
        self
    }

    async fn another_queue(&self) -> String {
        let create = aws_sdk_sqs::Client::new(&self.config).create_queue().queue_name(unique("work"));
        create.send().await.unwrap().queue_url.unwrap()
    }
}

/// The AWS double.
pub(crate) struct Double {
    pub(crate) aws: Aws,
    scheduler: Scheduler,
}

impl Double {
    pub(crate) async fn start() -> Self {
        let aws = Aws::start().await.unwrap();
        for queue in ["work", "letters"] {
            aws.create_queue(QueueSpec::new(queue));
        }
        aws.create_schedule_group("timers");
        let queue_url = aws.queue_url("work");
        let scheduler = Scheduler::new(config(&aws), "work".to_owned(), queue_url, "timers".to_owned());
        Self { aws, scheduler }
    }
}

#[async_trait]
impl Backend for Double {
    fn timer(&self) -> &dyn Timer {
        self.scheduler.timer()
    }

    async fn next(&self, within: SignedDuration) -> Option<String> {
        if within > timer::LONGEST_DELAY {
            self.aws.fire_schedules(Timestamp::now() + within);
            return self.scheduler.next(SignedDuration::ZERO).await;
        }
        self.scheduler.next(within).await
    }

    async fn scheduled(&self, timer: &TimerMessage) -> Option<String> {
        self.scheduler.scheduled(timer).await
    }

    fn can_skip_hours(&self) -> bool {
        true
    }

    fn is_virtual(&self) -> bool {
        false
    }
}

#[async_trait]
impl OnAws for Double {
    fn on_aws(&self) -> &Scheduler {
        &self.scheduler
    }

    async fn another_queue(&self) -> String {
        let name = unique("work");
        self.aws.create_queue(QueueSpec::new(name.as_str()));
        self.aws.queue_url(&name)
    }
}
