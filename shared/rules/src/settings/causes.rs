//! The classes of causes, as rules name them. No I/O.

use crate::hints;

/// The classes of causes that a failed refresh can have. A test holds that they are those of `tableau-client`, which
/// this crate may not use.
pub const CAUSES: [&str; 15] = [
    "Credentials",
    "Permission",
    "Unreachable",
    "TimeLimit",
    "Cancelled",
    "Resources",
    "Quota",
    "Schema",
    "DataType",
    "SourceMissing",
    "DriverMissing",
    "Bridge",
    "Engine",
    "Busy",
    "Unknown",
];

/// The name that `Unknown` had before. Rules with it stay valid.
pub(crate) const FORMER_UNKNOWN: &str = "Other";

/// The class with this name, in any case. `Other` is `Unknown`.
pub fn cause(name: &str) -> Option<&'static str> {
    let current = if name.eq_ignore_ascii_case(FORMER_UNKNOWN) { "Unknown" } else { name };
    CAUSES.into_iter().find(|class| class.eq_ignore_ascii_case(current))
}

/// What to say of a name that no class has.
pub fn unknown_cause(name: &str) -> String {
    match hints::cause(name).or_else(|| tableau::nearest(name, CAUSES)) {
        Some(meant) => format!("`{name}` is not a class of causes; did you mean `{meant}`?"),
        None => format!("`{name}` is not a class of causes; there are: {}", CAUSES.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_found_in_any_case_and_by_the_name_it_had_before() {
        for class in CAUSES {
            assert_eq!(cause(class), Some(class));
            assert_eq!(cause(&class.to_uppercase()), Some(class));
        }
        for other in ["Other", "other", "unknown"] {
            assert_eq!(cause(other), Some("Unknown"));
        }
        assert_eq!(cause("Timeout"), None);
    }

    #[test]
    fn every_name_that_is_a_hint_leads_to_a_class_and_none_is_a_class() {
        for name in hints::names_for_causes() {
            let meant = hints::cause(name).unwrap();
            assert!(CAUSES.contains(&meant), "{name}: {meant}");
            assert_eq!(cause(name), None, "{name} is a class");
        }
    }
}
