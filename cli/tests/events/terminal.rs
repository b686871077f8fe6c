//! The output in a terminal: one line per row, aligned columns, colours.

use crate::delivery::{Delivery, HOUR, failed};
use crate::environment::{Environment, body, id, stderr, stdout};
use deliveries::End;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::Command;
use unicode_width::UnicodeWidthStr;

/// Names at least as long as most names on a real site.
const LONG: &str = "Umsatzentwicklung der Vertriebsregionen in Süddeutschland und Österreich";

/// The output of the command in a terminal with this many columns.
pub(crate) async fn shown_at(mut command: Command, columns: u16) -> String {
    tokio::task::spawn_blocking(move || {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
        tcsetwinsize(&terminal, size).unwrap();
        command.stdin(terminal.try_clone().unwrap());
        command.stderr(terminal.try_clone().unwrap()).stdout(terminal);
        let mut child = command.spawn().unwrap();
        // The command holds the terminal's other end.
        drop(command);
        let mut shown = Vec::new();
        let mut master = File::from(master);
        let mut buffer = [0; 4096];
        // Reading fails here once the command has closed the terminal.
        while let Ok(read @ 1..) = master.read(&mut buffer) {
            shown.extend_from_slice(&buffer[..read]);
        }
        child.wait().unwrap();
        String::from_utf8(shown).unwrap().replace("\r\n", "\n")
    })
    .await
    .unwrap()
}

/// Events and dead letters with the longest values of each column.
async fn crowded() -> Environment {
    let environment = Environment::start().await;
    for (event, name) in [
        ("DatasourceRefreshSucceeded", LONG),
        ("DatasourceRefreshFailed", "Sales Orders"),
        ("SiteUpdated", "数字".repeat(20).as_str()),
    ] {
        let body = format!(r#"{{"resource":"X","event_type":"{event}","resource_name":"{name}"}}"#);
        Delivery::of(&environment, "notify-slack", &body).attempt(HOUR, failed()).await;
        let skipped = "every rule for this event is muted, until 2026-12-24T18:00:00Z at most".to_owned();
        Delivery::of(&environment, "update-broadcast", &body).attempt(HOUR, End::Skipped(skipped)).await;
        Delivery::of(&environment, "track-servicenow-incident", &body).claim(2 * HOUR).await;
        environment
            .dead_letter("NotifySlackDeadLetters", &body, "Slack does not know the channel #data-alerts")
            .await;
    }
    environment.dead_letter("UpdateBroadcastDeadLetters", "hunter2", "no").await;
    environment
}

const LISTS: [&[&str]; 3] =
    [&["events", "list"], &["events", "dead-letters", "list"], &["events", "replay", "--dry-run"]];

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_one_line_at_the_width_of_the_terminal_and_at_80_columns_elsewhere() {
    let environment = crowded().await;
    for arguments in LISTS {
        let rows = if arguments[1] == "list" { 9 } else { 3 };
        for columns in [80, 60, 132, 200] {
            let mut command = environment.command(arguments);
            command.env("NO_COLOR", "1");
            let shown = shown_at(command, columns).await;
            // Sentences below the table may be wrapped by the terminal.
            let table: Vec<&str> = shown.lines().take(rows + 1).collect();
            assert!(
                table.iter().all(|line| line.width() <= columns.into()),
                "{arguments:?}, {columns}:\n{shown}"
            );
            let is_row =
                |line: &&&str| line.contains("Dat") || line.contains("Sit") || line.contains("no ev");
            assert!(table.iter().skip(1).filter(is_row).count() >= 3, "{arguments:?}, {columns}:\n{shown}");
        }
        let piped = stdout(&environment.run(arguments).await);
        let lines: Vec<&str> = piped.lines().collect();
        assert!(lines[..=rows].iter().all(|line| line.width() <= 80), "{arguments:?}:\n{piped}");
        assert!(lines[1..=3].iter().all(|line| line.contains('…')), "{arguments:?}:\n{piped}");
        for heading in ["WORKFLOW", "EVENT", "NAME", "EVENT ID", "REASON"] {
            assert!(lines[0].contains(heading), "{arguments:?}: {heading}\n{piped}");
        }
        let wide = stdout(&environment.run(&[arguments, &["--wide"]].concat()).await);
        assert!(wide.contains("Slack does not know the channel #data-alerts"), "{wide}");
        assert_eq!(wide.lines().count(), lines.len(), "{wide}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_as_the_narrow_list_shows_it_is_enough_for_show() {
    let environment = Environment::start().await;
    let body = body("Marketing");
    Delivery::of(&environment, "notify-slack", &body).attempt(HOUR, failed()).await;
    let listed = stdout(&environment.run(&["events", "list"]).await);
    let whole = id(&body);
    let short = &whole.as_str()[..8];
    assert!(listed.contains(&format!("  {short}  ")), "{listed}");
    let output = environment.run(&["events", "show", short]).await;
    assert!(stdout(&output).contains("Marketing"), "{}", stderr(&output));
}

/// Whether the text contains a terminal escape sequence.
fn is_coloured(shown: &str) -> bool {
    shown.contains('\u{1b}')
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_coloured_on_a_terminal_unless_the_environment_or_the_option_says_otherwise() {
    let environment = Environment::start().await;
    Delivery::of(&environment, "notify-slack", &body("Marketing")).attempt(HOUR, failed()).await;
    let is_coloured_with = async |variables: &[(&str, &str)], arguments: &[&str], on_terminal: bool| {
        let mut command = environment.command(&[&["events", "list"], arguments].concat());
        command.env("TERM", "xterm").envs(variables.iter().copied());
        if on_terminal {
            return is_coloured(&shown_at(command, 80).await);
        }
        is_coloured(&stdout(&crate::environment::finish(command).await))
    };
    for (variables, arguments, on_terminal, elsewhere) in [
        (&[][..], &[][..], true, false),
        (&[("NO_COLOR", "1")], &[], false, false),
        (&[("NO_COLOR", "")], &[], true, false),
        (&[("TERM", "dumb")], &[], false, false),
        (&[("TERM", "dumb"), ("CI", "true")], &[], false, false),
        (&[("CLICOLOR", "0")], &[], false, false),
        (&[("CLICOLOR_FORCE", "1")], &[], true, true),
        (&[("CLICOLOR_FORCE", "0")], &[], true, false),
        (&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], &[], true, true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[], false, false),
        (&[], &["--color", "auto"], true, false),
        (&[], &["--color", "always"], true, true),
        (&[], &["--color=never"], false, false),
        (&[("NO_COLOR", "1"), ("TERM", "dumb")], &["--color=always"], true, true),
        (&[("CLICOLOR_FORCE", "1")], &["--color=never"], false, false),
        // JSON is for other programs, so it has no colours.
        (&[], &["--json", "--color=always"], false, false),
    ] {
        let what = format!("{variables:?} {arguments:?}");
        assert_eq!(is_coloured_with(variables, arguments, true).await, on_terminal, "{what}");
        assert_eq!(is_coloured_with(variables, arguments, false).await, elsewhere, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_red_and_nothing_but_the_outcome_is_coloured() {
    let environment = Environment::start().await;
    Delivery::of(&environment, "notify-slack", &body("a")).attempt(HOUR, failed()).await;
    Delivery::of(&environment, "notify-slack", &body("b")).attempt(2 * HOUR, End::Done).await;
    let plain = stdout(&environment.run(&["events", "list"]).await);
    let coloured = stdout(&environment.run(&["events", "list", "--color", "always"]).await);
    assert!(coloured.contains("\u{1b}[31mfailed\u{1b}[0m"), "{coloured:?}");
    assert!(coloured.contains("\u{1b}[32mdone\u{1b}[0m"), "{coloured:?}");
    let without = ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[0m"];
    let without = without.iter().fold(coloured, |text, escape| text.replace(escape, ""));
    assert_eq!(without, plain);
    let shown = stdout(&environment.run(&["events", "show", id(&body("a")).short(), "--color=always"]).await);
    assert!(shown.contains("notify-slack: \u{1b}[31mfailed permanently\u{1b}[0m, 1 attempt"), "{shown:?}");
}
