//! Amazon S3: buckets that take objects, in one call or in parts, give them back, list and delete them.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

use super::md5_hex::md5_hex;
use super::{Refusal, query_protocol};
use axum::Extension;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::collections::BTreeMap;

/// How many keys a page of a list has at most.
const PAGE: usize = 1_000;
/// The least size of a part that is not the last one.
const LEAST_PART: usize = 5 * 1024 * 1024;

/// An object in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Object {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The content type.
    pub content_type: String,
    /// The content.
    pub content: Vec<u8>,
    /// In how many parts it was sent; 0 for one call.
    pub parts: usize,
    /// How often an object of this key was written.
    pub versions: usize,
}

/// A multipart upload that has not ended.
#[derive(Debug)]
struct Open {
    bucket: String,
    key: String,
    content_type: String,
    parts: BTreeMap<u32, Vec<u8>>,
}

/// Buckets and what is in them.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    /// Whether others may be written to, by name.
    buckets: BTreeMap<String, bool>,
    objects: Vec<S3Object>,
    uploads: BTreeMap<String, Open>,
    /// How many parts are still taken before all fail; `None`: none fails.
    parts_left: Option<u32>,
}

/// Whether a request is one to S3: the signature names the service, since neither path nor headers do.
pub(super) fn is_s3(headers: &HeaderMap) -> bool {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    authorization.is_some_and(|value| value.contains("/s3/aws4_request"))
}

/// The entity tag of an object: S3's is a checksum as well, in quotation marks.
fn entity_tag(content: &[u8]) -> String {
    format!("\"{}\"", md5_hex(content))
}

fn refused(status: StatusCode, code: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    );
    (status, body).into_response()
}

/// The operation of a request, for counts and faults; `None` for one that is not known here.
pub(super) fn operation(parts: &Parts) -> Option<&'static str> {
    let fields = query_protocol::fields(parts.uri.query().unwrap_or_default());
    let is_upload = fields.contains_key("uploadId");
    let is_begin = parts.uri.query().unwrap_or_default().split('&').any(|field| field.starts_with("uploads"));
    let is_bucket = !parts.uri.path().trim_start_matches('/').contains('/');
    Some(match (&parts.method, is_upload) {
        (&Method::PUT, true) => "S3.UploadPart",
        (&Method::PUT, false) => "S3.PutObject",
        (&Method::POST, true) => "S3.CompleteMultipartUpload",
        (&Method::POST, false) if is_begin => "S3.CreateMultipartUpload",
        (&Method::DELETE, true) => "S3.AbortMultipartUpload",
        (&Method::DELETE, false) => "S3.DeleteObject",
        (&Method::GET, false) if is_bucket || parts.uri.path().ends_with('/') => "S3.ListObjectsV2",
        (&Method::GET, false) => "S3.GetObject",
        _ => return None,
    })
}

/// An answer with an object: its content type is the object's own.
#[derive(Clone, Copy)]
pub(super) struct IsObject;

/// The answer to a call that was to fail.
pub(super) fn failed(refusal: &Refusal) -> Response {
    match refusal.status {
        StatusCode::INTERNAL_SERVER_ERROR => internal_error(),
        StatusCode::FORBIDDEN => refused(StatusCode::FORBIDDEN, "AccessDenied"),
        _ => refused(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
    }
}

pub(super) fn internal_error() -> Response {
    refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
}

pub(super) fn denied() -> Response {
    refused(StatusCode::FORBIDDEN, "SignatureDoesNotMatch")
}

impl Buckets {
    pub(super) fn create(&mut self, name: &str, is_writable: bool) {
        self.buckets.insert(name.to_owned(), is_writable);
    }

    pub(super) fn objects(&self) -> Vec<S3Object> {
        self.objects.clone()
    }

    pub(super) fn open_uploads(&self) -> usize {
        self.uploads.len()
    }

    pub(super) fn fail_after(&mut self, parts: Option<u32>) {
        self.parts_left = parts;
    }

    pub(super) fn answer(&mut self, parts: &Parts, body: &[u8]) -> Response {
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy().into_owned();
        let path = path.trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        match self.buckets.get(bucket) {
            None => return refused(StatusCode::NOT_FOUND, "NoSuchBucket"),
            Some(false) => return refused(StatusCode::FORBIDDEN, "AccessDenied"),
            Some(true) => {}
        }
        let query = query_protocol::fields(parts.uri.query().unwrap_or_default());
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let upload = query.get("uploadId");
        // The name of this field has no value.
        let is_begin = |field: &str| field == "uploads" || field == "uploads=";
        let begins = parts.uri.query().is_some_and(|query| query.split('&').any(is_begin));
        match (&parts.method, upload) {
            (&Method::POST, None) if begins => {
                let id = uuid::Uuid::new_v4().simple().to_string();
                let (bucket, key) = (bucket.to_owned(), key.to_owned());
                self.uploads.insert(id.clone(), Open { bucket, key, content_type, parts: BTreeMap::new() });
                format!(
                    "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                )
                .into_response()
            }
            (&Method::PUT, Some(id)) => self.part(id, query.get("partNumber").map(String::as_str), body),
            (&Method::POST, Some(id)) => match self.refused_by_condition(&parts.headers, bucket, key) {
                Some(refusal) => refusal,
                None => self.complete(id),
            },
            (&Method::DELETE, Some(id)) => {
                self.uploads.remove(id);
                StatusCode::NO_CONTENT.into_response()
            }
            (&Method::PUT, None) => {
                if let Some(refusal) = self.refused_by_condition(&parts.headers, bucket, key) {
                    return refusal;
                }
                self.put(bucket, key, content_type, body.to_vec(), 0);
                [(header::ETAG, entity_tag(body))].into_response()
            }
            (&Method::GET, None) if key.is_empty() => self.list(bucket, &query),
            (&Method::GET, None) => self.get(bucket, key),
            (&Method::DELETE, None) if !key.is_empty() => {
                self.objects.retain(|object| object.bucket != bucket || object.key != key);
                StatusCode::NO_CONTENT.into_response()
            }
            _ => refused(StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
        }
    }

    fn find(&self, bucket: &str, key: &str) -> Option<&S3Object> {
        self.objects.iter().find(|object| object.bucket == bucket && object.key == key)
    }

    /// The answer to a write whose condition does not hold.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    fn refused_by_condition(&self, headers: &HeaderMap, bucket: &str, key: &str) -> Option<Response> {
        let there = self.find(bucket, key).map(|object| entity_tag(&object.content));
        let wanted = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        match (wanted(header::IF_MATCH), wanted(header::IF_NONE_MATCH), there) {
            (None, None, _) | (None, Some("*"), None) => None,
            (None, Some("*"), Some(_)) => {
                Some(refused(StatusCode::PRECONDITION_FAILED, "PreconditionFailed"))
            }
            (Some(_), None, None) => Some(refused(StatusCode::NOT_FOUND, "NoSuchKey")),
            (Some(wanted), None, Some(there)) if wanted.trim_matches('"') == there.trim_matches('"') => None,
            (Some(_), None, Some(_)) => Some(refused(StatusCode::PRECONDITION_FAILED, "PreconditionFailed")),
            (_, Some(_), _) => Some(refused(StatusCode::NOT_IMPLEMENTED, "NotImplemented")),
        }
    }

    fn get(&self, bucket: &str, key: &str) -> Response {
        match self.find(bucket, key) {
            Some(object) => {
                let content_type = object.content_type.clone();
                let headers =
                    [(header::CONTENT_TYPE, content_type), (header::ETAG, entity_tag(&object.content))];
                (Extension(IsObject), headers, object.content.clone()).into_response()
            }
            None => refused(StatusCode::NOT_FOUND, "NoSuchKey"),
        }
    }

    /// `ListObjectsV2`, in pages.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
    fn list(&self, bucket: &str, query: &BTreeMap<String, String>) -> Response {
        const KNOWN: [&str; 6] =
            ["list-type", "prefix", "max-keys", "continuation-token", "encoding-type", "x-id"];
        if query.get("list-type").map(String::as_str) != Some("2")
            || query.keys().any(|name| !KNOWN.contains(&name.as_str()))
        {
            return refused(StatusCode::NOT_IMPLEMENTED, "NotImplemented");
        }
        let prefix = query.get("prefix").map_or("", String::as_str);
        let most = query.get("max-keys").and_then(|text| text.parse().ok()).unwrap_or(PAGE).min(PAGE);
        let after = query.get("continuation-token").map_or("", String::as_str);
        let mut found: Vec<&S3Object> = self
            .objects
            .iter()
            .filter(|object| object.bucket == bucket && object.key.starts_with(prefix))
            .filter(|object| object.key.as_str() > after)
            .collect();
        found.sort_by_key(|object| &object.key);
        let is_truncated = found.len() > most;
        found.truncate(most);
        // A key of these buckets that XML or a URL would change is sent encoded where the client asks for that.
        let is_encoded = query.get("encoding-type").is_some_and(|encoding| encoding == "url");
        let shown = |key: &str| match is_encoded {
            true => utf8_percent_encode(key, NON_ALPHANUMERIC).to_string(),
            false => query_protocol::escaped(key),
        };
        let mut body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Name>{bucket}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{most}</MaxKeys>\
             <IsTruncated>{is_truncated}</IsTruncated>",
            shown(prefix),
            found.len()
        );
        if is_encoded {
            body.push_str("<EncodingType>url</EncodingType>");
        }
        if let Some(last) = found.last().filter(|_| is_truncated) {
            let token = query_protocol::escaped(&last.key);
            body.push_str(&format!("<NextContinuationToken>{token}</NextContinuationToken>"));
        }
        for object in found {
            let (key, size) = (shown(&object.key), object.content.len());
            body.push_str(&format!(
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            ));
        }
        body.push_str("</ListBucketResult>");
        ([(header::CONTENT_TYPE.as_str(), "application/xml")], body).into_response()
    }

    fn part(&mut self, id: &str, number: Option<&str>, body: &[u8]) -> Response {
        match &mut self.parts_left {
            Some(0) => return refused(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
            Some(left) => *left -= 1,
            None => {}
        }
        let number =
            number.and_then(|text| text.parse::<u32>().ok()).filter(|number| (1..=10_000).contains(number));
        let Some(number) = number else { return refused(StatusCode::BAD_REQUEST, "InvalidArgument") };
        let Some(upload) = self.uploads.get_mut(id) else {
            return refused(StatusCode::NOT_FOUND, "NoSuchUpload");
        };
        upload.parts.insert(number, body.to_vec());
        [("etag", format!("\"part-{number}\""))].into_response()
    }

    fn complete(&mut self, id: &str) -> Response {
        let Some(upload) = self.uploads.get(id) else {
            return refused(StatusCode::NOT_FOUND, "NoSuchUpload");
        };
        let last = upload.parts.keys().next_back().copied().unwrap_or_default();
        if upload.parts.iter().any(|(number, part)| *number != last && part.len() < LEAST_PART) {
            return refused(StatusCode::BAD_REQUEST, "EntityTooSmall");
        }
        let Some(Open { bucket, key, content_type, parts }) = self.uploads.remove(id) else {
            return refused(StatusCode::NOT_FOUND, "NoSuchUpload");
        };
        let count = parts.len();
        let content: Vec<u8> = parts.into_values().flatten().collect();
        let tag = entity_tag(&content);
        self.put(&bucket, &key, content_type, content, count);
        format!("<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>")
            .into_response()
    }

    fn put(&mut self, bucket: &str, key: &str, content_type: String, content: Vec<u8>, parts: usize) {
        let is_same = |object: &&mut S3Object| object.bucket == bucket && object.key == key;
        let versions = self.objects.iter_mut().find(is_same).map_or(0, |object| object.versions);
        self.objects.retain(|object| object.bucket != bucket || object.key != key);
        let bucket = bucket.to_owned();
        let key = key.to_owned();
        self.objects.push(S3Object { bucket, key, content_type, content, parts, versions: versions + 1 });
    }
}
