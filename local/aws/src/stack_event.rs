//! What happens in a stack, for watchers.

use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// Something that happened in a stack.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StackEvent {
    /// The HTTP API answered a request.
    Answered {
        /// The key of the route that took it.
        route: String,
        /// The function behind it.
        function: String,
        /// The status of the answer.
        status: u16,
        /// From the request's head to the answer.
        duration: Duration,
    },
    /// An event was put on a bus.
    Published {
        /// The bus.
        bus: String,
        /// What happened.
        detail_type: String,
        /// The queues that rules sent it to.
        targets: Vec<String>,
    },
    /// A function worked on messages of its queue.
    Delivered {
        /// The function.
        function: String,
        /// How many messages it got.
        messages: usize,
        /// How many of them stay in the queue, to be tried again.
        failures: usize,
        /// How long it took.
        duration: Duration,
    },
    /// An invocation gave no answer.
    Failed {
        /// The function.
        function: String,
        /// Why, in one line.
        reason: String,
    },
    /// Lambda refused an invocation, since no concurrent execution was free.
    Throttled {
        /// The function.
        function: String,
    },
    /// Lambda refused an invocation, since the function would have been invoked once too often by what it sent itself: what
    /// the metric `RecursiveInvocationsDropped` counts.
    RecursionStopped {
        /// The function.
        function: String,
    },
    /// A message was given up: received too often, or sent to a dead-letter queue by its function.
    DeadLettered {
        /// The dead-letter queue it went to.
        queue: String,
    },
    /// A function wrote a line.
    Log {
        /// The function.
        function: String,
        /// The line.
        line: String,
    },
}

/// Who watches, if anybody does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observer(pub(crate) Option<UnboundedSender<StackEvent>>);

impl Observer {
    pub(crate) fn notify(&self, event: StackEvent) {
        if let Some(sender) = &self.0 {
            // There may be no watcher left.
            let _ = sender.send(event);
        }
    }
}
