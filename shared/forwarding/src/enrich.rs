//! What Tableau says about an event, for bodies.

use alerting::notification::{Status, failed_most, next_step, reason, report_lines, title};
use facts::{Answer, FactLookups, OTHER_SITE, Question, is_deletion, why_no_cause};
use plain_text::one_line;
use rules::Site;
use rules::body::{
    CauseData, Data, DeletionData, EventData, ObjectData, OwnerData, PdfData, ProjectData, ReportData,
    SiteData, WebhookData, event_type,
};
use std::borrow::Cow;
use tableau::{Action, DisabledWebhook, Event, OwnEvent, Subject, WeeklyReport};
use tableau_client::{CauseLookup, Owner, OwnerRef, RecycleBinLookup};
use workflow::Failure;

/// What a body says about an event. What Tableau cannot say for now is waited for, but not for long.
///
/// # Errors
/// When Tableau does not answer and the event is to be tried again.
pub async fn enrich(
    facts: &FactLookups,
    question: Question<'_>,
    site: Option<&Site>,
) -> Result<Data, Failure> {
    let mut data = bare(question.event, site);
    match question.in_time(ask(facts, question, &mut data)).await {
        Ok(()) => {}
        Err(unanswered) if unanswered.waits => return Err(unanswered.failure),
        Err(unanswered) => {
            let reason = unanswered.failure.reason();
            tracing::warn!(event.id = %question.event.id, reason, "the event is forwarded without details");
            data.missing.push(unanswered.why);
        }
    }
    finish(&mut data, question.event);
    Ok(data)
}

/// What a body says about a test.
pub fn of_test(event: &Event) -> Data {
    let mut data = bare(event, None);
    data.title = "Test of forward-event".to_owned();
    data.lines =
        vec!["The command tableau-webhooks test sent this. Nothing has happened in Tableau, and there is nothing to do.".to_owned()];
    data
}

/// What a body would say about an event, with the values of a sample for what Tableau would say. `change` puts in what is known.
pub fn of_sample(event: &Event, site: Option<&Site>, change: impl FnOnce(&mut Data)) -> Data {
    let mut data = bare(event, site);
    let is_sample = |sample: &&Data| sample.event.name == event.name.as_str() && sample.missing.is_empty();
    if let Some(sample) = rules::body::samples().iter().find(is_sample).cloned() {
        data.project = sample.project;
        data.owner = sample.owner;
        data.cause = sample.cause;
        data.deleted = sample.deleted;
        data.pdf = sample.pdf;
        let name = data.object.name.take().or(sample.object.name);
        data.object = ObjectData { kind: data.object.kind, luid: data.object.luid, name, ..sample.object };
    }
    change(&mut data);
    finish(&mut data, event);
    data
}

/// What the event says itself.
fn bare(event: &Event, site: Option<&Site>) -> Data {
    Data {
        event: EventData {
            id: event.id.to_string(),
            name: one_line(event.name.as_str()),
            r#type: event_type(&event.name),
            happened_at: event.created_at.map(|at| at.to_string()),
            is_failure: event.name.action() == Some(Action::RefreshFailed),
        },
        site: SiteData {
            luid: event.site.to_string(),
            name: site.map(|site| site.name.clone()).filter(|name| !name.is_empty()),
        },
        object: ObjectData {
            kind: event.subject.kind().to_owned(),
            luid: event.subject.luid().to_owned(),
            name: event.resource_name.clone(),
            ..ObjectData::default()
        },
        pdf: event.pdf.clone().map_or_else(PdfData::default, |pdf| PdfData {
            file: Some(pdf.files()),
            place: Some(pdf.place),
            link: pdf.link,
            note: pdf.note,
        }),
        webhook: event.webhook.as_ref().map(webhook_data).unwrap_or_default(),
        report: event.report.as_deref().map(report_data).unwrap_or_default(),
        data: event.own.as_ref().map(|own| own.data.clone()).unwrap_or_default(),
        ..Data::default()
    }
}

async fn ask(facts: &FactLookups, question: Question<'_>, data: &mut Data) -> Answer<()> {
    let event = question.event;
    let has_content = matches!(event.subject, Subject::Workbook(_) | Subject::Datasource(_));
    let is_gone = event.name.action() == Some(Action::Deleted) && !is_deletion(event);
    if !has_content || is_gone {
        return Ok(());
    }
    if facts.is_of_another_site(question).await? {
        data.missing.push(OTHER_SITE.to_owned());
        return Ok(());
    }
    if is_deletion(event) {
        return of_deletion(facts, question, data).await;
    }
    match FactLookups::found_or_why(question, facts.item(question).await)? {
        Ok(Some(item)) => {
            let owner = FactLookups::found_or_why(question, facts.owner(&item, question).await)?;
            match owner {
                Ok(owner) => data.owner = owner.map(owner_data).unwrap_or_default(),
                Err(why) => data.missing.push(format!("owner: {why}")),
            }
            let content = item.content(None);
            data.object.name = Some(content.name).filter(|name| !name.is_empty()).or(data.object.name.take());
            data.object.link = content.link;
            data.object.tags = content.tags;
            data.object.certified = event.datasource().map(|_| item.is_certified);
            data.project = ProjectData { name: content.project };
        }
        Ok(None) => data.missing.push("Tableau does not have it any more".to_owned()),
        Err(why) => data.missing.push(format!("project and owner: {why}")),
    }
    if data.event.is_failure {
        match FactLookups::found_or_why(question, facts.cause(question).await)? {
            Ok(CauseLookup::Found(cause)) => {
                data.cause = CauseData {
                    class: Some(cause.class.name().to_owned()),
                    title: Some(cause.class.title().to_owned()),
                    next_step: Some(cause.next_step().to_owned()),
                    job: Some(cause.job.to_string()),
                    line: Some(cause.line).filter(|line| !line.is_empty()),
                };
            }
            Ok(not_found) => data.missing.extend(why_no_cause(&not_found).map(|why| format!("cause: {why}"))),
            Err(why) => data.missing.push(format!("cause: {why}")),
        }
    }
    Ok(())
}

async fn of_deletion(facts: &FactLookups, question: Question<'_>, data: &mut Data) -> Answer<()> {
    match FactLookups::found_or_why(question, facts.deletion(question).await)? {
        Ok(RecycleBinLookup::Found(item)) => {
            let deleter = FactLookups::found_or_why(question, facts.deleter(&item, question).await)?;
            let by = deleter.unwrap_or_default().map(|person| person.name);
            data.owner = item.owner.as_ref().and_then(OwnerRef::person).map(owner_data).unwrap_or_default();
            data.deleted =
                DeletionData { by, path: Some(item.original_path).filter(|path| !path.is_empty()) };
        }
        Ok(not_found) => data.missing.push(format!("who deleted it: {not_found}")),
        Err(why) => data.missing.push(format!("who deleted it: {why}")),
    }
    Ok(())
}

fn owner_data(owner: Owner) -> OwnerData {
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    OwnerData { name: given(owner.name), email: owner.email, login: given(owner.login) }
}

fn webhook_data(webhook: &DisabledWebhook) -> WebhookData {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
    WebhookData {
        event: Some(webhook.event.as_str().to_owned()),
        owner: webhook.owner.clone(),
        reason: given(&webhook.reason),
        last_enabled: webhook.last_enabled.map(|at| at.to_string()),
        found: Some(webhook.found.to_string()),
        enabled_again: webhook.enabled_again.map(|at| at.to_string()),
        note: given(&webhook.note),
    }
}

fn report_data(report: &WeeklyReport) -> ReportData {
    let week = &report.week;
    ReportData {
        first_day: Some(report.first_day.to_string()),
        last_day: Some(report.last_day().to_string()),
        failed: Some(week.failed),
        succeeded: Some(week.succeeded),
        opened: Some(week.opened),
        resolved: Some(week.resolved),
        recovery_seconds: week.recovery_seconds,
        messages: Some(week.messages),
        messages_in_time: Some(week.messages_in_time),
        message_p99_ms: week.message_p99_ms,
        given_up: Some(week.given_up),
        failed_most: failed_most(report),
    }
}

/// Title and lines, from everything else.
fn finish(data: &mut Data, event: &Event) {
    let name = data.object.name.as_deref().map(one_line).filter(|name| !name.is_empty());
    data.title = match name {
        Some(name) => format!("{}: {name}", title(event)),
        None => title(event),
    };
    let cause = match (&data.cause.title, &data.cause.line) {
        (Some(title), Some(line)) => Some(format!("{title} – {line}")),
        (title, line) => title.clone().or_else(|| line.clone()),
    };
    let advice = data.cause.next_step.clone().or_else(|| {
        let is_without_cause = !data.event.is_failure || !data.missing.is_empty();
        next_step(event).filter(|_| is_without_cause).map(Cow::into_owned)
    });
    let owner = match (&data.owner.name, &data.owner.email) {
        (Some(name), Some(email)) if name != email => Some(format!("{name} ({email})")),
        (name, email) => name.clone().or_else(|| email.clone()),
    };
    let site = data.site.name.clone().unwrap_or_else(|| data.site.luid.clone());
    let own = event.own.as_ref();
    let facts =
        own.into_iter().flat_map(|own| &own.data).map(|(name, value)| (name.as_str(), Some(value.clone())));
    let webhook = event.webhook.as_ref();
    let no_deliveries = webhook.and_then(|webhook| Status::of_webhook(webhook).sentence(None));
    let told = [
        ("Text", own.and_then(|own| own.text.clone())),
        ("Severity", own.map(|own| own.severity.as_str().to_owned())),
        ("Sent by", own.map(|own| own.caller.clone())),
        ("Cause", cause),
        ("Next step", advice),
        ("Deleted by", data.deleted.by.clone()),
        ("It was in", data.deleted.path.clone()),
        ("File", data.pdf.file.clone()),
        ("In", data.pdf.place.clone()),
        ("PDF", data.pdf.link.clone()),
        ("Note", data.pdf.note.clone()),
        ("Events", data.webhook.event.clone()),
        ("Registered by", data.webhook.owner.clone()),
        ("Reason at Tableau", webhook.map(|webhook| reason(webhook).to_owned())),
        ("No deliveries", no_deliveries.map(|sentence| sentence.rest)),
        ("Project", data.project.name.clone()),
        ("Owner", owner),
        ("When", data.event.happened_at.clone()),
        ("Site", Some(site).filter(|site| site != OwnEvent::NO_SITE)),
        ("Tags", Some(data.object.tags.join(", "))),
        ("Page in Tableau", data.object.link.clone()),
        (
            "Event",
            Some(format!("{}, {}", data.event.name, data.event.id.get(..12).unwrap_or(&data.event.id))),
        ),
    ];
    let line = |(label, text): (&str, Option<String>)| {
        let text = text.map(|text| one_line(&text)).filter(|text| !text.trim().is_empty())?;
        Some(format!("{label}: {text}"))
    };
    let report = event.report.as_deref().map(report_lines).unwrap_or_default();
    let report = report.iter().map(|(label, text)| (label.as_str(), Some(text.clone())));
    data.lines = report.chain(told).chain(facts).filter_map(line).collect();
    data.lines.extend(data.missing.iter().map(|why| format!("Not known: {}", one_line(why))));
}
