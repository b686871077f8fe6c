//! Finds the webhooks that a person names. Names are not unique. No I/O.

use super::shown::Shown;
use crate::out::plain;

/// The fewest first digits of a LUID.
const LEAST_DIGITS: usize = 4;
/// The most candidates that an error names.
const NAMED: usize = 10;

/// The webhook with this LUID or name, or the only one whose LUID begins so.
///
/// # Errors
/// There is none, or more than one. The error says which there are.
pub(super) fn find<'w, W>(all: &'w [(W, Shown)], wanted: &str) -> Result<&'w (W, Shown), String> {
    let wanted = wanted.trim();
    if let Some(found) = all.iter().find(|(_, shown)| shown.luid.eq_ignore_ascii_case(wanted)) {
        return Ok(found);
    }
    let named: Vec<_> = all.iter().filter(|(_, shown)| shown.name == wanted).collect();
    let begins =
        |luid: &str| luid.get(..wanted.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(wanted));
    let found = match named.as_slice() {
        [] if wanted.len() >= LEAST_DIGITS => all.iter().filter(|(_, shown)| begins(&shown.luid)).collect(),
        _ => named,
    };
    match found.as_slice() {
        [] => Err(unknown(all, wanted)),
        [only] => Ok(only),
        several => {
            let listed = listed(several.iter().map(|(_, shown)| {
                format!("{} ({} to {})", plain(&shown.luid), plain(&shown.event), plain(&shown.destination))
            }));
            let count = several.len();
            Err(format!("{count} webhooks are meant by `{}`; say which by LUID: {listed}", plain(wanted)))
        }
    }
}

/// The webhooks that are named, each once.
///
/// # Errors
/// As for [`find`], for the first that is not found.
pub(super) fn find_all<'w, W>(
    all: &'w [(W, Shown)],
    wanted: &[String],
) -> Result<Vec<&'w (W, Shown)>, String> {
    let mut found: Vec<&(W, Shown)> = Vec::new();
    for wanted in wanted {
        let one = find(all, wanted)?;
        if found.iter().all(|(_, shown)| shown.luid != one.1.luid) {
            found.push(one);
        }
    }
    Ok(found)
}

fn unknown<W>(all: &[(W, Shown)], wanted: &str) -> String {
    // Not repeated: an address holds a token.
    if wanted.contains("://") {
        return "a webhook is named by its name or LUID, not by its URL; `webhooks list` shows both"
            .to_owned();
    }
    let wanted = plain(wanted);
    if all.is_empty() {
        return format!("there is no webhook `{wanted}`: the site has none");
    }
    match tableau::nearest(&wanted, all.iter().map(|(_, shown)| shown.name.as_str())) {
        Some(near) => format!("there is no webhook `{wanted}`; did you mean `{}`?", plain(near)),
        None => {
            let names = listed(all.iter().map(|(_, shown)| format!("`{}`", plain(&shown.name))));
            format!("there is no webhook `{wanted}`; there are: {names}")
        }
    }
}

fn listed(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = if items.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", items.take(NAMED).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhooks::shown::STATE_SINCE;
    use serde_json::json;

    fn webhooks(all: &[(&str, &str)]) -> Vec<((), Shown)> {
        let webhook = |(luid, name): &(&str, &str)| {
            let webhook = serde_json::from_value(json!({
                "id": luid, "name": name, "event": "SiteUpdated",
                "webhook-destination": {"webhook-destination-http": {"url": "https://a.example/webhook/hunter2"}},
            }));
            ((), Shown::of(&webhook.unwrap(), STATE_SINCE))
        };
        all.iter().map(webhook).collect()
    }

    #[test]
    fn a_webhook_is_found_by_luid_by_name_and_by_the_first_digits() {
        let all = webhooks(&[
            ("0f1e2d3c-4b5a", "one"),
            ("0f1e9999-4b5a", "two"),
            ("99990000-4b5a", "0f1e2d3c-4b5a"),
        ]);
        for (wanted, expected) in [
            ("one", "0f1e2d3c-4b5a"),
            (" two ", "0f1e9999-4b5a"),
            ("0F1E2D3C-4B5A", "0f1e2d3c-4b5a"),
            ("0f1e9", "0f1e9999-4b5a"),
            ("9999", "99990000-4b5a"),
        ] {
            assert_eq!(find(&all, wanted).map(|(_, shown)| shown.luid.as_str()), Ok(expected), "{wanted}");
        }
        let wanted = ["one", "0f1e2", "two"].map(str::to_owned);
        assert_eq!(find_all(&all, &wanted).unwrap().len(), 2);
    }

    #[test]
    fn what_is_not_found_or_not_clear_says_what_there_is() {
        let all =
            webhooks(&[("0f1e2d3c-4b5a", "same"), ("0f1e9999-4b5a", "same"), ("77770000-4b5a", "refreshes")]);
        let both = "0f1e2d3c-4b5a (SiteUpdated to https://a.example), 0f1e9999-4b5a (SiteUpdated to https://a.example)";
        for (wanted, expected) in [
            ("same", format!("2 webhooks are meant by `same`; say which by LUID: {both}")),
            ("0f1e", format!("2 webhooks are meant by `0f1e`; say which by LUID: {both}")),
            ("777", "there is no webhook `777`; there are: `same`, `same`, `refreshes`".to_owned()),
            ("Refresh", "there is no webhook `Refresh`; did you mean `refreshes`?".to_owned()),
            (
                "https://a.example/webhook/hunter2",
                "a webhook is named by its name or LUID, not by its URL; `webhooks list` shows both"
                    .to_owned(),
            ),
        ] {
            assert_eq!(find(&all, wanted).map(|_| ()), Err(expected));
        }
        let none = find(&webhooks(&[]), "x\u{1b}[2J").map(|_| ()).unwrap_err();
        assert_eq!(none, "there is no webhook `x`: the site has none");
        let many: Vec<(String, &str)> = (0..12).map(|at| (format!("aaaa{at:04}"), "n")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(luid, name)| (luid.as_str(), *name)).collect();
        let error = find(&webhooks(&many), "n").map(|_| ()).unwrap_err();
        assert!(
            error.starts_with("12 webhooks are meant")
                && error.ends_with("(SiteUpdated to https://a.example), …"),
            "{error}"
        );
    }
}
