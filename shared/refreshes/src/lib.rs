#![doc = include_str!("../README.md")]

mod board;
mod end;
mod history;
mod keys;
mod lane;
mod request;
mod run;
mod say;
mod table;
mod transition;
mod view;
mod wake;

pub use board::{Accepted, Begin, Board, NewRequest};
pub use end::{Cause, End, EndStatus, Refusal};
pub use history::{Asked, HISTORY};
pub use keys::{OVERDUE, Place, place_of_timer, request_of_timer, site_of_timer};
pub use lane::{Lane, Limits, Next, Pause, Started, Ticket};
pub use request::{By, Callback, CallbackState, LONGEST_TIMEOUT, Outcome, Request, Status, Target};
pub use run::{LONGEST_RUN, Past, Run, Runs, Start, State, Waiter};
pub use say::moment;
pub use table::Changed;
pub use transition::Taken;
pub use view::View;
