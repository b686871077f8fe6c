#![doc = include_str!("../README.md")]

mod clock;
mod fault;
mod recorder;
mod server;
mod socket;
mod tableau;
mod tls;

pub use self::clock::Clock;
pub use self::fault::Fault;
pub use self::recorder::{
    DEFAULT_CHANNEL, JournalEntry, RecordedRequest, Recorder, SAMPLE_BOT_TOKEN, SAMPLE_FLOW,
    SAMPLE_SERVICENOW_USER, ServiceNowCall, ServiceNowFault, ServiceNowIncident, ServiceNowSimulator,
    SlackCall, SlackFault, SlackMessage, SlackRefusal, SlackSimulator, TeamsFault, TeamsPost, TeamsRefusal,
    TeamsRunFailure, TeamsSimulator, TimedOut, render, render_incident, render_post,
    DEFAULT_CHANNEL, PagerDutyAlert, PagerDutyEvent, PagerDutyFault, PagerDutyRefusal, PagerDutySimulator,
    RecordedRequest, Recorder, SAMPLE_BOT_TOKEN, SAMPLE_FLOW, SAMPLE_ROUTING_KEY, SlackCall, SlackFault,
    SlackMessage, SlackRefusal, SlackSimulator, TeamsFault, TeamsPost, TeamsRefusal, TeamsRunFailure,
    TeamsSimulator, TimedOut, render, render_page, render_post,
};
pub use self::recorder::{
    SAMPLE_ACCOUNT, SAMPLE_SENDER, SAMPLE_SERVICE, TwilioFault, TwilioMessage, TwilioRefusal, TwilioRequest,
    TwilioSimulator,
    DEFAULT_CHANNEL, RECEIVER_NAME, Received, ReceiverFault, ReceiverSimulator, RecordedRequest, Recorder,
    SAMPLE_BOT_TOKEN, SAMPLE_FLOW, SlackCall, SlackFault, SlackMessage, SlackRefusal, SlackSimulator,
    TeamsFault, TeamsPost, TeamsRefusal, TeamsRunFailure, TeamsSimulator, TimedOut, render, render_post,
};
pub use self::tableau::{
    Attempt, BroadcastRecord, ConnectedApp, Content, Datasource, Delivery, DeliveryState, Feature, Fired,
    Group, JobRecord, JobShape, NotFound, PatCredential, Project, RestVersion, SAMPLE_CONNECTED_APP,
    SAMPLE_CONTENT_URL, SAMPLE_PAT, SAMPLE_SITE, SiteRole, TableauBuilder, TableauSimulator, User, Webhook,
    WebhookRecord, Workbook, notes, sample_payload, sample_payloads,
};
