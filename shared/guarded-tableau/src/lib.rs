#![doc = include_str!("../README.md")]

mod credential;
mod error;

pub use credential::SecretCredential;
pub use error::TableauError;

use circuit::{CallResult, Circuits, Guarded};
use std::future::Future;
use tableau::SiteLuid;
use tableau_client::{ApiVersion, Error, TableauClient};
use workflow::Invocation;

/// A Tableau site behind a circuit breaker.
#[derive(Debug)]
pub struct GuardedTableau {
    client: TableauClient,
    circuits: Circuits,
}

impl GuardedTableau {
    /// Puts `client` behind `circuits`.
    pub fn new(client: TableauClient, circuits: Circuits) -> Self {
        Self { client, circuits }
    }

    /// The client, for use inside [`GuardedTableau::call`].
    pub fn client(&self) -> &TableauClient {
        &self.client
    }

    /// Makes a call, unless the circuit is open.
    ///
    /// # Errors
    /// [`Guarded::CircuitOpen`] when the call was not made, otherwise the call's own error.
    pub async fn call<T: Send>(
        &self,
        invocation: &Invocation,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Guarded<TableauError>> {
        let call = async { call.await.map_err(TableauError) };
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        Box::pin(self.circuits.call("", invocation.time(), call, call_result)).await
    }

    /// The LUID of the site that the session is for. A kept session says nothing about Tableau's health: the success would end
    /// every row of failures, and the circuit would never open.
    ///
    /// # Errors
    /// As for [`GuardedTableau::call`], when there is no session and signing in fails.
    pub async fn session_site(&self, invocation: &Invocation) -> Result<SiteLuid, Guarded<TableauError>> {
        self.of_session(invocation, self.client.session_site()).await
    }

    /// The version of the REST API that the session uses. Counts as [`GuardedTableau::session_site`] does.
    ///
    /// # Errors
    /// As for [`GuardedTableau::session_site`].
    pub async fn session_version(
        &self,
        invocation: &Invocation,
    ) -> Result<ApiVersion, Guarded<TableauError>> {
        self.of_session(invocation, self.client.session_version()).await
    }

    async fn of_session<T: Send>(
        &self,
        invocation: &Invocation,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Guarded<TableauError>> {
        let call = async { call.await.map_err(TableauError) };
        let result_of =
            |result: Result<&T, &TableauError>| result.map_or_else(call_result, |_| CallResult::NotCalled);
        Box::pin(self.circuits.call_or_kept("", invocation.time(), call, result_of)).await
    }
}

/// What a failed call says about Tableau's health, for the circuit breaker.
fn call_result(TableauError(error): &TableauError) -> CallResult {
    match error {
        Error::Unreachable { .. } | Error::OutOfTime { .. } | Error::Redirected { .. } => CallResult::Failed,
        Error::Refused { status: 408 | 429 | 500.., retry_after, .. }
        | Error::Foreign { retry_after, .. } => {
            retry_after.map_or(CallResult::Failed, CallResult::RetryAfter)
        }
        Error::Credential(_)
        | Error::CredentialRefused { .. }
        | Error::Invalid { .. }
        | Error::SessionStore(_)
        | Error::SignInPending => CallResult::NotCalled,
        _ => CallResult::Answered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn refused(status: u16, seconds: Option<u64>) -> CallResult {
        call_result(&TableauError(Error::Refused {
            operation: "list the jobs",
            status,
            code: format!("{status}000"),
            summary: String::new(),
            detail: String::new(),
            retry_after: seconds.map(Duration::from_secs),
        }))
    }

    #[test]
    fn a_server_in_trouble_has_failed_and_a_refusal_is_an_answer() {
        for status in [408, 429, 500, 503] {
            assert_eq!(refused(status, None), CallResult::Failed, "{status}");
            assert_eq!(
                refused(status, Some(30)),
                CallResult::RetryAfter(Duration::from_secs(30)),
                "{status}"
            );
        }
        for status in [400, 401, 403, 404, 409] {
            assert_eq!(refused(status, None), CallResult::Answered, "{status}");
        }
        assert_eq!(call_result(&TableauError(Error::SignInPending)), CallResult::NotCalled);
    }
}
