#![doc = include_str!("../README.md")]

mod error;
mod graph;
mod name;
mod pieces;

pub use error::{Error, Problem, Refused};
pub use graph::{Existing, GraphAddresses, GraphCredential, Place, SharePoint, Uploaded};
pub use name::{LONGEST_NAME, NAME_AND_LIBRARY, PathTooLong, clean, fit};
pub use pieces::{PIECE_BYTES, Pieces};
