//! The options of the `webhooks` commands.

use crate::help;
use crate::options::TargetOptions;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, Subcommand};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use std::time::Duration;
use tableau::EventName;

/// The longest time for `--wait`.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Show what `apply` would do so that the site has the webhooks that the rules need
    #[command(after_help = help::WEBHOOKS_PLAN)]
    Plan(PlanOptions),
    /// Give the site the webhooks that the rules need, after you confirm
    #[command(after_help = help::WEBHOOKS_APPLY)]
    Apply(ApplyOptions),
    /// Replace the token in the URLs of webhooks, after you confirm. No event is refused
    #[command(after_help = help::WEBHOOKS_ROTATE)]
    Rotate(RotateOptions),
    /// List the webhooks of the site, and which of them Tableau sends nothing to
    #[command(after_help = help::WEBHOOKS_LIST)]
    List(ListOptions),
    /// Create a webhook for each event
    #[command(after_help = help::WEBHOOKS_CREATE)]
    Create(CreateOptions),
    /// Change the name, the event or the URL of a webhook
    #[command(after_help = help::WEBHOOKS_UPDATE)]
    Update(UpdateOptions),
    /// Let Tableau post an empty event to webhooks, and print what their destinations answer
    #[command(after_help = help::WEBHOOKS_TEST)]
    Test(TestOptions),
    /// Let Tableau send events to webhooks again
    #[command(after_help = help::WEBHOOKS_ENABLE)]
    Enable(SomeWebhooks),
    /// Let Tableau send no more events to webhooks
    #[command(after_help = help::WEBHOOKS_DISABLE)]
    Disable(DisableOptions),
    /// Delete webhooks
    #[command(after_help = help::WEBHOOKS_DELETE)]
    Delete(DeleteOptions),
}

/// Which site of `--server`.
#[derive(Debug, Args)]
pub(crate) struct OtherSite {
    /// Site of that server: what follows /site/ in the browser's address [default: the default site]
    #[arg(long, value_name = "SITE", requires = "server")]
    pub(super) site: Option<String>,
    /// Version of the REST API, such as 3.24 [default: the newest that the server has]
    #[arg(long, value_name = "VERSION", requires = "server", value_parser = NonEmptyStringValueParser::new())]
    pub(super) api_version: Option<String>,
}

/// Which Tableau site.
#[derive(Debug, Args)]
pub(crate) struct SiteOptions {
    /// Address of any Tableau server, in place of the Tableau of --stack. Signs in with TABLEAU_TOKEN_NAME and
    /// TABLEAU_TOKEN_SECRET, or TABLEAU_USER and TABLEAU_PASSWORD, or a connected app: TABLEAU_CLIENT_ID, TABLEAU_SECRET_ID,
    /// TABLEAU_SECRET_VALUE and TABLEAU_USER
    // A text: clap would repeat what is no URL, and with it a password.
    #[arg(long, value_name = "URL", conflicts_with_all = ["stack", "region", "profile", "endpoint_url", "local"])]
    pub(super) server: Option<String>,
    #[command(flatten)]
    pub(super) other: OtherSite,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

/// Which site, whose webhooks post to a stack.
#[derive(Debug, Args)]
pub(crate) struct AnySiteOptions {
    /// Address of another Tableau server than that of the stack, whose webhooks post to the stack too. Signs in with the variables that
    /// `webhooks list --help` names
    // A text: clap would repeat what is no URL, and with it a password.
    #[arg(long, value_name = "URL")]
    pub(super) server: Option<String>,
    #[command(flatten)]
    pub(super) other: OtherSite,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct PlanOptions {
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) site: AnySiteOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyOptions {
    /// Do not ask for confirmation
    #[arg(long)]
    pub(super) yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) site: AnySiteOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RotateOptions {
    /// Do not ask for confirmation
    #[arg(long)]
    pub(super) yes: bool,
    /// How long the old token stays valid after the last webhook has the new one, because Tableau may still repeat deliveries to the
    /// old URL, such as 10m, or 0s [default: 10m; with --leaked 0s]
    #[arg(long, value_name = "TIME", value_parser = wait, conflicts_with = "server")]
    pub(super) wait: Option<Duration>,
    /// The token has leaked: do not wait; if an earlier rotation is not finished, finish it and make one more, because the token that is
    /// current now may be the one that has leaked
    #[arg(long, conflicts_with_all = ["finish", "server"])]
    pub(super) leaked: bool,
    /// Finish a rotation though the rules name other sites: I have moved their webhooks
    #[arg(long, conflicts_with = "server")]
    pub(super) finish: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) site: AnySiteOptions,
}

fn wait(text: &str) -> Result<Duration, String> {
    let time = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let time = time.ok().filter(|time| (SignedDuration::ZERO..=LONGEST_WAIT).contains(time));
    time.map(SignedDuration::unsigned_abs).ok_or_else(|| "a time from 0s to 24h, such as 10m".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// Only webhooks for this event
    #[arg(long, value_name = "EVENT", value_parser = crate::names::event_name)]
    pub(super) event: Option<EventName>,
    /// Do not shorten anything, however wide the table becomes
    #[arg(long, conflicts_with = "json")]
    pub(super) wide: bool,
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) site: SiteOptions,
}

#[derive(Debug, Args)]
pub(crate) struct CreateOptions {
    /// Names of events, such as DatasourceRefreshFailed
    // Texts: clap would repeat a URL that was given here, and with it the token.
    #[arg(value_name = "EVENT", required = true)]
    pub(super) events: Vec<String>,
    /// Name of the webhook; of several, the beginning of their names, before the event [default: tableau-webhooks and the
    /// event]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(super) name: Option<String>,
    /// Where the URL comes from: env for the variable WEBHOOK_URL, stack for the URL of the stack with its current token
    /// [default: env if WEBHOOK_URL is set and --local is not given, else stack]
    // A text: clap would repeat a URL, and with it the token.
    #[arg(long, value_name = "FROM")]
    pub(super) url: Option<String>,
    /// Let Tableau send no events until `webhooks enable`
    #[arg(long)]
    pub(super) disabled: bool,
    /// Print one JSON object per line for each webhook
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) site: SiteOptions,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true).args(["name", "event", "url"]))]
pub(crate) struct UpdateOptions {
    /// Name or LUID of the webhook; the first 4 digits of the LUID are enough if they are unique
    #[arg(value_name = "WEBHOOK", value_parser = NonEmptyStringValueParser::new())]
    pub(super) webhook: String,
    /// New name
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(super) name: Option<String>,
    /// New event
    #[arg(long, value_name = "EVENT", value_parser = crate::names::event_name)]
    pub(super) event: Option<EventName>,
    /// Where the new URL comes from: env for the variable WEBHOOK_URL, stack for the URL of the stack with its current token
    // A text: clap would repeat a URL, and with it the token.
    #[arg(long, value_name = "FROM")]
    pub(super) url: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) site: SiteOptions,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["webhooks", "all"]))]
pub(crate) struct TestOptions {
    /// Names or LUIDs of webhooks; the first 4 digits of a LUID are enough if they are unique
    #[arg(value_name = "WEBHOOK", value_parser = NonEmptyStringValueParser::new())]
    pub(super) webhooks: Vec<String>,
    /// Test every webhook of the site
    #[arg(long)]
    pub(super) all: bool,
    /// Print one JSON object per line for each webhook
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) site: SiteOptions,
}

/// Some webhooks of a site.
#[derive(Debug, Args)]
pub(crate) struct SomeWebhooks {
    /// Names or LUIDs of webhooks; the first 4 digits of a LUID are enough if they are unique
    #[arg(value_name = "WEBHOOK", required = true, value_parser = NonEmptyStringValueParser::new())]
    pub(super) webhooks: Vec<String>,
    /// Print one JSON object per line for each webhook
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) site: SiteOptions,
}

#[derive(Debug, Args)]
pub(crate) struct DisableOptions {
    #[command(flatten)]
    pub(super) which: SomeWebhooks,
    /// Reason, which Tableau stores after the words "Keep disabled: " and `webhooks list` shows. Without these words the stack would take it
    /// for one of Tableau's, and enable its webhook again [default: Tableau's own, "Webhook disabled by user"]
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub(super) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteOptions {
    #[command(flatten)]
    pub(super) which: SomeWebhooks,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(super) yes: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_may_be_none_and_has_an_end() {
        for (text, seconds) in [("0s", 0), ("10m", 600), ("90s", 90), ("1d", 86_400)] {
            assert_eq!(wait(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["25h", "-1m", "10", "soon", ""] {
            assert!(wait(wrong).is_err(), "{wrong}");
        }
    }
}
