#![doc = include_str!("../README.md")]

mod api;
mod attempt;
mod attempted;
mod aws;
mod batch;
mod causes;
mod derived;
mod env;
mod event;
mod function;
mod host;
mod http;
mod ingress;
mod pages;
mod publish;
mod queue;
mod request;
mod retry;
mod telemetry;
mod timers;
mod trial;

#[cfg(test)]
mod clocks;
#[cfg(test)]
mod model;
#[cfg(test)]
mod requests;

pub use derived::DerivedEvents;
pub use env::{Env, MissingSettings, Settings};
pub use host::{Host, StartError};
pub use timers::{AwsTimer, Schedules};
