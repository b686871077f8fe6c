//! Secrets Manager: secrets with versions and staging labels.

use super::names::{arn, random_alphanumeric};
use super::{Input, Refusal};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// All secrets, by name.
#[derive(Debug, Default)]
pub(super) struct Secrets(BTreeMap<String, Secret>);

#[derive(Debug)]
struct Secret {
    arn: String,
    versions: BTreeMap<String, Version>,
}

#[derive(Debug)]
struct Version {
    value: String,
    stages: BTreeSet<String>,
    created: Timestamp,
}

fn not_found(what: &str) -> Refusal {
    Refusal::new(
        "ResourceNotFoundException",
        format!("Secrets Manager can't find the specified secret{what}."),
    )
}

impl Secrets {
    /// Creates a secret, or gives an existing secret a new current version. `None` creates it without a value.
    pub(super) fn create(&mut self, name: &str, value: Option<String>) -> String {
        let secret = self.0.entry(name.to_owned()).or_insert_with(|| Secret {
            // AWS appends six random characters to the ARN, so that policies for a deleted secret do not match a new
            // secret of the same name.
            arn: arn("secretsmanager", &format!("secret:{name}-{}", random_alphanumeric(6))),
            versions: BTreeMap::new(),
        });
        if let Some(value) = value {
            secret.put(uuid::Uuid::new_v4().to_string(), value, &[CURRENT]);
        }
        secret.arn.clone()
    }

    /// The current value of a secret, by its name.
    pub(super) fn current(&self, name: &str) -> Option<&str> {
        let mut versions = self.0.get(name)?.versions.values();
        versions.find(|held| held.stages.contains(CURRENT)).map(|held| held.value.as_str())
    }

    fn find(&mut self, id: &str) -> Result<(&str, &mut Secret), Refusal> {
        let fits = |name: &str, secret: &Secret| {
            // `GetSecretValue` also accepts an ARN without its last six characters.
            name == id || secret.arn == id || secret.arn.rsplit_once('-').is_some_and(|(most, _)| most == id)
        };
        let found = self.0.iter_mut().find(|(name, secret)| fits(name, secret));
        found.map(|(name, secret)| (name.as_str(), secret)).ok_or_else(|| not_found(""))
    }

    pub(super) fn get_secret_value(&mut self, body: &Value) -> Result<Value, Refusal> {
        let input = Input::new("GetSecretValue", body, &["SecretId", "VersionId", "VersionStage"])?;
        let (name, secret) = self.find(required(&input, "SecretId")?)?;
        let version = input.text("VersionId")?;
        let stage = input.text("VersionStage")?;
        let wanted = stage.or(if version.is_none() { Some(CURRENT) } else { None });
        let found = secret.versions.iter().find(|(id, held)| {
            version.is_none_or(|v| v == id.as_str()) && wanted.is_none_or(|stage| held.stages.contains(stage))
        });
        let (id, held) = found.ok_or_else(|| match (version, wanted) {
            (Some(version), _) => not_found(&format!(" value for VersionId: {version}")),
            (None, stage) => not_found(&format!(" value for staging label: {}", stage.unwrap_or(CURRENT))),
        })?;
        Ok(json!({
            "ARN": secret.arn, "Name": name, "VersionId": id, "SecretString": held.value,
            "VersionStages": held.stages, "CreatedDate": held.created.as_millisecond() as f64 / 1000.0,
        }))
    }

    pub(super) fn put_secret_value(&mut self, body: &Value) -> Result<Value, Refusal> {
        let known = ["SecretId", "SecretString", "ClientRequestToken", "VersionStages"];
        let input = Input::new("PutSecretValue", body, &known)?;
        let (name, secret) = self.find(required(&input, "SecretId")?)?;
        let value = required(&input, "SecretString")?;
        let token = input.text("ClientRequestToken")?;
        let id = token.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned);
        if secret.versions.get(&id).is_some_and(|held| held.value != value) {
            let message = format!(
                "A resource with the ID you requested already exists: you can't use ClientRequestToken {id} because \
                 that value is already in use for a version of secret {}.",
                secret.arn
            );
            return Err(Refusal::new("ResourceExistsException", message));
        }
        let stages = input.texts("VersionStages")?;
        secret.put(id.clone(), value.to_owned(), if stages.is_empty() { &[CURRENT] } else { &stages });
        let stages = secret.versions.get(&id).map(|held| &held.stages);
        Ok(json!({ "ARN": secret.arn, "Name": name, "VersionId": id, "VersionStages": stages }))
    }
}

fn required<'a>(input: &Input<'a>, member: &str) -> Result<&'a str, Refusal> {
    input.text(member)?.filter(|text| !text.is_empty()).ok_or_else(|| {
        let message = format!("You must provide a value for the {member} parameter.");
        Refusal::new("InvalidParameterException", message)
    })
}

impl Secret {
    /// Adds a version and moves the staging labels to it. The version that was current becomes the previous one.
    fn put(&mut self, id: String, value: String, stages: &[&str]) {
        if self.versions.contains_key(&id) {
            return;
        }
        let becomes_current = stages.contains(&CURRENT);
        for held in self.versions.values_mut() {
            if becomes_current {
                held.stages.remove(PREVIOUS);
                if held.stages.remove(CURRENT) {
                    held.stages.insert(PREVIOUS.to_owned());
                }
            }
            held.stages.retain(|stage| !stages.contains(&stage.as_str()));
        }
        // AWS treats a version without a staging label as deprecated and deletes it eventually.
        self.versions.retain(|_, held| !held.stages.is_empty());
        let stages = stages.iter().map(|stage| (*stage).to_owned()).collect();
        self.versions.insert(id, Version { value, stages, created: Timestamp::now() });
    }
}
