//! The keys of a rules file, and what each holds.

/// What a key holds. The text is an example of it, for the author of a file that has something else there.
#[derive(Debug)]
pub(crate) enum Shape {
    Text(&'static str),
    Flag,
    /// A whole number, 1 or more.
    Count(&'static str),
    /// A whole number, 0 or more, or the word `never`.
    CountOrNever(&'static str),
    /// One text, or a list of them.
    Texts(&'static str),
    /// A list; nothing behind the colon is an empty one.
    List(&'static Shape, &'static str),
    Map(&'static [(&'static str, Shape)], &'static str),
    /// A map of this shape, or a list of them.
    Maps(&'static [(&'static str, Shape)], &'static str),
    /// An entry of `do`: one workflow with its settings.
    Action,
    /// Settings of workflows by name.
    Defaults,
}

const ZONE: Shape = Shape::Text("timezone: Europe/Berlin");
const HOURS: &str = "{ from: \"19:00\", to: \"08:00\" }";

pub(super) const TIME_EXAMPLE: &str = "time: { days: [Mon-Fri], from: \"08:00\", to: \"18:00\" }";

pub(super) static TIME: &[(&str, Shape)] = &[
    ("days", Shape::Texts("days: [Mon-Fri]")),
    ("from", Shape::Text("from: \"08:00\"")),
    ("to", Shape::Text("to: \"18:00\"")),
    ("timezone", ZONE),
];

pub(super) static TAGS: &[(&str, Shape)] = &[
    ("any", Shape::Texts("any: [critical]")),
    ("all", Shape::Texts("all: [gold, daily]")),
    ("none", Shape::Texts("none: [sandbox]")),
];

pub(super) static CONDITIONS: &[(&str, Shape)] = &[
    ("site", Shape::Texts("site: Marketing")),
    ("project", Shape::Texts("project: \"Finance/**\"")),
    ("name", Shape::Texts("name: \"Sales*\"")),
    ("tags", Shape::Map(TAGS, "tags: { any: [critical] }")),
    ("owner", Shape::Texts("owner: ana@example.com")),
    ("owner_group", Shape::Texts("owner_group: Finance Team")),
    ("certified", Shape::Flag),
    ("cause", Shape::Texts("cause: [Credentials]")),
    ("failures_in_a_row", Shape::Count("failures_in_a_row: 3")),
    ("time", Shape::Map(TIME, TIME_EXAMPLE)),
];

pub(super) static MESSAGE: &[(&str, Shape)] = &[
    ("title", Shape::Text("title: \"{{ name }} has failed\"")),
    ("text", Shape::Text("text: \"{{ cause }}\"")),
];

pub(super) static RULE: &[(&str, Shape)] = &[
    ("name", Shape::Text("name: finance refreshes")),
    ("on", Shape::List(&Shape::Text("WorkbookCreated"), "[WorkbookCreated]")),
    ("where", Shape::Map(CONDITIONS, "where: { project: \"Finance/**\" }")),
    ("unless", Shape::Maps(CONDITIONS, "unless: { tags: { any: [sandbox] } }")),
    ("otherwise", Shape::Flag),
    ("critical", Shape::Flag),
    ("mute_until", Shape::Text("mute_until: 2026-12-24T18:00:00+01:00")),
    ("quiet", Shape::Map(TIME, HOURS)),
    ("message", Shape::Map(MESSAGE, "message: { title: \"{{ name }} has failed\" }")),
    ("do", Shape::List(&Shape::Action, "`- notify-slack: { channel: data-alerts }`")),
];

pub(super) static MAINTENANCE: &[(&str, Shape)] = &[
    ("name", Shape::Text("name: server update")),
    ("where", Shape::Map(CONDITIONS, "where: { project: \"Finance/**\" }")),
    ("days", Shape::Texts("days: [Sun]")),
    ("from", Shape::Text("from: \"06:00\"")),
    ("to", Shape::Text("to: \"12:00\"")),
    ("timezone", ZONE),
];

pub(super) static SITE: &[(&str, Shape)] = &[
    ("luid", Shape::Text("luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b")),
    ("name", Shape::Text("name: Marketing")),
    ("timezone", ZONE),
    ("suspends_after", Shape::CountOrNever("suspends_after: 5")),
];

pub(super) static EVENT: &[(&str, Shape)] = &[
    ("name", Shape::Text("name: PipelineFinished")),
    ("description", Shape::Text("description: A pipeline has loaded its tables.")),
];

/// A key, and what it holds.
type Key = (&'static str, Shape);

/// Keys without which a map says nothing: the map, what it is, and the keys.
pub(super) static REQUIRED: [(&[Key], &str, &[&str]); 4] = [
    (EVENT, "the event", &["name"]),
    (SITE, "the site", &["luid", "name"]),
    (MAINTENANCE, "the maintenance window", &["name"]),
    (RULE, "the rule", &["name", "on", "do"]),
];

/// The whole file.
pub(super) static FILE: &[(&str, Shape)] = &[
    ("sites", Shape::List(&Shape::Map(SITE, "a site with its luid and name"), "a dash before each entry")),
    ("events", Shape::List(&Shape::Map(EVENT, "an event with its name"), "a dash before each entry")),
    ("defaults", Shape::Defaults),
    (
        "maintenance",
        Shape::List(&Shape::Map(MAINTENANCE, "a window with its name and times"), "a dash before each entry"),
    ),
    (
        "rules",
        Shape::List(&Shape::Map(RULE, "a rule with its name, `on` and `do`"), "a dash before each entry"),
    ),
];

/// Whether a key of a rules file has this name.
pub(crate) fn is_key(name: &str) -> bool {
    let maps = [FILE, SITE, EVENT, MAINTENANCE, RULE, CONDITIONS, TAGS, TIME, MESSAGE];
    maps.iter().any(|fields| fields.iter().any(|(key, _)| *key == name))
}

/// The keys of each map, by the name of its definition in the schema.
#[cfg(feature = "schema")]
pub(crate) fn keys_by_definition() -> Vec<(&'static str, Vec<&'static str>)> {
    let maps: [(&str, &[(&str, Shape)]); 9] = [
        ("", FILE),
        ("SiteEntry", SITE),
        ("EventEntry", EVENT),
        ("MaintenanceEntry", MAINTENANCE),
        ("RuleEntry", RULE),
        ("ConditionsEntry", CONDITIONS),
        ("TagsEntry", TAGS),
        ("TimeEntry", TIME),
        ("MessageEntry", MESSAGE),
    ];
    maps.into_iter().map(|(name, fields)| (name, fields.iter().map(|(key, _)| *key).collect())).collect()
}

/// The keys that a map must have, by the name of its definition in the schema.
#[cfg(feature = "schema")]
pub(crate) fn required_by_definition() -> [(&'static str, &'static [&'static str]); 4] {
    let [(_, _, event), (_, _, site), (_, _, maintenance), (_, _, rule)] = REQUIRED;
    [("EventEntry", event), ("SiteEntry", site), ("MaintenanceEntry", maintenance), ("RuleEntry", rule)]
}
