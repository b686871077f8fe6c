//! Limits of the bodies that templates make.

/// The longest body that a template may make, in bytes: what Amazon SNS takes, with room for what stands beside it.
pub const LONGEST_BYTES: usize = 240 * 1024;
