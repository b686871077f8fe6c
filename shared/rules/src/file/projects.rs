//! Patterns of projects that no project can match, and what to write. No I/O.

/// What people write between projects in place of `/`.
const ARROWS: [char; 5] = ['>', '\\', '›', '»', '→'];

/// What is wrong with a pattern of the condition `project`, if no project can match it.
pub(super) fn problem(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(project) = text.strip_prefix('!') {
        let project = project.trim();
        return Some(format!(
            "`!` does not exclude a project: write unless: {{ project: \"{project}\" }} beside `where`"
        ));
    }
    let parts: Vec<&str> = text.split(ARROWS).map(str::trim).filter(|part| !part.is_empty()).collect();
    if text.contains(ARROWS) && parts.len() > 1 {
        return Some(format!("write `/` between projects: \"{}\"", parts.join("/")));
    }
    let inner = text.trim_matches('/');
    let segments: Vec<&str> = inner.split('/').collect();
    if segments.iter().any(|segment| segment.contains("**") && *segment != "**") {
        let right: Vec<String> = segments.iter().flat_map(|segment| around_stars(segment)).collect();
        return Some(format!("`**` stands alone between `/`: write \"{}\"", right.join("/")));
    }
    let has_spaces = inner.contains(" / ");
    let has_empty = segments.len() > 1 && segments.iter().any(|segment| segment.trim().is_empty());
    if has_spaces || has_empty {
        let right: Vec<&str> = segments.iter().map(|s| s.trim()).filter(|s| !s.is_empty()).collect();
        return Some(format!("write one `/` between projects, without spaces: \"{}\"", right.join("/")));
    }
    None
}

/// The segments that a segment with `**` within it stands for: `Finance**` is `Finance` and `**`.
fn around_stars(segment: &str) -> Vec<String> {
    let mut right: Vec<String> = Vec::new();
    for (index, part) in segment.split("**").enumerate() {
        let part = part.trim_matches('*').trim();
        if index > 0 && right.last().is_none_or(|last| last != "**") {
            right.push("**".to_owned());
        }
        if !part.is_empty() {
            right.push(part.to_owned());
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    // 15-4
    #[test]
    fn a_pattern_that_no_project_matches_is_refused_with_what_to_write() {
        for (text, expected) in [
            ("Finance > Reports", "write `/` between projects: \"Finance/Reports\""),
            ("Finance>Reports>2026", "write `/` between projects: \"Finance/Reports/2026\""),
            ("Finance\\Reports", "write `/` between projects: \"Finance/Reports\""),
            ("Finance » **", "write `/` between projects: \"Finance/**\""),
            ("Finance**", "write \"Finance/**\""),
            ("Finance/Old**", "write \"Finance/Old/**\""),
            ("**Sandbox**", "write \"**/Sandbox/**\""),
            ("Finance/***", "write \"Finance/**\""),
            ("!Finance/Old", "write unless: { project: \"Finance/Old\" }"),
            ("Finance//Old", "without spaces: \"Finance/Old\""),
            ("Finance / Old", "without spaces: \"Finance/Old\""),
        ] {
            let found = problem(text).unwrap_or_default();
            assert!(found.contains(expected), "{text}: {found}");
        }
    }

    // 15-4
    #[test]
    fn a_pattern_that_a_project_can_match_is_fine() {
        for text in [
            "Finance",
            "Finance/**",
            "/Finance/",
            "**",
            "*",
            "**/Sandbox/**",
            "Fin*",
            "*/Reports/**",
            "Month End",
            "[Archive] {old}!",
            "財務/**",
            "R&D",
            "> 100",
        ] {
            assert_eq!(problem(text), None, "{text}");
        }
    }
}
