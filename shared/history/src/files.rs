//! The files of the export in Amazon S3.

use crate::column::Kind;
use crate::error::Error;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Read, Write};
use std::time::Duration;

/// How long one try of a call may take, and all of its tries together.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(180));
/// The most bytes of a file when it is unpacked: about a million rows, which is a day of a very large site.
const LONGEST: u64 = 1 << 30;
const TYPE: &str = "application/gzip";
/// What S3 answers to a write with the condition that a version is still there: there is another one, another one is being written, none is
/// there any more.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
const ANOTHER_VERSION: [&str; 3] = ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"];

/// The folder of what is for readers.
pub const FOLDER: &str = "history/";
/// The folder of what the export keeps for itself.
const STATE: &str = "state/";

/// The key of a file: one for each kind and day.
pub fn key(kind: Kind, day: Date) -> String {
    format!("{FOLDER}{kind}/day={day}/{kind}.ndjson.gz")
}

/// The kind and day of a key; `None` for another object.
pub fn of_key(text: &str) -> Option<(Kind, Date)> {
    let day = text.split('/').find_map(|part| part.strip_prefix("day="))?.parse().ok()?;
    let kind = Kind::ALL.into_iter().find(|kind| key(*kind, day) == text)?;
    Some((kind, day))
}

/// The key of what is known about incidents at the end of a day.
pub(crate) fn state_key(day: Date) -> String {
    format!("{STATE}day={day}/incidents.json.gz")
}

/// Whether the export keeps this object for itself.
pub(crate) fn is_state(key: &str) -> bool {
    let day = key.split('/').find_map(|part| part.strip_prefix("day=")).and_then(|day| day.parse().ok());
    day.is_some_and(|day| state_key(day) == key)
}

/// A file in the making: lines of JSON, packed.
#[derive(Debug)]
pub(crate) struct Lines {
    packed: GzEncoder<Vec<u8>>,
    rows: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self { packed: GzEncoder::new(Vec::new(), Compression::default()), rows: 0 }
    }
}

impl Lines {
    /// Adds a row.
    pub(crate) fn push(&mut self, row: &impl Serialize) {
        // Rows have no maps with keys that are no text, and a vector takes every byte.
        if let Ok(mut line) = serde_json::to_vec(row) {
            line.push(b'\n');
            if self.packed.write_all(&line).is_ok() {
                self.rows += 1;
            }
        }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The file.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.packed.finish().unwrap_or_default()
    }
}

/// Packs bytes as a file of the export is packed.
pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let _ = packed.write_all(bytes);
    packed.finish().unwrap_or_default()
}

/// Unpacks a file.
///
/// # Errors
/// [`Error::File`] for one that is not gzip, or too long.
pub fn unpacked(key: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let failed = |reason: String| Error::File { key: key.to_owned(), reason };
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(bytes).take(LONGEST + 1);
    reader.read_to_end(&mut unpacked).map_err(|error| failed(error.to_string()))?;
    if unpacked.len() as u64 > LONGEST {
        return Err(failed("it has more than 1 GiB".to_owned()));
    }
    Ok(unpacked)
}

/// Which content an object has: its entity tag.
#[derive(Debug)]
pub(crate) struct Version(Option<String>);

/// The bucket of the export.
#[derive(Clone, Debug)]
pub struct Files {
    client: Client,
    bucket: String,
}

impl Files {
    /// The bucket of this name.
    pub fn new(config: &SdkConfig, bucket: impl Into<String>) -> Self {
        let (attempt, operation) = TIMEOUTS;
        let timeouts = TimeoutConfig::builder()
            // In place of the HTTP client's limit, which is for short calls.
            .read_timeout(attempt)
            .operation_attempt_timeout(attempt)
            .operation_timeout(operation)
            .build();
        let config = Builder::from(config)
            .timeout_config(timeouts)
            // The signature has a checksum already.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            // A bucket at a local address has no name of its own there.
            .force_path_style(config.endpoint_url().is_some());
        Self { client: Client::from_conf(config.build()), bucket: bucket.into() }
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Writes an object, in place of one that is there. Needs `s3:PutObject`.
    ///
    /// # Errors
    /// [`Error::Bucket`].
    pub async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(TYPE);
        let put = put.body(ByteStream::from(bytes)).send().await;
        put.map_err(|error| failed("write", key, aws_http::reason("s3:PutObject", &error)))?;
        Ok(())
    }

    /// Writes an object in place of the version that was read. Returns false, and writes nothing, if another one is there now, or none. Needs
    /// `s3:PutObject` and `s3:GetObject`.
    ///
    /// # Errors
    /// [`Error::Bucket`].
    pub(crate) async fn replace(&self, key: &str, bytes: Vec<u8>, read: &Version) -> Result<bool, Error> {
        let Version(Some(tag)) = read else {
            return Err(failed("write", key, "the bucket does not say which version it has".to_owned()));
        };
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(TYPE);
        match put.if_match(tag).body(ByteStream::from(bytes)).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code().is_some_and(|code| ANOTHER_VERSION.contains(&code)) => Ok(false),
            Err(error) => Err(failed("write", key, aws_http::reason("s3:PutObject", &error))),
        }
    }

    /// Reads an object; `None` if it is not there. Needs `s3:GetObject`, and `s3:ListBucket` to tell that it is not there.
    ///
    /// # Errors
    /// [`Error::Bucket`].
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.get_version(key).await?.map(|(bytes, _)| bytes))
    }

    /// Reads an object, and which version of it that is. As [`Self::get`].
    pub(crate) async fn get_version(&self, key: &str) -> Result<Option<(Vec<u8>, Version)>, Error> {
        let answer = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => {
                return Ok(None);
            }
            Err(error) => return Err(failed("read", key, aws_http::reason("s3:GetObject", &error))),
        };
        let version = Version(answer.e_tag);
        let body = answer.body.collect().await;
        let body = body.map_err(|_| {
            failed(
                "read",
                key,
                "the connection ended before the whole object was there; try again".to_owned(),
            )
        })?;
        Ok(Some((body.to_vec(), version)))
    }

    /// The keys that begin so. Needs `s3:ListBucket`.
    ///
    /// # Errors
    /// [`Error::Bucket`].
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let mut next = None;
        loop {
            let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let answer = list.set_continuation_token(next).send().await;
            let answer =
                answer.map_err(|error| failed("list", prefix, aws_http::reason("s3:ListBucket", &error)))?;
            keys.extend(answer.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
            next = answer.next_continuation_token;
            if next.is_none() {
                return Ok(keys);
            }
        }
    }

    /// The keys of all that the export has written: people may keep other objects beside it.
    pub(crate) async fn keys(&self) -> Result<Vec<String>, Error> {
        let mut keys = [self.list(FOLDER).await?, self.list(STATE).await?].concat();
        keys.retain(|key| of_key(key).is_some() || is_state(key));
        Ok(keys)
    }

    pub(crate) async fn state<T: DeserializeOwned>(&self, day: Date) -> Result<Option<T>, Error> {
        let key = state_key(day);
        let Some(bytes) = self.get(&key).await? else { return Ok(None) };
        let text = unpacked(&key, &bytes)?;
        let state = serde_json::from_slice(&text);
        state.map(Some).map_err(|error| Error::File { key, reason: error.to_string() })
    }

    pub(crate) async fn put_state(&self, day: Date, state: &impl Serialize) -> Result<(), Error> {
        let key = state_key(day);
        let text = serde_json::to_vec(state)
            .map_err(|error| Error::File { key: key.clone(), reason: error.to_string() })?;
        self.put(&key, packed(&text)).await
    }
}

fn failed(action: &'static str, key: &str, reason: String) -> Error {
    Error::Bucket { action, key: key.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Case H01: one file a day and kind.
    #[test]
    fn a_day_and_kind_have_one_key() {
        let day = "2026-11-29".parse().unwrap();
        assert_eq!(key(Kind::Events, day), "history/events/day=2026-11-29/events.ndjson.gz");
        for kind in Kind::ALL {
            assert_eq!(of_key(&key(kind, day)), Some((kind, day)));
        }
        for other in [
            "",
            "history/events/day=2026-11-29/x.ndjson.gz",
            "history/events/day=x/events.ndjson.gz",
            &state_key(day),
        ] {
            assert_eq!(of_key(other), None, "{other}");
        }
        assert!(is_state(&state_key(day)) && !is_state(&key(Kind::Events, day)));
    }

    #[test]
    fn lines_are_packed_and_come_back() {
        let mut lines = Lines::default();
        for n in 0..3 {
            lines.push(&json!({ "n": n, "text": "a\nb" }));
        }
        assert_eq!(lines.rows(), 3);
        let text = unpacked("k", &lines.finish()).unwrap();
        assert_eq!(String::from_utf8(text).unwrap().lines().count(), 3);
        assert!(
            unpacked("k", &Lines::default().finish()).unwrap().is_empty(),
            "a day without rows is a file without lines"
        );
        assert_eq!(unpacked("k", &packed(b"x")).unwrap(), b"x");
        let error = unpacked("history/x", b"{}").unwrap_err().to_string();
        assert!(error.starts_with("history/x is not a file of the export: "), "{error}");
    }
}
