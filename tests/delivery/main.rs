//! Do events arrive from Tableau to the destination, on the real binaries?
//!
//! `way`: the stack of `template.yaml` on our own double of AWS, with nothing but Rust. `faults`, `flood`, `storm`: the same
//! binaries on an AWS emulator, with everything going wrong at once; `cargo xtask check --step delivery` starts one,
//! `cargo xtask delivery` runs them at any size. README.md says what they show.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod accesses;
mod announcements;
mod emulator;
mod end_to_end;
mod events;
mod faults;
mod figures;
mod findings;
mod flood;
mod groups;
mod history;
mod proxy;
mod random;
#[expect(dead_code, reason = "the tests of the template need more of it")]
#[path = "../template/reading.rs"]
mod reading;
mod roles;
mod run;
mod scenarios;
mod slack;
mod store;
mod storm;
mod together;
mod workers;
mod writes;

use std::path::{Path, PathBuf};

/// The folder of the functions' binaries: the parent of this test binary's folder.
fn binaries() -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(Path::parent).expect("target/debug/deps/delivery-…").to_owned()
}
