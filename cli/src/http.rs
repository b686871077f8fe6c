//! The HTTP client for a person's machine.

use confidential::SecureUrl;
use std::path::PathBuf;
use url::Url;

/// The longest answer that is read, in bytes. The ingress answers in one line.
const ANSWER_LIMIT_BYTES: usize = 64 * 1024;

/// Reads an answer as text.
///
/// # Errors
/// What is wrong with the answer, as the end of a sentence about the server: the answer is too long, or does not end
/// in time.
pub(crate) async fn text(mut response: reqwest::Response) -> Result<String, String> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > ANSWER_LIMIT_BYTES => {
                return Err(format!(
                    "with more than {} KiB, which the ingress never does",
                    ANSWER_LIMIT_BYTES / 1024
                ));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(String::from_utf8_lossy(&body).into_owned()),
            Err(error) if error.is_timeout() => {
                let seconds = http_client::REQUEST_TIMEOUT.as_secs();
                return Err(format!("without an end within {seconds} s"));
            }
            Err(error) => {
                return Err(format!("and broke off: {}", workflow::chain(&error.without_url())));
            }
        }
    }
}

/// The HTTP client for `to`: through the machine's proxy, unless `to` is this machine. Also trusts the certificate
/// authorities in `AWS_CA_BUNDLE`, as every AWS tool does (for example a proxy's own).
pub(crate) fn client(to: Option<&Url>) -> Result<reqwest::Client, http_client::Error> {
    let authorities = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()).map(PathBuf::from);
    match to.is_some_and(is_loopback) {
        true => http_client::client(authorities.as_deref()),
        false => http_client::client_behind_proxy(authorities.as_deref()),
    }
}

/// Whether the URL is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    SecureUrl::try_from(url.clone()).is_ok_and(|url| url.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        for (url, expected) in [
            ("http://127.0.0.1:8093", true),
            ("http://localhost:8093", true),
            ("http://[::1]:8093", true),
            ("https://sqs.eu-central-1.amazonaws.com", false),
            ("https://localhost.example.com", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
