#![doc = include_str!("../README.md")]

mod column;
mod days;
mod erase;
mod erase_in_bucket;
mod erased_people;
mod error;
mod event;
mod export;
mod files;
mod incidents;
mod invocation;
mod owners;
mod report;
mod row;
mod week;
mod weekly;

pub use column::{Column, Kind, Type};
pub use days::{day_of, is_kept};
pub use deliveries::Records;
pub use erase_in_bucket::{ErasedFiles, erase_person};
pub use erased_people::ErasedPeople;
pub use error::Error;
pub use export::{Exported, ExportedDay, Exporter, Exports, records_that_name};
pub use files::{FOLDER, Files, key, of_key, unpacked};
pub use invocation::{Answer, SiteReport, SiteReports, Start};
pub use owners::Owners;
pub use report::{Reporter, Tally};
pub use week::Week;
pub use weekly::Reports;
