//! Reads a SAM template and plans what runs on this machine.

mod custom;
mod functions;
mod http_api;
mod physical;
mod plan;
mod resolve;
mod resource;
mod stores;
mod yaml;

pub use plan::{Custom, Function, Mapping, Plan, Repeated, Route, Rule, Secret, SecretContent, Throttling};
pub use resolve::Places;

use crate::Error;
use resolve::Resolver;
use resource::Resource;
use serde_json::Value;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

/// A parsed template whose references are not yet resolved.
#[derive(Clone, Debug)]
pub struct Template {
    root: Value,
}

/// A parameter of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The parameter's name.
    pub name: String,
    /// The parameter's default value; `None` when a value is required.
    pub default: Option<String>,
    /// The parameter's description.
    pub description: String,
}

/// Types without a counterpart here: permissions, alarms and logs change nothing on one machine, and layers are up to the
/// caller that runs the stack.
const IGNORED: [&str; 22] = [
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Integration",
    "AWS::Budgets::",
    "AWS::CloudFormation::",
    "AWS::CloudWatch::",
    "AWS::Events::Archive",
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::",
    "AWS::KMS::",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::",
    "AWS::S3::BucketPolicy",
    "AWS::SES::",
    "AWS::SNS::",
    "AWS::SQS::QueuePolicy",
    "AWS::SSM::",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::Serverless::LayerVersion",
];

/// The parameters of e-mails that have no default, and their values on this machine.
const SENDER: [(&str, &str); 2] =
    [("EmailFrom", "tableau-webhooks@example.com"), ("EmailIdentity", "example.com")];

impl Template {
    /// Reads a template file.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Yaml`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads a template.
    ///
    /// # Errors
    /// [`Error::Yaml`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let root = yaml::parse(text)?;
        if root["Resources"].is_object() {
            return Ok(Self { root });
        }
        Err(Error::Yaml { reason: "it has no Resources".to_owned() })
    }

    /// The parameters, by name.
    pub fn parameters(&self) -> Vec<Parameter> {
        let all = self.root["Parameters"].as_object().into_iter().flatten();
        let all = all.map(|(name, parameter)| Parameter {
            name: name.clone(),
            default: parameter.get("Default").map(yaml::text),
            description: yaml::text(&parameter["Description"]),
        });
        all.collect()
    }

    /// Parameter values that enable every workflow: `true` for each `…Enabled` switch, and a sender for e-mails, without which a
    /// deploy refuses them.
    pub fn everything_on(&self) -> BTreeMap<String, String> {
        let all = self.root["Parameters"].as_object().into_iter().flatten();
        let switches = all.filter(|(name, parameter)| {
            name.ends_with("Enabled") && parameter["AllowedValues"] == serde_json::json!(["true", "false"])
        });
        let switches = switches.map(|(name, _)| (name.clone(), "true".to_owned()));
        let is_there = |name: &str| self.root["Parameters"].get(name).is_some();
        let sender = SENDER.into_iter().filter(|(name, _)| is_there(name));
        switches.chain(sender.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
    }

    /// Resolves the template with these parameter values. Its `Rules` are skipped: they check values against an AWS
    /// account, and there is none here.
    ///
    /// # Errors
    /// [`Error::Template`], which names the resource and the property that is not understood.
    pub fn plan(&self, given: &BTreeMap<String, String>, places: &Places) -> Result<Plan, Error> {
        let parameters = self.parameter_values(given)?;
        let depth = Cell::new(0);
        let resolver =
            Resolver { root: &self.root, parameters, places, depth, after_answers: Cell::new(false) };
        let mut plan = Plan::default();
        for (id, body) in self.root["Resources"].as_object().into_iter().flatten() {
            let resource = Resource { resolver: &resolver, id, body };
            if resource.exists()? {
                plan.add(&resource)?;
            }
        }
        resolver.after_answers.set(true);
        for (name, body) in self.root["Outputs"].as_object().into_iter().flatten() {
            let output = Resource { resolver: &resolver, id: &format!("Outputs.{name}"), body };
            if output.exists()? {
                let value = resolver.text(&body["Value"]).map_err(|reason| output.error("Value", reason))?;
                plan.outputs.insert(name.clone(), value);
            }
        }
        plan.check()?;
        Ok(plan)
    }

    fn parameter_values(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, Value>, Error> {
        let error = |name: &str, reason: String| Error::Template {
            resource: "Parameters".to_owned(),
            property: name.to_owned(),
            reason,
        };
        let known = self.parameters();
        if let Some(unknown) = given.keys().find(|name| !known.iter().any(|known| known.name == **name)) {
            return Err(error(unknown, "there is no such parameter".to_owned()));
        }
        let values = known.into_iter().map(|Parameter { name, default, .. }| {
            let value = given.get(&name).cloned().or(default);
            let value = value.ok_or_else(|| error(&name, "has no default: give it a value".to_owned()))?;
            let body = &self.root["Parameters"][&name];
            let allowed = body["AllowedValues"].as_array();
            if allowed.is_some_and(|allowed| !allowed.iter().any(|choice| yaml::text(choice) == value)) {
                return Err(error(&name, format!("`{value}` is not one of its allowed values")));
            }
            let value = match body["Type"].as_str() {
                Some("CommaDelimitedList") => value.split(',').map(|part| Value::from(part.trim())).collect(),
                _ => Value::String(value),
            };
            Ok((name, value))
        });
        values.collect()
    }
}

impl Plan {
    fn add(&mut self, resource: &Resource<'_>) -> Result<(), Error> {
        match resource.kind() {
            "AWS::Serverless::Function" => {
                let functions::Read { function, mappings, repeated } = functions::function(resource)?;
                self.functions.push(function);
                self.mappings.extend(mappings);
                self.repeated.extend(repeated);
            }
            "AWS::ApiGatewayV2::Route" => self.routes.push(http_api::route(resource)?),
            "AWS::SQS::Queue" => self.queues.push(stores::queue(resource)?),
            "AWS::Events::EventBus" => self.buses.push(resource.name()?),
            "AWS::Scheduler::ScheduleGroup" => {
                resource.only(&["Name", "Tags"])?;
                self.schedule_groups.push(resource.name()?);
            }
            "AWS::Events::Rule" => self.rules.extend(stores::rule(resource)?),
            "AWS::S3::Bucket" => self.buckets.push(resource.name()?),
            "AWS::DynamoDB::Table" => self.tables.push(stores::table(resource)?),
            "AWS::SecretsManager::Secret" => self.secrets.push(stores::secret(resource)?),
            "AWS::ApiGatewayV2::Stage" => {
                http_api::check(resource)?;
                self.throttling = http_api::throttling(resource)?;
            }
            kind if kind.starts_with("Custom::") => {
                resource.resolver.after_answers.set(true);
                let custom = custom::custom(resource);
                resource.resolver.after_answers.set(false);
                self.custom.push(custom?);
            }
            kind if IGNORED.iter().any(|known| kind.starts_with(known)) => http_api::check(resource)?,
            kind => return Err(resource.error("Type", format!("{kind} is not understood here"))),
        }
        self.resources.push(resource.listed()?);
        Ok(())
    }

    /// Checks that need the complete plan.
    fn check(&mut self) -> Result<(), Error> {
        self.order_custom()?;
        for (at, function) in self.functions.iter().enumerate() {
            if self.functions.iter().take(at).any(|other| other.name == function.name) {
                return Err(Error::Template {
                    resource: function.logical_id.clone(),
                    property: "FunctionName".to_owned(),
                    reason: format!("another function is called `{}` too", function.name),
                });
            }
        }
        Ok(())
    }
}
