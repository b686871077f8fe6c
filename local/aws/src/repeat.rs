//! Schedules of the template: invoke a function again and again, by this machine's clock.

use crate::lambda::Lambda;
use crate::process::InvocationError;
use crate::stack_event::{Observer, StackEvent};
use crate::template::Repeated;

/// Invokes the function until the task ends, for the first time when the first interval is over. An invocation that fails is
/// not tried again here; AWS tries twice more.
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
