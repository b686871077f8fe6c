//! Finds the local stack's files, and reads which real services to use in place of the simulated ones.

use super::env_file;
use crate::files::find;
use crate::options::UpOptions;
use crate::out::note;
use rules::Rules;
use rules::settings::{ForwardEvent, NotifyTeams};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use workflow::BoxError;

/// The files that the local stack needs.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) template: PathBuf,
    pub(crate) rules: PathBuf,
    /// The channels that the rules name.
    pub(crate) channels: Vec<String>,
    /// The channels of Teams that the rules name.
    pub(crate) teams: Vec<NotifyTeams>,
    /// The workflows that the rules name.
    pub(crate) workflows: BTreeSet<String>,
    /// The services of PagerDuty that the rules name.
    pub(crate) services: Vec<String>,
    /// What the rules say to forward-event.
    pub(crate) forward: Vec<ForwardEvent>,
    /// Whether the rules list sites.
    pub(crate) lists_sites: bool,
}

impl Paths {
    /// Finds the files and reads the rules.
    pub(crate) fn find(options: &UpOptions, settings: &Settings) -> Result<Self, BoxError> {
        let template = find(&options.template)?;
        let file = find(&options.rules)?;
        // Read here, because the functions would report a broken rules file only with the first event.
        let rules = crate::rules::read(&options.rules, &options.template)?;
        let channels = crate::rules::channels(&rules)?;
        let teams = super::teams::channels(&rules)?;
        let services = super::pagerduty::services(&rules)?;
        let forward = super::forward::settings(&rules)?;
        // A real site has its own time zone, which only the rules can state.
        if settings.get("TABLEAU_SERVER_URL").is_none() {
            tell_of_quiet_hours(&rules);
        }
        let workflows = rules.workflows().map(|(name, _)| name.to_owned()).collect();
        Ok(Self {
            template,
            rules: file,
            channels,
            teams,
            workflows,
            services,
            forward,
            lists_sites: !rules.sites().is_empty(),
        })
    }
}

/// Prints a note for times in the simulated site's time zone: once deployed, the same file would mean other hours.
fn tell_of_quiet_hours(rules: &Rules) {
    // A site that the file lists has the same time zone here as when it is deployed.
    for what in rules.without_timezone().into_iter().filter(|_| rules.sites().is_empty()) {
        note(format!(
            "note: {what} are in Europe/Berlin here, where the simulated site is; deployed \
             without `sites` they are in UTC"
        ));
    }
}

/// Settings for real services, from the environment or from a file with `NAME=value` lines. The environment has
/// priority.
#[derive(Default)]
pub(crate) struct Settings {
    values: HashMap<String, String>,
    /// Where the file contains a setting: `.env:3`. Only settings that the environment does not have.
    places: HashMap<String, String>,
    unknown: Vec<String>,
    readable: Option<String>,
}

/// The names of all settings.
const NAMES: [&str; 9] = [
    "PAGERDUTY_REGION",
    "PAGERDUTY_ROUTING_KEY",
    "SLACK_BOT_TOKEN",
    "SLACK_WEBHOOK_URL",
    "TABLEAU_SERVER_URL",
    "TABLEAU_SITE",
    "TABLEAU_TOKEN_NAME",
    "TABLEAU_TOKEN_SECRET",
    "TEAMS_WEBHOOK_URL",
];

/// Settings of functions that the local stack makes itself.
const SET_HERE: [&str; 3] = ["EXTRA_CA_FILE", "FORWARD_LOCAL_NAMES", "FORWARD_SECRET"];

/// A hint about an unknown name: in a file that the command line names about each, else about one that resembles a setting's, since
/// other names in `.env` may belong to other programs.
fn misspelt(name: &str, is_named: bool) -> Option<String> {
    if NAMES.contains(&name) {
        return None;
    }
    if SET_HERE.contains(&name) {
        return Some(format!("`{name}` has no effect: the local stack sets it itself"));
    }
    if let Some(meant) = tableau::nearest(name, NAMES) {
        return Some(format!("`{name}` is not known; did you mean {meant}?"));
    }
    let is_ours = ["FORWARD_", "PAGERDUTY_", "SLACK_", "TABLEAU_", "TEAMS_"]
        .iter()
        .any(|start| name.to_ascii_uppercase().starts_with(start));
    (is_ours || is_named).then(|| format!("`{name}` is not known; there are {}", NAMES.join(", ")))
}

impl Settings {
    /// Reads the given file, or `.env` if it exists.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, BoxError> {
        let mut unknown = Vec::new();
        let is_named = file.is_some();
        let file = match file {
            Some(file) => Some(file.to_owned()),
            None => find(Path::new(".env")).ok(),
        };
        let mut values = HashMap::new();
        let mut places = HashMap::new();
        if let Some(file) = &file {
            let mut settings: Vec<_> = env_file::read(file)?.into_iter().collect();
            settings.sort_by_key(|(_, setting)| setting.line);
            for (name, setting) in settings {
                let place = format!("{}:{}", file.display(), setting.line);
                unknown.extend(misspelt(&name, is_named).map(|sentence| format!("{place}: {sentence}")));
                places.insert(name.clone(), place);
                values.insert(name, setting.value);
            }
        }
        let readable = file.as_deref().filter(|_| !values.is_empty()).and_then(readable);
        for (name, value) in std::env::vars_os() {
            if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) {
                places.remove(&name);
                values.insert(name, value);
            }
        }
        Ok(Self { values, places, unknown, readable })
    }

    /// A setting's name for an error about its value, with its place in the file.
    pub(crate) fn named(&self, name: &str) -> String {
        match self.places.get(name) {
            Some(place) => format!("{place}: {name}"),
            None => name.to_owned(),
        }
    }

    /// A setting's value without spaces around it; `None` if it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let is_blank = |c: char| c.is_whitespace() || c == '\u{feff}';
        self.values.get(name).map(|value| value.trim_matches(is_blank)).filter(|value| !value.is_empty())
    }

    /// Hints about names in the file that are unknown and resemble a setting's.
    pub(crate) fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// A warning if other users can read the file.
    pub(crate) fn readable(&self) -> Option<&str> {
        self.readable.as_deref()
    }

    /// Notes about settings that are not used.
    pub(crate) fn unused(&self) -> Vec<String> {
        let mut unused = Vec::new();
        if self.get("TABLEAU_SERVER_URL").is_none() {
            let names = ["TABLEAU_SITE", "TABLEAU_TOKEN_NAME", "TABLEAU_TOKEN_SECRET"];
            let set = names.iter().filter(|name| self.get(name).is_some());
            unused.extend(set.map(|name| format!("{name} is not used: TABLEAU_SERVER_URL is not set")));
        }
        if self.get("SLACK_BOT_TOKEN").is_some() && self.get("SLACK_WEBHOOK_URL").is_some() {
            unused.push("SLACK_WEBHOOK_URL is not used: SLACK_BOT_TOKEN is set".to_owned());
        }
        if self.get("PAGERDUTY_REGION").is_some() && self.get("PAGERDUTY_ROUTING_KEY").is_none() {
            unused.push("PAGERDUTY_REGION is not used: PAGERDUTY_ROUTING_KEY is not set".to_owned());
        }
        unused
    }
}

/// The warning about a file that other users can read: it may contain tokens.
#[cfg(unix)]
fn readable(file: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file)?;
    let mode = metadata.permissions().mode() & 0o7777;
    let path = file.display();
    (mode & 0o066 != 0).then(|| {
        format!(
            "other users can read or change {path} (mode {mode:04o}), which may hold tokens: chmod 600 {path}"
        )
    })
}

/// Other systems have no such file mode.
#[cfg(not(unix))]
fn readable(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unused(names: &[&str]) -> Vec<String> {
        let values = names.iter().map(|&name| (name.to_owned(), "x".to_owned())).collect();
        Settings { values, ..Settings::default() }.unused()
    }

    #[test]
    fn a_setting_that_means_nothing_without_another_is_reported() {
        assert_eq!(unused(&["TABLEAU_SITE"]), ["TABLEAU_SITE is not used: TABLEAU_SERVER_URL is not set"]);
        assert!(unused(&["TABLEAU_SERVER_URL", "TABLEAU_SITE", "SLACK_WEBHOOK_URL"]).is_empty());
        let both = unused(&["SLACK_BOT_TOKEN", "SLACK_WEBHOOK_URL"]);
        assert_eq!(both, ["SLACK_WEBHOOK_URL is not used: SLACK_BOT_TOKEN is set"]);
    }

    #[test]
    fn a_name_that_is_close_to_a_setting_is_reported_and_other_programs_names_are_not() {
        for (name, expected) in [
            ("SLACK_BOT_TOKEN", None),
            ("SLACK_BOT_TOKN", Some("`SLACK_BOT_TOKN` is not known; did you mean SLACK_BOT_TOKEN?")),
            ("slack_webhook_url", Some("`slack_webhook_url` is not known; did you mean SLACK_WEBHOOK_URL?")),
            ("TABLEAU_SERVER", Some("`TABLEAU_SERVER` is not known; did you mean TABLEAU_SERVER_URL?")),
            ("AWS_PROFILE", None),
            ("PATH", None),
        ] {
            assert_eq!(misspelt(name, false).as_deref(), expected, "{name}");
        }
        for (name, is_named) in [("TABLEAU_X", false), ("FORWARD_X", false), ("OPSGENIE_KEY", true)] {
            let ours = misspelt(name, is_named).unwrap_or_default();
            assert!(
                ours.starts_with(&format!("`{name}` is not known; there are PAGERDUTY_REGION, ")),
                "{ours}"
            );
        }
        let expected = "`FORWARD_LOCAL_NAMES` has no effect: the local stack sets it itself";
        assert_eq!(misspelt("FORWARD_LOCAL_NAMES", false).as_deref(), Some(expected));
    }
}
