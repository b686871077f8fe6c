//! Configures a Tableau simulator before it starts.

use super::rest;
use super::simulator::TableauSimulator;
use super::state::{Settings, State};
use super::version::RestVersion;
use super::{admin, admin_api, metadata, sample};
use crate::clock::Clock;
use crate::server::Server;
use crate::tls::Identity;
use axum::Router;
use axum::http::header;
use axum::response::Response;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The settings of a [`TableauSimulator`] that has not started yet.
#[derive(Clone, Debug)]
#[must_use]
pub struct TableauBuilder {
    settings: Settings,
    sample: bool,
    address: SocketAddr,
    moved_to: Option<String>,
    client: Option<reqwest::Client>,
    tls: bool,
    one_new_token: bool,
}

/// Constructors.
impl TableauSimulator {
    /// A server with the sample content.
    pub fn sample() -> TableauBuilder {
        TableauBuilder::new(true)
    }

    /// A server with only the site [`SAMPLE_SITE`](super::SAMPLE_SITE) and its administrator, who has a PAT.
    pub fn empty() -> TableauBuilder {
        TableauBuilder::new(false)
    }
}

impl TableauBuilder {
    fn new(sample: bool) -> Self {
        let settings = Settings {
            clock: Clock::real(),
            max_version: RestVersion { major: 3, minor: 29 },
            retry_gaps: [100, 200, 400].map(Duration::from_millis),
            refreshes_take: None,
            refreshes_per_hour: None,
            exports_at_once: 20,
            metadata_nodes: metadata::NODE_LIMIT,
            running_jobs_show_a_finish_code: false,
            pats_may_impersonate: false,
            data_management: true,
            shows_token: true,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { settings, sample, address, moved_to: None, client: None, tls: false, one_new_token: false }
    }

    /// Listens on this address instead of a free port of 127.0.0.1.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Uses this clock for sessions, PATs, jobs, events and quotas. The gaps between delivery attempts and the
    /// duration of refreshes always pass in real time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Sets the newest supported REST version; 3.29 by default.
    pub fn max_version(mut self, version: RestVersion) -> Self {
        self.settings.max_version = version;
        self
    }

    /// Sets the gaps before the three retries of a delivery; 0.1, 0.2 and 0.4 s by default. Tableau says that its gaps
    /// grow, but not how long they are.
    pub fn retry_gaps(mut self, gaps: [Duration; 3]) -> Self {
        self.settings.retry_gaps = gaps;
        self
    }

    /// Makes refreshes that were requested over REST end after this time: successfully, or as
    /// [`TableauSimulator::break_refreshes`] says. By default they run until [`TableauSimulator::succeed_refresh`] or
    /// [`TableauSimulator::fail_refresh`] ends them.
    pub fn refreshes_take(mut self, time: Duration) -> Self {
        self.settings.refreshes_take = Some(time);
        self
    }

    /// Limits refreshes per site and hour. Further refreshes answer `429000` with the time until the next is allowed.
    /// No limit by default.
    pub fn refreshes_per_hour(mut self, quota: usize) -> Self {
        self.settings.refreshes_per_hour = Some(quota);
        self
    }

    /// Limits simultaneous exports per site; further exports answer `429000`. The default is 20, as on Tableau Cloud.
    /// An export takes no time unless a fault delays it: [`Fault::Delay`](crate::Fault::Delay).
    pub fn exports_at_once(mut self, limit: usize) -> Self {
        self.settings.exports_at_once = limit;
        self
    }

    /// Limits the nodes in an answer of the Metadata API; an answer that has more is cut short, with
    /// `NODE_LIMIT_EXCEEDED`. The default is 20,000, as Tableau has it.
    pub fn metadata_nodes(mut self, limit: usize) -> Self {
        self.settings.metadata_nodes = limit;
        self
    }

    /// Makes a running job show `finishCode` 1 with progress 0, as user imports do. Off by default, since a running
    /// refresh has no finish code.
    ///
    /// Source: `tableau/server-client-python:test/assets/users_bulk_add_job.xml`, and `job_get_by_id_inprogress.xml`
    /// there.
    pub fn running_jobs_show_a_finish_code(mut self, yes: bool) -> Self {
        self.settings.running_jobs_show_a_finish_code = yes;
        self
    }

    /// Lets server administrators impersonate another user with a PAT, as Tableau Server can be configured to. Off by
    /// default.
    pub fn pats_may_impersonate(mut self, yes: bool) -> Self {
        self.settings.pats_may_impersonate = yes;
        self
    }

    /// Whether the sites have Data Management. Without it every call about quality warnings is refused with `403157`: Tableau
    /// documents no code for this, and uses that one elsewhere for a feature that is off.
    pub fn data_management(mut self, yes: bool) -> Self {
        self.settings.data_management = yes;
        self
    }

    /// Answers every REST call with a redirect to the same path at this URL, as a pod of Tableau Cloud does for a site
    /// on another pod.
    pub fn moved_to(mut self, url: &str) -> Self {
        self.moved_to = Some(url.trim_end_matches('/').to_owned());
        self
    }

    /// Delivers webhooks with this HTTP client. The default client speaks plain HTTP and follows no redirects.
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Serves TLS instead of plain HTTP, with a new certificate for this machine at each start. Clients trust it
    /// through [`TableauSimulator::authority`].
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Allows a single credential: the token named by [`SAMPLE_PAT`](super::SAMPLE_PAT), with a new secret at each
    /// start. The sample's passwords and connected app do not work, and the admin page does not show the secret: the
    /// starting program gets it from [`TableauSimulator::token_secret`]. For a simulator that knows real secrets, such
    /// as the tokens in webhook URLs.
    pub fn one_new_token(mut self) -> Self {
        self.one_new_token = true;
        self.settings.shows_token = false;
        self
    }

    /// Starts the simulator on the caller's Tokio runtime.
    ///
    /// # Errors
    /// The system's error when the address cannot be bound, or when no HTTP client or certificate can be made.
    pub async fn start(self) -> io::Result<TableauSimulator> {
        let socket = loopback_server::bind(self.address).await?;
        let now = self.settings.clock.now();
        let mut model = if self.sample { sample::model(now) } else { sample::empty(now) };
        if self.one_new_token {
            model.keep_one_new_token();
        }
        let client = match self.client {
            Some(client) => client,
            None => loopback_client()?,
        };
        let state = Arc::new(State::new(self.settings, model, client));
        *state.moved_to() = self.moved_to;
        let router = Router::new()
            .merge(admin::routes())
            .merge(admin_api::routes())
            .fallback(rest::serve)
            .with_state(Arc::clone(&state));
        let clock = state.settings.clock.clone();
        let router = router.layer(axum::middleware::map_response(move |mut response: Response| {
            let date = clock.date().and_then(|date| date.parse().ok());
            response.headers_mut().extend(date.map(|date| (header::DATE, date)));
            async { response }
        }));
        // Use the real time even with a manual clock: clients check the certificate by their own clock.
        let identity = if self.tls { Some(Identity::new(Clock::real().now())?) } else { None };
        Ok(TableauSimulator::running(state, Server::serve_as(identity, socket, router)?))
    }
}

/// The default HTTP client for deliveries on this machine. It trusts no certificate authority, so `https` always
/// fails.
fn loopback_client() -> io::Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    #[expect(clippy::disallowed_methods, reason = "the simulator is Tableau here, not a function of ours")]
    let builder = reqwest::Client::builder();
    builder
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(io::Error::other)
}
