//! Each message as readable text for reviews, in `snapshots/`. `UPDATE=1 cargo test -p destinations --test messages` writes them
//! anew; read what has changed.

use crate::samples::all;
use destinations::slack::{Block, Message, render};
use std::fs;
use std::path::{Path, PathBuf};

/// The notification line of a message, and each block with its type.
pub(crate) fn readable(message: &Message) -> String {
    let mut lines = vec![format!("[text] {}", message.text())];
    for block in message.blocks() {
        match block {
            Block::Header { text } => lines.push(format!("[header] {}", text.as_str())),
            Block::Section { text, fields } => {
                lines.extend(text.iter().map(|text| format!("[section] {}", text.as_str())));
                lines.extend(fields.iter().map(|text| format!("[field] {}", text.as_str())));
            }
            Block::Context { elements } => {
                lines.extend(elements.iter().map(|text| format!("[context] {}", text.as_str())));
            }
            other => panic!("{other:?}"),
        }
    }
    lines.join("\n") + "\n"
}

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages").join(name)
}

#[test]
fn every_kind_of_message_is_as_its_snapshot_shows() {
    let rendered = Path::new(env!("CARGO_TARGET_TMPDIR")).join("slack-messages");
    fs::create_dir_all(&rendered).unwrap();
    let mut different = Vec::new();
    let mut names = Vec::new();
    for (name, notifications) in all() {
        let messages: Vec<String> = notifications.iter().map(|shown| readable(&render(shown))).collect();
        let messages = messages.join("\n");
        let file = format!("{name}.txt");
        fs::write(rendered.join(&file), &messages).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            fs::write(folder("snapshots").join(&file), &messages).unwrap();
        } else if fs::read_to_string(folder("snapshots").join(&file)).unwrap_or_default() != messages {
            different.push(file.clone());
        }
        names.push(file);
    }
    let from = rendered.display();
    assert!(
        different.is_empty(),
        "{different:?}: compare with {from}, and copy what is right from there, or all with UPDATE=1"
    );
    for entry in fs::read_dir(folder("snapshots")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(&file), "no message has the snapshot {file}");
    }
}
