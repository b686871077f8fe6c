//! Which workbooks use a failing data source: what an incident keeps of it. No I/O.

use facts::DependentsUnknown;
use plain_text::is_blank;
use serde::{Deserialize, Serialize};
use tableau_client::Dependents;

/// How many names of workbooks are kept.
const NAMES: usize = 10;
/// The longest reason that is kept, in bytes.
const WHY_LIMIT: usize = 300;
/// The longest name that is kept, in characters.
const NAME_LIMIT: usize = 120;

/// The workbooks that use a failing data source. No person is named: of the owners only the number is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// The names of some of the workbooks: untrusted text.
    #[serde(default)]
    pub workbooks: Vec<String>,
    /// How many further workbooks there are.
    #[serde(default)]
    pub more: usize,
    /// How many different owners the workbooks have, as far as Tableau shows them.
    #[serde(default)]
    pub owners: usize,
    /// Which of the numbers are exact.
    #[serde(default)]
    pub exact: Exact,
}

/// Which numbers of an [`Impact`] are exact. The others may be too small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exact {
    /// Both.
    All,
    /// The number of workbooks: they are too many to ask for all owners.
    Workbooks,
    /// Neither: Tableau cut its answer short.
    #[default]
    Nothing,
}

/// What asking Tableau for the workbooks gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImpactLookup {
    /// The workbooks.
    Found(Impact),
    /// Tableau cannot say until a person changes something there. The text says why; people read it, and it has no full
    /// stop.
    Unavailable(String),
    /// Tableau did not say this time, so the next message asks again. The text is as above.
    Unanswered(String),
}

impl Impact {
    /// How many workbooks use the data source.
    pub fn total(&self) -> usize {
        self.workbooks.len().saturating_add(self.more)
    }

    /// How many workbooks of how many owners use the data source, for a message: `12 workbooks of 5 owners use it`.
    pub fn sentence(&self) -> String {
        let total = self.total();
        if total == 0 {
            return "No workbook uses it, as far as Tableau knows.".to_owned();
        }
        let workbooks = counted(total, "workbook", self.exact == Exact::Nothing);
        let owners = match self.owners {
            0 => String::new(),
            owners => format!(" of {}", counted(owners, "owner", self.exact != Exact::All)),
        };
        let begun = match self.exact {
            Exact::Nothing => workbooks.replacen("at", "At", 1),
            Exact::All | Exact::Workbooks => workbooks,
        };
        format!("{begun}{owners} {} it", if total == 1 { "uses" } else { "use" })
    }

    /// Clears what this crate never writes: more or longer names than it keeps.
    fn sanitize(&mut self) {
        let names = self.workbooks.len();
        self.workbooks.truncate(NAMES);
        self.more = self.more.saturating_add(names - self.workbooks.len());
        self.workbooks.iter_mut().for_each(|name| *name = shortened(name));
    }
}

impl ImpactLookup {
    /// Clears what this crate never writes: more names, or longer texts, than it keeps.
    pub(crate) fn sanitize(&mut self) {
        match self {
            Self::Found(impact) => impact.sanitize(),
            Self::Unavailable(why) | Self::Unanswered(why) => {
                why.truncate(why.floor_char_boundary(WHY_LIMIT));
            }
        }
    }

    /// What Tableau's answer says.
    pub(crate) fn of(answer: Result<Dependents, DependentsUnknown>) -> Self {
        let dependents = match answer {
            Ok(dependents) => dependents,
            Err(DependentsUnknown { why, is_lasting: true }) => return Self::Unavailable(why),
            Err(DependentsUnknown { why, is_lasting: false }) => return Self::Unanswered(why),
        };
        if dependents.total == 0 && dependents.is_cut_short {
            return Self::Unanswered("Tableau's Metadata API cut its answer short".to_owned());
        }
        // A workbook that the credential's user may not see has no name.
        let names = dependents.workbooks.iter().filter_map(|workbook| workbook.name.as_deref());
        let names = names.filter(|name| !is_blank(name)).take(NAMES).map(shortened);
        let workbooks: Vec<String> = names.collect();
        let exact = match (dependents.is_cut_short, dependents.is_complete()) {
            (true, _) => Exact::Nothing,
            (false, false) => Exact::Workbooks,
            (false, true) => Exact::All,
        };
        let more = dependents.total.saturating_sub(workbooks.len());
        Self::Found(Impact { workbooks, more, owners: dependents.owners, exact })
    }
}

fn counted(count: usize, what: &str, at_least: bool) -> String {
    let words = if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
    if at_least { format!("at least {words}") } else { words }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME_LIMIT) {
        None => name.to_owned(),
        Some(_) => name.chars().take(NAME_LIMIT - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tableau_client::Dependent;

    fn dependents(names: &[Option<&str>], total: usize) -> Dependents {
        let workbook =
            |name: &Option<&str>| Dependent { name: name.map(str::to_owned), ..Dependent::default() };
        Dependents {
            workbooks: names.iter().map(workbook).collect(),
            total,
            owners: 3,
            ..Dependents::default()
        }
    }

    fn found(dependents: Dependents) -> Impact {
        match ImpactLookup::of(Ok(dependents)) {
            ImpactLookup::Found(impact) => impact,
            ImpactLookup::Unavailable(why) | ImpactLookup::Unanswered(why) => panic!("{why}"),
        }
    }

    // 16, item 5
    #[test]
    fn names_are_few_and_short_and_every_workbook_counts() {
        let long = "é".repeat(250);
        let impact = found(dependents(&[Some(long.as_str()); 200], 200));
        assert_eq!((impact.workbooks.len(), impact.total(), impact.exact), (NAMES, 200, Exact::All));
        assert!(
            impact.workbooks.iter().all(|name| name.chars().count() == NAME_LIMIT && name.ends_with('…'))
        );
        let hidden = found(dependents(&[None, Some("A"), Some(" \u{200b}")], 3));
        assert_eq!((hidden.workbooks, hidden.more), (vec!["A".to_owned()], 2));
        assert_eq!(found(dependents(&[Some("A")], 1_000)).exact, Exact::Workbooks);
        assert_eq!(found(dependents(&[], 0)).total(), 0);
    }

    // 16, item 5
    #[test]
    fn an_answer_that_was_cut_short_to_nothing_says_nothing() {
        let cut =
            |names: &[Option<&str>]| Dependents { is_cut_short: true, ..dependents(names, names.len()) };
        assert_eq!(found(cut(&[Some("A")])).exact, Exact::Nothing);
        assert!(matches!(ImpactLookup::of(Ok(cut(&[]))), ImpactLookup::Unanswered(_)));
    }

    // 16, item 5
    #[test]
    fn a_damaged_document_shows_no_more_than_a_whole_one() {
        let text = json!({ "workbooks": vec!["x".repeat(10_000); 1_000], "more": usize::MAX });
        let mut impact: Impact = serde_json::from_value(text).unwrap();
        impact.sanitize();
        assert_eq!((impact.workbooks.len(), impact.exact), (NAMES, Exact::Nothing));
        assert_eq!((impact.workbooks[0].chars().count(), impact.total()), (NAME_LIMIT, usize::MAX));
    }
}
