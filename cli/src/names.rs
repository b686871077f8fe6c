//! Names of events, as people write them. No I/O.

use tableau::EventName;

/// An event's name that Tableau has; otherwise the names that it could be.
pub(crate) fn event_name(text: &str) -> Result<EventName, String> {
    let name = EventName::from(text);
    if name.is_known() {
        return Ok(name);
    }
    let lower = text.to_lowercase();
    let near = EventName::KNOWN.iter().filter(|known| known.as_str().to_lowercase().contains(&lower));
    let near: Vec<&str> = near.map(EventName::as_str).collect();
    let names = if near.is_empty() {
        EventName::KNOWN.iter().map(EventName::as_str).collect::<Vec<_>>().join(", ")
    } else {
        near.join(", ")
    };
    Err(format!("`{text}` is no event name; there are: {names}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_event_name_gets_a_list() {
        let error = event_name("refreshfailed").unwrap_err();
        assert!(error.ends_with("DatasourceRefreshFailed, WorkbookRefreshFailed"), "{error}");
        assert!(event_name("x").unwrap_err().contains("AdminDemoted"));
    }
}
