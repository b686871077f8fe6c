//! Runs tabcmd, Tableau's command line, against the simulator.

use super::{Ended, NAME, PASSWORD, Site, python, run};
use std::fs;
use std::path::{Path, PathBuf};
use testkit::simulator::{Datasource, PatCredential, SAMPLE_CONTENT_URL, notes};

const TOKEN: (&str, &str) = ("tabcmd", "a-secret-of-this-test-alone");

/// tabcmd at a site. It keeps its session in the site's folder.
struct Tabcmd<'a> {
    site: &'a Site,
    program: PathBuf,
}

impl<'a> Tabcmd<'a> {
    fn of(site: &'a Site, python: &Path) -> Self {
        site.tableau.add(PatCredential::new(TOKEN.0, TOKEN.1, NAME));
        Self { site, program: python.with_file_name("tabcmd") }
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = self.site.command(&self.program);
        command.args(arguments);
        run(command).await
    }

    async fn sign_in(&self) {
        let url = self.site.tableau.url();
        let site = ["login", "--server", &url, "--site", SAMPLE_CONTENT_URL];
        let token = ["--token-name", TOKEN.0, "--token-value", TOKEN.1, "--no-prompt"];
        let ended = self.run(&[&site[..], &token[..]].concat()).await;
        assert_eq!(ended.code, Some(0), "{}", ended.printed);
    }

    async fn refresh(&self, arguments: &[&str]) -> Ended {
        self.run(&[&["refreshextracts", "--synchronous"], arguments].concat()).await
    }
}

#[tokio::test]
async fn tabcmd_waits_for_a_refresh_and_its_exit_code_says_how_it_went() {
    let Some(python) = python("TABCMD_PYTHON") else { return };
    let site = Site::start().await;
    site.tableau.break_refreshes(site.tableau.datasource("Budget").unwrap(), Some(notes::MISSING_COLUMN));
    site.tableau.add(Datasource::named("Nightly Totals"));
    let before = site.tableau.jobs().len();
    let tabcmd = Tabcmd::of(&site, &python);
    tabcmd.sign_in().await;

    let workbook = tabcmd.refresh(&["--project", "Sales", "--workbook", "Superstore"]).await;
    assert_eq!(workbook.code, Some(0), "{}", workbook.printed);
    assert!(workbook.printed.contains("Job completed"), "{}", workbook.printed);
    let looks = site.looks();
    assert!(looks > 2, "the job was seen running: {looks} looks");
    let datasource = tabcmd.refresh(&["--project", "sales", "--datasource", "Sales Orders"]).await;
    assert_eq!(datasource.code, Some(0), "{}", datasource.printed);
    let in_default = tabcmd.refresh(&["--datasource", "Nightly Totals"]).await;
    assert_eq!(in_default.code, Some(0), "found in the default project: {}", in_default.printed);
    let failed = tabcmd.refresh(&["--project", "Finance", "--datasource", "Budget"]).await;
    assert_eq!(failed.code, Some(1), "{}", failed.printed);
    assert!(failed.printed.contains("Invalid column name"), "the reason is shown: {}", failed.printed);
    let missing = tabcmd.refresh(&["--project", "Finance", "--datasource", "No such thing"]).await;
    assert_eq!(missing.code, Some(1), "{}", missing.printed);

    let asked_for = site.asked_for(before);
    let expected = [
        ("Budget", "Failed"),
        ("Nightly Totals", "Success"),
        ("Sales Orders", "Success"),
        ("Superstore", "Success"),
    ];
    assert_eq!(asked_for, expected.map(|(name, how)| (name.to_owned(), how)));
}

#[tokio::test]
async fn tabcmd_ends_with_an_error_when_its_refresh_is_cancelled() {
    let Some(python) = python("TABCMD_PYTHON") else { return };
    let site = Site::that_never_ends().await;
    let before = site.tableau.jobs().len();
    let tabcmd = Tabcmd::of(&site, &python);
    tabcmd.sign_in().await;

    let (ended, ()) = tokio::join!(
        tabcmd.refresh(&["--project", "Sales", "--workbook", "Superstore"]),
        site.cancel_once_it_was_looked_at("Superstore"),
    );

    assert_eq!(ended.code, Some(1), "{}", ended.printed);
    assert_eq!(site.asked_for(before), [("Superstore".to_owned(), "Cancelled")]);
}

#[tokio::test]
async fn tabcmd_signs_in_with_a_password_and_saves_what_it_exports() {
    let Some(python) = python("TABCMD_PYTHON") else { return };
    let site = Site::start().await;
    let tabcmd = Tabcmd::of(&site, &python);
    let url = site.tableau.url();
    let signed_in = ["login", "--server", &url, "--site", SAMPLE_CONTENT_URL, "--username", NAME];
    let ended = tabcmd.run(&[&signed_in[..], &["--password", PASSWORD, "--no-prompt"]].concat()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.printed);
    let wrong = tabcmd.run(&[&signed_in[..], &["--password", "another", "--no-prompt"]].concat()).await;
    assert_eq!(wrong.code, Some(1), "{}", wrong.printed);
    tabcmd.sign_in().await;

    for (how, begins) in [("--pdf", "%PDF"), ("--png", "\u{fffd}PNG"), ("--csv", "Region")] {
        let name = format!("overview{}", how.replace("--", "."));
        let ended = tabcmd.run(&["export", "Superstore/Overview", how, "--filename", &name]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.printed);
        let saved = fs::read(site.folder.path().join(&name)).unwrap();
        assert!(String::from_utf8_lossy(&saved).starts_with(begins), "{name}");
    }
    let whole = ["export", "Superstore/Overview", "--fullpdf", "--filename", "superstore.pdf"];
    assert_eq!(tabcmd.run(&whole).await.code, Some(0));
    let view = tabcmd.run(&["get", "/views/Superstore/Overview.csv", "--filename", "view.csv"]).await;
    assert_eq!(view.code, Some(0), "{}", view.printed);
    let missing = tabcmd.run(&["export", "Superstore/Nothing", "--pdf"]).await;
    assert_eq!(missing.code, Some(1), "{}", missing.printed);
}
