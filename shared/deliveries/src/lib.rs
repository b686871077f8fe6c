#![doc = include_str!("../README.md")]

mod attribute;
mod batch;
mod claim;
mod content;
mod dynamodb;
mod expression;
mod facts;
mod history;
mod key;
mod machine;
mod memory;
mod message;
mod record;
mod records;
mod state;

pub use attribute::{ATTRIBUTES, INDEX, INDEX_CARRIES, INDEX_KEYS, KEPT};
pub use batch::{Causes, Whole};
pub use claim::{Claim, ClaimStore, Claimant, End, Ended, Progress, StoreError};
pub use content::{Content, UNREADABLE, Unreadable};
pub use dynamodb::DynamoDbClaims;
pub use facts::EventFacts;
pub use history::{Entry, HISTORY_LIMIT};
pub use key::{DeliveryKey, NotADeliveryKey};
pub use memory::MemoryClaims;
pub use message::{SOURCE, of_message};
pub use record::{LONGEST_CLAIM, Record};
pub use records::{Records, Walk};
pub use state::State;
pub use workflow::{Effect, OtherEffect};
