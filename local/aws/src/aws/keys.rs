//! The access keys of one run of the AWS double, and the check of signatures made with them.

use super::Refusal;
use super::names::{REGION, random_alphanumeric};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::fmt;
use std::time::SystemTime;
use subtle::ConstantTimeEq as _;

/// The length of an access key id, as AWS allows it. 26 random letters and digits carry 154 bits.
const ID: (&str, usize) = ("LOCAL", 26);
/// The length of a secret access key on AWS.
const SECRET_LENGTH: usize = 40;
const TOKEN_LENGTH: usize = 64;

/// The access keys that clients of one [`Aws`](super::Aws) sign with. Each instance makes its own keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys([redacted])")
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self::new()
    }
}

impl Keys {
    /// Generates new random keys.
    pub fn new() -> Self {
        let (prefix, length) = ID;
        Self {
            access_key_id: format!("{prefix}{}", random_alphanumeric(length)),
            secret_access_key: random_alphanumeric(SECRET_LENGTH),
            session_token: random_alphanumeric(TOKEN_LENGTH),
        }
    }

    /// The value of `AWS_ACCESS_KEY_ID`.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The value of `AWS_SECRET_ACCESS_KEY`.
    pub fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    /// The value of `AWS_SESSION_TOKEN`.
    pub fn session_token(&self) -> &str {
        &self.session_token
    }
}

/// The parts of a request's `Authorization` header.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    service: &'a str,
    region: &'a str,
    /// The names of the signed headers, in lower case.
    headers: Vec<&'a str>,
    signature: &'a str,
    time: SystemTime,
}

/// Why a call's signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    NotSigned,
    Incomplete,
    UnknownKey,
    WrongSignature,
}

impl Denied {
    /// The refusal as services with a JSON protocol write it.
    ///
    /// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html>
    pub(super) fn refusal(self) -> Refusal {
        let (kind, message) = match self {
            Self::NotSigned => {
                ("MissingAuthenticationTokenException", "Request is missing Authentication Token")
            }
            Self::Incomplete => ("IncompleteSignatureException", "The request signature is not complete."),
            Self::UnknownKey => {
                ("UnrecognizedClientException", "The security token included in the request is invalid.")
            }
            Self::WrongSignature => (
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method.",
            ),
        };
        Refusal::new(format!("com.amazon.coral.service#{kind}"), message)
    }

    /// The refusal as CloudFormation writes it in its XML protocol.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>
    pub(super) fn refusal_of_forms(self) -> Refusal {
        let code = match self {
            Self::NotSigned => "MissingAuthenticationToken",
            Self::Incomplete => "IncompleteSignature",
            Self::UnknownKey => "InvalidClientTokenId",
            Self::WrongSignature => "SignatureDoesNotMatch",
        };
        self.refusal().of_kind(code).with_status(StatusCode::FORBIDDEN)
    }
}

impl Keys {
    /// Checks the request's head before the body is read: is the request signed, and with this run's access key id?
    pub(super) fn look_at<'a>(&self, headers: &'a HeaderMap) -> Result<Signed<'a>, Denied> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = text(header::AUTHORIZATION.as_str()).ok_or(Denied::NotSigned)?;
        let (id, signed) = read(authorization, text("x-amz-date")).ok_or(Denied::Incomplete)?;
        let token = text("x-amz-security-token").unwrap_or_default();
        let is_known = same(id, &self.access_key_id) & same(token, &self.session_token);
        if is_known && signed.region == REGION { Ok(signed) } else { Err(Denied::UnknownKey) }
    }

    /// Checks the signature: signs the same request with the AWS SDK's own signer and compares the two signatures.
    pub(super) fn verify(&self, signed: &Signed<'_>, parts: &Parts, body: &[u8]) -> Result<(), Denied> {
        let identity: Identity = Credentials::new(
            &self.access_key_id,
            &self.secret_access_key,
            Some(self.session_token.clone()),
            None,
            "local-aws",
        )
        .into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(signed.region)
            .name(signed.service)
            .time(signed.time)
            .settings(settings(signed.service))
            .build()
            .map_err(|_| Denied::Incomplete)?;
        let mut headers = Vec::with_capacity(signed.headers.len());
        for name in signed.headers.iter().copied() {
            for value in parts.headers.get_all(name) {
                headers.push((name, value.to_str().map_err(|_| Denied::Incomplete)?));
            }
        }
        let uri = parts.uri.to_string();
        let request = SignableRequest::new(
            parts.method.as_str(),
            uri.as_str(),
            headers.into_iter(),
            SignableBody::Bytes(body),
        );
        let output = request.and_then(|request| sign(request, &params.into()));
        let output = output.map_err(|_| Denied::Incomplete)?;
        if same(output.signature(), signed.signature) { Ok(()) } else { Err(Denied::WrongSignature) }
    }
}

/// How a service wants requests to be signed: S3 has rules of its own.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}

/// Splits an `Authorization` header into the access key id and the rest.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html>
fn read<'a>(authorization: &'a str, date: Option<&str>) -> Option<(&'a str, Signed<'a>)> {
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let field =
        |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
    let mut scope = field("Credential")?.split('/');
    let id = scope.next()?;
    let _day = scope.next()?;
    let region = scope.next()?;
    let service = scope.next()?;
    let headers = field("SignedHeaders")?.split(';').collect();
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", date?).ok()?.to_zoned(TimeZone::UTC).ok()?;
    let signature = field("Signature")?;
    Some((id, Signed { service, region, headers, signature, time: time.timestamp().into() }))
}

/// Compares two texts in constant time.
fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
