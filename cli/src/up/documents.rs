//! When the message of a group or digest is due, as the table of the local stack has it.

use crate::http;
use alerting::SharedStatus;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use jiff::Timestamp;
use local_aws::Keys;
use store::records::DynamoDbRecords;
use workflow::{BoxError, SharedMessage};

/// Not asked for: how a message announces a certain event.
const NO_EVENT: &str = "-";

/// The alerting documents of the local stack.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl Documents {
    /// Those in `table` of the AWS at `url`.
    ///
    /// # Errors
    /// When the URL is none, or TLS cannot be set up.
    pub(super) fn at(url: &str, keys: &Keys, table: &str) -> Result<Self, BoxError> {
        let token = Some(keys.session_token().to_owned());
        let keys =
            Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, None, "the local stack");
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(local_aws::REGION))
            .endpoint_url(url)
            .credentials_provider(keys)
            .http_client(aws_http::shared_client(http::client(Some(&url.parse()?))?))
            .build();
        Ok(Self { client: aws_sdk_dynamodb::Client::from_conf(config), table: table.to_owned() })
    }

    /// When the first of these messages of `workflow` is due; `None` when none is.
    pub(super) async fn due(&self, workflow: &str, messages: &[SharedMessage]) -> Option<Timestamp> {
        let records = DynamoDbRecords::new(self.client.clone(), &self.table, workflow);
        let mut due: Option<Timestamp> = None;
        for message in messages {
            let status = SharedStatus::of(&records, workflow, message, NO_EVENT, Timestamp::now()).await;
            let next = status.ok().flatten().and_then(|status| status.due);
            due = [due, next].into_iter().flatten().min();
        }
        due
    }
}
