//! Ctrl-C: the first asks the command to stop in order, the second stops it at once.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of a program that Ctrl-C has stopped, as shells report it.
const INTERRUPTED: u8 = 130;

/// Whether Ctrl-C was pressed.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts to listen for Ctrl-C.
    pub(super) fn listen() -> Self {
        let asked = Self::default();
        let flag = Arc::clone(&asked.0);
        tokio::spawn(async move {
            // If no handler can be installed, Ctrl-C stops the program at once, which loses no dead letter either.
            if tokio::signal::ctrl_c().await.is_ok() {
                flag.store(true, Ordering::Relaxed);
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(i32::from(INTERRUPTED));
            }
        });
        asked
    }

    pub(super) fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn exit_code() -> ExitCode {
        ExitCode::from(INTERRUPTED)
    }
}
