//! Incidents in ServiceNow: each kind of notification as text in `servicenow/`, hostile names, and the picture of one incident.
//! `UPDATE=1 cargo test -p destinations --test messages incidents` writes them anew; look at what has changed.

use crate::hostile::{names, notifications, with};
use crate::incident_svg::draw;
use crate::pictures::docs;
use crate::samples::all;
use crate::snapshots::folder;
use destinations::servicenow::{Rendered, render};
use std::fs;
use std::path::Path;

/// The title of an incident, and its description or work note.
fn readable(rendered: &Rendered) -> String {
    format!("[short_description] {}\n{}\n", rendered.short, rendered.long)
}

#[test]
fn every_kind_of_incident_is_as_its_snapshot_shows() {
    let rendered = Path::new(env!("CARGO_TARGET_TMPDIR")).join("servicenow-messages");
    fs::create_dir_all(&rendered).unwrap();
    fs::create_dir_all(folder("servicenow")).unwrap();
    let mut different = Vec::new();
    let mut files = Vec::new();
    for (name, notifications) in all() {
        let texts: Vec<String> = notifications.iter().map(|shown| readable(&render(shown))).collect();
        let texts = texts.join("\n");
        let file = format!("{name}.txt");
        fs::write(rendered.join(&file), &texts).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            fs::write(folder("servicenow").join(&file), &texts).unwrap();
        } else if fs::read_to_string(folder("servicenow").join(&file)).unwrap_or_default() != texts {
            different.push(file.clone());
        }
        files.push(file);
    }
    let from = rendered.display();
    assert!(
        different.is_empty(),
        "{different:?}: compare with {from}, and copy what is right from there, or all with UPDATE=1"
    );
    for entry in fs::read_dir(folder("servicenow")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(files.contains(&file), "no incident has the snapshot {file}");
    }
}

#[test]
fn no_name_becomes_html_adds_a_line_to_a_title_or_is_too_long_for_a_field() {
    let mut hostile: Vec<String> = names().into_iter().map(|(name, _)| name).collect();
    hostile.extend(
        ["[code]<b>x</b>[/code] ", "[CODE]", "[ / code ]", "[\u{200b}code]"].map(|text| text.repeat(200)),
    );
    let mut count = 0;
    for name in hostile {
        for shown in notifications() {
            let Rendered { short, long } = render(&with(&name, shown));
            assert!(!short.is_empty() && short.chars().count() <= 160 && !short.contains('\n'), "{short}");
            assert!(long.chars().count() <= 4_000, "{}", long.chars().count());
            let texts = format!("{short}\n{long}").to_lowercase();
            assert!(!texts.contains("[code") && !texts.contains("[/code"), "{texts}");
            assert!(!texts.chars().any(|c| c.is_control() && c != '\n'), "{texts:?}");
            count += 1;
        }
    }
    assert!(count > 300, "{count}");
}

#[test]
fn a_cut_is_visible_and_many_objects_are_counted() {
    let (_, many) = all().into_iter().find(|(name, _)| *name == "group-opened-500").unwrap();
    let Rendered { short, long } = render(&many[0]);
    assert_eq!(short, "500 extract refreshes failed");
    assert!(long.contains("… and ") && long.contains("500 objects in this message"), "{long}");
}

#[test]
fn an_incident_has_a_picture_that_the_documents_show() {
    let scene = |name: &str| {
        let (_, _, shown) = crate::scenes::all().into_iter().find(|(other, ..)| *other == name).unwrap();
        render(&shown[0])
    };
    let picture = draw(&scene("opened"), &scene("updated").long, &scene("resolved").long);
    let path = docs().join("images/servicenow-incident.svg");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), picture, "draw it anew with UPDATE=1");
    let readme = fs::read_to_string(docs().join("../functions/track-servicenow-incident/README.md")).unwrap();
    assert!(readme.contains("(../../docs/images/servicenow-incident.svg)"));
    let page = fs::read_to_string(docs().join("messages.md")).unwrap();
    assert!(page.contains("(images/servicenow-incident.svg)"));
}
