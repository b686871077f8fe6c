//! Names of events, as people write them. No I/O.

use deliveries::UNREADABLE;
use rules::settings;
use tableau::EventName;
use workflow::FoundCause;

/// Reads an event name that Tableau has. Otherwise the error suggests similar names.
pub(crate) fn event_name(text: &str) -> Result<EventName, String> {
    let name = EventName::of_webhook_source(text).unwrap_or_else(|| EventName::from(text));
    if name.is_known() {
        return Ok(name);
    }
    let same = EventName::KNOWN.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text));
    if let Some(meant) = same.or_else(|| EventName::nearest(text)) {
        return Err(format!("`{text}` is not an event name; did you mean `{meant}`?"));
    }
    let lower = text.to_lowercase();
    let near = EventName::KNOWN.iter().filter(|known| known.as_str().to_lowercase().contains(&lower));
    let near: Vec<&str> = near.map(EventName::as_str).collect();
    let names = if near.is_empty() {
        EventName::KNOWN.iter().map(EventName::as_str).collect::<Vec<_>>().join(", ")
    } else {
        near.join(", ")
    };
    Err(format!("`{text}` is not an event name; the event names are: {names}"))
}

/// Reads the name of an event of Tableau, or of one that callers may send.
pub(crate) fn any_event_name(text: &str) -> Result<EventName, String> {
    let is_own = EventName::nearest(text).is_none() && rules::check_own_event(text).is_ok();
    if is_own { Ok(EventName::from(text)) } else { event_name(text) }
}

/// Reads the name of a recorded event: like `any_event_name`, and also the name for unreadable bodies.
pub(crate) fn recorded_name(text: &str) -> Result<EventName, String> {
    if text.eq_ignore_ascii_case(UNREADABLE) {
        return Ok(EventName::from(UNREADABLE));
    }
    any_event_name(text)
}

/// Reads the class of a cause, as rules name it, or the name for a cause that was not found.
pub(crate) fn recorded_cause(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case(FoundCause::NOT_FOUND) {
        return Ok(FoundCause::NOT_FOUND.to_owned());
    }
    settings::cause(text).map(str::to_owned).ok_or_else(|| settings::unknown_cause(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_could_not_be_read_has_a_name_on_record() {
        assert_eq!(recorded_name("unreadable").unwrap().as_str(), "Unreadable");
        assert_eq!(recorded_name("SiteUpdated").unwrap(), EventName::SiteUpdated);
        assert!(event_name("Unreadable").is_err() && recorded_name("workbook").is_err());
    }

    #[test]
    fn an_event_of_a_caller_has_another_name_than_those_of_tableau() {
        assert_eq!(any_event_name("PipelineFinished").unwrap().as_str(), "PipelineFinished");
        for wrong in ["WorkbookCreate", "WorkbookMoved", "SiteUpdatd", "pipelineFinished", "Created", "Test"]
        {
            assert!(any_event_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_recorded_cause_is_a_class_in_any_case_or_that_none_was_found() {
        for (written, cause) in
            [("credentials", "Credentials"), (" Other", "Unknown"), ("notfound", "NotFound")]
        {
            assert_eq!(recorded_cause(written).as_deref(), Ok(cause));
        }
        let error = recorded_cause("timeout").unwrap_err();
        assert_eq!(error, "`timeout` is not a class of causes; did you mean `TimeLimit`?");
    }

    #[test]
    fn a_misspelt_event_name_gets_the_one_that_was_meant() {
        for (written, meant) in [
            ("adminpromoted", "AdminPromoted"),
            ("DATASOURCEREFRESHFAILED", "DatasourceRefreshFailed"),
            ("WorkbookCreatd", "WorkbookCreated"),
        ] {
            let expected = format!("`{written}` is not an event name; did you mean `{meant}`?");
            assert_eq!(event_name(written).unwrap_err(), expected);
        }
    }

    #[test]
    fn what_is_like_no_event_name_or_like_several_gets_a_list() {
        let error = event_name("refreshfailed").unwrap_err();
        assert!(error.ends_with("DatasourceRefreshFailed, WorkbookRefreshFailed"), "{error}");
        assert!(event_name("x").unwrap_err().contains("AdminDemoted"));
    }
}
