//! An incident as the table shows it.

use super::key::Key;
use alerting::incident::MessageRef;
use serde_json::Value;

/// The fields that every call asks for.
pub(super) const FIELDS: &str =
    "sys_id,number,active,state,correlation_id,correlation_display,parent_incident";

/// What `correlation_display` says after the end was written.
pub(super) const RECOVERED: &str = "Tableau · recovered";

/// The id of a record: 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SysId(String);

impl SysId {
    /// The id, if the text has the form of one. A text from the store or from an answer must not become part of a path unchecked.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which incident it is: what our own records keep of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) sys_id: SysId,
    /// What people call it, such as `INC0010023`. Empty if the account may not read it.
    pub(super) number: String,
}

impl Reference {
    pub(super) fn new(sys_id: &str, number: &str) -> Option<Self> {
        let number: String = number.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        Some(Self { sys_id: SysId::parse(sys_id)?, number })
    }

    /// The reference that the notification log keeps.
    pub(super) fn to_message(&self) -> MessageRef {
        MessageRef { conversation: self.number.clone(), id: self.sys_id.as_str().to_owned() }
    }

    pub(super) fn of_message(message: &MessageRef) -> Option<Self> {
        Self::new(&message.id, &message.conversation)
    }
}

/// An incident as the table shows it. Fields that the account may not read are missing in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) reference: Reference,
    /// `None`: the account may not read it.
    active: Option<bool>,
    /// The number of the state, whatever it means in this instance.
    pub(super) state: String,
    pub(super) correlation_id: String,
    /// Holds what was last written to the journal: see [`super::ticket`].
    pub(super) display: String,
    pub(super) parent: String,
}

impl Record {
    /// Reads one record of a `result`. `None` without a usable id.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| match value.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(is)) => is.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let active = match text("active").as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        };
        Some(Self {
            reference: Reference::new(&text("sys_id"), &text("number"))?,
            active,
            state: text("state"),
            correlation_id: text("correlation_id"),
            display: text("correlation_display"),
            parent: text("parent_incident"),
        })
    }

    /// Whether this is the incident of that key. An instance without the field, or whose account may not read it, answers a search
    /// with other incidents.
    pub(super) fn is_of(&self, key: &Key) -> bool {
        self.correlation_id == key.as_str()
    }

    /// Whether the table says that it has ended. What the account may not see says nothing.
    pub(super) fn has_ended(&self) -> bool {
        self.active == Some(false)
    }

    /// Whether the last thing that was written is its end.
    pub(super) fn has_recovered(&self) -> bool {
        self.display == RECOVERED
    }

    /// Whether it is still open: it is active, and not in the state Resolved already. What the account may not see counts as ended,
    /// because it must not be changed then.
    pub(super) fn is_open(&self, resolved: u32) -> bool {
        self.active == Some(true) && self.state != resolved.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "57af7aec73d423002728660c4cf6a71c";

    // D064
    #[test]
    fn active_decides_whether_an_incident_is_open_whatever_the_states_are_called() {
        for (active, state, is_open) in [
            (json!("true"), "1", true),
            (json!("true"), "-2", true),
            (json!(true), "17", true),
            (json!("true"), "6", false),
            (json!("false"), "7", false),
            (json!("false"), "-2", false),
            (json!(null), "1", false),
        ] {
            let record = Record::read(&json!({ "sys_id": ID, "active": active, "state": state })).unwrap();
            assert_eq!(record.is_open(6), is_open, "{active} {state}");
            assert_eq!(record.state, state);
        }
        let record = Record::read(&json!({ "sys_id": ID, "active": "true", "state": "6" })).unwrap();
        assert!(record.is_open(16), "the instance has another number for Resolved");
    }

    #[test]
    fn only_the_form_of_an_id_names_a_record() {
        for id in ["", "57af", "57af7aec73d423002728660c4cf6a71/", "../../../../oauth_token.do?aaaaaa"] {
            assert_eq!(Record::read(&json!({ "sys_id": id })), None, "{id}");
        }
        let reference = Reference::new(ID, "INC0010023\n").unwrap();
        assert_eq!(reference.number, "INC0010023");
        assert_eq!(Reference::of_message(&reference.to_message()), Some(reference));
    }
}
