//! The text of each mail, for reviews, in `snapshots/`; and one whole page. `UPDATE=1 cargo test -p email --test mails` writes them
//! anew; read what has changed.

use crate::samples::all;
use crate::steward;
use email::render;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mails/snapshots")
}

#[test]
fn every_kind_of_mail_is_as_its_snapshot_shows() {
    let rendered = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mails");
    fs::create_dir_all(&rendered).unwrap();
    let mut files = Vec::new();
    for (name, notifications) in all() {
        let mails: Vec<_> = notifications.iter().map(|shown| render(shown, &steward())).collect();
        let texts: Vec<String> =
            mails.iter().map(|mail| format!("Subject: {}\n\n{}", mail.subject, mail.text)).collect();
        files.push((format!("{name}.txt"), texts.join("\n=====\n\n")));
        if name == "opened" {
            files.push((format!("{name}.html"), mails[0].html.clone()));
        }
    }
    let mut different = Vec::new();
    for (file, content) in &files {
        fs::write(rendered.join(file), content).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            fs::write(folder().join(file), content).unwrap();
        } else if fs::read_to_string(folder().join(file)).unwrap_or_default() != *content {
            different.push(file.as_str());
        }
    }
    let from = rendered.display();
    assert!(
        different.is_empty(),
        "{different:?}: compare with {from}, and copy what is right from there, or all with UPDATE=1"
    );
    for entry in fs::read_dir(folder()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(files.iter().any(|(name, _)| *name == file), "no mail has the snapshot {file}");
    }
}
