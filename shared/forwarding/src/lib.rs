#![doc = include_str!("../README.md")]

mod aws;
mod body;
mod documents;
mod enrich;
mod forwarder;
mod incidents;
pub mod network;
mod signature;
mod target;

pub use aws::AwsDestinations;
pub use body::body;
pub use enrich::{enrich, of_sample, of_test};
pub use forwarder::{Forwarder, Parcel, Sent};
pub use incidents::{Incidents, Turn};
pub use signature::{SigningKey, message_id, signatures};
pub use target::{Answer, ForwardCredential, Meaning, Targets};
