//! A file with cases for `rules test`. No I/O but the files that it names.

use super::event;
use super::given::{Given, GivenFacts, cause};
use crate::files::find;
use crate::names::any_event_name;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rules::{Lookup, Rules};
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::path::Path;
use tableau::{Event, SiteLuid};

/// When an event of a case happens that does not say it: a Wednesday at noon, in no holiday. Cases give the same result on every
/// day.
const USUAL_TIME: &str = "2026-01-14T12:00:00";
/// What is given in `missing`.
const MISSING: &str = "the case says that it cannot be looked up";

/// A file with cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cases {
    pub(super) cases: Vec<Spanned<Case>>,
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    event: CaseEvent,
    #[serde(default)]
    facts: CaseFacts,
    /// All actions that are to come of the event, in any order.
    pub(super) expect: Vec<Expected>,
}

/// The event of a case: a file, or a name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseEvent {
    fixture: Option<String>,
    name: Option<String>,
    resource: Option<String>,
    site: Option<String>,
    at: Option<String>,
}

/// What the case says of the event's object.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFacts {
    project: Option<String>,
    tags: Option<Vec<String>>,
    owner: Option<OneOrMany>,
    #[serde(alias = "owner_group")]
    owner_groups: Option<OneOrMany>,
    certified: Option<bool>,
    cause: Option<String>,
    failures_in_a_row: Option<u32>,
    deleted_by: Option<String>,
    #[serde(default)]
    missing: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "write a text, or a list of texts")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// An action that is to come of an event. What is not given may be anything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    pub(super) rule: Option<String>,
    pub(super) workflow: Option<String>,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    pub(super) when: Option<When>,
}

/// When an alert is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum When {
    Now,
    Deferred,
    Muted,
    Maintenance,
}

impl When {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Deferred => "deferred",
            Self::Muted => "muted",
            Self::Maintenance => "maintenance",
        }
    }
}

/// Reads a file with cases.
///
/// # Errors
/// What is wrong, as `file:line:column: …`.
pub(super) fn read(file: &Path) -> Result<Cases, String> {
    let shown = file.display();
    let text = crate::files::text(file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let cases: Cases = serde_saphyr::from_str(&text).map_err(|error| {
        let found = error.without_snippet().to_string();
        let found = found.lines().next().unwrap_or_default();
        let found = words(found.split(" at line ").next().unwrap_or_default());
        match error.location() {
            Some(at) => format!("{shown}:{}:{}: {found}", at.line(), at.column()),
            None => format!("{shown}: {found}"),
        }
    })?;
    // A file that tests nothing must not look like one that passes.
    if cases.cases.is_empty() {
        return Err(format!("{shown} has no cases"));
    }
    Ok(cases)
}

/// What the parser has found, for the author of the file.
fn words(found: &str) -> String {
    if let Some(rest) = found.strip_prefix("duplicate mapping key: ") {
        return format!("`{}` stands here twice", rest.split(", set ").next().unwrap_or_default());
    }
    match found {
        "expected sequence start" => "write a list: each of its entries begins with `- `".to_owned(),
        "expected mapping start" | "expected mapping" => {
            "write keys with values here, such as `name: a`".to_owned()
        }
        "unexpected end of input" => "the file has no `cases`".to_owned(),
        found if found.starts_with("tabs disallowed") => "a tab: YAML indents with spaces".to_owned(),
        found if found.starts_with("unknown variant ") => {
            let value = found.split('`').nth(1).unwrap_or_default();
            format!("when: `{value}` is not a time of an alert: write now, deferred, muted or maintenance")
        }
        found if found.starts_with("invalid u") => "write a number".to_owned(),
        found => found.to_owned(),
    }
}

impl Case {
    /// The event, and when it happens. `folder`: that of the file with the case.
    pub(super) fn event(&self, folder: &Path, rules: &Rules) -> Result<(Event, Timestamp), String> {
        let text = match (&self.event.fixture, &self.event.name) {
            (Some(_), Some(_)) => {
                return Err("`event` has a `fixture` and a `name`: write one of them".to_owned());
            }
            (None, None) => return Err("`event` needs a `fixture` or a `name`".to_owned()),
            (Some(fixture), None) => fixture_text(folder, fixture)?,
            (None, Some(name)) => event::sample(&any_event_name(name)?).unwrap_or_default(),
        };
        let mut event = event::read(&text).map_err(|error| error.to_string())?.1;
        if self.event.name.is_some() {
            event.created_at = None;
            if let Some(site) = rules.sites().first() {
                event.site = site.luid.clone();
            }
        }
        if let Some(resource) = &self.event.resource {
            event.resource_name = Some(resource.clone());
        }
        if let Some(text) = &self.event.site {
            let listed = rules.sites().iter().find(|site| site.name.eq_ignore_ascii_case(text));
            event.site = match listed {
                Some(site) => site.luid.clone(),
                None => luid(text)
                    .ok_or_else(|| format!("site: `{text}` is neither a LUID nor a name under `sites`"))?,
            };
        }
        let timezone = rules.site(&event.site).map_or(TimeZone::UTC, |site| site.timezone.clone());
        let at = match (&self.event.at, event.created_at) {
            (Some(text), _) => time(text, &timezone)?,
            (None, Some(at)) => at,
            (None, None) => time(USUAL_TIME, &timezone)?,
        };
        event.created_at = Some(at);
        Ok((event, at))
    }

    /// What the case says of the event's object.
    pub(super) fn facts(&self) -> Result<GivenFacts, String> {
        let facts = &self.facts;
        let mut all = Vec::new();
        all.extend(facts.project.clone().map(Given::Project));
        all.extend(facts.tags.clone().map(Given::Tags));
        all.extend(facts.owner.clone().map(|owner| Given::Owner(owner.all())));
        all.extend(facts.owner_groups.clone().map(|groups| Given::OwnerGroups(groups.all())));
        all.extend(facts.certified.map(Given::Certified));
        if let Some(class) = &facts.cause {
            all.push(Given::Cause(cause(class)?));
        }
        all.extend(facts.failures_in_a_row.map(Given::FailuresInARow));
        all.extend(facts.deleted_by.clone().map(Given::DeletedBy));
        let mut given = GivenFacts::of(&all);
        for name in &facts.missing {
            let lookup = lookup(name)?;
            if given.answers(lookup) {
                return Err(format!("`facts` says what `{name}` is, and has it under `missing`"));
            }
            given.set_missing(lookup, MISSING);
        }
        Ok(given)
    }
}

/// A LUID, which has the form of a UUID.
fn luid(text: &str) -> Option<SiteLuid> {
    let is_of_luid = |c: char| c == '-' || c.is_ascii_hexdigit();
    Some(text).filter(|text| text.len() == 36 && text.chars().all(is_of_luid))?.parse().ok()
}

fn fixture_text(folder: &Path, fixture: &str) -> Result<String, String> {
    let beside = folder.join(fixture);
    let path = if beside.is_file() {
        beside
    } else {
        find(Path::new(fixture)).map_err(|error| error.to_string())?
    };
    crate::files::text(&path).map_err(|error| format!("cannot read {fixture}: {error}"))
}

/// An instant; a date and time without an offset is what a clock at the site shows.
pub(super) fn time(text: &str, timezone: &TimeZone) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let local = text.parse::<DateTime>().ok().and_then(|local| local.to_zoned(timezone.clone()).ok());
    local.map(|local| local.timestamp()).ok_or_else(|| {
        format!(
            "at: `{text}` is not a time: write 2026-11-29T03:00, by a clock at the site, or 2026-11-29T03:00Z"
        )
    })
}

/// What a name under `missing` means.
fn lookup(name: &str) -> Result<Lookup, String> {
    const NAMES: [(&str, Lookup); 9] = [
        ("project", Lookup::Project),
        ("tags", Lookup::Content),
        ("certified", Lookup::Content),
        ("owner", Lookup::Owner),
        ("owner_groups", Lookup::OwnerGroups),
        ("owner_group", Lookup::OwnerGroups),
        ("cause", Lookup::Cause),
        ("failures_in_a_row", Lookup::FailuresInARow),
        ("deleted_by", Lookup::DeletedBy),
    ];
    let found = NAMES.iter().find(|(known, _)| *known == name).map(|(_, lookup)| *lookup);
    found.ok_or_else(|| {
        let names = NAMES.iter().map(|(name, _)| *name);
        match tableau::nearest(name, names.clone()) {
            Some(near) => format!("missing: there is no fact `{name}`; did you mean `{near}`?"),
            None => format!(
                "missing: there is no fact `{name}`; there are: {}",
                names.collect::<Vec<_>>().join(", ")
            ),
        }
    })
}
