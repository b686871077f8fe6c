//! The folder of presets, the code and the README have the same presets.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use rules::body::Preset;
use std::path::Path;

#[test]
fn every_preset_is_a_file_and_is_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let mut files: Vec<String> = std::fs::read_dir(folder.join("presets"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, Preset::ALL.map(|preset| format!("{}.j2", preset.name())));
    for preset in Preset::ALL {
        let row = format!("| [`{0}`](presets/{0}.j2) |", preset.name());
        assert!(readme.contains(&row), "{row}");
    }
}
