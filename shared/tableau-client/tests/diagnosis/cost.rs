//! No note costs much more time than another of its size.

use std::time::{Duration, Instant};
use tableau_client::diagnose;

/// How many times as long as an ordinary note a hostile one may take.
const FACTOR: u32 = 40;

/// The shortest of three runs: what else runs on the machine counts less.
fn time_of(notes: &str) -> Duration {
    let run = |_| {
        let start = Instant::now();
        diagnose(notes);
        start.elapsed()
    };
    (0..3).map(run).min().unwrap_or_default()
}

#[test]
fn hostile_notes_take_little_longer_than_ordinary_ones_of_their_size() {
    const SIZE: usize = 16 * 1024;
    let of_size = |part: &str| part.repeat(SIZE / part.len());
    let ordinary = time_of(&of_size(
        "ERROR: relation \"orders\" does not exist\n\tat com.example.Query.run(Query.java:12)\n",
    ));
    for part in [
        "a.Exception: ",
        "caused by: ",
        "a ",
        "[",
        "user '",
        "a\n",
        "https://",
        "a=b;",
        "unable to connect to ",
        "é",
        "\"",
        "1 ",
        "login failed \"a ",
        "at .........(",
        "a_b.c column ",
        "サーバー接続",
    ] {
        let time = time_of(&of_size(part));
        println!("{part:?}: {:.1} times", time.as_secs_f64() / ordinary.as_secs_f64());
        assert!(time < ordinary * FACTOR, "{part:?}: {time:?}, and {ordinary:?} for ordinary notes");
    }
}
