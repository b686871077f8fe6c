//! The options of the `webhooks` commands.

use crate::help;
use crate::options::TargetOptions;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, Subcommand};
use tableau::EventName;

#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
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

/// Which Tableau site.
#[derive(Debug, Args)]
pub(crate) struct SiteOptions {
    /// Address of any Tableau server, in place of the Tableau of --stack. Signs in with TABLEAU_TOKEN_NAME and
    /// TABLEAU_TOKEN_SECRET, or TABLEAU_USER and TABLEAU_PASSWORD, or a connected app: TABLEAU_CLIENT_ID, TABLEAU_SECRET_ID,
    /// TABLEAU_SECRET_VALUE and TABLEAU_USER
    // A text: clap would repeat what is no URL, and with it a password.
    #[arg(long, value_name = "URL", conflicts_with_all = ["stack", "region", "profile", "endpoint_url", "local"])]
    pub(super) server: Option<String>,
    /// Site of that server: what follows /site/ in the browser's address [default: the default site]
    #[arg(long, value_name = "SITE", requires = "server")]
    pub(super) site: Option<String>,
    /// Version of the REST API, such as 3.24 [default: the newest that the server has]
    #[arg(long, value_name = "VERSION", requires = "server", value_parser = NonEmptyStringValueParser::new())]
    pub(super) api_version: Option<String>,
    #[command(flatten)]
    pub(super) target: TargetOptions,
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
    /// Reason, which Tableau stores and `webhooks list` shows [default: Tableau's own, "Webhook disabled by user"]
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
