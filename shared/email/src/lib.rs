#![doc = include_str!("../README.md")]

mod answer;
mod error;
mod headers;
mod letter;
mod mail;
mod notifier;
mod pace;
mod render;
mod ses;
mod target;
mod words;

pub use error::{Error, Refusal, masked};
pub use letter::{Letter, Paragraph};
pub use mail::{Mail, Unsubscribe};
pub use notifier::EmailNotifier;
pub use render::{Rendered, render};
pub use ses::{Sender, Ses};
pub use target::{MOST_RECIPIENTS, MailTarget, Reason};
