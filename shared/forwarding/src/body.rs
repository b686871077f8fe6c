//! The body that an event has for a rule.

use rules::body::Data;
use rules::settings::{Body, ForwardEvent};
use serde_json::json;
use tableau::Payload;
use workflow::Failure;

/// The body for an event: a JSON text, as the rule wants it.
///
/// # Errors
/// [`Failure`] if a template fails for this event. A person has to change the rule.
pub fn body(
    settings: &ForwardEvent,
    rule: &str,
    payload: &Payload,
    data: Option<&Data>,
) -> Result<String, Failure> {
    let missing = || Failure::permanent("the body needs what Tableau says about the event");
    match settings.body() {
        Body::Raw => Ok(payload.canonical_json()),
        Body::Enriched => Ok(enriched(rule, data.ok_or_else(missing)?)),
        Body::Template => {
            let template =
                settings.template().ok_or_else(|| Failure::misconfigured("the rule has no template"))?;
            let data = Data { rule: rule.to_owned(), ..data.ok_or_else(missing)?.clone() };
            template.render(&data).map_err(|problem| {
                Failure::misconfigured(format!(
                    "the template of the rule `{rule}` fails for this event: {problem}"
                ))
            })
        }
    }
}

/// The form that Standard Webhooks recommends: type, time, data.
fn enriched(rule: &str, data: &Data) -> String {
    let data = Data { rule: rule.to_owned(), ..data.clone() };
    json!({ "type": data.event.r#type, "timestamp": data.event.happened_at, "data": data }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rules of an earlier version may have what `rules check` refuses today.
    #[test]
    fn a_misspelt_variable_makes_no_body_and_is_named() {
        let template = Some("{\n\"a\": {{ titel | line(9) }}}".to_owned());
        let settings = ForwardEvent { template, ..ForwardEvent::default() };
        let failure = body(&settings, "tickets", &Payload::default(), Some(&Data::default())).unwrap_err();
        assert_eq!(failure.kind(), "misconfigured");
        assert_eq!(
            failure.reason(),
            "the template of the rule `tickets` fails for this event: line 2 of the template: there is no variable `titel`; \
             did you mean `title`?"
        );
    }
}
