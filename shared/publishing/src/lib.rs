#![doc = include_str!("../README.md")]

mod error;
mod graph;
mod name;
mod pieces;
mod s3;
mod uploaded;

pub use error::{Error, Problem, Refused};
pub use graph::{Existing, GraphAddresses, GraphCredential, Place, SharePoint};
pub use name::{LONGEST_NAME, NAME_AND_LIBRARY, PathTooLong, clean, fit};
pub use pieces::{PIECE_BYTES, Pieces};
pub use s3::S3;
pub use uploaded::Uploaded;
