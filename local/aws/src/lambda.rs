//! What Lambda decides before a function runs: whether the function may be invoked now, and which process serves the
//! invocation.

use crate::Error;
use crate::lineage::{Lineage, MOST_INVOCATIONS};
use crate::process::{FunctionSpec, InvocationError, LambdaProcess};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The concurrent executions of an account, shared by all functions.
#[derive(Clone, Debug)]
pub(crate) struct Account(Arc<Semaphore>);

impl Account {
    pub(crate) fn new(concurrent_executions: usize) -> Self {
        Self(Arc::new(Semaphore::new(concurrent_executions)))
    }

    /// One execution, held until it is dropped; `None` when the account's limit is reached.
    fn execution(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}

/// A function that can be invoked.
#[derive(Clone, Debug)]
pub(crate) struct Lambda {
    name: String,
    recursion_allowed: bool,
    processes: Processes,
}

#[derive(Clone, Debug)]
enum Processes {
    /// One process, for which callers queue.
    One(LambdaProcess),
    /// As many processes as there are simultaneous invocations.
    Pool(Arc<Pool>),
}

impl Lambda {
    /// A function with one process. Callers queue for the process.
    pub(crate) fn single(process: LambdaProcess, recursion_allowed: bool) -> Self {
        Self { name: process.name().to_owned(), recursion_allowed, processes: Processes::One(process) }
    }

    /// A function with one process per simultaneous invocation, within the account's limit.
    ///
    /// # Errors
    /// [`Error::NoBinary`].
    pub(crate) fn pooled(
        spec: FunctionSpec,
        recursion_allowed: bool,
        account: Account,
    ) -> Result<Self, Error> {
        // The process does not start yet, but a missing binary is reported now.
        let first = LambdaProcess::new(spec.clone())?;
        let environments = Environments { all: vec![first], free: vec![0] };
        let name = spec.name.clone();
        let environments = Arc::new(Mutex::new(environments));
        let pool = Pool { spec, account, environments };
        Ok(Self { name, recursion_allowed, processes: Processes::Pool(Arc::new(pool)) })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Invokes the function. `trace` is the trace header of the request or message that caused the invocation, if any.
    ///
    /// The invocation runs to its end even when the caller stops waiting.
    pub(crate) async fn invoke(&self, event: &Value, trace: Option<&str>) -> Result<Value, InvocationError> {
        let lineage = Lineage::next(trace, &self.name);
        if lineage.earlier() >= MOST_INVOCATIONS && !self.recursion_allowed {
            return Err(InvocationError::Recursive { invocations: lineage.earlier() });
        }
        let run = match &self.processes {
            Processes::One(process) => process.begin(event, lineage.header()),
            Processes::Pool(pool) => {
                let execution = pool.account.execution().ok_or(InvocationError::Throttled)?;
                let (number, process) = pool.take()?;
                let work = process.begin(event, lineage.header());
                let environments = Arc::clone(&pool.environments);
                tokio::spawn(async move {
                    let outcome = work.await;
                    lock(&environments).free.push(number);
                    drop(execution);
                    outcome.unwrap_or_else(|_| Err(InvocationError::Interrupted))
                })
            }
        };
        run.await.unwrap_or_else(|_| Err(InvocationError::Interrupted))
    }

    /// The largest number of processes that the function had.
    pub(crate) fn environments(&self) -> usize {
        match &self.processes {
            Processes::One(_) => 1,
            Processes::Pool(pool) => lock(&pool.environments).all.len(),
        }
    }

    /// Ends the function's processes.
    pub(crate) async fn kill(&self) {
        let all = match &self.processes {
            Processes::One(process) => vec![process.clone()],
            Processes::Pool(pool) => lock(&pool.environments).all.clone(),
        };
        for process in all {
            process.kill().await;
        }
    }
}

/// The processes of a function.
#[derive(Debug)]
struct Pool {
    spec: FunctionSpec,
    account: Account,
    environments: Arc<Mutex<Environments>>,
}

#[derive(Debug, Default)]
struct Environments {
    all: Vec<LambdaProcess>,
    /// Indexes of the idle processes. The most recently used process is last, and is used next.
    free: Vec<usize>,
}

fn lock(environments: &Mutex<Environments>) -> MutexGuard<'_, Environments> {
    environments.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// An idle process, or a new one.
    fn take(&self) -> Result<(usize, LambdaProcess), InvocationError> {
        let mut environments = lock(&self.environments);
        let number = match environments.free.pop() {
            Some(number) => number,
            None => {
                let process = LambdaProcess::new(self.spec.clone());
                environments.all.push(process.map_err(|error| InvocationError::Start(error.into()))?);
                environments.all.len() - 1
            }
        };
        let process = environments.all.get(number).cloned();
        Ok((number, process.ok_or(InvocationError::Interrupted)?))
    }
}

impl Drop for Pool {
    /// Ends the processes, even during an invocation.
    fn drop(&mut self) {
        lock(&self.environments).all.clear();
    }
}
