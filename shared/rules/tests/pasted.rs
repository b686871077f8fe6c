//! Rules files as editors and chats produce them: byte order marks, line ends, quotation marks, comments instead of
//! values.

use rules::Rules;
use rules::settings::NotifySlack;

/// The result of `rules check` for a file: the channels if it is valid.
fn said(text: &str) -> String {
    let settings = Rules::check_text(text).and_then(|rules| rules.settings::<NotifySlack>());
    match settings {
        Ok(settings) => settings.iter().map(|slack| slack.channel.as_str()).collect::<Vec<_>>().join(", "),
        Err(error) => error.to_string(),
    }
}

const HEAD: &str = "rules:\n  - name: a\n    on: [SiteUpdated]\n    do:\n";

/// A channel in block style, on line 6, and in flow style, on line 5.
fn styles(channel: &str) -> [(String, u64); 2] {
    [
        (format!("{HEAD}      - notify-slack:\n          channel: {channel}\n"), 6),
        (format!("{HEAD}      - notify-slack: {{ channel: {channel} }}\n"), 5),
    ]
}

#[test]
fn a_byte_order_mark_and_crlf_change_nothing() {
    for text in styles("data-alerts").map(|(text, _)| text) {
        assert_eq!(said(&text), "data-alerts");
        assert_eq!(said(&format!("\u{feff}{}", text.replace('\n', "\r\n"))), "data-alerts");
    }
}

#[test]
fn a_channel_whose_hash_begins_a_comment_is_told_with_its_line_and_what_to_write() {
    for channel in ["#data-alerts", "#oncall", "#C0123456789"] {
        for (text, line) in styles(channel) {
            let name = channel.trim_start_matches('#');
            let expected = format!("line {line}: channel: `#` begins a comment: write {name} or \"#{name}\"");
            assert_eq!(said(&text), expected, "{text}");
            assert_eq!(said(&format!("\u{feff}{}", text.replace('\n', "\r\n"))), expected);
        }
        for quoted in [format!("\"{channel}\""), format!("'{channel}'"), format!("\"{channel}\" # ours")] {
            assert_eq!(said(&styles(&quoted)[0].0), channel);
        }
    }
    let rule = |does: &str| said(&format!("rules:\n  - name: a\n{does}"));
    for (does, expected) in [
        (
            "    on: [SiteUpdated]\n    do:\n      - notify-slack: {\n          channel: #data-alerts\n        }\n",
            "line 6: channel: `#` begins a comment: write data-alerts or \"#data-alerts\"",
        ),
        (
            "    on: [SiteUpdated]\n    do: [{ notify-slack: { channel: #one } }, { notify-slack: { channel: two } }]\n",
            "line 4: channel: `#` begins a comment: write one or \"#one\"",
        ),
        (
            "    on: [#SiteUpdated]\n    do: []\n",
            "line 3: `#` begins a comment: write SiteUpdated or \"#SiteUpdated\"",
        ),
        (
            "    on:\n      - #SiteUpdated\n    do: []\n",
            "line 4: `#` begins a comment: write SiteUpdated or \"#SiteUpdated\"",
        ),
        (
            "    on: [SiteUpdated]\n    do: [{ notify-slack: { channel: one # ours } }]\n",
            "line 4: `#` begins a comment, and the closing bracket after it is a part of it: put the comment on a line of \
             its own, or the value in quotation marks",
        ),
    ] {
        assert_eq!(rule(does), expected, "{does}");
    }
    let named = said(
        "rules:\n  - name: #1 rule\n    on: [SiteUpdated]\n    do: [{ notify-slack: { channel: a } }]\n",
    );
    assert_eq!(named, "line 2: name: `#` begins a comment: write 1 or \"#1\"");
}

#[test]
fn a_comment_that_is_one_is_not_taken_for_the_fault() {
    let text = "rules:
  - name: a # the first [of many]
    on: [
      SiteUpdated, # see [the list]
    ]
    do:
      - notify-slack: { channel: data-alerts } # {ours}
      - notify-slack: { chanel: data-alerts }
";
    assert_eq!(said(text), "line 8, rule `a`: unknown field `chanel`; did you mean `channel`?");
    let unknown = text.replace("name: a", "nmae: a");
    assert!(said(&unknown).starts_with("line 2: unknown field `nmae`"), "{}", said(&unknown));
}

#[test]
fn a_value_that_is_missing_is_told_with_its_field_and_line() {
    for null in ["", "null", "~", "# ours\n"] {
        let (text, line) = &styles(null)[0];
        assert_eq!(
            said(text),
            format!("line {line}, rule `a`: channel: it has no value: write a text"),
            "{text}"
        );
    }
    let luid = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
    let does = "    do: [{ notify-slack: { channel: a } }]\n";
    for (text, expected) in [
        (
            format!("rules:\n  - name:\n    on: [SiteUpdated]\n{does}"),
            "line 2: name: it has no value: write name: finance refreshes",
        ),
        (
            format!("rules:\n  - name: a\n    on: [null]\n{does}"),
            "line 3: on: it has no value: write WorkbookCreated",
        ),
        (
            format!("rules:\n  - name: a\n    on:\n{does}"),
            "line 3: on: it has no value: write [WorkbookCreated]",
        ),
        (
            "rules:\n  - name: a\n    on: [SiteUpdated]\n    do:\n".to_owned(),
            "line 4: do: it has no value: write `- notify-slack: { channel: data-alerts }`",
        ),
        (
            format!("rules:\n  - name: a\n    on: [SiteUpdated]\n    quiet: {{ from: , to: 08:00 }}\n{does}"),
            "line 4: from: it has no value: write from: \"08:00\"",
        ),
        (
            "sites:\n  - luid:\n    name: S\n".to_owned(),
            "line 2: luid: it has no value: write luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b",
        ),
        (
            format!("sites:\n  - luid: {luid}\n    name: ~\n"),
            "line 3: name: it has no value: write name: Marketing",
        ),
    ] {
        assert_eq!(said(&text), expected, "{text}");
    }
}

#[test]
fn a_setting_of_the_wrong_kind_is_told_with_its_field_and_line() {
    for (channel, found) in
        [("5", "`5`"), ("true", "`true`"), ("[a]", "a list"), ("{ a: b }", "a list of fields")]
    {
        for (text, line) in styles(channel) {
            let expected = format!("line {line}, rule `a`: channel: write a text, not {found}");
            assert_eq!(said(&text), expected, "{text}");
        }
    }
    let head = HEAD.replace("SiteUpdated", "WorkbookUpdated");
    let tabs = said(&format!("{head}      - update-broadcast:\n          tabs: maybe\n"));
    assert_eq!(tabs, "line 6, rule `a`: tabs: write true or false, not \"maybe\"");
}

#[test]
fn typographic_quotation_marks_are_told_with_what_to_write() {
    for (open, close) in
        [('\u{201c}', '\u{201d}'), ('\u{201e}', '\u{201c}'), ('\u{2018}', '\u{2019}'), ('«', '»')]
    {
        for (text, line) in styles(&format!("{open}data-alerts{close}")) {
            let expected = format!(
                "line {line}: channel: `{open}` is no quotation mark in YAML: write data-alerts or \"data-alerts\""
            );
            assert_eq!(said(&text), expected);
        }
        let event = said(&format!(
            "rules:\n  - name: a\n    on: [{open}SiteUpdated{close}]\n    do: [{{ notify-slack: {{ channel: b }} }}]\n"
        ));
        let expected = format!(
            "line 3: on: `{open}` is no quotation mark in YAML: write SiteUpdated or \"SiteUpdated\""
        );
        assert_eq!(event, expected);
    }
    // A name may contain these characters.
    let named = styles("a").map(|(text, _)| said(&text.replace("name: a", "name: «Finance» and more")));
    assert_eq!(named, ["a", "a"]);
}

#[test]
fn what_yaml_reads_as_its_own_is_told_to_be_quoted() {
    for channel in ["@here", "`a`", "%a", "*a"] {
        for (text, line) in styles(channel) {
            let said = said(&text);
            let sign = &channel[..1];
            assert!(said.starts_with(&format!("line {line}: `{sign}` ")), "{said}");
            assert!(said.ends_with(&format!(" in YAML: put it in quotation marks: \"{channel}\"")), "{said}");
        }
    }
}

#[test]
fn a_file_that_is_far_too_large_is_not_read_to_its_end() {
    let file = std::env::temp_dir().join(format!("rules-{}.yaml", std::process::id()));
    // A sparse file of ten gigabytes, which uses no disk space.
    std::fs::File::create(&file).unwrap().set_len(10_000_000_000).unwrap();
    let error = Rules::check_file(&file).unwrap_err();
    std::fs::remove_file(&file).unwrap();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "it is larger than 1048576 bytes");
}
