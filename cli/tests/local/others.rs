//! Files and folders that other users of the machine can read or write are not trusted.

use crate::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

#[test]
fn what_others_may_have_written_is_not_believed() {
    let home = Home::new();
    let up = home.up(&[]);
    fs::set_permissions(home.folder(), fs::Permissions::from_mode(0o777)).unwrap();
    let folder = home.folder().display().to_string();
    let output = home.run(&["send", "AdminPromoted"]);
    assert_eq!(
        stderr(&output),
        format!(
            "error: {folder} is open to other users (mode 0777), so its files are not used: run `chmod 700 {folder}`, \
             then start the local stack again\n"
        )
    );
    // Without the file, the command uses the constant keys of earlier versions.
    let mut command = home.command(&["events", "list", "--endpoint-url", &up.aws()]);
    for (name, value) in
        [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]
    {
        command.env(name, value);
    }
    let refused = command.output().unwrap();
    assert_eq!(
        stderr(&refused),
        "error: AWS refuses these credentials (InvalidClientTokenId): sign in again, or choose others with --profile\n"
    );
}

#[test]
fn a_folder_that_another_user_could_have_made_gets_no_keys_and_gives_none() {
    type Change = fn(&Home);
    let above_is_open: Change =
        |home| fs::set_permissions(home.0.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let is_a_link: Change = |home| {
        let elsewhere = home.0.path().join("elsewhere");
        fs::rename(home.folder(), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, home.folder()).unwrap();
    };
    let is_a_file: Change = |home| {
        fs::rename(home.folder(), home.0.path().join("elsewhere")).unwrap();
        fs::write(home.folder(), "").unwrap();
    };
    // Only root can change the owner of a folder.
    let is_anothers: Change = |home| std::os::unix::fs::chown(home.folder(), Some(65_534), None).unwrap();
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut cases = vec![
        (above_is_open, "every user may write into ", "chmod o-w "),
        (is_a_link, " is a symbolic link, ", "set XDG_STATE_HOME to a folder of your own"),
        (is_a_file, " is not a folder, ", "remove it"),
    ];
    if is_root {
        cases.push((is_anothers, " belongs to another user, ", "remove it"));
    }
    for (change, wrong, remedy) in cases {
        let home = Home::new();
        let _up = home.up(&[]);
        change(&home);
        let refused = home.run(&["send", "AdminPromoted"]);
        let text = stderr(&refused);
        assert!(
            text.contains(wrong) && text.contains(remedy) && text.lines().count() == 1,
            "{wrong}: {text}"
        );
        assert_eq!(refused.status.code(), Some(1));

        // Another stack writes nothing into the folder and says so.
        let before = home.files().len();
        let binaries = Path::new(PROGRAM).parent().unwrap().display().to_string();
        let up = ["up", "--once", "--port", "0", "--env-file", "/dev/null", "--binaries", &binaries];
        let text = stderr(&home.run(&up));
        if wrong != " is not a folder, " {
            assert!(text.contains("`--local` does not find this stack: ") && text.contains(wrong), "{text}");
            assert_eq!(home.files().len(), before, "{wrong}");
        }
    }
}

#[test]
fn a_file_that_another_user_wrote_is_no_stack() {
    let home = Home::new();
    let up = home.up(&[]);
    let file = home.files().remove(0);
    let real = home.folder().join("moved");
    fs::rename(&file, &real).unwrap();
    std::os::unix::fs::symlink(&real, &file).unwrap();
    let output = home.run(&["send", "AdminPromoted"]);
    assert_eq!(stderr(&output), "error: no local stack of yours is up; `tableau-webhooks up` starts one\n");
    drop(up);
}

#[test]
fn a_file_of_settings_that_others_can_read_is_one_line_of_warning_and_is_used() {
    for (mode, text, is_open) in [
        (0o644, "TABLEAU_SITE=marketing\n", true),
        (0o640, "TABLEAU_SITE=marketing\n", true),
        (0o604, "TABLEAU_SITE=marketing\n", true),
        (0o600, "TABLEAU_SITE=marketing\n", false),
        (0o400, "TABLEAU_SITE=marketing\n", false),
        (0o644, "# nothing is set\n", false),
    ] {
        let home = Home::new();
        let file = home.0.path().join(".env");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let path = file.display().to_string();
        let binaries = Path::new(PROGRAM).parent().unwrap().display().to_string();
        let up = ["up", "--once", "--port", "0", "--env-file", &path, "--binaries", &binaries];
        let output = home.run(&up);
        assert!(output.status.success(), "{}", stderr(&output));
        let warnings: Vec<String> =
            stderr(&output).lines().filter(|line| line.contains(&path)).map(str::to_owned).collect();
        let expected = format!(
            "warning: other users can read or change {path} (mode {mode:04o}), which may hold tokens: chmod 600 {path}"
        );
        assert_eq!(warnings, if is_open { vec![expected] } else { Vec::new() }, "{mode:o} {text}");
        let is_used = stderr(&output).contains("TABLEAU_SITE is not used");
        assert_eq!(is_used, text.starts_with("TABLEAU"), "{}", stderr(&output));
    }
}

#[test]
fn an_error_of_the_disk_names_the_path_also_one_that_looks_like_a_secret() {
    let home = Home::new();
    let file = home.0.path().join("1p4q8ff0vfrh8x15m4o8i0v3n6dj");
    fs::write(&file, "no folder").unwrap();
    let binaries = Path::new(PROGRAM).parent().unwrap().display().to_string();
    let up = ["up", "--once", "--port", "0", "--env-file", "/dev/null", "--binaries", &binaries];
    let output = home.command(&up).env("XDG_STATE_HOME", &file).output().unwrap();
    let expected = format!(
        "note: `--local` does not find this stack: cannot create {}/tableau-webhooks: Not a directory",
        file.display()
    );
    assert!(stderr(&output).contains(&expected), "{}", stderr(&output));

    let folder = home.0.path().display().to_string();
    for arguments in [&["rules", "check", &folder][..], &["rules", "check", "--template", &folder]] {
        let error = stderr(&home.run(arguments));
        assert_eq!(error, format!("error: {folder} is a folder: name a file in it\n"));
    }
}
