//! Amazon S3: a file in one call, or in the parts of a multipart upload. An object is there with its last part, and not before.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use crate::{Error, PIECE_BYTES, Pieces, Problem, Refused, Uploaded};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use std::error::Error as StdError;
use std::time::Duration;
use tokio::time::Instant;

const NAME: &str = "S3";
const PDF: &str = "application/pdf";
/// The most bytes of a key.
const LONGEST_KEY: usize = 1_024;
/// How long one try of a part may take, and all of its tries together.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(180));

/// How long the removal of parts may take: the attempt may be at its end.
const LONGEST_ABORT: Duration = Duration::from_secs(10);

/// Amazon S3 with the credential of the function's role.
#[derive(Clone, Debug)]
pub struct S3(Client);

impl S3 {
    /// A client with this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        let (attempt, operation) = TIMEOUTS;
        let timeouts = TimeoutConfig::builder()
            // In place of the HTTP client's limit, which is for short calls.
            .read_timeout(attempt)
            .operation_attempt_timeout(attempt)
            .operation_timeout(operation)
            .build();
        let config = Builder::from(config)
            .timeout_config(timeouts)
            // The signature has a checksum of each part already.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        Self(Client::from_conf(config.build()))
    }

    /// Puts a file into a bucket, until `until`. One that is there is replaced.
    ///
    /// # Errors
    /// [`Error`]. Parts that were sent are removed; those of a process that has died, a lifecycle rule of the bucket removes.
    pub async fn upload(
        &self,
        bucket: &str,
        path: &[String],
        pieces: &Pieces<'_>,
        until: Instant,
    ) -> Result<Uploaded, Error> {
        let key = path.join("/");
        if key.len() > LONGEST_KEY {
            let advice = "the key has more than 1,024 bytes: use fewer folders, or shorter names".to_owned();
            return Err(refused("take the file", 0, "KeyTooLong".to_owned(), Problem::Name, advice));
        }
        let upload = Upload { client: &self.0, bucket, key: &key, pieces };
        let total = pieces.size_bytes();
        let out_of_time = |sent| Error::OutOfTime { service: NAME, sent, total };
        if total <= PIECE_BYTES as u64 {
            tokio::time::timeout_at(until, upload.whole()).await.map_err(|_| out_of_time(0))??;
        } else {
            let id = tokio::time::timeout_at(until, upload.begin()).await.map_err(|_| out_of_time(0))??;
            let parts = tokio::time::timeout_at(until, upload.parts(&id)).await.map_err(|_| out_of_time(0));
            if let Err(error) = parts.and_then(|parts| parts) {
                upload.abort(&id).await;
                return Err(error);
            }
        }
        let name = path.last().cloned().unwrap_or_default();
        Ok(Uploaded { id: format!("s3://{bucket}/{key}"), name, link: None })
    }
}

struct Upload<'a> {
    client: &'a Client,
    bucket: &'a str,
    key: &'a str,
    pieces: &'a Pieces<'a>,
}

impl Upload<'_> {
    async fn whole(&self) -> Result<(), Error> {
        let body = ByteStream::from(self.pieces.at(0).map_err(Error::Disk)?);
        let put = self.client.put_object().bucket(self.bucket).key(self.key).content_type(PDF).body(body);
        put.send().await.map_err(|error| self.error("take the file", "s3:PutObject", &error))?;
        Ok(())
    }

    async fn begin(&self) -> Result<String, Error> {
        let begin = self.client.create_multipart_upload().bucket(self.bucket).key(self.key).content_type(PDF);
        let begun =
            begin.send().await.map_err(|error| self.error("begin an upload", "s3:PutObject", &error))?;
        begun.upload_id().map(str::to_owned).ok_or_else(|| {
            let advice = "the answer has no id of the upload. It is tried again".to_owned();
            refused("begin an upload", 200, "no id".to_owned(), Problem::Unavailable, advice)
        })
    }

    async fn parts(&self, id: &str) -> Result<(), Error> {
        let mut offset = 0;
        let mut parts = Vec::new();
        for number in 1.. {
            let piece = self.pieces.at(offset).map_err(Error::Disk)?;
            if piece.is_empty() {
                break;
            }
            offset += piece.len() as u64;
            let put =
                self.client.upload_part().bucket(self.bucket).key(self.key).upload_id(id).part_number(number);
            let put = put.body(ByteStream::from(piece)).send().await;
            let put = put.map_err(|error| self.error("take a part", "s3:PutObject", &error))?;
            parts.push(CompletedPart::builder().part_number(number).set_e_tag(put.e_tag).build());
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete =
            self.client.complete_multipart_upload().bucket(self.bucket).key(self.key).upload_id(id);
        let completed = complete.multipart_upload(parts).send().await;
        completed.map_err(|error| self.error("complete the upload", "s3:PutObject", &error))?;
        Ok(())
    }

    /// Removes the parts that were sent. If that fails, a lifecycle rule of the bucket does it.
    async fn abort(&self, id: &str) {
        let abort = self.client.abort_multipart_upload().bucket(self.bucket).key(self.key).upload_id(id);
        let reason = match tokio::time::timeout(LONGEST_ABORT, abort.send()).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => aws_http::reason("s3:AbortMultipartUpload", &error),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(reason, "the parts of an upload could not be removed");
    }

    fn error<E>(&self, action: &'static str, of: &str, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let said = aws_http::said(error);
        let status = said.map_or(0, |said| said.status);
        let code = said.map(|said| aws_http::code(said.code)).unwrap_or_default();
        let (problem, advice) = meaning(status, code, self.bucket);
        refused(action, status, aws_http::reason(of, error), problem, advice)
    }
}

/// What a refusal means. An answer of 200 may hold an error, so the code counts before the status.
fn meaning(status: u16, code: &str, bucket: &str) -> (Problem, String) {
    match (status, code) {
        (_, "SlowDown" | "ServiceUnavailable") | (503 | 429, _) => {
            (Problem::Throttled, "there are too many requests for now".to_owned())
        }
        // The role's token has ended in an instance that slept, or the first answer to the last call was lost.
        (_, "InternalError" | "RequestTimeout" | "ExpiredToken" | "NoSuchUpload") | (0 | 408 | 500.., _) => {
            (Problem::Unavailable, "it is tried again".to_owned())
        }
        (_, "NoSuchBucket") => {
            (Problem::NoPlace, format!("there is no bucket `{bucket}`: check `bucket` in the rule"))
        }
        (403, _) => (
            Problem::Credential,
            format!(
                "the function may not write to `{bucket}`: add arn:aws:s3:::{bucket}/* to the parameter PdfObjectArns, and check the policy \
                 of the bucket and its key"
            ),
        ),
        (301 | 307 | 308, _) | (400, "AuthorizationHeaderMalformed") => (
            Problem::NoPlace,
            format!("the bucket `{bucket}` is in another region: name one in the region of the stack"),
        ),
        _ => (Problem::Other, "this is not expected: see the code".to_owned()),
    }
}

fn refused(action: &'static str, status: u16, reason: String, problem: Problem, advice: String) -> Error {
    Refused { service: NAME, action, status, reason, problem, advice, retry_after: None }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_passes_is_known_by_its_code_before_its_status() {
        for (status, code, problem) in [
            (200, "InternalError", Problem::Unavailable),
            (200, "SlowDown", Problem::Throttled),
            (400, "RequestTimeout", Problem::Unavailable),
            (400, "ExpiredToken", Problem::Unavailable),
            (404, "NoSuchUpload", Problem::Unavailable),
            (404, "NoSuchBucket", Problem::NoPlace),
            (503, "", Problem::Throttled),
            (500, "", Problem::Unavailable),
            (0, "", Problem::Unavailable),
            (403, "AccessDenied", Problem::Credential),
            (301, "PermanentRedirect", Problem::NoPlace),
            (400, "InvalidArgument", Problem::Other),
        ] {
            assert_eq!(meaning(status, code, "b").0, problem, "{status} {code}");
        }
    }
}
