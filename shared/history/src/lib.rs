#![doc = include_str!("../README.md")]

mod column;
mod days;
mod erase;
mod erased_people;
mod error;
mod event;
mod export;
mod files;
mod incidents;
mod owners;
mod report;
mod row;
mod week;
mod weekly;

pub use column::{Column, Kind, Type};
pub use days::{begin, day_of};
pub use deliveries::Records;
pub use erase::{Erased, erase, erase_file};
pub use erased_people::ErasedPeople;
pub use error::Error;
pub use event::{EventRecords, Happened};
pub use export::{Exported, ExportedDay, Exporter, Exports, records_that_name};
pub use files::{FOLDER, Files, Lines, STATE, is_state, key, of_key, packed, unpacked};
pub use incidents::{Change, End, Object, PastIncident, Timeline};
pub use owners::{OwnerLookup, Owners};
pub use report::{Reporter, Tally};
pub use row::{DeliveryRow, EventRow, IncidentRow, done_at};
pub use week::Week;
pub use weekly::Reports;
