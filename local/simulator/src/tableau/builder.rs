//! How a simulator is set up before it starts.

use super::rest;
use super::simulator::TableauSimulator;
use super::state::{Settings, State};
use super::version::RestVersion;
use super::{admin, admin_api, sample};
use crate::clock::Clock;
use crate::server::Server;
use crate::tls::Identity;
use axum::Router;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Settings of a [`TableauSimulator`] that has not started yet.
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

/// Starting.
impl TableauSimulator {
    /// A server with the sample content.
    pub fn sample() -> TableauBuilder {
        TableauBuilder::new(true)
    }

    /// A server with the site of [`SAMPLE_SITE`](super::SAMPLE_SITE), its administrator with a PAT, and nothing else.
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
            running_jobs_show_a_finish_code: false,
            pats_may_impersonate: false,
            shows_token: true,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { settings, sample, address, moved_to: None, client: None, tls: false, one_new_token: false }
    }

    /// Listens here instead of a free port on 127.0.0.1.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Takes the time from this clock: for sessions, PATs, jobs, events and quotas. Gaps between the tries of a
    /// delivery and the length of refreshes always pass in real time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// The newest REST version that is spoken; 3.29 unless set.
    pub fn max_version(mut self, version: RestVersion) -> Self {
        self.settings.max_version = version;
        self
    }

    /// The gaps before the three retries of a delivery; 0.1, 0.2 and 0.4 s unless set. Tableau says that its own
    /// gaps grow, not how long they are.
    pub fn retry_gaps(mut self, gaps: [Duration; 3]) -> Self {
        self.settings.retry_gaps = gaps;
        self
    }

    /// Runs refreshes that are asked for over REST: each ends after this time, by success or as
    /// [`TableauSimulator::break_refreshes`] says. Unless set, they wait until
    /// [`TableauSimulator::succeed_refresh`] or [`TableauSimulator::fail_refresh`].
    pub fn refreshes_take(mut self, time: Duration) -> Self {
        self.settings.refreshes_take = Some(time);
        self
    }

    /// Answers `429000` to refreshes of a site over this many in an hour, and says when there is room again; no limit
    /// unless set.
    pub fn refreshes_per_hour(mut self, quota: usize) -> Self {
        self.settings.refreshes_per_hour = Some(quota);
        self
    }

    /// Answers `429000` to exports of a site while this many are under way; 20 unless set, as on Tableau Cloud. An
    /// export takes no time unless a fault delays it: [`Fault::Delay`](crate::Fault::Delay).
    pub fn exports_at_once(mut self, limit: usize) -> Self {
        self.settings.exports_at_once = limit;
        self
    }

    /// Whether a running job shows `finishCode` 1 with progress 0, as imports of users do; no unless set, since a running
    /// refresh has no finish code.
    ///
    /// Source: `tableau/server-client-python:test/assets/users_bulk_add_job.xml`, and `job_get_by_id_inprogress.xml`
    /// there.
    pub fn running_jobs_show_a_finish_code(mut self, yes: bool) -> Self {
        self.settings.running_jobs_show_a_finish_code = yes;
        self
    }

    /// Lets server administrators impersonate another user with a PAT too, as Tableau Server does where that is
    /// switched on; no unless set.
    pub fn pats_may_impersonate(mut self, yes: bool) -> Self {
        self.settings.pats_may_impersonate = yes;
        self
    }

    /// Answers every REST call with a redirect to the same path there, as a pod of Tableau Cloud does that the site
    /// is not on.
    pub fn moved_to(mut self, url: &str) -> Self {
        self.moved_to = Some(url.trim_end_matches('/').to_owned());
        self
    }

    /// Delivers webhooks with this client instead of one that speaks plain HTTP and follows no redirects.
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Speaks TLS instead of plain HTTP, with a certificate for this machine that is made anew at each start. Clients
    /// check it with [`TableauSimulator::authority`].
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Lets one credential sign in: the token that [`SAMPLE_PAT`](super::SAMPLE_PAT) names, with a secret that is made anew at each
    /// start. No password and no connected app of the sample works then, and the page for people does not show the secret:
    /// who starts the simulator finds it with [`TableauSimulator::token_secret`]. For a simulator that knows secrets of others,
    /// such as the tokens in the URLs of webhooks.
    pub fn one_new_token(mut self) -> Self {
        self.one_new_token = true;
        self.settings.shows_token = false;
        self
    }

    /// Starts it, on the Tokio runtime of the caller.
    ///
    /// # Errors
    /// When the address cannot be bound, or no HTTP client or certificate can be made.
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
        // The real time, whatever the clock says: clients check the certificate by theirs.
        let identity = if self.tls { Some(Identity::new(Clock::real().now())?) } else { None };
        Ok(TableauSimulator::running(state, Server::serve_as(identity, socket, router)?))
    }
}

/// A client for deliveries on this machine. It trusts no certificate authority, so `https` always fails.
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
