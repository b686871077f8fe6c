//! Where in `template.yaml` a part of a workflow goes: among those of the other workflows, as the alphabet has it.

use super::source::Workflow;
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
    pub(super) fn place(&self, text: &str, workflow: &Workflow) -> Result<Place, Problem> {
        let lines: Vec<&str> = text.lines().collect();
        let (start, end) = self.around;
        let known = workflows(&lines)?;
        let section = section(&lines, self.section)?;
        let (wanted, mut last) = (workflow.name.pascal(), None);
        for line in section.clone() {
            let name = lines[line].strip_prefix(start).and_then(|rest| rest.split_once(end));
            let Some((name, _)) = name.filter(|(name, _)| known.contains(name)) else { continue };
            if name > wanted.as_str() {
                return Ok(Place { line, before: Some(lines[line].to_owned()) });
            }
            last = Some(line);
        }
        let Some(last) = last else {
            return Err(format!("template.yaml has nothing of a workflow in `{}`", self.section).into());
        };
        // The entry's own lines stand further in.
        let own = (last + 1..section.end).take_while(|line| indent(lines[*line]) > indent(lines[last]));
        Ok(Place { line: last + 1 + own.count(), before: None })
    }
}

/// Blocks of functions stand in alphabetical order, behind those of what they share.
pub(super) fn of_block(text: &str, workflow: &Workflow) -> Result<Place, Problem> {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let resources = section(&lines, "Resources:")?;
    let mut headings = resources.clone().filter(|&line| {
        let heading = lines[line].strip_prefix("  # --- ").map(|text| text.trim_end_matches('-').trim_end());
        heading.is_some_and(|text| !text.starts_with("shared: ") && text > workflow.name.as_str())
    });
    let next = headings.next();
    Ok(Place { line: next.unwrap_or(resources.end), before: next.map(|line| lines[line].to_owned()) })
}

/// The workflows that are there: each has a condition of its own.
pub(super) fn workflows<'a>(lines: &[&'a str]) -> Result<Vec<&'a str>, Problem> {
    let conditions = section(lines, "Conditions:")?.filter_map(|line| {
        let (name, switch) = lines[line].strip_prefix("  ")?.split_once("On: !Equals [!Ref ")?;
        switch.starts_with(&format!("{name}Enabled,")).then_some(name)
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
