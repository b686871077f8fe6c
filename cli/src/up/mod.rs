//! `up`: the local stack.

mod binaries;
mod hints;
mod settings;
mod way;
mod world;

use crate::options::UpOptions;
use crate::out::{line, note};
use local_aws::StackEvent;
use simulator::notes;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use way::{First, Way};
use workflow::BoxError;
use world::World;

/// What fails at Tableau, by itself, when the stack has come up.
const FIRST_FAILURE: &str = "Sales Orders";
/// How long the first event may take. It takes a second; what takes this long has gone wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts everything, sends one failing refresh through, and stays up.
pub(crate) async fn up(options: UpOptions) -> Result<ExitCode, BoxError> {
    line!("tableau-webhooks: the local stack\n")?;
    let paths = settings::Paths::find(&options)?;
    let settings = settings::Settings::read(options.env_file.as_deref())?;
    for sentence in settings.unknown() {
        note(format!("warning: {sentence}"));
    }
    for sentence in settings.unused() {
        note(format!("note: {sentence}"));
    }
    world::check_ports(&options)?;
    let binaries = binaries::folder(&options, &paths.template)?;
    let (sender, events) = mpsc::unbounded_channel();
    let started = Instant::now();
    let world = World::start(&options, &paths, &settings, &binaries, sender).await?;
    let shown = show(&world, started, options.once, events).await;
    world.stop().await;
    shown?;
    Ok(ExitCode::SUCCESS)
}

/// Sends the first event through, and shows what happens until it is time to end.
async fn show(
    world: &World,
    started: Instant,
    once: bool,
    events: UnboundedReceiver<StackEvent>,
) -> Result<(), BoxError> {
    line!()?;
    for part in world.summary() {
        line!("  {part}")?;
    }
    line!("  all of it up after {} ms\n", started.elapsed().as_millis())?;

    let mut way = Way::new(events, world.slack.clone());
    line!("An extract refresh fails at Tableau …\n")?;
    world.fail_refresh(FIRST_FAILURE, notes::SQL_SERVER_LOGIN).await?;
    match tokio::time::timeout(PATIENCE, way.first()).await {
        Ok(first) => {
            if let First::Waits(reason) = first? {
                line!("\nNo message now; by the rules it waits {reason}\n")?;
            }
        }
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            return Err(format!("no message within {seconds} s; the event's way so far is above").into());
        }
    }
    if once {
        return Ok(());
    }
    line!("{}", hints::text(world))?;
    tokio::select! {
        shown = way.follow() => shown?,
        stopped = tokio::signal::ctrl_c() => {
            stopped?;
            line!("\nstopping …")?;
        }
    }
    Ok(())
}
