//! The hours in which a channel may be notified.

use crate::environment::at;
use fastrand::Rng;
use jiff::Timestamp;

/// The quiet hours, in minutes from the beginning of the night.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hours {
    All,
    Critical,
    QuietFrom(i64, i64),
    MutedUntil(i64),
}

impl Hours {
    pub(super) fn by_chance(rng: &mut Rng) -> Self {
        let minute = rng.i64(0..20);
        match rng.u32(..6) {
            0 => Self::Critical,
            1 | 2 => Self::QuietFrom(minute, minute + rng.i64(1..40)),
            3 => Self::MutedUntil(minute),
            _ => Self::All,
        }
    }

    /// The quiet hours as lines of a rule.
    pub(super) fn in_rules(self) -> String {
        let clock = |minute| at(minute).strftime("%H:%M").to_string();
        match self {
            Self::All => String::new(),
            Self::Critical => "    critical: true\n".to_owned(),
            Self::QuietFrom(from, to) => {
                format!("    quiet: {{ from: {}, to: {} }}\n", clock(from), clock(to))
            }
            Self::MutedUntil(minute) => format!("    mute_until: {}\n", at(minute)),
        }
    }

    pub(super) fn are_quiet(self, now: Timestamp) -> bool {
        match self {
            Self::All | Self::Critical => false,
            Self::QuietFrom(from, to) => at(from) <= now && now < at(to),
            Self::MutedUntil(minute) => now < at(minute),
        }
    }
}
