//! Fits a card into what a flow takes.

use super::element::{envelope, open_url, small_print, title};
use super::limits::{LEAST, LEVELS, Left, Limits, REQUEST_LIMIT, weight};
use super::{lists, parts};
use crate::teams::mentions::called;
use crate::teams::text::escape;
use crate::teams::words::{footnotes, headline, link};
use alerting::notification::Notification;
use serde_json::Value;

/// What lists get at least, if there are any.
const LISTS_AT_LEAST: usize = 3_000;
/// What the small print about what was left out may take.
const NOTE: usize = 400;

/// The envelope, and what it leaves out.
pub(super) fn fit(shown: &Notification) -> (Value, Left) {
    let reserve = if shown.lists.is_empty() { NOTE } else { LISTS_AT_LEAST + NOTE };
    let fits = |limits: &&Limits| {
        let base = assemble(shown, **limits, Vec::new(), &left(shown, **limits));
        weight(&base) + reserve <= REQUEST_LIMIT
    };
    let limits = *LEVELS.iter().find(fits).unwrap_or(&LEAST);
    let mut left = left(shown, limits);
    let taken = weight(&assemble(shown, limits, Vec::new(), &left));
    let (lists, items) = lists::elements(shown, REQUEST_LIMIT.saturating_sub(taken + NOTE));
    left.items = items;
    (assemble(shown, limits, lists, &left), left)
}

/// What these limits leave out, lists aside.
fn left(shown: &Notification, limits: Limits) -> Left {
    Left {
        items: 0,
        facts: shown.facts.len().saturating_sub(limits.facts),
        footnotes: footnotes(shown).count().saturating_sub(limits.footnotes),
        shortened: shortened(shown, limits) != shortened(shown, LEVELS[0]),
    }
}

/// The texts that limits can make shorter, to find out whether they did.
fn shortened(shown: &Notification, limits: Limits) -> String {
    let texts = [parts::above(shown, limits), parts::standing(shown, limits)].concat();
    Value::from(texts).to_string()
}

fn assemble(shown: &Notification, limits: Limits, lists: Vec<Value>, left: &Left) -> Value {
    let headline = headline(shown);
    let called = called(shown);
    let mut body = vec![title(&escape(&format!("{} {headline}", shown.symbol)), shown.severity)];
    body.extend(called.line().map(|line| super::element::paragraph(&line)));
    body.extend(parts::above(shown, limits));
    body.extend(parts::facts(shown, limits));
    body.extend(parts::standing(shown, limits));
    body.extend(lists);
    body.extend(parts::small_print(shown, limits, left).map(|text| small_print(&text)));
    let link = link(shown).filter(|(_, url)| is_https(url));
    let actions = link.map(|(label, url)| open_url(label, url)).into_iter().collect();
    envelope(body, actions, &called.entities, &headline)
}

/// Whether a button may open this address.
fn is_https(url: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) && !url.contains(is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_opened() {
        for (url, expected) in [
            ("https://tableau.example/#/site/a_b/workbooks/1", true),
            ("http://tableau.example/", false),
            ("javascript:alert(1)", false),
            ("https://", false),
            ("https://tableau.example/a b", false),
            ("HTTPS://tableau.example/", false),
        ] {
            assert_eq!(is_https(url), expected, "{url}");
        }
    }
}
