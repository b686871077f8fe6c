//! Random faults. One seed decides which faults; timing on the machine decides which requests they hit.

use fastrand::Rng;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A source of random faults. While calmed, neither this source nor its forks produce faults.
#[derive(Debug)]
pub(crate) struct Random {
    rng: Mutex<Rng>,
    calm: Arc<AtomicBool>,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Mutex::new(Rng::with_seed(seed)), calm: Arc::default() }
    }

    /// A new source with its own sequence, so that the number of draws from one does not change the other.
    pub(crate) fn fork(&self) -> Self {
        Self { rng: Mutex::new(self.rng.lock().unwrap().fork()), calm: Arc::clone(&self.calm) }
    }

    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::SeqCst);
    }

    pub(crate) fn wake_up(&self) {
        self.calm.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    /// Draws one of these faults, each with its weight in thousandths; mostly `None`.
    pub(crate) fn pick<T: Copy>(&self, of: &[(u32, T)]) -> Option<T> {
        let mut drawn = self.rng.lock().unwrap().u32(..1_000);
        for (per_mille, what) in of {
            match drawn.checked_sub(*per_mille) {
                _ if self.is_calm() => return None,
                None => return Some(*what),
                Some(rest) => drawn = rest,
            }
        }
        None
    }

    pub(crate) fn happens(&self, per_mille: u32) -> bool {
        self.pick(&[(per_mille, ())]).is_some()
    }

    /// A random number below `end`, even while calmed.
    pub(crate) fn below(&self, end: usize) -> usize {
        self.rng.lock().unwrap().usize(..end)
    }

    pub(crate) fn shuffle<T>(&self, items: &mut [T]) {
        self.rng.lock().unwrap().shuffle(items);
    }

    pub(crate) async fn pause(&self, ms: Range<u64>) {
        let ms = self.rng.lock().unwrap().u64(ms);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

#[test]
fn chance_is_as_often_as_it_says_the_same_again_and_ends_when_it_is_calmed() {
    let draw = || {
        let random = Random::new(7);
        let fork = random.fork();
        let drawn: Vec<_> = (0..10_000).map(|_| fork.pick(&[(300, 'a'), (100, 'b')])).collect();
        random.calm_down();
        assert!((0..1_000).all(|_| fork.pick(&[(1_000, 'a')]).is_none()));
        drawn
    };
    let drawn = draw();
    let count = |what| drawn.iter().filter(|drawn| **drawn == what).count();
    for (what, about) in [(Some('a'), 3_000), (Some('b'), 1_000), (None, 6_000)] {
        assert!(count(what).abs_diff(about) < 300, "{what:?}: {}", count(what));
    }
    assert_eq!(drawn, draw());
}
