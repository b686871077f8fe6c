//! One entry of a `PutEvents`, and the event it becomes.

use super::super::names::{ACCOUNT, REGION};
use jiff::{Timestamp, Unit};
use serde_json::{Value, json};

/// A valid entry of `PutEvents`, ready to publish.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) bus: String,
    pub(super) detail_type: String,
    source: String,
    /// The event's detail as JSON text, with white space outside strings removed.
    detail_text: String,
    detail: Value,
    resources: Vec<Value>,
    time: Timestamp,
}

/// Why an entry was not published.
#[derive(Debug)]
pub(super) struct Rejected {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Rejected {
    pub(super) fn internal() -> Self {
        Self { code: "InternalFailure", message: "Internal failure".to_owned() }
    }

    fn argument(name: &str) -> Self {
        let message = format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
        Self { code: "InvalidArgument", message }
    }
}

fn text<'a>(entry: &'a Value, member: &str) -> Option<&'a str> {
    entry[member].as_str().filter(|text| !text.is_empty())
}

/// The size of an entry in bytes, as EventBridge counts it.
pub(super) fn size_bytes(entry: &Value) -> usize {
    let texts = ["Source", "DetailType", "Detail"].map(|member| text(entry, member).map_or(0, str::len));
    let time = if entry["Time"].is_null() { 0 } else { 14 };
    let resources = entry["Resources"].as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.into_iter().sum::<usize>() + time + resources.map(str::len).sum::<usize>()
}

impl Entry {
    pub(super) fn read(entry: &Value) -> Result<Self, Rejected> {
        let source = text(entry, "Source").ok_or_else(|| Rejected::argument("Source"))?;
        let detail_type = text(entry, "DetailType").ok_or_else(|| Rejected::argument("DetailType"))?;
        let detail_text = text(entry, "Detail").ok_or_else(|| Rejected::argument("Detail"))?;
        if source.starts_with("aws.") {
            let message = "Not authorized for the source.".to_owned();
            return Err(Rejected { code: "NotAuthorizedForSourceException", message });
        }
        let detail: Option<Value> = serde_json::from_str(detail_text).ok().filter(Value::is_object);
        let detail = detail.ok_or_else(|| Rejected {
            code: "MalformedDetail",
            message: "Detail is malformed.".to_owned(),
        })?;
        let time = entry["Time"].as_f64().and_then(|s| Timestamp::from_millisecond((s * 1000.0) as i64).ok());
        Ok(Self {
            id: uuid::Uuid::new_v4().to_string(),
            bus: text(entry, "EventBusName").unwrap_or("default").to_owned(),
            detail_type: detail_type.to_owned(),
            source: source.to_owned(),
            detail_text: compact(detail_text),
            detail,
            resources: entry["Resources"].as_array().cloned().unwrap_or_default(),
            time: time.unwrap_or_else(Timestamp::now),
        })
    }

    /// The event as rules match it.
    pub(super) fn event(&self) -> Value {
        // EventBridge events carry whole seconds.
        let time = self.time.round(Unit::Second).unwrap_or(self.time);
        json!({
            "version": "0",
            "id": self.id,
            "detail-type": self.detail_type,
            "source": self.source,
            "account": ACCOUNT,
            "time": time.to_string(),
            "region": REGION,
            "resources": self.resources,
            "detail": self.detail,
        })
    }

    /// The text that a target receives: the part of the event at the input path.
    pub(super) fn part(&self, event: &Value, steps: &[String]) -> Option<String> {
        // Keep the keys of the detail in the order in which the sender wrote them.
        if steps == ["detail"] {
            return Some(self.detail_text.clone());
        }
        let end = steps.iter().try_fold(event, |value, step| value.get(step))?;
        Some(end.to_string())
    }
}

/// Removes white space between the tokens of a JSON text.
fn compact(json: &str) -> String {
    let mut in_string = false;
    let mut escaped = false;
    let keep = |c: &char| {
        if in_string {
            in_string = *c != '"' || escaped;
            escaped = *c == '\\' && !escaped;
            return true;
        }
        in_string = *c == '"';
        !c.is_ascii_whitespace()
    };
    json.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_json_keeps_its_strings_and_order() {
        assert_eq!(compact("{ \"b\" : \"x \\\" y\",\n \"a\": [1, 2] }"), r#"{"b":"x \" y","a":[1,2]}"#);
        assert_eq!(compact(r#"{"a": "\\", "b": " "}"#), r#"{"a":"\\","b":" "}"#);
    }

    #[test]
    fn an_entry_says_what_it_lacks() {
        let full = json!({ "Source": "s", "DetailType": "t", "Detail": "{}" });
        assert!(Entry::read(&full).is_ok());
        for member in ["Source", "DetailType", "Detail"] {
            let mut lacking = full.clone();
            lacking[member] = Value::Null;
            assert_eq!(Entry::read(&lacking).unwrap_err().code, "InvalidArgument");
        }
        for detail in ["[]", "{", "1"] {
            let entry = json!({ "Source": "s", "DetailType": "t", "Detail": detail });
            assert_eq!(Entry::read(&entry).unwrap_err().code, "MalformedDetail");
        }
    }
}
