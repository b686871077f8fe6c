//! Events of a stack, for observers.

use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// Something that happened in a stack.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StackEvent {
    /// The HTTP API answered a request.
    Answered {
        /// The key of the route that matched the request.
        route: String,
        /// The function behind the route.
        function: String,
        /// The status code of the answer.
        status: u16,
        /// The time from the request's head to the answer.
        duration: Duration,
    },
    /// An event was published on an event bus.
    Published {
        /// The event bus.
        bus: String,
        /// The event's detail type.
        detail_type: String,
        /// The queues that rules sent the event to.
        targets: Vec<String>,
    },
    /// A function processed a batch of messages from its queue.
    Delivered {
        /// The function.
        function: String,
        /// The number of messages in the batch.
        messages: usize,
        /// The number of messages that failed and stay in the queue.
        failures: usize,
        /// The duration of the invocation.
        duration: Duration,
    },
    /// An invocation failed.
    Failed {
        /// The function.
        function: String,
        /// The error, in one line.
        reason: String,
    },
    /// Lambda throttled an invocation: no concurrent execution was free.
    Throttled {
        /// The function.
        function: String,
    },
    /// Lambda's recursive loop detection refused an invocation. AWS counts this in the metric
    /// `RecursiveInvocationsDropped`.
    RecursionStopped {
        /// The function.
        function: String,
    },
    /// A message became a dead letter: it was received too often, or its function sent it to a dead-letter queue.
    DeadLettered {
        /// The dead-letter queue.
        queue: String,
    },
    /// A function wrote a line.
    Log {
        /// The function.
        function: String,
        /// The text of the line.
        line: String,
    },
}

/// The observer of a stack, if there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observer(pub(crate) Option<UnboundedSender<StackEvent>>);

impl Observer {
    pub(crate) fn notify(&self, event: StackEvent) {
        if let Some(sender) = &self.0 {
            // The observer may have been dropped.
            let _ = sender.send(event);
        }
    }
}
