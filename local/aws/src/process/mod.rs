//! A function's real binary as a process under a Lambda Runtime API.

mod environment;
mod logs;
mod outcome;

pub use environment::FunctionSpec;
pub use logs::LogLine;
pub use outcome::InvocationError;

use crate::Error;
use crate::aws::names::arn;
use crate::lineage::Lineage;
use crate::runtime_api::{Answer, Invocation, RuntimeApi};
use bytes::Bytes;
use jiff::Timestamp;
use logs::Logs;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Child;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long a bootstrap may take until it asks for its first invocation.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// One execution environment of a function.
///
/// The process starts with the first invocation and serves one invocation at a time; further callers queue. One
/// that ended is started again with the next invocation. It is killed when the last clone of this is dropped.
#[derive(Clone, Debug)]
pub struct LambdaProcess {
    inner: Arc<Inner>,
    _guard: Arc<Guard>,
}

/// Ends the process when the last handle is dropped, even during an invocation.
#[derive(Debug)]
struct Guard(Arc<Inner>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.condemned.send_replace(*self.0.pid.borrow());
    }
}

#[derive(Debug)]
struct Inner {
    spec: FunctionSpec,
    logs: Arc<Logs>,
    running: Mutex<Option<Running>>,
    /// The id of the running process, if there is one.
    pid: watch::Sender<Option<u32>>,
    /// The id of the process to kill.
    condemned: watch::Sender<Option<u32>>,
}

/// A process and its Runtime API. The child process is killed on drop.
#[derive(Debug)]
struct Running {
    child: Child,
    pid: Option<u32>,
    api: RuntimeApi,
}

impl LambdaProcess {
    /// Prepares a function. Its process starts with the first invocation.
    ///
    /// # Errors
    /// [`Error::NoBinary`] when its binary is not a file.
    pub fn new(spec: FunctionSpec) -> Result<Self, Error> {
        let spec = spec.absolute()?;
        let logs = Arc::new(Logs::new(spec.name.clone(), spec.logs.clone()));
        let pid = watch::Sender::new(None);
        let condemned = watch::Sender::new(None);
        let inner = Arc::new(Inner { spec, logs, running: Mutex::new(None), pid, condemned });
        Ok(Self { _guard: Arc::new(Guard(Arc::clone(&inner))), inner })
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        &self.inner.spec.name
    }

    /// Invokes the function and returns its answer.
    ///
    /// The invocation runs to its end even when the caller stops waiting, as on Lambda.
    ///
    /// # Errors
    /// [`InvocationError`], which says whether the function failed, the process ended, or the invocation timed out.
    pub async fn invoke(&self, event: &Value) -> Result<Value, InvocationError> {
        let run = self.begin(event, Lineage::next(None, self.name()).header());
        run.await.unwrap_or_else(|_| Err(InvocationError::Interrupted))
    }

    /// Starts an invocation with this trace header. The invocation does not keep the process alive after the last
    /// handle is dropped.
    pub(crate) fn begin(&self, event: &Value, trace: String) -> JoinHandle<Result<Value, InvocationError>> {
        let payload = Bytes::from(event.to_string());
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move { inner.run(payload, trace).await })
    }

    /// What the process wrote to standard output and standard error: the last 10,000 lines.
    pub fn logs(&self) -> Vec<String> {
        self.inner.logs.lines()
    }

    /// The process's id, if it runs.
    pub fn pid(&self) -> Option<u32> {
        *self.inner.pid.borrow()
    }

    /// Kills the process, busy or idle. A running invocation ends with [`InvocationError::Ended`]; the next invocation
    /// starts a new process.
    pub async fn kill(&self) {
        let Some(victim) = self.pid() else { return };
        self.inner.condemned.send_replace(Some(victim));
        let mut pid = self.inner.pid.subscribe();
        tokio::select! {
            mut slot = self.inner.running.lock() => {
                if let Some(mut running) = slot.take_if(|running| running.pid == Some(victim)) {
                    self.inner.end(&mut running).await;
                }
            }
            // The running invocation handles the exit status: the waiting task may move between threads.
            () = async { drop(pid.wait_for(|pid| *pid != Some(victim)).await) } => {}
        }
    }
}

impl Inner {
    async fn end(&self, running: &mut Running) {
        // The process may have ended by itself, which is fine.
        let _ = running.child.kill().await;
        self.pid.send_replace(None);
    }

    /// The process of the last invocation if it still runs, else a new one. A process that ended between invocations
    /// is replaced silently, as on Lambda.
    async fn process(&self, last: Option<Running>) -> Result<Running, InvocationError> {
        if let Some(mut running) = last
            && matches!(running.child.try_wait(), Ok(None))
        {
            return Ok(running);
        }
        self.start().await
    }

    async fn run(&self, payload: Bytes, trace: String) -> Result<Value, InvocationError> {
        let mut slot = self.running.lock().await;
        let last = slot.take();
        let mut running = self.process(last).await?;
        let outcome = self.work(&mut running, payload, trace).await;
        match &outcome {
            Err(InvocationError::Ended { .. } | InvocationError::TimedOut { .. }) => {
                self.end(&mut running).await
            }
            _ => *slot = Some(running),
        }
        outcome
    }

    /// How the process ended: by itself, or killed on request.
    async fn ended(&self, child: &mut Child) -> InvocationError {
        let mut condemned = self.condemned.subscribe();
        let pid = child.id();
        let ended = tokio::select! {
            status = child.wait() => Some(status),
            _ = condemned.wait_for(|victim| victim.is_some() && *victim == pid) => None,
        };
        let status = match ended {
            Some(status) => status,
            None => match child.start_kill() {
                Ok(()) => child.wait().await,
                Err(error) => Err(error),
            },
        };
        InvocationError::Ended { status: status.ok() }
    }

    async fn start(&self) -> Result<Running, InvocationError> {
        let api = RuntimeApi::start().await.map_err(|error| InvocationError::Start(error.into()))?;
        let mut command = self.spec.command(api.address());
        let mut child = command.spawn().map_err(|error| InvocationError::Start(error.into()))?;
        let pid = child.id();
        self.pid.send_replace(pid);
        self.logs.follow(child.stdout.take(), child.stderr.take());
        let started = tokio::select! {
            biased;
            ready = api.ready() => ready.map_err(|(error_type, message)| InvocationError::Init { error_type, message }),
            ended = self.ended(&mut child) => Err(ended),
            () = sleep(INIT_LIMIT) => Err(InvocationError::TimedOut { after: INIT_LIMIT }),
        };
        let mut running = Running { child, pid, api };
        match started {
            Ok(()) => Ok(running),
            Err(error) => {
                self.end(&mut running).await;
                Err(error)
            }
        }
    }

    async fn work(
        &self,
        running: &mut Running,
        payload: Bytes,
        trace: String,
    ) -> Result<Value, InvocationError> {
        let id = uuid::Uuid::new_v4().to_string();
        let limit = self.spec.timeout;
        let allowed_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let deadline_ms = Timestamp::now().as_millisecond().saturating_add(allowed_ms);
        let arn = arn("lambda", &format!("function:{}", self.spec.name));
        let answer = running.api.invoke(Invocation { id, arn, deadline_ms, trace, payload });
        let finished = async {
            tokio::select! {
                // An answer that arrived before the process ended counts.
                biased;
                Ok(answer) = answer => Ok(answer),
                ended = self.ended(&mut running.child) => Err(ended),
            }
        };
        match timeout(limit, finished).await {
            Err(_) => Err(InvocationError::TimedOut { after: limit }),
            Ok(Err(ended)) => Err(ended),
            Ok(Ok(Answer::Error { kind, message })) => {
                Err(InvocationError::Function { error_type: kind, message })
            }
            Ok(Ok(Answer::Response(body))) => {
                serde_json::from_slice(&body).map_err(|source| InvocationError::NotJson { source })
            }
        }
    }
}
