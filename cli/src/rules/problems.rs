//! Mistakes in a rules file, as people are shown them.

use crate::colour::is_coloured;
use crate::out::plain;
use anstyle::{AnsiColor, Style};
use rules::Problem;
use std::io::{self, Write as _};
use std::path::Path;
use workflow::BoxError;

/// Prints all problems to standard error, each with its line, and gives the sentence that ends them.
pub(super) fn reported(file: &Path, text: &str, problems: &[Problem]) -> BoxError {
    let is_coloured = is_coloured(&io::stderr());
    let mut err = io::stderr().lock();
    for problem in problems {
        // Without a reader there is nothing more to do.
        let _ = writeln!(err, "{}", shown(file, text, problem, is_coloured));
    }
    counted(file, problems.len()).into()
}

fn counted(file: &Path, count: usize) -> String {
    let file = file.display();
    match count {
        1 => format!("{file} has 1 mistake"),
        count => format!("{file} has {count} mistakes"),
    }
}

/// `file:line:column: error: what is wrong`, and the line with a caret.
fn shown(file: &Path, text: &str, problem: &Problem, is_coloured: bool) -> String {
    let style = |style: Style| if is_coloured { style } else { Style::new() };
    let red = style(AnsiColor::Red.on_default().bold());
    let bold = style(Style::new().bold());
    let place = match (problem.at.line, problem.at.column) {
        (0, _) => String::new(),
        (line, 0) => format!(":{line}"),
        (line, column) => format!(":{line}:{column}"),
    };
    let of_rule = problem.rule.as_deref().map(|rule| format!("rule `{rule}`: ")).unwrap_or_default();
    let title = plain(&format!("{of_rule}{}", problem.text));
    let mut shown = format!("{bold}{}{place}:{bold:#} {red}error:{red:#} {title}", file.display());
    if problem.at.line > 0 {
        // The first line of it is the title in other words.
        for line in rules::render(problem, text).lines().skip(1) {
            let caret = line.ends_with('^').then(|| line.trim_end_matches('^'));
            shown.push('\n');
            match caret {
                Some(before) => shown.push_str(&format!("{before}{red}^{red:#}")),
                None => shown.push_str(line),
            }
        }
    }
    shown
}
