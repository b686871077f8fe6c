//! What is meant by keys and names that other tools have: Alertmanager, Prometheus, GitHub Actions. No I/O.

/// A key of this file, and what it is called elsewhere.
const CALLED: [(&str, &[&str]); 28] = [
    (
        "where",
        &[
            "if",
            "when",
            "match",
            "matches",
            "matchers",
            "match_re",
            "condition",
            "conditions",
            "filter",
            "filters",
        ],
    ),
    ("unless", &["except", "exclude", "excludes", "ignore", "not", "but_not", "if_not"]),
    ("otherwise", &["else", "default", "fallback", "catch_all", "everything_else"]),
    (
        "do",
        &[
            "action",
            "actions",
            "then",
            "steps",
            "run",
            "jobs",
            "receiver",
            "receivers",
            "send",
            "notify",
            "workflows",
            "uses",
            "with",
        ],
    ),
    ("on", &["event", "events", "trigger", "triggers", "event_types", "event_name", "types"]),
    (
        "name",
        &[
            "title",
            "alert",
            "alertname",
            "id",
            "label",
            "description",
            "workbook",
            "datasource",
            "resource_name",
        ],
    ),
    ("critical", &["severity", "priority", "urgent", "important"]),
    ("mute_until", &["mute", "silence", "snooze", "snooze_until", "muted", "disabled_until"]),
    ("quiet", &["quiet_hours", "mute_time_intervals", "do_not_disturb", "dnd", "silent"]),
    ("message", &["template", "templates", "annotations", "body", "summary"]),
    (
        "maintenance",
        &["time_intervals", "maintenance_windows", "downtime", "downtimes", "inhibit_rules", "silences"],
    ),
    ("rules", &["route", "routes", "groups", "alerts", "jobs", "workflows"]),
    ("sites", &["tenants", "servers"]),
    ("defaults", &["global", "globals", "env"]),
    ("luid", &["id", "uuid", "site_id", "guid"]),
    ("timezone", &["tz", "zone", "location", "time_zone"]),
    ("suspends_after", &["suspend_after", "suspended_after", "suspension", "failure_threshold"]),
    ("project", &["path", "folder", "project_path", "project_name"]),
    ("owner", &["user", "author", "creator", "owner_email", "email"]),
    ("owner_group", &["group", "groups", "team", "owner_groups"]),
    ("cause", &["class", "reason", "error", "cause_class", "category"]),
    (
        "failures_in_a_row",
        &["failures", "for", "count", "consecutive_failures", "at_least", "threshold", "in_a_row"],
    ),
    ("time", &["active_time_intervals", "time_interval", "hours", "schedule", "cron"]),
    ("from", &["start", "starts", "begin", "begins", "start_time", "after", "since"]),
    ("any", &["or", "any_of", "one_of", "in"]),
    ("all", &["and", "all_of"]),
    ("none", &["not", "not_in", "none_of", "without"]),
    ("to", &["end", "ends", "until", "till", "end_time", "before"]),
];

/// A class of causes, and what people call it. Without case, spaces, `_` and `-`.
const CAUSES_CALLED: [(&str, &[&str]); 14] = [
    (
        "Credentials",
        &["password", "passwords", "login", "logins", "auth", "authentication", "oauth", "token", "expired"],
    ),
    (
        "Permission",
        &[
            "access",
            "accessdenied",
            "denied",
            "forbidden",
            "privilege",
            "privileges",
            "grant",
            "grants",
            "rights",
            "authorization",
        ],
    ),
    (
        "Unreachable",
        &["network", "connection", "connectivity", "dns", "down", "offline", "unavailable", "firewall"],
    ),
    (
        "TimeLimit",
        &["timeout", "timeouts", "timedout", "querytimeout", "time", "timelimitexceeded", "slow", "duration"],
    ),
    (
        "Cancelled",
        &["canceled", "cancel", "canceledbyuser", "cancelledbyuser", "aborted", "killed", "stopped"],
    ),
    ("Resources", &["memory", "outofmemory", "oom", "ram", "disk", "diskspace", "space", "storage", "cpu"]),
    (
        "Quota",
        &[
            "quotas",
            "credit",
            "credits",
            "billing",
            "trial",
            "ratelimit",
            "ratelimits",
            "limit",
            "limits",
            "apilimit",
            "throttled",
            "throttling",
        ],
    ),
    ("Schema", &["table", "tables", "column", "columns", "view", "sql", "query", "sqlerror"]),
    ("DataType", &["type", "types", "conversion", "cast", "format", "overflow", "encoding"]),
    (
        "SourceMissing",
        &["file", "files", "filemissing", "filenotfound", "missing", "sheet", "folder", "path"],
    ),
    ("DriverMissing", &["driver", "drivers", "odbc", "jdbc"]),
    ("Bridge", &["tableaubridge", "bridgeclient", "bridgepool"]),
    (
        "Engine",
        &[
            "hyper",
            "vizql",
            "backgrounder",
            "dataengine",
            "worker",
            "tableau",
            "internal",
            "internalerror",
            "extract",
        ],
    ),
    (
        "Busy",
        &[
            "lock",
            "locks",
            "locked",
            "deadlock",
            "deadlocks",
            "conflict",
            "connections",
            "toomanyconnections",
            "overloaded",
        ],
    ),
];

/// The class of causes that another name most likely means.
pub(crate) fn cause(name: &str) -> Option<&'static str> {
    let folded: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let called = CAUSES_CALLED.iter().find(|(_, others)| others.contains(&folded.as_str()));
    called.map(|(class, _)| *class)
}

/// Every name in the table of causes that is not a class's own.
#[cfg(test)]
pub(crate) fn names_for_causes() -> impl Iterator<Item = &'static str> {
    CAUSES_CALLED.iter().flat_map(|(_, others)| others.iter().copied())
}

/// The key of `names` that is most likely meant.
pub(crate) fn meant<'n>(key: &str, names: &[&'n str]) -> Option<&'n str> {
    let near = || tableau::nearest(key, names.iter().copied());
    names.iter().copied().find(|name| *name == key).or_else(near).or_else(|| {
        let folded = key.trim().to_lowercase().replace('-', "_");
        let called = |name: &&&str| {
            CALLED.iter().any(|(known, others)| *known == **name && others.contains(&folded.as_str()))
        };
        names.iter().find(called).copied()
    })
}

/// The variable of templates that another name most likely means.
pub(crate) fn variable(name: &str) -> Option<&'static str> {
    match name {
        "workbook" | "datasource" | "resource" | "resource_name" | "title" | "object" => Some("name"),
        "error" | "reason" | "status" | "message" | "description" => Some("cause"),
        "class" | "category" => Some("cause_class"),
        "time" | "timestamp" | "date" | "created_at" | "startsAt" => Some("happened_at"),
        "link" | "href" => Some("url"),
        "count" | "failures_in_a_row" => Some("failures"),
        "event_type" | "event_name" => Some("event"),
        "type" | "resource_type" => Some("kind"),
        "email" | "user_email" => Some("owner_email"),
        "deleter" | "deletedBy" | "removed_by" => Some("deleted_by"),
        "original_path" | "originalPath" | "was_in" | "path" | "folder" | "project_path" | "project_name" => {
            Some("project")
        }
        "alertname" | "alert" | "rule_name" => Some("rule"),
        "luid" | "id" | "resource_id" => Some("resource_luid"),
        _ => None,
    }
}

/// The family that a name in `on` stands for where it is no event: `*` and `all` are every event.
pub(crate) fn family(name: &str) -> Option<&'static str> {
    let folded = name.trim().to_lowercase();
    match folded.as_str() {
        "*" | "**" | "all" | "everything" | "every" | "any event" | ".*" => Some("Any"),
        "failure"
        | "failures"
        | "failed"
        | "error"
        | "errors"
        | "refresh"
        | "refresh failure"
        | "refresh failures"
        | "extract refresh failed"
        | "extractrefreshfailed"
        | "*refreshfailed"
        | "*failed" => Some("RefreshFailed"),
        "success" | "succeeded" | "*refreshsucceeded" => Some("RefreshSucceeded"),
        "publish" | "new" => Some("Published"),
        "delete" => Some("Deleted"),
        _ => None,
    }
}
