//! `up`: the local stack.

mod binaries;
mod documents;
mod env_file;
mod environment;
mod forward;
mod frames;
mod hints;
mod pagerduty;
mod servicenow;
mod settings;
mod slack_form;
mod teams;
mod trace;
mod twilio;
mod vendors;

pub(crate) use environment::SAMPLE_SITE;

use crate::options::UpOptions;
use crate::out::{line, note};
use environment::Environment;
use frames::Frames;
use local_aws::StackEvent;
use simulator::notes;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use trace::{First, Trace};
use workflow::BoxError;

/// The data source whose refresh fails when the local stack has started.
const FIRST_FAILURE: &str = "Sales Orders";
/// How long the first event may take. Usually it takes a second; after this time something is wrong.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Starts the local stack, sends one failed refresh through it, and keeps running.
pub(crate) async fn up(options: UpOptions) -> Result<ExitCode, BoxError> {
    line!("tableau-webhooks: the local stack\n")?;
    let settings = settings::Settings::read(options.env_file.as_deref())?;
    let paths = settings::Paths::find(&options, &settings)?;
    if let Some(sentence) = settings.readable() {
        note(format!("warning: {sentence}"));
    }
    for sentence in settings.unknown() {
        note(format!("warning: {sentence}"));
    }
    for sentence in settings.unused() {
        note(format!("note: {sentence}"));
    }
    environment::check_ports(&options)?;
    let binaries = binaries::folder(&options, &paths.template)?;
    let (sender, events) = mpsc::unbounded_channel();
    let started = Instant::now();
    // From here on this program handles its own end, so that the file with the keys is deleted first.
    let stop = Stop::listen()?;
    let environment = Environment::start(&options, &paths, &settings, &binaries, sender).await?;
    let registration = environment.to_find()?.register();
    if let Err(error) = &registration {
        note(format!("note: `--local` does not find this stack: {error}"));
    }
    let shown = tokio::select! {
        shown = show(&environment, started, options.once, events) => shown,
        () = stop.comes() => line!("\nstopping …").map_err(BoxError::from),
    };
    drop(registration);
    environment.stop().await;
    shown?;
    Ok(ExitCode::SUCCESS)
}

/// The signals that ask the program to stop: Ctrl-C and, on Unix, others.
struct Stop {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl Stop {
    #[cfg(unix)]
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self { signals: [interrupt?, terminate?, hangup?] })
    }

    #[cfg(unix)]
    async fn comes(self) {
        let [mut interrupt, mut terminate, mut hangup] = self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn comes(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Sends the first event, and shows what happens until the program is asked to stop.
async fn show(
    environment: &Environment,
    started: Instant,
    once: bool,
    events: UnboundedReceiver<StackEvent>,
) -> Result<(), BoxError> {
    line!()?;
    for part in environment.summary() {
        line!("  {part}")?;
    }
    line!("  everything is up after {} ms\n", started.elapsed().as_millis())?;

    let names = environment.names();
    let frames = Frames::new(environment.vendors.clone(), names.aws.clone());
    let mut trace = Trace::new(events, names, frames);
    line!("An extract refresh fails at Tableau …\n")?;
    environment.fail_refresh(FIRST_FAILURE, notes::SQL_SERVER_LOGIN).await?;
    match tokio::time::timeout(TIMEOUT, trace.first()).await {
        Ok(first) => {
            if let First::Grouped(reason) = first? {
                line!("\nNo message now: the event is {reason}\n")?;
            }
        }
        Err(_) => {
            let seconds = TIMEOUT.as_secs();
            return Err(format!(
                "no message within {seconds} s: the lines above show how far the event came"
            )
            .into());
        }
    }
    if once {
        return Ok(());
    }
    line!("{}", hints::text(environment))?;
    trace.follow().await?;
    Ok(())
}
