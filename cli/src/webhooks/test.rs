//! `webhooks test`.

use super::lookup::find_all;
use super::options::TestOptions;
use super::shown::{Shown, State, secrets_of};
use super::site::at;
use crate::out::{self, line, note, plain, problem};
use confidential::Secrets;
use serde_json::{Value, json};
use std::process::ExitCode;
use tableau_client::WebhookTest;
use workflow::BoxError;

/// The longest part of a destination's answer that is printed, in characters.
const LONGEST_ANSWER: usize = 300;

/// Tests webhooks. The exit code says whether every destination has answered with 2xx.
pub(super) async fn test(options: &TestOptions) -> Result<ExitCode, BoxError> {
    at(&options.site, async |site| {
        let all = site.webhooks().await?;
        let webhooks = if options.all { all.iter().collect() } else { find_all(&all, &options.webhooks)? };
        if webhooks.is_empty() {
            note(format!("{} has no webhooks", site.place()));
        }
        let mut has_passed = true;
        for (webhook, shown) in webhooks {
            let secrets = secrets_of(&webhook.url);
            match site.tableau().test_webhook(&webhook.id).await {
                Ok(tested) => {
                    has_passed &= tested.passed();
                    print(shown, &tested, &secrets, options.json)?;
                }
                Err(error) => {
                    let reason = site.failed_for_one(&error, &secrets)?;
                    problem(format!("{}: {reason}", shown.words()));
                    has_passed = false;
                }
            }
        }
        Ok(if has_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
    .await
}

fn print(shown: &Shown, tested: &WebhookTest, secrets: &Secrets, as_json: bool) -> Result<(), BoxError> {
    let answer = answer(&tested.body, secrets);
    if as_json {
        let mut object = shown.json_with(if tested.passed() { "passed" } else { "failed" });
        object["status"] = Value::from(tested.status);
        object["answer"] = serde_json::from_str(&answer).unwrap_or(json!(answer));
        object["explanation"] = json!(explanation(tested.status));
        line!("{}", out::json(&object))?;
        return Ok(());
    }
    line!("{} {} at {}", tested.status, shown.words(), plain(&shown.destination))?;
    if !answer.is_empty() {
        line!("    {answer}")?;
    }
    if let Some(explanation) = explanation(tested.status) {
        line!("    {explanation}")?;
    }
    if matches!(shown.state, State::Disabled(_)) {
        line!("    it is {}: Tableau sends it no events until `webhooks enable`", shown.state())?;
    }
    Ok(())
}

/// The destination's answer on one line, without the secrets of the URL.
fn answer(body: &str, secrets: &Secrets) -> String {
    let text = plain(&secrets.redact_text(body));
    let text = text.trim();
    if text.chars().count() <= LONGEST_ANSWER {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(LONGEST_ANSWER).collect::<String>())
}

/// What a status that is not 2xx means here, and what to do.
fn explanation(status: u16) -> Option<&'static str> {
    match status {
        200..300 => None,
        300..400 => {
            Some("Tableau does not count a redirect as success: the webhook needs the URL that it leads to")
        }
        401 | 403 => Some(
            "the destination refuses the token in the URL, which may be an old one: `webhooks update … --url` sets the present URL",
        ),
        404 => Some(
            "Tableau says 404 in two cases: the destination has nothing at this URL, or Tableau has not reached it at all. Look for \
             the request in the destination's log. If it is not there, check the host's name, its certificate, and whether Tableau \
             may reach it",
        ),
        413 | 429 | 503 => {
            Some("the destination takes no more at the moment: test again later, and look at its log")
        }
        400..500 => Some("the destination refuses the request: look at its log, and check the URL"),
        _ => Some("the destination has failed: look at its log"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_but_2xx_is_explained() {
        for status in [100, 301, 400, 401, 403, 404, 413, 429, 500, 503] {
            assert!(explanation(status).is_some(), "{status}");
        }
        assert!([200, 202, 204, 299].into_iter().all(|status| explanation(status).is_none()));
        assert!(explanation(404).unwrap().contains("has not reached it at all"));
        assert!(explanation(403).unwrap().contains("refuses the token"));
    }

    #[test]
    fn an_answer_is_one_short_line_without_the_token() {
        let token = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfG";
        let secrets = secrets_of(&format!("https://abc.example.com/webhook/{token}"));
        assert_eq!(
            answer(&format!("no route\n/webhook/{token}\u{1b}[2J"), &secrets),
            "no route /webhook/[redacted]"
        );
        let long = answer(&"x".repeat(1_000), &secrets);
        assert_eq!((long.chars().count(), long.ends_with('…')), (301, true));
    }
}
