//! An incident as a person sees it.

use std::collections::BTreeMap;

/// An entry of a journal field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// `work_notes` or `comments`.
    pub field: String,
    /// The text as it was sent.
    pub text: String,
    /// Who wrote it.
    pub by: String,
}

/// An incident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceNowIncident {
    /// The stored values of its fields, without journals.
    pub fields: BTreeMap<String, String>,
    /// Its journals, oldest first.
    pub journal: Vec<JournalEntry>,
    /// How often its fields were changed, or an entry was added.
    pub changes: usize,
}

impl ServiceNowIncident {
    /// The stored value of a field; empty if it has none.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    /// What people call it, such as `INC0010001`.
    pub fn number(&self) -> &str {
        self.field("number")
    }

    /// Whether it is active: neither closed nor cancelled.
    pub fn is_active(&self) -> bool {
        self.field("active") == "true"
    }

    /// The texts of its work notes.
    pub fn work_notes(&self) -> Vec<&str> {
        let entries = self.journal.iter().filter(|entry| entry.field == "work_notes");
        entries.map(|entry| entry.text.as_str()).collect()
    }

    /// The parts of its journal that ServiceNow would show as HTML: what stands between `[code]` and `[/code]`.
    pub fn html(&self) -> Vec<String> {
        let mut parts = Vec::new();
        for entry in &self.journal {
            let lower = entry.text.to_lowercase();
            let mut from = 0;
            while let Some(begin) = lower[from..].find("[code]").map(|at| from + at + 6) {
                let end = lower[begin..].find("[/code]").map_or(lower.len(), |at| begin + at);
                parts.push(lower[begin..end].to_owned());
                from = end;
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_codes_is_html() {
        let entry = |text: &str| JournalEntry {
            field: "work_notes".to_owned(),
            text: text.to_owned(),
            by: String::new(),
        };
        let journal = vec![entry("a [CODE]<b>x</b>[/code] [code]y"), entry("[\u{200b}code]z")];
        let incident = ServiceNowIncident { journal, ..ServiceNowIncident::default() };
        assert_eq!(incident.html(), ["<b>x</b>", "y"]);
    }
}
