//! `send`: a realistic event, posted as Tableau would.

use crate::http;
use crate::local;
use crate::names::event_name;
use crate::options::{LOCAL_AWS_PORT, SendOptions};
use crate::out::{line, plain};
use confidential::{Secrets, SecureUrl};
use jiff::Timestamp;
use std::process::ExitCode;
use url::Url;
use workflow::BoxError;

/// Posts the event and prints the answer. The exit code tells whether it was a 2xx.
pub(crate) async fn send(options: SendOptions) -> Result<ExitCode, BoxError> {
    let name = event_name(&options.event)?;
    let payload = simulator::sample_payload(&name, Timestamp::now());
    let payload = payload.ok_or_else(|| format!("the sample content has nothing for {name}"))?;
    if options.dry_run {
        line!("{payload}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let to = match options.to {
        // What was given may hold the token, so the error does not repeat it.
        Some(text) => text.trim().parse::<Url>().map_err(|_| {
            "what --to or WEBHOOK_URL holds is no URL: it must begin with https:// and a host, and is not repeated here \
             because it may hold the token"
        })?,
        None => local::find(None, LOCAL_AWS_PORT)?.webhook_url()?,
    };
    // The token in it must not cross a network in clear text.
    let to = SecureUrl::try_from(to).map_err(|invalid| format!("the URL in --to {invalid}"))?;
    let secrets = Secrets::of_url(&to);
    let place = place(&to);
    let local = http::is_loopback(&to);
    let http = http::client(Some(&to))?;
    let request = http.post(to.as_url().clone()).header("content-type", "application/json").body(payload);
    let response = request.send().await.map_err(|e| unreachable(&place, local, &e.without_url()))?;
    let status = response.status();
    let body = http::text(response).await;
    let body = body.map_err(|what| format!("{place} answered {} {what}; check --to", status.as_u16()))?;
    let body = plain(&body);
    let body = secrets.redact_text(&body);
    line!("POST {place}  {name}\n{} {body}", status.as_u16())?;
    Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The address without the token, wherever it stands: what is printed ends up in histories and tickets. Of the path only
/// words are shown, which a token is not.
fn place(url: &Url) -> String {
    let is_word = |segment: &&str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        segment.len() < 32 && segment.bytes().all(fits)
    };
    let path: Vec<&str> = url.path_segments().into_iter().flatten().filter(is_word).collect();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}/{}", url.scheme(), url.host_str().unwrap_or_default(), path.join("/"))
}

fn unreachable(place: &str, local: bool, error: &reqwest::Error) -> BoxError {
    let hint =
        if local && error.is_connect() { "; is the local stack up? `cargo run` starts it" } else { "" };
    format!("no answer from {place}{hint}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tableau::EventName;

    #[test]
    fn the_printed_address_has_no_token() {
        let token = "t".repeat(43);
        for url in [
            format!("https://abc.execute-api.eu-central-1.amazonaws.com/webhook?token={token}"),
            format!("https://abc.execute-api.eu-central-1.amazonaws.com/webhook/{token}"),
            "https://abc.execute-api.eu-central-1.amazonaws.com/webhook/T0AB/B0CD/q1w2E3r4".to_owned(),
        ] {
            let place = place(&url.parse().unwrap());
            assert_eq!(place, "https://abc.execute-api.eu-central-1.amazonaws.com/webhook");
        }
    }

    #[test]
    fn every_known_event_has_a_payload() {
        for name in EventName::KNOWN {
            assert!(simulator::sample_payload(&name, Timestamp::UNIX_EPOCH).is_some(), "{name}");
        }
    }
}
