//! Names that were probably meant. No I/O.

use super::path::same_name;
use super::scope::Scope;
use crate::ProjectTree;
use std::cmp::Ordering;

/// How many near names are told at most.
const MOST: usize = 5;
/// How many characters of a name are compared; Tableau's names are not longer.
const LONGEST: usize = 255;

/// How near one name is to another, 0 for the same; `None` if it is another word: more than a third of its characters differ, and
/// neither contains the other.
pub(super) fn distance(wanted: &str, name: &str) -> Option<usize> {
    if same_name(wanted, name) {
        return Some(0);
    }
    let cut = |text: &str| text.to_lowercase().chars().take(LONGEST).collect::<String>();
    let (wanted, name) = (cut(wanted), cut(name));
    let lengths = [&wanted, &name].map(|text| text.chars().count());
    let most = lengths[0].max(lengths[1]).div_ceil(3);
    let contains = lengths[0].min(lengths[1]) >= 3 && (name.contains(&wanted) || wanted.contains(&name));
    if !contains && lengths[0].abs_diff(lengths[1]) > most {
        return None;
    }
    let distance = strsim::osa_distance(&wanted, &name);
    // One that only contains the other comes after those that are misspelt.
    if distance <= most { Some(distance) } else { contains.then_some(LONGEST + distance) }
}

/// The nearest of these, the nearest first, with what orders those that are as near.
pub(super) fn nearest<T, K: Ord>(
    wanted: &str,
    all: impl IntoIterator<Item = T>,
    name: impl Fn(&T) -> &str,
    order: impl Fn(&T) -> K,
) -> Vec<T> {
    let near = all.into_iter().filter_map(|one| Some((distance(wanted, name(&one))?, one)));
    let mut near: Vec<(usize, T)> = near.collect();
    near.sort_by(|(a, one), (b, other)| match a.cmp(b) {
        Ordering::Equal => order(one).cmp(&order(other)),
        ordering => ordering,
    });
    near.truncate(MOST);
    near.into_iter().map(|(_, one)| one).collect()
}

/// The paths of the projects that are nearest to this path.
pub(super) fn nearest_projects(names: &[String], tree: &ProjectTree, scope: &dyn Scope) -> Vec<Vec<String>> {
    let wanted = names.join("/");
    let all = tree.projects().filter_map(|luid| tree.names(luid)).filter(|names| scope.has_project(names));
    let all: Vec<(String, Vec<String>)> = all.map(|names| (names.join("/"), names)).collect();
    let near = nearest(&wanted, all, |(text, _)| text, |(text, _)| text.clone());
    near.into_iter().map(|(_, names)| names).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_near_and_another_word_is_not() {
        for (wanted, name, is_near) in [
            ("Salse Orders", "Sales Orders", true),
            ("Sales", "Sales Orders", true),
            ("sales-orders", "Sales Orders", true),
            ("Umsätze", "Umsaetze", true),
            // Composed and decomposed.
            ("Umsa\u{308}tze", "Umsätze", true),
            ("売上", "売上高", true),
            ("Sales", "Budget", false),
            ("ab", "xy", false),
            ("", "Sales", false),
        ] {
            assert_eq!(distance(wanted, name).is_some(), is_near, "{wanted} {name}");
        }
        assert_eq!(distance("SALES", "sales"), Some(0));
        let all = ["Sales Orders EMEA", "Salse Orders", "Budget", "sales orders"];
        assert_eq!(
            nearest("Sales Orders", all, |name| name, |name| name.to_owned()),
            ["sales orders", "Salse Orders", "Sales Orders EMEA"]
        );
        let long = "x".repeat(100_000);
        assert_eq!(distance(&long, "Sales"), None);
    }
}
