#![doc = include_str!("../README.md")]

mod comment;
mod error;
mod file;
mod problem;
mod when;

pub use error::Error;
pub use when::When;

use file::{File, Settings};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use std::io::Read;
use std::path::Path;
use tableau::{Event, EventName, SiteLuid};
use when::Hours;

/// The most that a rules file may have.
const MOST_BYTES: u64 = 1024 * 1024;

/// A rules file, checked.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    sites: Vec<Site>,
    /// Whether `sites` is there, and empty.
    lists_no_site: bool,
    /// Those that the file does not list, and whose name and time zone are known all the same.
    unlisted: Vec<Site>,
    rules: Vec<Rule>,
}

/// A site that may send events.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its LUID, which is all that an event tells of it.
    pub luid: SiteLuid,
    /// Its name.
    pub name: String,
    /// Where its people live.
    pub timezone: TimeZone,
}

#[derive(Clone, Debug)]
struct Rule {
    name: String,
    on: Vec<EventName>,
    hours: Hours,
    actions: Vec<(String, Settings)>,
}

/// What a rule asks a workflow to do about an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Action<T> {
    /// The rule's name.
    pub rule: String,
    /// The workflow's settings in it.
    pub settings: T,
    hours: Hours,
    timezone: TimeZone,
}

impl<T> Action<T> {
    /// When a message of the rule goes out that would go out at `now`: it may be muted, or in its quiet hours.
    pub fn when(&self, now: Timestamp) -> When {
        self.hours.when(now, &self.timezone)
    }
}

impl Rules {
    /// Reads a rules file.
    ///
    /// # Errors
    /// [`Error`] when it cannot be read, or is not right.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = read(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads the text of a rules file.
    ///
    /// # Errors
    /// [`Error`] naming the line, when the text is not right.
    pub fn parse(text: &str) -> Result<Self, Error> {
        File::parse(text)?.check(text)
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The workflows that rules name, each with the line where it stands, in the file's order.
    pub fn workflows(&self) -> impl Iterator<Item = (&str, u64)> {
        self.rules
            .iter()
            .flat_map(|rule| rule.actions.iter().map(|(name, settings)| (name.as_str(), settings.line)))
    }

    /// The sites that the file names.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Whether the file has `sites` without any site in it, which takes events of every site, as no `sites` does.
    pub fn lists_no_site(&self) -> bool {
        self.lists_no_site
    }

    /// The site with this LUID, if it is known.
    pub fn site(&self, luid: &SiteLuid) -> Option<&Site> {
        let mut known = self.sites.iter().chain(&self.unlisted);
        known.find(|site| site.luid.as_str().eq_ignore_ascii_case(luid.as_str()))
    }

    /// The same rules, and the name and time zone of a site that the file does not list: written as an entry of `sites`. Which
    /// sites are welcome stays as it is.
    ///
    /// # Errors
    /// As for [`Rules::parse`].
    pub fn knowing(self, site: &str) -> Result<Self, Error> {
        let unlisted = Self::parse(&format!("sites: [{site}]"))?.sites;
        Ok(Self { unlisted, ..self })
    }

    /// Whether events of this site are welcome: the file names it, or names none.
    pub fn accepts(&self, luid: &str) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|site| site.luid.as_str().eq_ignore_ascii_case(luid))
    }

    /// What `workflow` is to do about `event`, in the file's order.
    ///
    /// # Errors
    /// [`Error`] naming the line whose settings the workflow does not understand.
    pub fn actions<T: DeserializeOwned>(
        &self,
        workflow: &str,
        event: &Event,
    ) -> Result<Vec<Action<T>>, Error> {
        let timezone = self.site(&event.site).map_or(TimeZone::UTC, |site| site.timezone.clone());
        let rules = self.rules.iter().filter(|rule| rule.on.contains(&event.name));
        rules.flat_map(|rule| rule.actions_of(workflow, &timezone)).collect()
    }

    /// The settings of `workflow` in every rule, in the file's order.
    ///
    /// # Errors
    /// As for [`Rules::actions`].
    pub fn settings<T: DeserializeOwned>(&self, workflow: &str) -> Result<Vec<T>, Error> {
        // What settings say is no question of time.
        let timezone = TimeZone::UTC;
        let actions = self.rules.iter().flat_map(|rule| rule.actions_of::<T>(workflow, &timezone));
        actions.map(|action| action.map(|action| action.settings)).collect()
    }

    /// Names of the rules whose quiet hours are in UTC for want of a time zone: the file names no site, and they have
    /// none of their own.
    pub fn quiet_without_timezone(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter().filter(|_| self.sites.is_empty());
        let without = rules.filter(|rule| rule.hours.quiet.as_ref().is_some_and(|q| q.timezone.is_none()));
        without.map(|rule| rule.name.as_str())
    }
}

/// The text of a file, if it is not larger than one with rules is.
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(std::io::Error::other(format!("it is larger than {MOST_BYTES} bytes")));
    }
    Ok(text)
}

impl Rule {
    fn actions_of<T: DeserializeOwned>(
        &self,
        workflow: &str,
        timezone: &TimeZone,
    ) -> impl Iterator<Item = Result<Action<T>, Error>> {
        let ours = self.actions.iter().filter(move |(name, _)| name == workflow);
        ours.map(|(_, settings)| match serde_path_to_error::deserialize(&settings.value) {
            Ok(settings) => {
                let (rule, hours, timezone) = (self.name.clone(), self.hours.clone(), timezone.clone());
                Ok(Action { rule, settings, hours, timezone })
            }
            Err(error) => {
                let path = error.path().to_string();
                let line = settings.line_of(&path);
                let problem = problem::of_settings(&path, &error.into_inner().to_string());
                Err(Error::Settings { line, rule: self.name.clone(), problem })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use tableau::Payload;

    const SAMPLE: &str = "
sites:
  - { luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }
rules:
  - name: failures
    on: [WorkbookRefreshFailed, DatasourceRefreshFailed]
    do:
      - notify-slack: { channel: data-alerts }
      - notify-slack: { channel: oncall }
      - update-broadcast: {}
  - name: news
    on: [WorkbookCreated]
    do: [ { notify-slack: { channel: data-news } } ]
";

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Slack {
        channel: String,
    }

    fn event(name: &str) -> Event {
        let payload = Payload {
            event_type: Some(name.to_owned()),
            site_luid: Some("8b2a95d8-52b9-40a4-8712-cd6da771bd1b".to_owned()),
            resource_luid: Some("r-1".to_owned()),
            ..Payload::default()
        };
        Event::try_from(&payload).unwrap()
    }

    fn channels(rules: &Rules, name: &str) -> Vec<String> {
        let actions = rules.actions::<Slack>("notify-slack", &event(name)).unwrap();
        actions.into_iter().map(|action| action.settings.channel).collect()
    }

    const LUID: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";

    #[test]
    fn every_rule_for_the_event_has_its_say() {
        let rules = Rules::parse(SAMPLE).unwrap();
        assert_eq!(channels(&rules, "WorkbookRefreshFailed"), ["data-alerts", "oncall"]);
        assert_eq!(channels(&rules, "WorkbookCreated"), ["data-news"]);
        assert!(channels(&rules, "SiteUpdated").is_empty());
    }

    #[test]
    fn a_rule_says_when_it_speaks() {
        let rules = Rules::parse(
            "
sites: [{ luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }]
rules:
  - name: quiet
    quiet: { from: 22:00, to: 07:00 }
    on: [SiteUpdated]
    do: [{ notify-slack: { channel: a } }]
  - name: muted
    mute_until: 2026-12-24T18:00:00+01:00
    on: [SiteUpdated]
    do: [{ notify-slack: { channel: b } }]
  - name: critical
    critical: true
    quiet: { from: 22:00, to: 07:00, timezone: UTC }
    on: [SiteUpdated]
    do: [{ notify-slack: { channel: c } }]
",
        )
        .unwrap();
        let now = "2026-12-24T02:00:00Z".parse().unwrap();
        let actions = rules.actions::<Slack>("notify-slack", &event("SiteUpdated")).unwrap();
        let when: Vec<When> = actions.iter().map(|action| action.when(now)).collect();
        let (morning, evening) =
            ("2026-12-24T06:00:00Z".parse().unwrap(), "2026-12-24T17:00:00Z".parse().unwrap());
        assert_eq!(when, [When::Later(morning), When::Muted(evening), When::Critical]);
    }

    #[test]
    fn a_file_without_sites_accepts_every_site() {
        assert!(Rules::default().accepts("anything"));
        let rules = Rules::parse(SAMPLE).unwrap();
        assert!(rules.accepts("8b2a95d8-52b9-40a4-8712-cd6da771bd1b") && !rules.accepts("s-2"));
        assert_eq!(
            rules.site(&"8b2a95d8-52b9-40a4-8712-cd6da771bd1b".parse().unwrap()).unwrap().name,
            "Marketing"
        );
    }

    // 12-S3
    #[test]
    fn a_site_that_is_known_without_being_listed_has_a_name_and_keeps_no_other_out() {
        let site = format!("{{ luid: {LUID}, name: Marketing, timezone: Europe/Berlin }}");
        let rules = Rules::parse("{\"rules\": []}").unwrap().knowing(&site).unwrap();
        assert_eq!(rules.site(&LUID.parse().unwrap()).unwrap().name, "Marketing");
        assert!(rules.accepts(LUID) && rules.accepts("s-2") && rules.sites().is_empty());
        let listed =
            Rules::parse(SAMPLE).unwrap().knowing("{ luid: 11111111-1111-1111-1111-111111111111, name: X }");
        let listed = listed.unwrap();
        assert!(!listed.accepts("11111111-1111-1111-1111-111111111111"));
        assert!(Rules::default().knowing("{ luid: x }").is_err());
    }

    #[test]
    fn an_empty_file_is_a_file_without_rules() {
        assert!(Rules::parse("# nothing yet\n").unwrap().rules.is_empty());
        assert!(Rules::parse("").unwrap().rules.is_empty());
    }

    #[test]
    fn settings_that_the_workflow_does_not_understand_are_named_with_line_and_rule() {
        let does = |settings: &str| {
            let text = format!(
                "rules:\n  - name: a\n    on: [SiteUpdated]\n    do:\n      - notify-slack:{settings}\n"
            );
            Rules::parse(&text).unwrap().settings::<Slack>("notify-slack")
        };
        let misspelt = does(" { chanel: x }").unwrap_err().to_string();
        assert!(misspelt.starts_with("line 5, rule `a`: unknown field `chanel`"), "{misspelt}");
        let missing = does("").unwrap_err().to_string();
        assert_eq!(missing, "line 5, rule `a`: missing field `channel`");
        assert_eq!(does(" { channel: x }").unwrap(), [Slack { channel: "x".to_owned() }]);
    }

    #[test]
    fn quiet_hours_without_any_time_zone_are_in_utc() {
        let rules = "rules:
  - { name: a, quiet: { from: 22:00, to: 07:00 }, on: [SiteUpdated], do: [{ notify-slack: { channel: a } }] }
  - { name: b, quiet: { from: 22:00, to: 07:00, timezone: UTC }, on: [SiteUpdated], do: [{ notify-slack: { channel: a } }] }
";
        let without = Rules::parse(rules).unwrap();
        assert_eq!(without.quiet_without_timezone().collect::<Vec<_>>(), ["a"]);
        let actions = without.actions::<Slack>("notify-slack", &event("SiteUpdated")).unwrap();
        let (late, end) = ("2026-12-24T06:59:00Z".parse().unwrap(), "2026-12-24T07:00:00Z".parse().unwrap());
        assert_eq!(actions[0].when(late), When::Later(end));
        let with = Rules::parse(&format!("sites: [{{ luid: {LUID}, name: S }}]\n{rules}")).unwrap();
        assert_eq!(with.quiet_without_timezone().count(), 0);
    }
}
