#![doc = include_str!("../README.md")]

mod aws;
mod custom;
mod error;
mod gateway;
mod lambda;
mod lineage;
mod poller;
mod process;
mod repeat;
mod runtime_api;
mod server;
mod stack;
mod stack_event;
pub mod template;

pub use aws::{
    ACCOUNT, Aws, DeadLetters, Fault, IndexSpec, KeyAttribute, KeyKind, KeySchema, Keys, Mail, Publication,
    QueueSpec, REGION, S3Object, STACK, Schedule, SesAccount, StackResource, StoredMessage, TableSpec,
    Target,
};
pub use error::Error;
pub use gateway::RouteKey;
pub use process::{FunctionSpec, InvocationError, LambdaProcess, LogLine};
pub use stack::{Stack, StackOptions};
pub use stack_event::StackEvent;
