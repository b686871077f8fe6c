//! The options of `refresh`.

use crate::options::TargetOptions;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde_json::{Map, Value, json};
use tableau::ContentKind;

/// The longest time that the service lets a request wait.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["name", "url", "luid", "id"]))]
pub(crate) struct RefreshOptions {
    /// Name of the content
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), requires = "kind")]
    pub(super) name: Option<String>,
    /// Kind of content: workbook, datasource or flow
    #[arg(long, value_name = "KIND")]
    pub(super) kind: Option<ContentKind>,
    /// Path of the project that the name is in, such as Finance/Europe; `\/` is a slash within a name
    #[arg(long, value_name = "PATH", requires = "name", value_parser = NonEmptyStringValueParser::new())]
    pub(super) project: Option<String>,
    /// Address of its page as the browser shows it
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(super) url: Option<String>,
    /// Its LUID
    #[arg(long, value_name = "LUID", requires = "kind", value_parser = NonEmptyStringValueParser::new())]
    pub(super) luid: Option<String>,
    /// Id of a request that was made before: says how it goes, or with --wait how it ends
    #[arg(long, value_name = "ID", value_parser = id, conflicts_with_all = ["kind", "site", "incremental", "allow_full", "fresh"])]
    pub(super) id: Option<String>,
    /// Cancel that request. Its job at Tableau goes on if the service did not start it, or if others wait for it
    #[arg(long, requires = "id", conflicts_with_all = ["wait", "name", "url", "luid"])]
    pub(super) cancel: bool,
    /// The site, to be sure: its name in URLs, its name or its LUID. The stack refuses any but its own
    #[arg(long, value_name = "SITE", value_parser = NonEmptyStringValueParser::new())]
    pub(super) site: Option<String>,
    /// Ask for an incremental refresh
    #[arg(long)]
    pub(super) incremental: bool,
    /// With --incremental: a full refresh where an incremental one is not possible
    #[arg(long, requires = "incremental")]
    pub(super) allow_full: bool,
    /// Do not join a refresh that began before this request: it may have read the data of before
    #[arg(long)]
    pub(super) fresh: bool,
    /// Wait for the end, and show on standard error what is waited for
    #[arg(long)]
    pub(super) wait: bool,
    /// For how long the end is waited for, such as 90min or 2h. The job at Tableau goes on after it
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = timeout)]
    pub(super) timeout: SignedDuration,
    /// Print the service's answer as one JSON object, also of what was refused
    #[arg(long)]
    pub(super) json: bool,
    /// Address of the stack's API, in place of --stack: needs no credentials of AWS [default: TABLEAU_WEBHOOKS_URL, or
    /// what CloudFormation says about the stack]
    // A text: clap would repeat what is no URL.
    #[arg(long, value_name = "URL", conflicts_with_all = ["stack", "region", "profile", "endpoint_url", "local"])]
    pub(super) server: Option<String>,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

impl RefreshOptions {
    /// The body of the request.
    pub(super) fn body(&self) -> Value {
        let mut body = Map::new();
        let texts = [
            ("name", &self.name),
            ("project", &self.project),
            ("url", &self.url),
            ("luid", &self.luid),
            ("site", &self.site),
        ];
        for (member, text) in texts {
            if let Some(text) = text {
                body.insert(member.to_owned(), json!(text));
            }
        }
        if let Some(kind) = self.kind {
            body.insert("kind".to_owned(), json!(kind));
        }
        let flags =
            [("incremental", self.incremental), ("allow_full", self.allow_full), ("fresh", self.fresh)];
        for (member, _) in flags.into_iter().filter(|(_, flag)| *flag) {
            body.insert(member.to_owned(), json!(true));
        }
        body.insert("timeout_minutes".to_owned(), json!(minutes(self.timeout)));
        Value::Object(body)
    }
}

/// Whole minutes, not less than the time.
fn minutes(time: SignedDuration) -> i64 {
    (time.as_secs() + 59) / 60
}

fn timeout(text: &str) -> Result<SignedDuration, String> {
    let time = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let time = time.ok().filter(|time| (SignedDuration::from_secs(1)..=LONGEST).contains(time));
    time.ok_or_else(|| "a time from 1s to 24h, such as 90min or 2h".to_owned())
}

/// Ids go into addresses.
fn id(text: &str) -> Result<String, String> {
    super::service::is_id(text).then(|| text.to_owned()).ok_or_else(|| {
        "an id has letters, digits and hyphens: `refresh` prints it when it has made the request".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_rounded_up_to_minutes() {
        for (text, expected) in [("2h", 120), ("90min", 90), ("1d", 1_440), ("61s", 2), ("1s", 1)] {
            assert_eq!(timeout(text).map(minutes), Ok(expected), "{text}");
        }
        for wrong in ["0s", "25h", "2", "-2h", "soon", ""] {
            assert!(timeout(wrong).is_err(), "{wrong}");
        }
    }
}
