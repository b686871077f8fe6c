//! What comparing an event with many rules costs, as a ratio: `examples/evaluate.rs` counts instructions.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use common::{facts, failure, file, noon, rules};
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

fn least_time(count: usize) -> Duration {
    let mut text = String::new();
    for number in 0..count {
        let line = "on: [RefreshFailed], where: { project: \"HR/**\", tags: { any: [critical] } }";
        writeln!(text, "  - {{ name: r{number}, {line}, do: [{{ notify-slack: {{ channel: a }} }}] }}")
            .unwrap();
    }
    let rules = rules(&file(&text));
    let event = failure();
    let facts = facts();
    let at = noon();
    let time = |_| {
        let start = Instant::now();
        black_box(rules.matching("notify-slack", black_box(&event), &facts, at).unwrap());
        start.elapsed()
    };
    (0..40).map(time).min().unwrap()
}

// Issue 15
#[test]
fn ten_times_the_rules_cost_about_ten_times_as_much_and_not_a_hundred_times() {
    let few = least_time(150);
    let many = least_time(1500);
    assert!(many < few * 40, "150 rules: {few:?}, 1500 rules: {many:?}");
}
