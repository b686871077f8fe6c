//! Colours on a terminal, and the option `--color`.

use anstyle::Style;
use anstyle_query::windows::enable_ansi_colors;
use std::env::var_os;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::sync::OnceLock;

/// The value of `--color`.
static CHOICE: OnceLock<clap::ColorChoice> = OnceLock::new();

const OPTION: &str = "--color";

/// The command line for clap, and the value of `--color` in it.
///
/// Help and errors are printed before clap has read the options, so this function looks for `--color` itself. A
/// `--color` before the command is moved after it, where clap accepts it.
pub(crate) fn arguments(arguments: impl IntoIterator<Item = OsString>) -> (Vec<OsString>, clap::ColorChoice) {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let options = arguments.split(|argument| argument == "--").next().unwrap_or_default();
    let choice = chosen(options);
    let leading = match arguments.get(1).and_then(|first| first.to_str()) {
        Some(OPTION) => 2,
        Some(first) if first.starts_with("--color=") => 1,
        _ => 0,
    };
    let is_command = |argument: &OsString| !argument.to_string_lossy().starts_with('-');
    if leading > 0 && arguments.get(leading + 1).is_some_and(is_command) {
        arguments[1..=leading + 1].rotate_left(leading);
    }
    (arguments, choice)
}

fn chosen(options: &[OsString]) -> clap::ColorChoice {
    let behind = options.windows(2).filter_map(|pair| match pair {
        [option, value] if option == OPTION => value.to_str(),
        _ => None,
    });
    let joined = options.iter().filter_map(|option| option.to_str()?.strip_prefix("--color="));
    match behind.chain(joined).last() {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => match [io::stdout().is_terminal(), io::stderr().is_terminal()]
            .map(|it| by_environment(it, var_os))
        {
            [true, true] => clap::ColorChoice::Always,
            [false, false] => clap::ColorChoice::Never,
            // Help goes to standard output and errors to standard error, so clap decides for each.
            _ => clap::ColorChoice::Auto,
        },
    }
}

/// Applies the value of `--color` to what this program prints.
pub(crate) fn choose(choice: clap::ColorChoice) {
    // Only the first value counts: there is one command line.
    let _ = CHOICE.set(choice);
}

/// Whether a stream is coloured, by `--color` or else by the environment.
pub(crate) fn is_coloured(stream: &impl IsTerminal) -> bool {
    match CHOICE.get() {
        Some(clap::ColorChoice::Always) => true,
        Some(clap::ColorChoice::Never) => false,
        Some(clap::ColorChoice::Auto) | None => by_environment(stream.is_terminal(), var_os),
    }
}

/// A non-empty `NO_COLOR` turns colours off. `CLICOLOR_FORCE` turns them on, even in a file. Otherwise only a
/// terminal that supports colours gets them.
///
/// Source: <https://no-color.org/>, <https://bixense.com/clicolors/>
fn by_environment(is_terminal: bool, variable: impl Fn(&'static str) -> Option<OsString>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let is_zero = |name| variable(name).is_some_and(|value| value == "0");
    // A terminal on Windows does not set `TERM`.
    let has_colours = || variable("TERM").map_or(cfg!(windows), |term| !term.is_empty() && term != "dumb");
    if is_set("NO_COLOR") {
        return false;
    }
    if is_set("CLICOLOR_FORCE") && !is_zero("CLICOLOR_FORCE") {
        return true;
    }
    is_terminal && !is_zero("CLICOLOR") && has_colours() && enable_ansi_colors().unwrap_or(true)
}

/// The text in this style, if standard output is coloured.
pub(crate) fn paint(style: Style, text: &str) -> String {
    static COLOURED: OnceLock<bool> = OnceLock::new();
    if style == Style::new() || text.is_empty() || !*COLOURED.get_or_init(|| is_coloured(&io::stdout())) {
        return text.to_owned();
    }
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (String, clap::ColorChoice) {
        let (read, choice) = arguments(line.split(' ').map(OsString::from));
        (read.join(OsString::from(" ").as_os_str()).into_string().unwrap(), choice)
    }

    #[test]
    fn the_option_stands_before_or_behind_the_command() {
        for (line, expected, choice) in [
            ("t --color always events list", "t events --color always list", clap::ColorChoice::Always),
            ("t --color=never events list", "t events --color=never list", clap::ColorChoice::Never),
            ("t events list --color never", "t events list --color never", clap::ColorChoice::Never),
            ("t --color always --once", "t --color always --once", clap::ColorChoice::Always),
            (
                "t send --color=never -- --color=always",
                "t send --color=never -- --color=always",
                clap::ColorChoice::Never,
            ),
        ] {
            assert_eq!(read(line), (expected.to_owned(), choice));
        }
        assert_eq!(read("t --color").0, "t --color");
    }

    #[test]
    fn the_environment_says_whether_a_terminal_gets_colours_and_whether_a_file_does() {
        for (variables, terminal, file) in [
            (&[][..], true, false),
            (&[("NO_COLOR", "1")], false, false),
            (&[("NO_COLOR", "")], true, false),
            (&[("TERM", "dumb")], false, false),
            (&[("TERM", "")], false, false),
            (&[("CLICOLOR", "0")], false, false),
            (&[("CLICOLOR", "1"), ("TERM", "dumb")], false, false),
            (&[("CLICOLOR_FORCE", "0")], true, false),
            (&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], true, true),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, false),
        ] {
            let variable = |name: &'static str| {
                let set = variables.iter().rev().find(|(set, _)| *set == name).map(|(_, value)| *value);
                set.or((name == "TERM").then_some("xterm")).map(OsString::from)
            };
            let coloured = [true, false].map(|is_terminal| by_environment(is_terminal, variable));
            assert_eq!(coloured, [terminal, file], "{variables:?}");
        }
    }
}
