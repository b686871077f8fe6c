//! `up`: the local stack.

mod binaries;
mod hints;
mod settings;
mod way;
mod world;

use crate::options::UpOptions;
use simulator::notes;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use way::Way;
use workflow::BoxError;
use world::World;

/// What fails at Tableau, by itself, when the stack has come up.
const FIRST_FAILURE: &str = "Sales Orders";
/// How long the first event may take. It takes a second; what takes this long has gone wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts everything, sends one failing refresh through, and stays up.
pub(crate) async fn up(options: UpOptions) -> Result<ExitCode, BoxError> {
    println!("tableau-webhooks: the local stack\n");
    let paths = settings::Paths::find(&options)?;
    let settings = settings::Settings::read(&options.env_file)?;
    // Before the build, which may take minutes.
    world::check_ports(&options)?;
    let binaries = binaries::ready(&options, &paths.template).await?;
    let (sender, events) = mpsc::unbounded_channel();
    let started = Instant::now();
    let world = World::start(&options, &paths, &settings, &binaries, sender).await?;
    println!();
    for line in world.summary() {
        println!("  {line}");
    }
    println!("  all of it up after {} ms\n", started.elapsed().as_millis());

    let mut way = Way::new(events, world.slack.clone());
    println!("An extract refresh fails at Tableau …\n");
    world.fail_refresh(FIRST_FAILURE, notes::SQL_SERVER_LOGIN).await?;
    let arrived = tokio::time::timeout(PATIENCE, way.first()).await;
    if arrived.is_err() {
        world.stop().await;
        return Err(format!(
            "the event did not arrive within {} s; its way so far is above",
            PATIENCE.as_secs()
        )
        .into());
    }
    if options.once {
        world.stop().await;
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", hints::text(&world));
    tokio::select! {
        () = way.follow() => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    println!("\nstopping …");
    world.stop().await;
    Ok(ExitCode::SUCCESS)
}
