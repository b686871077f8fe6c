//! The command `send`: posts realistic events as Tableau would.

use crate::http;
use crate::local;
use crate::names::event_name;
use crate::network::Cause;
use crate::options::{LOCAL_AWS_PORT, SendOptions, TargetOptions};
use crate::out::{self, line, plain};
use crate::program;
use crate::stack::Stack;
use crate::token_secret::TokenSecret;
use confidential::{Secrets, SecureUrl};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::env::var_os;
use std::process::ExitCode;
use tableau::EventName;
use url::Url;
use workflow::BoxError;

/// Posts the events and prints the answers. The exit code says whether every answer was a 2xx.
pub(crate) async fn send(options: SendOptions) -> Result<ExitCode, BoxError> {
    let name = event_name(&options.event)?;
    let payloads = payloads(&name, options.object.as_deref(), options.count, Timestamp::now())?;
    if options.dry_run {
        payloads.iter().try_for_each(|(_, payload)| line!("{payload}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let of_variable = || var_os("WEBHOOK_URL").filter(|url| !url.is_empty() && !options.local);
    let given = options.to.clone().or_else(|| of_variable().map(|url| url.to_string_lossy().into_owned()));
    let to = match given {
        // The given text may contain the token, so the error does not repeat it.
        Some(text) => text.trim().parse::<Url>().map_err(|_| {
            "--to or WEBHOOK_URL is not a URL: it must begin with https:// and a host. It is not repeated here because it may \
             hold the token"
        })?,
        None => local_url(&options).await?,
    };
    // A network must not carry the token unencrypted.
    let to = SecureUrl::try_from(to).map_err(|invalid| format!("the URL in --to {invalid}"))?;
    let secrets = Secrets::of_url(&to);
    let place = place(&to);
    let http = http::client(Some(&to))?;
    let mut all_taken = true;
    for (object, payload) in payloads {
        let request = http.post(to.as_url().clone()).header("content-type", "application/json").body(payload);
        let response = request.send().await.map_err(|error| unreachable(&place, &to, &error))?;
        let status = response.status();
        let body = http::text(response).await;
        let body = body.map_err(|what| format!("{place} answered {} {what}; check --to", status.as_u16()))?;
        let body = plain(&body);
        let body = secrets.redact_text(&body);
        if options.json {
            let answer = serde_json::from_str(&body).unwrap_or_else(|_| Value::from(body));
            let status = status.as_u16();
            let sent = json!({ "url": place, "event_name": name, "object": object, "status": status, "answer": answer });
            // Redacted once more, because the answer may have escaped a secret that it repeats.
            line!("{}", secrets.redact_text(&out::json(&sent)))?;
        } else {
            line!("POST {place}  {name} of {}\n{} {body}", plain(&object), status.as_u16())?;
        }
        all_taken &= status.is_success();
    }
    Ok(if all_taken { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The webhook URL of the local stack, with the token that it has now: `webhooks rotate` changes it.
async fn local_url(options: &SendOptions) -> Result<Url, BoxError> {
    let found = local::find(options.endpoint_url.as_ref(), LOCAL_AWS_PORT)?;
    let of_secret = async {
        let stack = Stack::find(&TargetOptions::local(options.endpoint_url.clone())).await?;
        let held = TokenSecret::of(&stack)?.read().await?;
        Ok::<String, BoxError>(held.tokens.current.expose_secret().to_owned())
    };
    Ok(found.webhook_url(of_secret.await.ok().as_deref())?)
}

/// The names of the objects, each with an event's payload.
fn payloads(
    name: &EventName,
    object: Option<&str>,
    count: u32,
    at: Timestamp,
) -> Result<Vec<(String, String)>, String> {
    let mut all = simulator::sample_payloads(name, at);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let Some(object) = object else {
        if all.len() < count {
            return Err(format!(
                "the sample content has {} objects for {name}: --count is too high",
                all.len()
            ));
        }
        all.truncate(count);
        return Ok(all);
    };
    let names: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
    let found = all.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(object));
    let found = found.ok_or_else(|| {
        format!(
            "the sample content has no object `{}` for {name}; there are: {}",
            plain(object),
            names.join(", ")
        )
    });
    found.map(|found| vec![found])
}

/// The URL without its token, because printed text ends up in shell histories and tickets. Only path segments that
/// are plain words are shown; a token is never one.
fn place(url: &Url) -> String {
    let is_word = |segment: &&str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        segment.len() < 32 && segment.bytes().all(fits)
    };
    let path: Vec<&str> = url.path_segments().into_iter().flatten().filter(is_word).collect();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}/{}", url.scheme(), url.host_str().unwrap_or_default(), path.join("/"))
}

fn unreachable(place: &str, to: &SecureUrl, error: &reqwest::Error) -> BoxError {
    let cause = Cause::of(error);
    let hint = match cause {
        Cause::Refused if http::is_loopback(to) => {
            format!("; is the local stack up? `{}` starts it", program::start())
        }
        _ => String::new(),
    };
    let host = to.as_url().host_str().unwrap_or_default();
    format!("no answer from {place}: {}{hint}", cause.words(host)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let first = simulator::sample_payload(&name, Timestamp::UNIX_EPOCH);
            let payloads = payloads(&name, None, 1, Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!(payloads.first().map(|(_, payload)| payload), first.as_ref(), "{name}");
        }
    }

    #[test]
    fn the_same_event_is_sent_about_another_object_or_about_several() {
        let name = EventName::DatasourceRefreshFailed;
        let of = |object, count| payloads(&name, object, count, Timestamp::UNIX_EPOCH);
        let names = |payloads: Vec<(String, String)>| {
            let is_about = |(name, payload): &(String, String)| payload.contains(&format!(r#""{name}""#));
            assert!(payloads.iter().all(is_about));
            payloads.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(of(Some("general ledger"), 1).unwrap()), ["General Ledger"]);
        let mut five = names(of(None, 5).unwrap());
        assert_eq!(five[0], "Sales Orders");
        five.sort();
        five.dedup();
        assert_eq!(five.len(), 5);
        let none = of(Some("Ledger"), 1).unwrap_err();
        assert!(none.starts_with(
            "the sample content has no object `Ledger` for DatasourceRefreshFailed; there are: Sales"
        ));
        let many = of(None, 8).unwrap_err();
        assert_eq!(many, "the sample content has 7 objects for DatasourceRefreshFailed: --count is too high");
    }
}
