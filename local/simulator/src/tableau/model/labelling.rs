//! The label values that Tableau ships with, and the labels that certify data sources.

use super::{CERTIFIED, Label, Model};

/// The label values that ship with Tableau, each with its category.
const BUILT_IN: [(&str, &str); 8] = [
    (CERTIFIED, "certification"),
    ("deprecated", "warning"),
    ("maintenance", "warning"),
    ("stale", "warning"),
    ("warning", "warning"),
    ("sensitive-data", "sensitivity"),
    ("extract_refresh_failure", "warning"),
    ("flow_run_failure", "warning"),
];

/// The category of a label value; `None` for a value that the site does not have.
pub(crate) fn category_of(value: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(name, _)| *name == value).map(|(_, category)| *category)
}

/// Whether only Tableau's own monitoring sets labels of this value.
pub(crate) fn is_set_by_monitoring(value: &str) -> bool {
    value.ends_with("_failure")
}

impl Model {
    /// Adds or removes certification labels so that they match the certified data sources: most are certified without
    /// a call that names a label.
    pub(crate) fn label_the_certified(&mut self) {
        for datasource in &self.datasources {
            let of = |l: &Label| l.content == datasource.luid.as_str() && l.value == CERTIFIED;
            let label = self.labels.iter_mut().find(|label| of(label));
            match (&datasource.certified, label) {
                (Some(note), Some(label)) => {
                    label.active = true;
                    label.message.clone_from(note);
                }
                (Some(note), None) => self.labels.push(Label {
                    luid: uuid::Uuid::new_v4().to_string(),
                    content: datasource.luid.to_string(),
                    value: CERTIFIED.to_owned(),
                    active: true,
                    elevated: false,
                    message: note.clone(),
                    owner: Some(datasource.owner.clone()),
                    created_at: datasource.updated_at,
                    updated_at: datasource.updated_at,
                }),
                // A label that was made inactive is kept.
                (None, Some(label)) if label.active => self.labels.retain(|label| !of(label)),
                (None, _) => {}
            }
        }
    }

    /// Certifies the data source that has an active certification label, and uncertifies one that has none.
    pub(crate) fn certify_the_labelled(&mut self, content: &str) {
        let mut labels = self.labels.iter();
        let label = labels.find(|l| l.content == content && l.value == CERTIFIED && l.active);
        if let Some(datasource) = self.datasources.iter_mut().find(|d| d.luid.as_str() == content) {
            datasource.certified = label.map(|label| label.message.clone());
        }
    }
}
