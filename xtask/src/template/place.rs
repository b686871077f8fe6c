//! Where in `template.yaml` a part of a workflow goes: among those of the other workflows, as the alphabet has it.

use crate::name::Name;
use crate::repository::Problem;
use std::ops::Range;

/// Before which line a part goes.
pub(super) struct Place {
    pub(super) line: usize,
    /// What stands there; `None` behind the last part of its kind.
    pub(super) before: Option<String>,
}

/// A kind of part that has a line of its own with the workflow's name in it.
pub(super) struct Entry {
    /// The top-level key it stands below.
    pub(super) section: &'static str,
    /// What stands before and after the name.
    pub(super) around: (&'static str, &'static str),
}

impl Entry {
    /// The place of the workflow's entry.
    pub(super) fn place(&self, text: &str, name: &Name) -> Result<Place, Problem> {
        let lines: Vec<&str> = text.lines().collect();
        let (start, end) = self.around;
        let known = workflows(&lines)?;
        let section = section(&lines, self.section)?;
        let wanted = name.pascal();
        let mut last = None;
        for line in section.clone() {
            let other = lines[line].strip_prefix(start).and_then(|rest| rest.split_once(end));
            let Some((other, _)) = other.filter(|(other, _)| known.contains(other)) else { continue };
            if other > wanted.as_str() {
                return Ok(Place { line, before: Some(lines[line].to_owned()) });
            }
            last = Some(line);
        }
        let Some(last) = last else {
            return Err(format!("template.yaml has nothing of a workflow in `{}`", self.section).into());
        };
        Ok(Place { line: end_of(&lines, last, section.end), before: None })
    }

    /// The lines of the workflow's entry, if there is one.
    pub(super) fn range(&self, text: &str, pascal: &str) -> Result<Option<Range<usize>>, Problem> {
        let lines: Vec<&str> = text.lines().collect();
        let (start, end) = self.around;
        let section = section(&lines, self.section)?;
        let begins = format!("{start}{pascal}{end}");
        let first = section.clone().find(|&line| lines[line].starts_with(&begins));
        Ok(first.map(|first| first..end_of(&lines, first, section.end)))
    }
}

/// Blocks of functions stand in alphabetical order, behind those of what they share.
pub(super) fn of_block(text: &str, name: &Name) -> Result<Place, Problem> {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let resources = section(&lines, "Resources:")?;
    let mut headings = resources.clone().filter(|&line| {
        heading(lines[line]).is_some_and(|text| !text.starts_with("shared: ") && text > name.as_str())
    });
    let next = headings.next();
    Ok(Place { line: next.unwrap_or(resources.end), before: next.map(|line| lines[line].to_owned()) })
}

/// The lines of a workflow's block, by what the names of its resources begin with; without blank lines behind it. A resource
/// of another name after the block's last one is not a part of it.
///
/// # Errors
/// When a resource of another name stands between two of the block's: it would be lost when the block is written.
pub(super) fn range_of_block(text: &str, pascal: &str) -> Result<Option<Range<usize>>, Problem> {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let resources = section(&lines, "Resources:")?;
    let is_ours = |text: &str| Name::parse(text).is_ok_and(|name| name.pascal() == pascal);
    let Some(first) = resources.clone().find(|&line| heading(lines[line]).is_some_and(is_ours)) else {
        return Ok(None);
    };
    let next = (first + 1..resources.end).find(|&line| heading(lines[line]).is_some());
    let mut end = next.unwrap_or(resources.end);
    let is_own = |line: &usize| resource(lines[*line]).is_some_and(|name| name.starts_with(pascal));
    let is_other = |line: &usize| resource(lines[*line]).is_some_and(|name| !name.starts_with(pascal));
    if let Some(other) = (first..end).find(is_other) {
        if (other..end).any(|line| is_own(&line)) {
            let name = lines[other].trim();
            return Err(format!(
                "template.yaml, line {}: `{name}` stands inside the block of {pascal}: move it under a heading of its own",
                other + 1
            )
            .into());
        }
        // With the comments before it.
        end = other;
        while lines[end - 1].trim_start().starts_with('#') {
            end -= 1;
        }
    }
    while lines[end - 1].is_empty() {
        end -= 1;
    }
    Ok(Some(first..end))
}

/// The name of the resource that begins in this line.
fn resource(line: &str) -> Option<&str> {
    let name = line.strip_prefix("  ")?.strip_suffix(':')?;
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric())).then_some(name)
}

/// The names of all resources.
pub(super) fn resources(text: &str) -> Result<Vec<&str>, Problem> {
    let lines: Vec<&str> = text.lines().collect();
    Ok(section(&lines, "Resources:")?.filter_map(|line| resource(lines[line])).collect())
}

/// The lines of the resource with this name.
pub(super) fn range_of_resource(lines: &[&str], name: &str) -> Result<Option<Range<usize>>, Problem> {
    let section = section(lines, "Resources:")?;
    let first = section.clone().find(|&line| resource(lines[line]) == Some(name));
    Ok(first.map(|first| first..end_of(lines, first, section.end)))
}

/// The text of a heading, `  # --- notify-slack -----`.
fn heading(line: &str) -> Option<&str> {
    line.strip_prefix("  # --- ").map(|text| text.trim_end_matches('-').trim_end())
}

/// Where an entry ends that begins in this line: its own lines stand further in.
fn end_of(lines: &[&str], first: usize, section_end: usize) -> usize {
    let own = (first + 1..section_end).take_while(|&line| indent(lines[line]) > indent(lines[first]));
    first + 1 + own.count()
}

/// Functions that have a switch and are no workflows: they have no queue, and their blocks are written by hand.
const BY_HAND: [&str; 3] = ["ReceiveEvent", "ReconcileWebhooks", "ReportHistory"];

/// The workflows that are there: each has a condition of its own.
pub(super) fn workflows<'a>(lines: &[&'a str]) -> Result<Vec<&'a str>, Problem> {
    let conditions = section(lines, "Conditions:")?.filter_map(|line| {
        let (name, switch) = lines[line].strip_prefix("  ")?.split_once("On: !Equals [!Ref ")?;
        (switch.starts_with(&format!("{name}Enabled,")) && !BY_HAND.contains(&name)).then_some(name)
    });
    Ok(conditions.collect())
}

/// The lines below a top-level key, up to the next one.
pub(super) fn section(lines: &[&str], key: &str) -> Result<Range<usize>, Problem> {
    let Some(start) = lines.iter().position(|line| *line == key) else {
        return Err(format!("template.yaml has no `{key}`").into());
    };
    let below = lines[start + 1..].iter();
    let end = below.clone().position(|line| line.starts_with(|c: char| !c.is_whitespace() && c != '#'));
    Ok(start + 1..end.map_or(lines.len(), |end| start + 1 + end))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
