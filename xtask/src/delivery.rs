//! `cargo xtask delivery`: the fault run, the ingress flood, the storm and the scenarios of `tests/delivery/`.

use crate::check::{Emulator, Iam, TOOLS};
use crate::repository::{Problem, Repository, succeed};

/// The usual number of events and seed.
const USUAL: Arguments = Arguments { events: 120, seed: 1 };

/// Sends events through the real functions on an AWS emulator while it injects faults, then measures floods and storms of events.
/// Prints the results as tables.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Number of events. 2000 take about half an hour.
    #[arg(long, default_value_t = USUAL.events, value_parser = clap::value_parser!(u32).range(20..=10_000))]
    events: u32,
    /// Seed of the random faults.
    #[arg(long, default_value_t = USUAL.seed)]
    seed: u64,
}

impl Default for Arguments {
    fn default() -> Self {
        USUAL
    }
}

/// Runs the command.
pub(crate) fn run(repository: &Repository, arguments: &Arguments) -> Result<(), Problem> {
    TOOLS.install(repository)?;
    // The functions' binaries too, which no test of this package builds.
    succeed(repository.cargo().args(["test", "--workspace", "--no-run", "--quiet"]))?;
    let emulator = Emulator::start(repository, Iam::Off)?;
    let mut cargo = repository.cargo();
    cargo.args(["test", "--workspace", "--test", "delivery", "--"]);
    // One after the other: the flood is measured.
    cargo.args(["--nocapture", "--test-threads", "1", "faults::", "flood::", "storm::", "scenarios::"]);
    cargo.env("EMULATOR_URL", emulator.url());
    cargo.env("DELIVERY_EVENTS", arguments.events.to_string());
    cargo.env("DELIVERY_SEED", arguments.seed.to_string());
    succeed(&mut cargo).map_err(|problem| emulator.explain(problem))
}
