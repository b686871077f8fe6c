//! Decides which requests a loopback listener accepts. No I/O.

use http::header::{HOST, HeaderName, ORIGIN, REFERER};
use http::{HeaderMap, Request, Version};

/// The host names of this machine in URLs.
const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Checks the head of a request to a listener on `port`. Sources for the headers:
/// <https://fetch.spec.whatwg.org/#origin-header>, <https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header>
///
/// # Errors
/// The reason for the refusal, as a part of a sentence.
pub(crate) fn check<B>(request: &Request<B>, port: u16) -> Result<(), &'static str> {
    if request.version() != Version::HTTP_11 {
        return Err("the request is not HTTP/1.1");
    }
    let headers = request.headers();
    let host = only(headers, &HOST)?.ok_or("the request has no Host")?;
    if !is_own(host, port) {
        return Err("the Host is not this machine's address");
    }
    // HTTP/1.1: when the request target contains a host, that host counts, not the `Host` header.
    if request.uri().authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host)) {
        return Err("the request is for another place than its Host");
    }
    let fetch_site = only(headers, &SEC_FETCH_SITE)?;
    // A page that sends no referrer has the origin `null` in its forms. Only the browser can say that it is a page of ours: a sandboxed
    // page, whose origin is `null` too, is of another site for it.
    let is_ours_without_referrer = |origin: &str| origin == "null" && fetch_site == Some("same-origin");
    // Otherwise only this exact origin is accepted: another port or host name belongs to another program's page.
    let is_other = |origin: &str| {
        !without_scheme(origin).is_some_and(|place| place.eq_ignore_ascii_case(host))
            && !is_ours_without_referrer(origin)
    };
    if only(headers, &ORIGIN)?.is_some_and(is_other) {
        return Err("the request comes from a page of another origin");
    }
    // Programs send an `Origin` header too when they follow a redirect from one double to another.
    if only(headers, &REFERER)?.is_some_and(|referer| !is_on_this_machine(referer)) {
        return Err("the request comes from a page of another machine");
    }
    match fetch_site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err("the request comes from a page of another site"),
    }
}

/// The value of a header that may occur at most once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, &'static str> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err("a header about the origin of the request is there twice");
    }
    value.to_str().map(Some).map_err(|_| "a header about the origin of the request is not text")
}

/// The text after the host `name` at the start of `authority`. Host names ignore case (RFC 9110, 4.2.3); a trailing
/// dot makes a different name.
fn behind<'a>(authority: &'a str, name: &str) -> Option<&'a str> {
    let (start, rest) = authority.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(rest)
}

fn is_own(host: &str, port: u16) -> bool {
    NAMES.iter().any(|name| match behind(host, name) {
        Some("") => port == 80,
        Some(rest) => rest.strip_prefix(':').is_some_and(|text| text == port.to_string()),
        None => false,
    })
}

fn without_scheme(url: &str) -> Option<&str> {
    url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))
}

/// Whether a URL has a host name of this machine, on any port.
fn is_on_this_machine(url: &str) -> bool {
    let authority = without_scheme(url).and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    authority.is_some_and(|authority| {
        NAMES.iter().any(|name| match behind(authority, name) {
            Some(rest) => rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port),
            None => false,
        })
    })
}
