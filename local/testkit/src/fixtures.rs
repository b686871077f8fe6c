//! The files of `events/`.

use crate::repository::root;
use serde_json::Value;

/// A file of `events/`, such as `tableau/datasource-refresh-failed.json`.
pub fn bytes(path: &str) -> Vec<u8> {
    let path = root().join("events").join(path);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A file of `events/` that holds JSON.
pub fn json(path: &str) -> Value {
    serde_json::from_slice(&bytes(path)).unwrap_or_else(|e| panic!("events/{path}: {e}"))
}
