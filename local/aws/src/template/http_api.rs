//! Reads the HTTP API: its routes and their integrations.

use super::resource::Resource;
use super::{Route, Throttling};
use crate::Error;
use crate::gateway::RouteKey;
use std::time::Duration;

/// The target of a route: `integrations/` and the id of an integration.
pub(super) fn route(resource: &Resource<'_>) -> Result<Route, Error> {
    resource.only(&["ApiId", "AuthorizationType", "OperationName", "RouteKey", "Target"])?;
    if resource.text("AuthorizationType")?.is_some_and(|kind| kind != "NONE") {
        return Err(resource.error("AuthorizationType", "only NONE is understood here"));
    }
    let key = RouteKey::parse(&resource.required_text("RouteKey")?);
    let key = key.map_err(|reason| resource.error("RouteKey", reason))?;
    let target = resource.required_text("Target")?;
    let id = target.strip_prefix("integrations/");
    let body = id.and_then(|id| resource.resolver.root["Resources"].get(id));
    let (Some(id), Some(body)) = (id, body.filter(|body| body["Type"] == "AWS::ApiGatewayV2::Integration"))
    else {
        return Err(resource.error("Target", format!("`{target}` is not an integration of this template")));
    };
    let integration = Resource { resolver: resource.resolver, id, body };
    let limit_ms = integration.number("TimeoutInMillis")?.unwrap_or(30_000);
    Ok(Route { key, function: function(&integration)?, timeout: Duration::from_millis(limit_ms) })
}

/// The name of the function that an integration calls.
fn function(integration: &Resource<'_>) -> Result<String, Error> {
    let uri = integration.required_text("IntegrationUri")?;
    // The integration's URI is a function's ARN, or API Gateway's invocation path that contains the ARN.
    let name = uri.split(":function:").nth(1).and_then(|rest| rest.split(['/', ':']).next());
    name.map(str::to_owned)
        .ok_or_else(|| integration.error("IntegrationUri", format!("`{uri}` is not a function")))
}

/// The throttling limits of a stage; `None` unless both limits are set.
pub(super) fn throttling(stage: &Resource<'_>) -> Result<Option<Throttling>, Error> {
    let limit = |name: &str| {
        let property = format!("DefaultRouteSettings.{name}");
        let number = stage.number(&property)?;
        number
            .map(|number| u32::try_from(number).map_err(|_| stage.error(&property, "is too large")))
            .transpose()
    };
    let rate_per_second = limit("ThrottlingRateLimit")?;
    let burst = limit("ThrottlingBurstLimit")?;
    Ok(rate_per_second.zip(burst).map(|(rate_per_second, burst)| Throttling { rate_per_second, burst }))
}

/// Refuses API settings that the local HTTP API does not implement.
pub(super) fn check(resource: &Resource<'_>) -> Result<(), Error> {
    let (property, expected) = match resource.kind() {
        "AWS::ApiGatewayV2::Api" => ("ProtocolType", "HTTP"),
        "AWS::ApiGatewayV2::Stage" => ("StageName", "$default"),
        "AWS::ApiGatewayV2::Integration" => {
            let version = resource.required_text("PayloadFormatVersion")?;
            if version != "2.0" {
                return Err(resource.error("PayloadFormatVersion", "only 2.0 is understood here"));
            }
            ("IntegrationType", "AWS_PROXY")
        }
        _ => return Ok(()),
    };
    if resource.required_text(property)? == expected {
        return Ok(());
    }
    Err(resource.error(property, format!("only {expected} is understood here")))
}
