//! What simulated services have received, as frames for the terminal.

use super::servicenow::Incidents;
use super::vendors::Vendors;
use super::{forward, twilio};
use crate::out::plain;
use local_aws::Aws;
use simulator::{SlackCall, SlackMessage, render, render_incident, render_page, render_post};

/// What each service has received, and how much of it was shown.
pub(crate) struct Frames {
    vendors: Vendors,
    aws: Aws,
    incidents: Option<Incidents>,
    messages: usize,
    posts: usize,
    alerts: usize,
    texts: usize,
    files: usize,
    requests: usize,
    mails: usize,
}

/// A title, and the text below it.
pub(crate) type Frame = (String, String);

impl Frames {
    pub(crate) fn new(vendors: Vendors, aws: Aws) -> Self {
        let incidents = vendors.servicenow.clone().map(Incidents::of);
        Self {
            vendors,
            aws,
            incidents,
            messages: 0,
            posts: 0,
            alerts: 0,
            texts: 0,
            files: 0,
            requests: 0,
            mails: 0,
        }
    }

    /// What has not been shown. Called for every line, so its cost must not grow with what was shown before.
    pub(crate) fn fresh(&mut self) -> Vec<Frame> {
        let mut frames: Vec<Frame> = Vec::new();
        let Vendors { slack, teams, pagerduty, twilio, graph, receivers, .. } = &self.vendors;
        let messages = slack.as_ref().map(|slack| slack.messages_since(self.messages)).unwrap_or_default();
        self.messages += messages.len();
        frames.extend(messages.iter().map(|message| (title(message), render(message))));
        let posts = teams.as_ref().map(|teams| teams.posts_since(self.posts)).unwrap_or_default();
        self.posts += posts.len();
        frames
            .extend(posts.iter().map(|post| (format!("Teams {}", plain(&post.channel)), render_post(post))));
        for incident in self.incidents.iter_mut().flat_map(Incidents::changed) {
            frames.push((format!("ServiceNow {}", plain(incident.number())), render_incident(&incident)));
        }
        let alerts = pagerduty.as_ref().map(|service| service.events_since(self.alerts)).unwrap_or_default();
        self.alerts += alerts.len();
        let alert_frames =
            alerts.iter().map(|alert| (format!("PagerDuty {}", plain(&alert.service)), render_page(alert)));
        frames.extend(alert_frames);
        let texts = twilio.as_ref().map(|twilio| twilio.messages_since(self.texts)).unwrap_or_default();
        self.texts += texts.len();
        frames.extend(texts.iter().map(twilio::shown));
        let files = graph.as_ref().map(|graph| graph.uploads_since(self.files)).unwrap_or_default();
        self.files += files.len();
        let file_frames = files
            .iter()
            .map(|(path, size)| ("SharePoint".to_owned(), format!("{} ({size} bytes)", plain(path))));
        frames.extend(file_frames);
        let requests = receivers.as_ref().map(|all| all.requests_since(self.requests)).unwrap_or_default();
        self.requests += requests.len();
        frames.extend(requests.iter().map(forward::shown));
        let mails = self.aws.mails_since(self.mails);
        self.mails += mails.len();
        frames.extend(
            mails.iter().map(|mail| (format!("Mail to {}", plain(&mail.to.join(", "))), mail.to_text())),
        );
        frames
    }
}

/// The title of a message: its channel, and whether it is new there.
fn title(message: &SlackMessage) -> String {
    let how = match (message.call, &message.thread_ts) {
        (SlackCall::Update, _) => ", changed",
        (_, Some(_)) => ", reply",
        (_, None) => "",
    };
    format!("Slack #{}{how}", plain(&message.channel_name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use simulator::SlackSimulator;

    #[tokio::test]
    async fn each_message_is_asked_for_once_however_many_lines_there_are() {
        let slack = SlackSimulator::start().await.unwrap();
        let http = http_client::client(None).unwrap();
        let vendors = Vendors {
            slack: Some(slack.clone()),
            teams: None,
            servicenow: None,
            pagerduty: None,
            twilio: None,
            graph: None,
            receivers: None,
        };
        let mut frames = Frames::new(vendors, Aws::start().await.unwrap());
        let mut shown = Vec::new();
        for n in 0..20 {
            let post = http.post(slack.webhook_url()).body(format!(r#"{{"text":"{n}"}}"#));
            post.header("content-type", "application/json").send().await.unwrap();
            // A message is printed with the next line only, and not again.
            shown.extend((0..5).flat_map(|_| frames.fresh()).map(|(_, text)| text.trim().to_owned()));
        }
        assert_eq!(shown, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn a_message_that_is_changed_and_a_reply_say_so() {
        let message = |call, thread_ts: Option<&str>| SlackMessage {
            call,
            path: String::new(),
            channel: "C1".to_owned(),
            channel_name: "news".to_owned(),
            ts: "1.2".to_owned(),
            thread_ts: thread_ts.map(str::to_owned),
            reply_broadcast: false,
            text: "text".to_owned(),
            blocks: Vec::new(),
            answered: true,
            raw: Value::Null,
        };
        assert_eq!(title(&message(SlackCall::PostMessage, None)), "Slack #news");
        assert_eq!(title(&message(SlackCall::Update, None)), "Slack #news, changed");
        assert_eq!(title(&message(SlackCall::PostMessage, Some("1.1"))), "Slack #news, reply");
    }
}
