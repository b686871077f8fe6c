//! Notifications about one event or one incident.

use super::duration::duration;
use super::standing::standing;
use super::words::{NEXT_STEP_WITHOUT_JOB, capitalised, next_step, severity, symbol_of, title};
use super::{
    Cause, DELETED_BY, Fact, Kind, Link, NO_NAME, Notification, PROJECT, Person, Place, Severity, Status,
    Value, WAS_IN, report, webhook,
};
use crate::context::{Context, Deletion, Lookup, NO_JOB_LISTED};
use crate::incident::{End, KnownCause, Open, Resolved};
use facts::is_deletion;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use plain_text::is_blank;
use rules::Site;
use std::borrow::Cow;
use tableau::{Action, Event};
use tableau_client::{CauseClass, Content, Owner};

/// How many facts of a caller a notification shows. Slack shows ten in all.
const MOST_OWN_FACTS: usize = 10;

/// What a notification is about: the event, its site if the rules list the site, and what Tableau says about the
/// event.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The event.
    pub event: &'a Event,
    /// The site where the event happened, if the rules list it.
    pub site: Option<&'a Site>,
    /// What Tableau says about it.
    pub context: &'a Context,
}

impl About<'_> {
    /// The object's name: its present name if Tableau answered, or else the name in the event.
    pub fn name(&self) -> String {
        let present = self.content().map(|content| content.name.as_str());
        let names = [present, self.event.resource_name.as_deref()];
        shown(names.into_iter().flatten().find(|name| !is_blank(name)).unwrap_or_default()).to_owned()
    }

    /// The class of the failure's cause, in a few words.
    pub fn cause_title(&self) -> Option<&'static str> {
        self.cause_class().map(CauseClass::title)
    }

    /// The class of the failure's cause.
    pub fn cause_class(&self) -> Option<CauseClass> {
        self.context.cause.found().map(|cause| cause.class)
    }

    /// The object's owner for a line of a group or digest. `None` if Tableau was not asked: then nobody is called in the
    /// owner's place.
    pub(crate) fn asked_owner(&self) -> Option<Person> {
        let is_asked = !matches!(self.context.content, Lookup::NotAsked);
        is_asked.then(|| self.owner())
    }

    /// The object's owner; an empty person if Tableau does not say who it is.
    pub(crate) fn owner(&self) -> Person {
        self.known_owner().map(Person::of).unwrap_or_default()
    }

    fn known_owner(&self) -> Option<&Owner> {
        let owner = self.content().and_then(|content| content.owner.as_ref());
        owner.or_else(|| self.context.deletion.found().and_then(|deletion| deletion.owner.as_ref()))
    }

    /// Where the object is and whose it is, as far as Tableau was asked.
    pub(crate) fn place(&self) -> Place {
        let content = self.content();
        let deletion = self.context.deletion.found();
        let project = content.and_then(|content| content.project.as_deref());
        let project = project.or_else(|| deletion.map(|deletion| deletion.path.as_str()));
        Place::new(project, self.known_owner().map(|owner| owner.name.as_str()))
    }

    fn content(&self) -> Option<&Content> {
        self.context.content.found()
    }

    fn timezone(&self) -> Option<TimeZone> {
        let of_report = self.event.report.as_deref().and_then(report::timezone);
        of_report.or_else(|| self.site.map(|site| site.timezone.clone()))
    }

    fn facts(&self) -> Vec<Fact> {
        // Its week and its site are in the headline.
        if let Some(report) = &self.event.report {
            return report::facts(report);
        }
        let mut facts = self.whose();
        facts.extend(self.deletion_facts());
        facts.extend(self.own_facts());
        facts.extend(self.event.webhook.iter().flat_map(webhook::facts));
        let mut fact = |label, value| facts.push(Fact::new(label, value));
        if let Some(pdf) = &self.event.pdf {
            fact("File", Value::Text(pdf.files()));
            fact("In", Value::Text(pdf.place.clone()));
            if let Some(note) = &pdf.note {
                fact("Note", Value::Text(note.clone()));
            }
        }
        if let Some(at) = self.event.created_at {
            fact("When", Value::Time(at));
        }
        if let Some(site) = self.site {
            fact("Site", Value::Text(site.name.clone()));
        }
        let tags = self.content().map(|content| content.tags.as_slice()).unwrap_or_default();
        let tags: Vec<&str> = tags.iter().map(String::as_str).filter(|tag| !is_blank(tag)).collect();
        if !tags.is_empty() {
            fact("Tags", Value::Text(tags.join(", ")));
        }
        facts
    }

    /// What the caller says who sent the event.
    fn own_facts(&self) -> Vec<Fact> {
        let Some(own) = &self.event.own else { return Vec::new() };
        let data = own.data.iter().filter(|(_, value)| !is_blank(value)).take(MOST_OWN_FACTS);
        let data = data.map(|(name, value)| Fact {
            label: Cow::Owned(capitalised(&name.replace('_', " "))),
            value: Value::Text(value.clone()),
        });
        let by = Some(&own.caller).filter(|caller| !is_blank(caller));
        let by = by.map(|caller| Fact::new("Sent by", Value::Text(caller.clone())));
        data.chain(by).collect()
    }

    /// Where the object is and whose it is.
    fn whose(&self) -> Vec<Fact> {
        let Some(content) = self.content() else { return Vec::new() };
        let project = content.project.as_deref().map(shown);
        let project = project.map(|name| Fact::new(PROJECT, Value::Text(name.to_owned())));
        let owner = content.owner.as_ref().map(|owner| Fact::new("Owner", person(owner)));
        project.into_iter().chain(owner).collect()
    }

    /// Who deleted the object, where it was, and whose it was.
    fn deletion_facts(&self) -> Vec<Fact> {
        let Some(Deletion { by, path, owner }) = self.context.deletion.found() else { return Vec::new() };
        let by = by.as_ref().map(|by| Fact::new(DELETED_BY, person(by)));
        let path = Some(path).filter(|path| !is_blank(path));
        let path = path.map(|path| Fact::new(WAS_IN, Value::Text(path.clone())));
        let owner = owner.as_ref().map(|owner| Fact::new("Owner", person(owner)));
        by.into_iter().chain(path).chain(owner).collect()
    }

    /// What the Recycle Bin could not say about a deletion, and why.
    fn deletion_footnote(&self) -> Option<String> {
        match &self.context.deletion {
            Lookup::NotAsked => None,
            Lookup::Unavailable(why) => Some(format!("who deleted it and where it was is not known: {why}")),
            Lookup::Found(deletion) => {
                let missing = match (&deletion.by, is_blank(&deletion.path)) {
                    (Some(_), false) => return None,
                    (None, false) => "who deleted it",
                    (Some(_), true) => "where it was",
                    (None, true) => "who deleted it and where it was",
                };
                Some(format!("{missing} is not known: the Recycle Bin does not say it"))
            }
        }
    }

    /// The footnotes of a message: ids with which support finds the log line, and what Tableau could not say.
    fn footnotes(&self) -> Vec<String> {
        let mut footnotes =
            vec![self.event.name.as_str().to_owned(), format!("event {}", self.event.id.short())];
        // Tableau documents no address of a job's page. Its LUID finds it in the REST API and in Tableau's own logs.
        footnotes.extend(self.context.cause.found().map(|cause| format!("job {}", cause.job)));
        footnotes.extend(self.event.webhook.as_ref().map(|webhook| format!("webhook {}", webhook.webhook)));
        footnotes.extend(self.event.report.as_deref().and_then(report::footnote));
        if self.site.is_none() && self.event.own.is_none() {
            footnotes.push(format!("site {}", self.event.site));
        }
        if is_deletion(self.event) {
            footnotes.extend(self.deletion_footnote());
        } else if let Lookup::Unavailable(why) = &self.context.content {
            footnotes.push(format!("project and owner not available: {why}"));
        }
        footnotes
    }

    fn links(&self) -> Vec<Link> {
        // Some destinations show one link only: the one that the event is about.
        let pdf = self.event.pdf.as_ref().and_then(|pdf| {
            let label = if pdf.others > 0 { "Open the folder" } else { "Open the PDF" };
            Some(Link { label, url: pdf.link.clone()? })
        });
        let link = self.content().and_then(|content| content.link.clone());
        let link = link.map(|url| Link { label: "Open in Tableau", url });
        pdf.into_iter().chain(link).collect()
    }

    fn cause(&self) -> (Option<Cause>, Option<String>) {
        let advice = next_step(self.event).map(Cow::into_owned);
        if self.event.name.action() != Some(Action::RefreshFailed) {
            return (None, advice);
        }
        let why = match &self.context.cause {
            Lookup::Found(cause) => {
                let known = Cause::Known { title: cause.class.title().to_owned(), line: cause.line.clone() };
                return (Some(known), Some(cause.next_step().to_owned()));
            }
            Lookup::Unavailable(why) => why.clone(),
            Lookup::NotAsked => "it was not looked up".to_owned(),
        };
        // A job that Tableau does not list cannot be opened, so the advice must not say to open the job.
        let advice = if why == NO_JOB_LISTED { Some(NEXT_STEP_WITHOUT_JOB.to_owned()) } else { advice };
        (Some(Cause::Unknown { why }), advice)
    }
}

fn person(person: &Owner) -> Value {
    let email = person.email.as_ref().filter(|email| **email != person.name && !is_blank(email));
    Value::Person { name: shown(&person.name).to_owned(), email: email.cloned() }
}

/// The name, or a placeholder if it has no visible character.
fn shown(name: &str) -> &str {
    if is_blank(name) { NO_NAME } else { name }
}

/// Builds the notification of an event that belongs to no incident.
pub fn event(about: &About<'_>) -> Notification {
    let event = about.event;
    let (cause, next_step) = about.cause();
    let of_webhook = event.webhook.iter().map(Status::of_webhook);
    let of_report = event.report.iter().filter_map(|report| report::status(report));
    let lists = event.report.iter().flat_map(|report| report::lists(report));
    Notification {
        event: Some(Box::new(event.clone())),
        subject: Some(about.name()),
        cause,
        next_step,
        status: of_webhook.chain(of_report).collect(),
        facts: about.facts(),
        lists: lists.collect(),
        links: about.links(),
        footnotes: about.footnotes(),
        timezone: about.timezone(),
        own_text: event.own.as_ref().and_then(|own| own.text.clone()),
        ..Notification::new(Kind::Event, severity(event), symbol_of(event), title(event))
    }
}

/// Builds a test notification of a workflow.
pub fn test(workflow: &str) -> Notification {
    Notification {
        own_text: Some(
            "The command tableau-webhooks test sent this. Nothing has happened in Tableau, and there is nothing to do."
                .to_owned(),
        ),
        footnotes: vec![format!("test notification of {workflow}")],
        ..Notification::new(Kind::Event, Severity::Info, "🧪", "Test")
    }
}

/// Builds the notification that an incident opened.
pub fn opened(about: &About<'_>, incident: &Open) -> Notification {
    standing(event(about), Kind::Opened, about.site, incident)
}

/// Builds the notification that an incident continues: one more failure or, if `reminder` is set, open for another
/// day.
pub fn updated(about: &About<'_>, incident: &Open, reminder: Option<Timestamp>) -> Notification {
    let mut shown = standing(event(about), Kind::Updated, about.site, incident);
    if let Some(now) = reminder {
        shown.status.insert(0, Status::StillOpen { lasted: duration(incident.lasted(now)) });
    }
    shown
}

/// Builds the notification that an incident has ended.
pub fn resolved(about: &About<'_>, resolved: &Resolved) -> Notification {
    let incident = &resolved.incident;
    let end = resolved.end;
    let lasted: SignedDuration = incident.lasted(resolved.at);
    let (symbol, title) = match end {
        End::Deleted => ("🗑️", format!("Deleted {} after the first failure", duration(lasted))),
        End::Recovered | End::RecoveredWithoutEvent => ("✅", recovered(incident.failures, lasted)),
    };
    let is_deleted = end == End::Deleted;
    let mut status =
        vec![Status::Total { count: incident.failures, since: incident.since, until: resolved.at }];
    if end == End::RecoveredWithoutEvent {
        status.push(Status::SuccessEventMissing);
    }
    let cause = incident.cause.clone().map(|KnownCause { title, line }| Cause::Known { title, line });
    Notification {
        event: Some(Box::new(about.event.clone())),
        subject: Some(about.name()),
        cause,
        status,
        facts: if is_deleted { about.deletion_facts() } else { about.whose() },
        footnotes: about.deletion_footnote().filter(|_| is_deleted).into_iter().collect(),
        timezone: about.timezone(),
        ..Notification::new(Kind::Resolved, Severity::Resolved, symbol, title)
    }
}

fn recovered(failures: u32, lasted: SignedDuration) -> String {
    let lasted = duration(lasted);
    if failures > 1 {
        format!("Recovered after {failures} failures in {lasted}")
    } else {
        format!("Recovered after {lasted}")
    }
}
