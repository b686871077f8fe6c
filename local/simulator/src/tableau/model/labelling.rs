//! Which labels there are on a site, and what they say of data sources.

use super::{CATEGORIES, CERTIFIED, Label, LabelValue, Model};
use tableau::SiteLuid;

/// The values that ship with Tableau, and their categories. The last two are set by monitoring alone.
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

impl Model {
    /// The label values of a site: those that ship with Tableau first.
    pub(crate) fn label_values(&self, site: &SiteLuid) -> Vec<LabelValue> {
        let mut values: Vec<LabelValue> = BUILT_IN
            .iter()
            .map(|(name, category)| LabelValue {
                name: (*name).to_owned(),
                category: (*category).to_owned(),
                description: format!("The label '{name}' as it ships with Tableau"),
                built_in: true,
                internal: name.ends_with("_failure"),
            })
            .collect();
        for custom in self.custom_values.iter().filter(|custom| custom.site == *site) {
            match values.iter_mut().find(|value| value.name == custom.value.name) {
                Some(value) => value.description.clone_from(&custom.value.description),
                None => values.push(custom.value.clone()),
            }
        }
        values
    }

    /// The categories of a site with their descriptions: those that ship with Tableau first.
    pub(crate) fn label_categories(&self, site: &SiteLuid) -> Vec<(String, String)> {
        let built_in = CATEGORIES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let custom = self.label_categories.iter().filter(|c| c.site == *site);
        built_in.chain(custom.map(|c| (c.name.clone(), c.description.clone()))).collect()
    }

    /// Makes the labels say which data sources are certified: most of those are certified without a label being named.
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
                // One that was switched off stays.
                (None, Some(label)) if label.active => self.labels.retain(|label| !of(label)),
                (None, _) => {}
            }
        }
    }

    /// The other way round: certifies what a label says is certified, and no more what it does not.
    pub(crate) fn certify_the_labelled(&mut self, content: &str) {
        let mut labels = self.labels.iter();
        let label = labels.find(|l| l.content == content && l.value == CERTIFIED && l.active);
        if let Some(datasource) = self.datasources.iter_mut().find(|d| d.luid.as_str() == content) {
            datasource.certified = label.map(|label| label.message.clone());
        }
    }
}
