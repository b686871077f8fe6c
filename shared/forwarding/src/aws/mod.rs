//! Event buses and topics of AWS.

mod bus;
mod refusal;
mod topic;

pub(crate) use refusal::AwsError;

use aws_types::SdkConfig;
use aws_types::region::Region;
use jiff::Timestamp;
use std::fmt;
use std::time::Duration;

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a bus or topic gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'a> {
    /// The ARN of the bus or topic.
    pub(crate) arn: &'a str,
    /// The region in the ARN.
    pub(crate) region: &'a str,
    /// The id of the message.
    pub(crate) id: &'a str,
    /// The event's name.
    pub(crate) event: &'a str,
    /// What happened, in one line.
    pub(crate) title: &'a str,
    /// The LUID of the object.
    pub(crate) object: &'a str,
    /// When it happened.
    pub(crate) at: Option<Timestamp>,
    /// A JSON text.
    pub(crate) body: &'a str,
}

/// AWS, in the region of each bus and topic.
pub struct AwsDestinations(SdkConfig);

impl fmt::Debug for AwsDestinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsDestinations")
    }
}

impl AwsDestinations {
    /// Calls with the function's own permissions.
    pub fn new(config: SdkConfig) -> Self {
        Self(config)
    }

    fn region(letter: Letter<'_>) -> Region {
        Region::new(letter.region.to_owned())
    }
}
