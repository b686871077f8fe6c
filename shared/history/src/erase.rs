//! Takes a person out of a file. No I/O.

use crate::column::{Kind, Type};
use crate::erased_people::is_same_person;
use crate::error::Error;
use crate::files::{is_state, of_key};
use serde_json::{Map, Value};

/// What stands for the person.
const ERASED: &str = "[erased]";
/// Columns that together name one person: if one of them does, all are erased.
const OWNER: [&str; 2] = ["owner_name", "owner_email"];

/// A file without the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Erased {
    /// How many rows named the person.
    pub(crate) rows: u64,
    /// All lines of the file.
    pub(crate) lines: Vec<u8>,
}

/// Takes a person out of a file of the bucket, which was unpacked; `None` for a file that is not the export's.
///
/// # Errors
/// [`Error::File`] when the content is not what the export writes.
pub(crate) fn erase_file(key: &str, content: &[u8], person: &str) -> Result<Option<Erased>, Error> {
    if let Some((kind, _)) = of_key(key) {
        return erase(kind, key, content, person).map(Some);
    }
    if !is_state(key) {
        return Ok(None);
    }
    // What the export keeps for itself has names of objects.
    let failed = |reason: String| Error::File { key: key.to_owned(), reason };
    let mut state: Value = serde_json::from_slice(content).map_err(|error| failed(error.to_string()))?;
    let rows = erase_value(&mut state, person);
    let lines = serde_json::to_vec(&state).map_err(|error| failed(error.to_string()))?;
    Ok(Some(Erased { rows, lines }))
}

/// Takes a person out of all texts of a value. Returns how many named the person.
fn erase_value(value: &mut Value, person: &str) -> u64 {
    match value {
        Value::String(text) => match without(text, person) {
            Some(other) => {
                *text = other;
                1
            }
            None => 0,
        },
        Value::Array(items) => items.iter_mut().map(|item| erase_value(item, person)).sum(),
        Value::Object(members) => members.values_mut().map(|member| erase_value(member, person)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Whether a text names the person.
pub(crate) fn names(text: &str, person: &str) -> bool {
    find(text, person, None).is_some()
}

/// Takes a person out of the lines of a file: a name or an e-mail address, in upper or lower case, that is not a part of a longer word.
/// An owner is the person only if the whole name or address is theirs, as it is for later exports. Columns that do not name people are left alone.
///
/// # Errors
/// [`Error::File`] when a line is not a row.
fn erase(kind: Kind, key: &str, lines: &[u8], person: &str) -> Result<Erased, Error> {
    let mut erased = Erased { rows: 0, lines: Vec::with_capacity(lines.len()) };
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut row: Map<String, Value> = serde_json::from_slice(line).map_err(|error| Error::File {
            key: key.to_owned(),
            reason: format!("a line is not a row: {error}"),
        })?;
        if erase_row(kind, &mut row, person) {
            erased.rows += 1;
            erased.lines.extend(serde_json::to_vec(&row).unwrap_or_default());
        } else {
            erased.lines.extend(line);
        }
        erased.lines.push(b'\n');
    }
    Ok(erased)
}

fn erase_row(kind: Kind, row: &mut Map<String, Value>, person: &str) -> bool {
    let mut is_named = false;
    let mut is_owner = false;
    for column in kind.columns().iter().filter(|column| column.is_personal) {
        let Some(Value::String(text)) = row.get_mut(column.name) else { continue };
        if OWNER.contains(&column.name) {
            is_owner |= is_same_person(text, person);
            continue;
        }
        let without = match column.of {
            Type::Json => without_in_json(text, person),
            _ => without(text, person),
        };
        if let Some(without) = without {
            *text = without;
            is_named = true;
        }
    }
    if is_owner {
        is_named = true;
        for column in OWNER {
            if row.get(column).is_some_and(Value::is_string) {
                row.insert(column.to_owned(), ERASED.into());
            }
        }
    }
    is_named
}

/// JSON text without the person: its signs are escaped, so that a plain search would miss a name with a backslash. `None` if it does not name
/// them.
fn without_in_json(text: &str, person: &str) -> Option<String> {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => (erase_value(&mut value, person) > 0).then(|| value.to_string()),
        Err(_) => without(text, person),
    }
}

/// Whether JSON text names the person.
pub(crate) fn json_names(text: &str, person: &str) -> bool {
    without_in_json(text, person).is_some()
}

/// The text without the person; `None` if it does not name them.
fn without(text: &str, person: &str) -> Option<String> {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_found = false;
    while let Some((at, length)) = find(rest, person, kept.chars().next_back()) {
        kept.push_str(&rest[..at]);
        kept.push_str(ERASED);
        rest = &rest[at + length..];
        is_found = true;
    }
    kept.push_str(rest);
    is_found.then_some(kept)
}

/// Signs that an e-mail address may have beside letters and digits.
const OF_ADDRESSES: [char; 5] = ['.', '_', '+', '-', '%'];

/// Where the person is named, and with how many bytes. `before`: the character before the text.
fn find(text: &str, person: &str, before: Option<char>) -> Option<(usize, usize)> {
    let wanted: Vec<char> = person.chars().flat_map(char::to_lowercase).collect();
    if wanted.is_empty() {
        return None;
    }
    let is_address = wanted.contains(&'@');
    let goes_on = |sign: char| sign.is_alphanumeric() || (is_address && OF_ADDRESSES.contains(&sign));
    let mut previous = before;
    for (at, first) in text.char_indices() {
        let is_start = !previous.is_some_and(goes_on);
        previous = Some(first);
        if !is_start {
            continue;
        }
        let mut left = wanted.as_slice();
        for (offset, character) in text[at..].char_indices() {
            let lower: Vec<char> = character.to_lowercase().collect();
            let Some(rest) = left.strip_prefix(lower.as_slice()) else { break };
            left = rest;
            if left.is_empty() {
                let length = offset + character.len_utf8();
                // The point after an address may be that of the sentence.
                let mut after = text[at + length..].chars();
                let is_longer = match after.next() {
                    Some('.' | '-') if is_address => after.next().is_some_and(char::is_alphanumeric),
                    next => next.is_some_and(goes_on),
                };
                if !is_longer {
                    return Some((at, length));
                }
                break;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn erased(kind: Kind, rows: &[Value], person: &str) -> (u64, Vec<Value>) {
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        let erased = erase(kind, "k", lines.as_bytes(), person).unwrap();
        let text = String::from_utf8(erased.lines).unwrap();
        (erased.rows, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// Case H06.
    #[test]
    fn a_person_is_taken_out_of_the_columns_that_may_name_one_and_of_no_other() {
        let row = json!({ "incident_id": "bea", "object_name": "Bea Larsson's sales", "owner_name": "Bea Larsson", "owner_email": "bea@example.com", "cause": null });
        let other = json!({ "incident_id": "x", "object_name": "Sales", "owner_name": "Jonas Weber", "owner_email": null, "cause": null });
        let (count, rows) = erased(Kind::Incidents, &[row.clone(), other.clone()], "BEA LARSSON");
        assert_eq!(count, 1);
        assert_eq!(
            rows[0],
            json!({ "incident_id": "bea", "object_name": "[erased]'s sales", "owner_name": "[erased]", "owner_email": "[erased]", "cause": null })
        );
        assert_eq!(rows[1], other);
        let (_, rows) = erased(Kind::Incidents, std::slice::from_ref(&row), "bea@example.com");
        assert_eq!(
            (&rows[0]["owner_name"], &rows[0]["owner_email"]),
            (&json!("[erased]"), &json!("[erased]"))
        );
        for part in ["Bea", "example.com", "Larsson"] {
            let (_, rows) = erased(Kind::Incidents, std::slice::from_ref(&row), part);
            assert_eq!(
                rows[0]["owner_name"], "Bea Larsson",
                "a part of a name may be that of another person"
            );
        }
    }

    #[test]
    fn the_payload_stays_json() {
        let payload =
            json!({ "resource_name": "bea@example.com", "text": "bea@example.com was removed" }).to_string();
        let (count, rows) = erased(
            Kind::Events,
            &[json!({ "event_id": "1", "object_name": "bea@example.com", "payload": payload })],
            "bea@example.com",
        );
        assert_eq!((count, rows[0]["object_name"].as_str()), (1, Some("[erased]")));
        let payload: Value = serde_json::from_str(rows[0]["payload"].as_str().unwrap()).unwrap();
        assert_eq!(payload, json!({ "resource_name": "[erased]", "text": "[erased] was removed" }));
    }

    #[test]
    fn a_name_whose_signs_json_escapes_is_found_in_json_too() {
        for person in [r"corp\ana", r#"Ana "Nana" Ruiz"#] {
            let payload = json!({ "resource_name": person, "nested": { "by": [person] } }).to_string();
            let row = json!({ "object_name": person, "payload": payload });
            let (count, rows) = erased(Kind::Events, &[row], &person.to_uppercase());
            assert_eq!((count, rows[0]["object_name"].as_str()), (1, Some("[erased]")));
            let payload: Value = serde_json::from_str(rows[0]["payload"].as_str().unwrap()).unwrap();
            assert_eq!(payload, json!({ "resource_name": "[erased]", "nested": { "by": ["[erased]"] } }));
        }
    }

    #[test]
    fn a_part_of_a_longer_word_is_another_name() {
        for (text, person, expected) in [
            ("Ana and Anna, ana", "ana", Some("[erased] and Anna, [erased]")),
            ("Analysis by Diana", "Ana", None),
            ("AnaAna Ana", "Ana", Some("AnaAna [erased]")),
            ("JÜRGEN GROẞ", "jürgen groß", Some("[erased]")),
            ("a john.smith@example.com", "smith@example.com", None),
            ("ana@example.com.au, ana@example.com-x.org", "ana@example.com", None),
            ("by <ana@example.com>, ana@example.com.", "Ana@Example.com", Some("by <[erased]>, [erased].")),
            ("mailto:ana@example.com", "ana@example.com", Some("mailto:[erased]")),
            ("Ana Ruiz-Gomez", "ana ruiz", Some("[erased]-Gomez")),
            ("x", "", None),
            ("", "x", None),
        ] {
            assert_eq!(without(text, person).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_the_export_keeps_for_itself_names_the_person_no_more_and_other_files_are_left_alone() {
        let state = br#"[{"object":{"name":"Sales of Bea Larsson","luid":"w"},"causes":{"Quota":1}}]"#;
        let erased =
            erase_file("state/day=2026-11-29/incidents.json.gz", state, "bea larsson").unwrap().unwrap();
        let text = String::from_utf8(erased.lines).unwrap();
        assert_eq!(
            (erased.rows, text.contains("Sales of [erased]"), text.contains("Quota")),
            (1, true, true)
        );
        assert_eq!(erase_file("notes.txt", b"Bea Larsson", "bea larsson").unwrap(), None);
    }

    #[test]
    fn a_file_of_something_else_is_left_alone_with_a_reason() {
        let error = erase(Kind::Events, "history/x", b"{}\n[1]\n", "a").unwrap_err().to_string();
        assert!(error.starts_with("history/x is not a file of the export: a line is not a row: "), "{error}");
    }
}
