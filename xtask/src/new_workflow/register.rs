//! The workflow's three lines in the list of all workflows, `shared/rules/src/settings/mod.rs`. No I/O.

use crate::name::Name;
use crate::repository::Problem;

/// The folder of the workflows' rule settings.
pub(super) const FOLDER: &str = "shared/rules/src/settings";

/// The list of all workflows.
pub(super) const LIST: &str = "shared/rules/src/settings/mod.rs";

/// The list with the workflow in it, each line where the alphabet puts it.
pub(super) fn with(list: &str, name: &Name) -> Result<String, Problem> {
    let module = name.snake();
    let settings = name.pascal();
    let mut lines: Vec<String> = list.lines().map(str::to_owned).collect();
    for (start, line) in [
        ("mod ", format!("mod {module};")),
        ("pub use ", format!("pub use {module}::{settings};")),
        ("    KnownWorkflow::", format!("    KnownWorkflow::of::<{settings}>(),")),
    ] {
        let alike = lines.iter().enumerate().filter(|(_, other)| other.starts_with(start));
        let Some((last, _)) = alike.clone().next_back() else {
            return Err(format!("{LIST} has no line that starts with `{}`", start.trim_start()).into());
        };
        let behind = alike.clone().find(|(_, other)| sorted_by(other) > sorted_by(&line)).map(|(at, _)| at);
        lines.insert(behind.unwrap_or(last + 1), line);
    }
    Ok(lines.join("\n") + "\n")
}

/// What decides where a line stands: the name, also where workflows differ in how they are listed.
fn sorted_by(line: &str) -> &str {
    line.split_once('<').map_or(line, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "//! x\n\nmod b_b;\nmod d;\n\npub use b_b::BB;\npub use d::D;\n\nlist [\n    \
                        KnownWorkflow::notifying::<BB>(),\n    KnownWorkflow::of::<D>(),\n];\n";

    #[test]
    fn a_workflow_is_listed_where_the_alphabet_puts_it() {
        for (name, lines) in [
            (
                "a",
                [
                    "mod a;\nmod b_b;",
                    "pub use a::A;\npub use b_b::BB;",
                    "of::<A>(),\n    KnownWorkflow::notifying::<BB>(),",
                ],
            ),
            (
                "c-c",
                [
                    "mod b_b;\nmod c_c;\nmod d;",
                    "BB;\npub use c_c::CC;\n",
                    "of::<CC>(),\n    KnownWorkflow::of::<D>(),",
                ],
            ),
            (
                "e",
                ["mod d;\nmod e;\n\n", "D;\npub use e::E;\n\n", "<D>(),\n    KnownWorkflow::of::<E>(),\n];"],
            ),
        ] {
            let listed = with(TEXT, &Name::parse(name).unwrap()).unwrap();
            for part in lines {
                assert!(listed.contains(part), "no {part} in\n{listed}");
            }
            assert_eq!(listed.lines().count(), TEXT.lines().count() + 3);
        }
        let other = with("mod a;\n", &Name::parse("b").unwrap()).unwrap_err().to_string();
        assert_eq!(other, "shared/rules/src/settings/mod.rs has no line that starts with `pub use `");
    }
}
