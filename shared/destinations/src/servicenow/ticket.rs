//! What is written to one incident: it is created, gets work notes, and is resolved. What a person has closed gets notes only.
//!
//! A journal entry has no key by which a second one could be recognised. So `correlation_display` says in the same call what was written
//! last, and an entry that was written already is not written again.

use super::call::{Call, Fields};
use super::guarded::{Table, Trouble};
use super::key::{Key, hash};
use super::record::{RECOVERED, Record, Reference, SysId};
use super::render::Rendered;
use rules::settings::{OnRecovery, TrackServicenowIncident};
use workflow::Invocation;

/// What `correlation_display` says of a new incident: where it comes from.
const FROM: &str = "Tableau";

/// An incident that was created.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) reference: Reference,
    /// Whether the instance has stored the key, by which the incident is found again.
    pub(super) has_key: bool,
}

fn field(fields: &mut Fields, name: &str, value: impl Into<String>) {
    fields.insert(name.to_owned(), value.into());
}

/// The fields of a new incident, and whether their values are what people see.
fn new_fields(
    target: &TrackServicenowIncident,
    key: &Key,
    texts: &Rendered,
    parent: Option<&SysId>,
) -> (Fields, bool) {
    let mut fields: Fields =
        target.fields.iter().map(|(name, value)| (name.clone(), value.to_text())).collect();
    let named = [
        ("assignment_group", &target.assignment_group),
        ("caller_id", &target.caller),
        ("category", &target.category),
    ];
    // Names of records have to be looked up by the instance; ids and numbers are what it stores.
    let is_name = |text: &String| SysId::parse(text).is_none();
    let by_name = named.iter().any(|(_, value)| value.as_ref().is_some_and(is_name)) || !fields.is_empty();
    for (name, value) in named {
        if let Some(value) = value {
            field(&mut fields, name, value);
        }
    }
    for (name, number) in [("urgency", target.urgency), ("impact", target.impact)] {
        if let Some(number) = number {
            field(&mut fields, name, number.to_string());
        }
    }
    field(&mut fields, "short_description", &texts.short);
    field(&mut fields, "description", &texts.long);
    field(&mut fields, "correlation_id", key.as_str());
    field(&mut fields, "correlation_display", FROM);
    if let Some(parent) = parent {
        field(&mut fields, "parent_incident", parent.as_str());
    }
    (fields, by_name)
}

impl Table {
    /// Creates an incident.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn create(
        &self,
        target: &TrackServicenowIncident,
        key: &Key,
        texts: &Rendered,
        parent: Option<&SysId>,
        invocation: &Invocation,
    ) -> Result<Created, Trouble> {
        let (fields, by_name) = new_fields(target, key, texts, parent);
        let answer = self.call(Call::Create { fields: &fields, by_name }, invocation).await?;
        let record = Record::read(&answer).ok_or_else(|| Trouble::unusable("create an incident", true))?;
        let has_key = record.is_of(key);
        if !has_key {
            let number = &record.reference.number;
            tracing::error!(
                number,
                "the instance has not stored correlation_id, by which an incident is found again"
            );
        }
        Ok(Created { reference: record.reference, has_key })
    }

    /// Adds a work note, unless it was the last thing that was written. If the incident has ended and takes no notes any more, that is
    /// no failure.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn note(
        &self,
        record: &Record,
        text: &str,
        invocation: &Invocation,
    ) -> Result<(), Trouble> {
        self.write_note(record, text, mark(text), Fields::new(), invocation).await
    }

    async fn write_note(
        &self,
        record: &Record,
        text: &str,
        mark: String,
        mut fields: Fields,
        invocation: &Invocation,
    ) -> Result<(), Trouble> {
        if record.display == mark {
            return Ok(());
        }
        field(&mut fields, "work_notes", text);
        field(&mut fields, "correlation_display", mark);
        let updated = self.update(&record.reference, &fields, invocation).await;
        match updated {
            Err(trouble)
                if record.has_ended() && trouble.refused().is_some_and(|refused| refused.is_forbidden()) =>
            {
                let number = &record.reference.number;
                let state = &record.state;
                tracing::info!(
                    number,
                    state,
                    "a person has closed the incident, and it takes no notes any more"
                );
                Ok(())
            }
            other => other,
        }
    }

    /// Writes the end, as the rule says, once. An incident that has ended keeps its state, whether we or a person ended it.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn end(
        &self,
        target: &TrackServicenowIncident,
        record: &Record,
        text: &str,
        invocation: &Invocation,
    ) -> Result<(), Trouble> {
        if record.display == RECOVERED {
            return Ok(());
        }
        let state = target.resolved_state();
        match (target.on_recovery, &target.close_code) {
            (OnRecovery::Nothing, _) => Ok(()),
            (OnRecovery::Resolve, Some(code)) if record.is_open(state) => {
                let first =
                    target.close_notes.as_deref().map(|first| format!("{first}\n")).unwrap_or_default();
                let mut fields = Fields::new();
                field(&mut fields, "state", state.to_string());
                field(&mut fields, "close_code", code);
                field(&mut fields, "close_notes", super::text::cut(&format!("{first}{text}"), 4_000));
                field(&mut fields, "correlation_display", RECOVERED);
                self.update(&record.reference, &fields, invocation).await
            }
            _ => self.write_note(record, text, RECOVERED.to_owned(), Fields::new(), invocation).await,
        }
    }

    /// Makes the incident of a group's first object the one of the whole group. Its key becomes that of the group, so that the end of the
    /// one object does not end it.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn take_over(
        &self,
        record: &Record,
        key: &Key,
        texts: &Rendered,
        invocation: &Invocation,
    ) -> Result<(), Trouble> {
        let mut fields = Fields::new();
        field(&mut fields, "correlation_id", key.as_str());
        field(&mut fields, "short_description", &texts.short);
        field(&mut fields, "description", &texts.long);
        self.write_note(record, &texts.long, mark(&texts.long), fields, invocation).await
    }

    /// Puts an incident below another one.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn adopt(
        &self,
        record: &Record,
        parent: &Reference,
        invocation: &Invocation,
    ) -> Result<(), Trouble> {
        let mut fields = Fields::new();
        field(&mut fields, "parent_incident", parent.sys_id.as_str());
        self.update(&record.reference, &fields, invocation).await
    }

    async fn update(
        &self,
        reference: &Reference,
        fields: &Fields,
        invocation: &Invocation,
    ) -> Result<(), Trouble> {
        self.call(Call::Update { sys_id: &reference.sys_id, fields }, invocation).await.map(|_| ())
    }
}

/// What `correlation_display` says after this text was written.
fn mark(text: &str) -> String {
    format!("{FROM} · {:08x}", hash(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields_of(settings: serde_json::Value) -> (Fields, bool) {
        let target: TrackServicenowIncident = serde_json::from_value(settings).unwrap();
        let key = Key::of_one(Some("717bbc05a8f9"), &target).unwrap();
        let texts = Rendered { short: "Short".to_owned(), long: "Long".to_owned() };
        new_fields(&target, &key, &texts, None)
    }

    #[test]
    fn values_are_names_unless_all_of_them_are_ids() {
        const ID: &str = "287ebd7da9fe198100f92cc8d1d2154e";
        for (settings, by_name) in [
            (json!({}), false),
            (json!({ "urgency": 1, "impact": 5 }), false),
            (json!({ "assignment_group": ID, "caller": ID }), false),
            (json!({ "assignment_group": ID, "caller": "Tableau Service" }), true),
            (json!({ "category": "Software" }), true),
            (json!({ "fields": { "u_service": "Reporting" } }), true),
        ] {
            assert_eq!(fields_of(settings.clone()).1, by_name, "{settings}");
        }
    }

    #[test]
    fn a_new_incident_has_what_the_rule_says_and_no_state() {
        let (fields, _) = fields_of(json!({
            "assignment_group": "BI Platform", "caller": "Tableau Service", "category": "software", "urgency": 2, "impact": 3,
            "fields": { "u_service": "Reporting", "u_planned": false },
        }));
        let of = |name: &str| fields.get(name).map(String::as_str);
        for (name, value) in [
            ("assignment_group", "BI Platform"),
            ("caller_id", "Tableau Service"),
            ("category", "software"),
            ("urgency", "2"),
            ("impact", "3"),
            ("u_service", "Reporting"),
            ("u_planned", "false"),
            ("short_description", "Short"),
            ("description", "Long"),
            ("correlation_display", "Tableau"),
        ] {
            assert_eq!(of(name), Some(value), "{name}");
        }
        assert_eq!((of("state"), of("priority"), of("work_notes")), (None, None, None));
    }

    #[test]
    fn a_mark_is_another_one_for_another_text() {
        assert_ne!(mark("3 failures in a row"), mark("4 failures in a row"));
        assert_ne!(mark("x"), FROM);
    }
}
