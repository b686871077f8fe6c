//! Which rules match an event. No I/O.

use crate::conditions::{Held, Mismatch, Missing, Query};
use crate::facts::{Facts, Lookup};
use crate::family;
use crate::glob::Folded;
use crate::matched::{Matched, MissingFact};
use crate::rule::Rule;
use crate::rules::Rules;
use jiff::Timestamp;
use std::fmt;
use tableau::Event;

/// What one rule has to do with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// It matches.
    Matched(Vec<Missing>),
    /// It is for other events.
    OtherEvent,
    /// A condition of `where` does not hold.
    Where(Mismatch),
    /// All conditions of `unless` hold: of its entry with this number, from 0.
    Unless(usize),
    /// It is for events that no rule above matches, and this one does.
    Otherwise(String),
}

impl Explanation {
    /// Whether the rule matches for certain. Only then does it keep an `otherwise` rule below it from matching: what could not be
    /// looked up suppresses nothing.
    fn is_certain(&self) -> bool {
        matches!(self, Self::Matched(missing) if missing.is_empty())
    }

    /// Whether the rule matches.
    pub fn is_match(&self) -> bool {
        matches!(self, Self::Matched(_))
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matched(missing) if missing.is_empty() => f.write_str("matched"),
            Self::Matched(missing) => {
                let missing: Vec<String> =
                    missing.iter().map(|m| format!("{} ({})", m.lookup, m.why)).collect();
                write!(f, "matched; could not be looked up and counts as matched: {}", missing.join(", "))
            }
            Self::OtherEvent => f.write_str("not matched: `on` does not name the event"),
            Self::Where(mismatch) => write!(f, "not matched: where.{mismatch}"),
            Self::Unless(0) => f.write_str("not matched: all conditions of `unless` hold"),
            Self::Unless(entry) => {
                write!(f, "not matched: all conditions of entry {} of `unless` hold", entry + 1)
            }
            Self::Otherwise(rule) => {
                write!(f, "not matched: `otherwise`, and the rule \"{rule}\" above matches")
            }
        }
    }
}

/// Whether a rule matches, without words.
enum Judged {
    Matched(Vec<Missing>),
    Where(&'static str),
    Unless(usize),
}

impl Rules {
    /// As [`Self::matching`], for a workflow that cannot ask Tableau: what has to be looked up is not known, so it counts as
    /// matched.
    pub fn matching_without_lookups(&self, workflow: &str, event: &Event, at: Timestamp) -> Matched {
        let mut facts = Facts::default();
        loop {
            match self.matching(workflow, event, &facts, at) {
                Ok(matched) => return matched,
                Err(lookup) => facts.set_missing(lookup, "the workflow does not ask Tableau"),
            }
        }
    }

    /// The rules with an action for `workflow` that match `event`, which happened `at` that time. Only what they need is asked:
    /// their conditions, those of the rules above an `otherwise` rule, and those of maintenance windows.
    ///
    /// # Errors
    /// The [`Lookup`] that has to be made first. Note it in `facts`, and ask again.
    pub fn matching(
        &self,
        workflow: &str,
        event: &Event,
        facts: &Facts,
        at: Timestamp,
    ) -> Result<Matched, Lookup> {
        let name = folded_name(event);
        let timezone = self.timezone(&event.site);
        let query = Query { event, name: &name, facts, at, timezone: &timezone };
        let bit = family::bit(&event.name);
        // Rules above an `otherwise` rule decide about it, also those for other workflows.
        let is_otherwise =
            |rule: &Rule| rule.otherwise && rule.is_for_bit(bit, &event.name) && rule.acts(workflow);
        let until_otherwise = self.rules.iter().rposition(is_otherwise).unwrap_or_default();
        let mut matched = Matched::default();
        let mut has_matched = false;
        for (number, rule) in self.rules.iter().enumerate() {
            if !rule.is_for_bit(bit, &event.name) || (rule.otherwise && has_matched) {
                continue;
            }
            let acts = rule.acts(workflow);
            if !acts && (has_matched || number >= until_otherwise) {
                continue;
            }
            let Judged::Matched(missing) = judge(rule, &query)? else { continue };
            has_matched |= missing.is_empty();
            if acts {
                matched.rules.push(rule.name.clone());
                let of_rule = |Missing { lookup, why }| MissingFact::of_rule(&rule.name, lookup, why);
                matched.missing.extend(missing.into_iter().map(of_rule));
            }
        }
        if !matched.rules.is_empty() {
            for window in &self.maintenance {
                // A window of which it is not known whether it is for this object suppresses nothing.
                match window.conditions.hold(&query)? {
                    Held::Yes(missing) if missing.is_empty() => {
                        matched.maintenance.push(window.name.clone());
                    }
                    Held::Yes(missing) if window.window.contains(at, &timezone) => {
                        let of_window =
                            |Missing { lookup, why }| MissingFact::of_maintenance(&window.name, lookup, why);
                        matched.missing.extend(missing.into_iter().map(of_window));
                    }
                    Held::Yes(_) | Held::No(_) => {}
                }
            }
        }
        Ok(matched)
    }

    /// What each rule has to do with an event, in the file's order.
    ///
    /// # Errors
    /// As for [`Rules::matching`].
    pub fn explain(
        &self,
        event: &Event,
        facts: &Facts,
        at: Timestamp,
    ) -> Result<Vec<(String, Explanation)>, Lookup> {
        let name = folded_name(event);
        let timezone = self.timezone(&event.site);
        let query = Query { event, name: &name, facts, at, timezone: &timezone };
        let mut explained: Vec<(String, Explanation)> = Vec::with_capacity(self.rules.len());
        let bit = family::bit(&event.name);
        for rule in &self.rules {
            let above = explained.iter().find(|(_, one)| rule.otherwise && one.is_certain());
            let explanation = match above.map(|(name, _)| name.clone()) {
                _ if !rule.is_for_bit(bit, &event.name) => Explanation::OtherEvent,
                Some(above) => Explanation::Otherwise(above),
                None => match judge(rule, &query)? {
                    Judged::Matched(missing) => Explanation::Matched(missing),
                    Judged::Where(condition) => {
                        Explanation::Where(rule.conditions.mismatch(condition, &query))
                    }
                    Judged::Unless(entry) => Explanation::Unless(entry),
                },
            };
            explained.push((rule.name.clone(), explanation));
        }
        Ok(explained)
    }
}

/// A failed lookup never suppresses an alert: a condition of `where` counts as matched then, and one of `unless` does not.
fn judge(rule: &Rule, query: &Query<'_>) -> Result<Judged, Lookup> {
    let mut missing = match rule.conditions.hold(query)? {
        Held::Yes(missing) => missing,
        Held::No(condition) => return Ok(Judged::Where(condition)),
    };
    for (entry, unless) in rule.unless.iter().enumerate() {
        match unless.hold(query)? {
            Held::No(_) => {}
            Held::Yes(unknown) if unknown.is_empty() => return Ok(Judged::Unless(entry)),
            Held::Yes(unknown) => {
                let is_new = |one: &Missing| missing.iter().all(|known| known.lookup != one.lookup);
                let new: Vec<_> = unknown.into_iter().filter(is_new).collect();
                missing.extend(new);
            }
        }
    }
    Ok(Judged::Matched(missing))
}

fn folded_name(event: &Event) -> Folded {
    Folded::name(event.resource_name.as_deref().unwrap_or_default())
}
