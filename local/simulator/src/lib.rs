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
    DEFAULT_CHANNEL, GraphCall, GraphFault, GraphFile, GraphSimulator, JournalEntry, PagerDutyAlert,
    PagerDutyEvent, PagerDutyFault, PagerDutyRefusal, PagerDutySimulator, RECEIVER_NAME, Received,
    ReceiverFault, ReceiverSimulator, RecordedRequest, Recorder, SAMPLE_ACCOUNT, SAMPLE_BOT_TOKEN,
    SAMPLE_FLOW, SAMPLE_ROUTING_KEY, SAMPLE_SENDER, SAMPLE_SERVICE, SAMPLE_SERVICENOW_USER, ServiceNowCall,
    ServiceNowFault, ServiceNowIncident, ServiceNowSimulator, SlackCall, SlackFault, SlackMessage,
    SlackRefusal, SlackSimulator, TeamsFault, TeamsPost, TeamsRefusal, TeamsRunFailure, TeamsSimulator,
    TimedOut, TwilioFault, TwilioMessage, TwilioRefusal, TwilioRequest, TwilioSimulator, render,
    render_incident, render_page, render_post,
};
pub use self::tableau::{
    Attempt, BroadcastRecord, ConnectedApp, Content, Datasource, Delivery, DeliveryState, ExportContent,
    ExportShape, Feature, Fired, Flow, Group, JobRecord, JobShape, NotFound, PatCredential, Project,
    RestVersion, SAMPLE_CONNECTED_APP, SAMPLE_CONTENT_URL, SAMPLE_PAT, SAMPLE_SITE, SiteRole, TableauBuilder,
    TableauSimulator, User, Webhook, WebhookRecord, Workbook, notes, sample_payload, sample_payloads,
};
