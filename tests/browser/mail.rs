//! A mail in Chromium, in light and in dark mode, on a wide and on a narrow screen: its text stands out from its background, nothing is
//! cut off at the side, and nothing is loaded.

use crate::chromium;
use std::process::Stdio;
use testkit::repository::root;
use tokio::process::Command;

/// Appended to the page, which itself has no script: what a reader's browser makes of it, as the page's title.
const MEASURE: &str = "<script>
  const style = getComputedStyle(document.querySelector('h1'));
  const root = document.documentElement;
  document.title = JSON.stringify({
    dark: matchMedia('(prefers-color-scheme: dark)').matches,
    text: style.color,
    background: getComputedStyle(document.body).backgroundColor,
    overflows: root.scrollWidth > root.clientWidth,
    loaded: performance.getEntriesByType('resource').length,
    link: getComputedStyle(document.querySelector('a')).color,
  });
</script>";

#[tokio::test]
async fn a_mail_can_be_read_in_light_and_in_dark_mode_and_on_a_narrow_screen() {
    let Some(program) = chromium::program() else { return };
    let page =
        std::fs::read_to_string(root().join("shared/email/tests/mails/snapshots/opened.html")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mail.html");
    std::fs::write(&file, page.replace("</body>", &format!("{MEASURE}</body>"))).unwrap();
    for (dark, width) in [(false, 800), (true, 800), (false, 360), (true, 360)] {
        let mut command = Command::new(&program);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--dump-dom",
        ]);
        command.arg(format!("--window-size={width},900"));
        command.arg(format!("--blink-settings=preferredColorScheme={}", i32::from(!dark)));
        command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
        command.arg("--host-resolver-rules=MAP * ~NOTFOUND");
        command.arg(format!("file://{}", file.display()));
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        let dom = String::from_utf8_lossy(&output.stdout);
        let title =
            dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
        let seen: serde_json::Value =
            serde_json::from_str(title).unwrap_or_else(|error| panic!("{error}: {dom}"));
        // Black on the browser's own white, white on its own dark background.
        let text = if dark { "rgb(255, 255, 255)" } else { "rgb(0, 0, 0)" };
        assert_eq!((&seen["dark"], &seen["text"]), (&dark.into(), &text.into()), "{seen}");
        assert_eq!(seen["background"], "rgba(0, 0, 0, 0)", "{seen}");
        assert_ne!(seen["link"], seen["text"], "{seen}");
        assert_eq!((&seen["overflows"], &seen["loaded"]), (&false.into(), &0.into()), "{width} px: {seen}");
    }
}
