//! Checksums as AWS writes them.

use md5::{Digest as _, Md5};
use std::fmt::Write as _;

/// The MD5 sum, in hexadecimal digits.
pub(super) fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
