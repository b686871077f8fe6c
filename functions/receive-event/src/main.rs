//! Lambda entry point. The function is in `lib.rs`.

use api_keys::Keys;
use receive_event::ReceiveEvent;
use runtime::Host;
use store::{documents, records};
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    // As the common ingress, it reads no rules and no files: a mistake in one must not keep events out.
    let host = Host::start_ingress(ReceiveEvent::NAME)?;
    let keys = Keys::new(records(host.table(), ReceiveEvent::NAME), documents(host.table()));
    let workflow = ReceiveEvent::new(keys, host.derived_events());
    host.serve_api(Ok(workflow)).await
}
