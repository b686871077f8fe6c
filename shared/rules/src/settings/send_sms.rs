//! What rules say to `send-sms`.

mod numbers;

pub use numbers::Numbers;

use crate::workflow::{Invalid, TargetSettings, WorkflowSettings};
use serde::Deserialize;
use tableau::EventName;

/// `send-sms: { to: "+4915112345678" }`, or a list of numbers.
///
/// The function makes a target of its own of each number: one that refuses does not stop the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SendSms {
    /// Who gets the text: numbers with plus, the country's code and digits alone, in quotation marks, such as "+4915112345678". Required;
    /// one, or a list.
    pub to: Numbers,
}

impl WorkflowSettings for SendSms {
    const WORKFLOW: &'static str = "send-sms";
    const EVENTS: &'static [EventName] = &EventName::ALL;

    fn check(&self) -> Result<(), Invalid> {
        let invalid = |problem: String| Err(Invalid { field: "to", problem });
        if self.to.list().is_empty() {
            return invalid(
                "it is empty: write the number of a phone, such as \"+4915112345678\"".to_owned(),
            );
        }
        match self.to.twice() {
            Some(place) => invalid(format!("entry {place} stands twice: remove one of the two")),
            None => Ok(()),
        }
    }

    fn repeats(&self, earlier: &Self) -> bool {
        self.to.key() == earlier.to.key()
    }
}

impl TargetSettings for SendSms {
    fn key(&self) -> &str {
        self.to.key()
    }

    /// No number that no rule names gets a text: a key alone is not enough.
    fn of_key(_: &str) -> Option<Self> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(settings: Value) -> Result<SendSms, String> {
        let read: SendSms = serde_json::from_value(settings).map_err(|error| error.to_string())?;
        read.check().map_err(|invalid| format!("{}: {}", invalid.field, invalid.problem))?;
        Ok(read)
    }

    #[test]
    fn a_rule_names_one_number_or_several() {
        let one = read(json!({ "to": "+4915112345678" })).unwrap();
        assert_eq!(one.to.list()[0].as_str(), "+4915112345678");
        let two = read(json!({ "to": ["+4915112345678", "+14155550123"] })).unwrap();
        assert_eq!(two.to.list().len(), 2);
        let other_order = read(json!({ "to": ["+14155550123", "+4915112345678"] })).unwrap();
        assert!(two.repeats(&other_order) && !two.repeats(&one));
        assert_eq!(SendSms::of_key(one.key()), None);
    }

    #[test]
    fn a_key_and_a_debug_have_no_number() {
        let many: Vec<String> = (0..40).map(|n| format!("+491511234{n:04}")).collect();
        for settings in [json!({ "to": "+4915112345678" }), json!({ "to": many })] {
            let settings = read(settings).unwrap();
            assert!(settings.key().len() < 300, "{}", settings.key());
            let shown = format!("{settings:?} {}", settings.key());
            assert!(!shown.contains("4915112"), "{shown}");
        }
    }

    // D019
    #[test]
    fn a_mistake_says_what_to_write_and_repeats_no_number() {
        for (settings, expected) in [
            (json!({}), "missing field `to`"),
            (json!({ "to": [] }), "to: it is empty"),
            (json!({ "to": 46701234567_u64 }), "put the number in quotation marks, with the plus"),
            (
                json!({ "to": ["+14155550123", 46701234567_u64] }),
                "put the number in quotation marks, with the plus",
            ),
            (json!({ "to": 46.7 }), "put the number in quotation marks, with the plus"),
            (json!({ "to": "46701234567" }), "write plus, the country's code"),
            (json!({ "to": "+46 70 123 45 67" }), "plus and digits alone"),
            (json!({ "to": ["+46701234567", "+46701234567"] }), "to: entry 2 stands twice"),
            (json!({ "to": true }), "the number of a phone, or a list of these"),
            (json!({ "to": "+46701234567", "from": "+46701234567" }), "unknown field `from`"),
        ] {
            let problem = read(settings.clone()).unwrap_err();
            assert!(problem.contains(expected), "{settings}: {problem}");
            assert!(!problem.contains("4670"), "{problem}");
        }
    }
}
