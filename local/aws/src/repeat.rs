//! The template's schedules: invoke a function at a fixed interval, by this machine's clock.

use crate::lambda::Lambda;
use crate::process::InvocationError;
use crate::stack_event::{Observer, StackEvent};
use crate::template::Repeated;

/// Invokes the function at each interval until the task is stopped. A failed invocation is not retried here; AWS
/// retries twice.
pub(crate) async fn repeat(repeated: Repeated, function: Lambda, observer: Observer) {
    loop {
        tokio::time::sleep(repeated.every).await;
        let name = function.name().to_owned();
        match function.invoke(&repeated.input, None).await {
            Ok(_) => {}
            Err(InvocationError::Throttled) => observer.notify(StackEvent::Throttled { function: name }),
            Err(error) => observer.notify(StackEvent::Failed { function: name, reason: error.to_string() }),
        }
    }
}
