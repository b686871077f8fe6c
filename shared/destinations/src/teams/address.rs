//! The URL of a flow's trigger: what is wrong with one that cannot work. No text here repeats the URL, which is the secret.
//!
//! Source: <https://learn.microsoft.com/troubleshoot/power-platform/power-automate/flow-run-issues/triggers-troubleshoot>

use confidential::{InvalidUrl, SecureUrl};

/// The destination's name in errors and metrics.
pub(super) const NAME: &str = "Teams";

/// Hosts of flows, with every host below them: Microsoft's public cloud, those for US authorities, and China.
const FLOWS: [&str; 5] = [
    "api.powerplatform.com",
    "api.gov.powerplatform.microsoft.us",
    "api.high.powerplatform.microsoft.us",
    "api.appsplatform.us",
    "api.powerplatform.partner.microsoftonline.cn",
];
/// Hosts of Azure Logic Apps. Flows had such URLs until 30 November 2025; a Logic App of one's own still has them.
const LOGIC_APPS: [&str; 3] = ["logic.azure.com", "logic.azure.us", "logic.azure.cn"];
/// Hosts of the connectors that Microsoft switched off in May 2026.
const CONNECTORS: [&str; 3] = ["webhook.office.com", "outlook.office.com", "outlook.office365.com"];

/// Where a flow's trigger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// On the present host of flows. Microsoft also writes to owners of such flows that the trigger has a new URL: it has this one.
    PowerPlatform,
    /// On a host of Azure Logic Apps: the URL of a flow has to be replaced there, that of a Logic App not.
    LogicApps,
    /// On this machine: a simulator.
    Loopback,
}

impl HostKind {
    /// What a person has to do about the URL, for the answer to a mail *Your flow has a new trigger URL*.
    pub fn advice(self) -> &'static str {
        match self {
            Self::PowerPlatform => {
                "it is at the present host of flows: leave it, whatever a mail about a new trigger URL says"
            }
            Self::LogicApps => {
                "it is at logic.azure.com, where flows have not run since 30 November 2025: open the flow, copy the trigger's new URL, \
                 and put that into the Teams secret; the URL of an Azure Logic App of yours stays"
            }
            Self::Loopback => "it is on this machine",
        }
    }
}

/// The address and its kind of host.
///
/// # Errors
/// What is wrong, as the end of the sentence `the URL of … `, and what to do.
pub(super) fn read(text: &str) -> Result<(SecureUrl, HostKind), String> {
    let wrong = |why: &str| Err(why.to_owned());
    if text.is_empty() {
        return wrong("is empty: paste the URL of the flow's trigger");
    }
    if text.contains("&amp;") {
        return wrong(
            "has `&amp;` in it, as a page's source shows it: copy the URL from the trigger, or write `&` alone",
        );
    }
    let url = match text.parse::<SecureUrl>() {
        Ok(url) => url,
        Err(InvalidUrl::NotEncrypted) => return wrong("is not https"),
        Err(InvalidUrl::Credential) => return wrong("has a user name or password before the host"),
        Err(_) => return wrong("is not a URL: it begins with https://"),
    };
    let kind = kind_of(&url)?;
    let sig = url.query_pairs().find(|(name, _)| name == "sig").map(|(_, value)| value.into_owned());
    if sig.is_none_or(|sig| sig.trim().is_empty()) {
        return wrong(
            "has no `sig`, so the trigger is not open to Anyone, or the URL was cut off: in the trigger, set *Who can trigger the \
             flow* to Anyone, save, and copy its URL again",
        );
    }
    Ok((url, kind))
}

fn kind_of(url: &SecureUrl) -> Result<HostKind, String> {
    if url.is_loopback() {
        return Ok(HostKind::Loopback);
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let is_below = |of: &[&str]| {
        of.iter()
            .any(|of| host.strip_suffix(of).is_some_and(|start| start.is_empty() || start.ends_with('.')))
    };
    if is_below(&FLOWS) {
        Ok(HostKind::PowerPlatform)
    } else if is_below(&LOGIC_APPS) {
        Ok(HostKind::LogicApps)
    } else if is_below(&CONNECTORS) {
        Err("is of an Office 365 connector, which Microsoft switched off in May 2026: in Teams, add the workflow *Post to a channel \
             when a webhook request is received*, and paste its URL"
            .to_owned())
    } else if is_below(&["hooks.slack.com"]) {
        Err("is of Slack: it belongs into the Slack secret".to_owned())
    } else {
        Err(format!("is not of a flow: its host does not end with {}", FLOWS[0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=hunter2";

    // D031
    #[test]
    fn the_path_and_the_port_are_free_and_the_host_and_the_signature_are_not() {
        for (address, expected) in [
            (
                "https://default0a.1b.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/0a/triggers/manual/paths/invoke",
                HostKind::PowerPlatform,
            ),
            (
                "https://default0a.1b.environment.api.powerplatform.com:443/powerautomate/automations/direct/cu/04/workflows/0a1b/triggers/manual/paths/invoke",
                HostKind::PowerPlatform,
            ),
            ("https://0A.1b.Environment.API.PowerPlatform.com./x", HostKind::PowerPlatform),
            ("https://default0a.1.environment.api.gov.powerplatform.microsoft.us/x", HostKind::PowerPlatform),
            (
                "https://default0a.1.environment.api.high.powerplatform.microsoft.us/x",
                HostKind::PowerPlatform,
            ),
            ("https://default0a.1.environment.api.appsplatform.us/x", HostKind::PowerPlatform),
            (
                "https://default0a.1.environment.api.powerplatform.partner.microsoftonline.cn/x",
                HostKind::PowerPlatform,
            ),
            // D135
            (
                "https://prod-12.westeurope.logic.azure.com:443/workflows/0a/triggers/manual/paths/invoke",
                HostKind::LogicApps,
            ),
            ("http://127.0.0.1:8094/powerautomate/x", HostKind::Loopback),
        ] {
            let (_, kind) = read(&format!("{address}?{QUERY}")).unwrap();
            assert_eq!(kind, expected, "{address}");
        }
        assert!(HostKind::PowerPlatform.advice().contains("leave it"));
        assert!(HostKind::LogicApps.advice().contains("copy the trigger's new URL"));
    }

    // D032, D039
    #[test]
    fn a_url_that_cannot_work_is_refused_with_what_to_do_and_is_not_repeated() {
        let flow = "https://default0a.1b.environment.api.powerplatform.com/powerautomate/hunter2";
        for (url, expected) in [
            (String::new(), "is empty"),
            (format!("{flow}?api-version=1&amp;sp=x&amp;sv=1.0&amp;sig=hunter2"), "has `&amp;` in it"),
            (format!("{flow}?api-version=1"), "has no `sig`, so the trigger is not open to Anyone"),
            (format!("{flow}?api-version=1&sig="), "has no `sig`"),
            (format!("{flow}?api-version=1#sig=hunter2"), "has no `sig`"),
            (format!("{}?{QUERY}", flow.replace("https", "http")), "is not https"),
            (
                format!("{}?{QUERY}", flow.replace("https://", "https://u:hunter2@")),
                "has a user name or password",
            ),
            ("hunter2".to_owned(), "is not a URL"),
            (
                format!("https://contoso.webhook.office.com/webhookb2/hunter2?{QUERY}"),
                "is of an Office 365 connector",
            ),
            (format!("https://outlook.office.com/webhook/hunter2?{QUERY}"), "is of an Office 365 connector"),
            ("https://hooks.slack.com/services/T/B/hunter2".to_owned(), "is of Slack"),
            (format!("https://api.powerplatform.com.example.com/hunter2?{QUERY}"), "is not of a flow"),
            (format!("https://evilapi.powerplatform.com.evil/hunter2?{QUERY}"), "is not of a flow"),
            (format!("https://notapi.powerplatform.com/hunter2?{QUERY}"), "is not of a flow"),
            (format!("http://10.0.0.1/hunter2?{QUERY}"), "is not https"),
        ] {
            let problem = read(&url).unwrap_err();
            assert!(problem.starts_with(expected), "{url}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
