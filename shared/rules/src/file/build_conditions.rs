//! From the values of a file to conditions and times. No I/O.

use super::build::{Builder, Depth};
use super::entries::{ConditionsEntry, TimeEntry};
use super::node::At;
use super::projects;
use super::values::{is_luid, time_of_day, time_zone};
use crate::conditions::Conditions;
use crate::facts::Text;
use crate::glob::Glob;
use crate::settings::{cause, unknown_cause};
use crate::window::{Days, Window, days};
use plain_text::is_blank;
use tableau::SiteLuid;

impl Builder<'_> {
    pub(super) fn conditions(&mut self, entry: ConditionsEntry, at: At<'_>) -> Conditions {
        let mut sites = Vec::with_capacity(entry.site.len());
        for (index, name) in entry.site.iter().enumerate() {
            let found = self.sites.iter().find(|site| {
                site.name.eq_ignore_ascii_case(name) || site.luid.as_str().eq_ignore_ascii_case(name)
            });
            match (found, name.parse::<SiteLuid>().ok().filter(|_| is_luid(name))) {
                (Some(site), _) => sites.push((name.clone(), site.luid.clone())),
                (None, Some(luid)) => sites.push((name.clone(), luid)),
                (None, None) => {
                    let known: Vec<String> = self.sites.iter().map(|site| site.name.clone()).collect();
                    let text = match tableau::nearest(name, known.iter().map(String::as_str)) {
                        Some(near) => format!("`sites` has no site `{name}`; did you mean `{near}`?"),
                        None => format!("`sites` has no site `{name}`: list it there with its LUID"),
                    };
                    self.wrong(at.key("site").item(index).position(), text);
                }
            }
        }
        let mut causes = Vec::with_capacity(entry.cause.len());
        for (index, name) in entry.cause.iter().enumerate() {
            match cause(name) {
                Some(class) => causes.push(class.to_owned()),
                // A newer file may name classes that this version does not know.
                None if self.depth == Depth::Function => causes.push(name.clone()),
                None => self.wrong(at.key("cause").item(index).position(), unknown_cause(name)),
            }
        }
        let texts = |all: Vec<String>| all.into_iter().map(Text::name).collect::<Vec<_>>();
        let names = |all: Vec<String>| all.iter().map(|text| Glob::name(text)).collect::<Vec<_>>();
        let tags = entry.tags.unwrap_or_default();
        for (key, values) in [
            ("project", &entry.project),
            ("name", &entry.name),
            ("owner", &entry.owner),
            ("owner_group", &entry.owner_group),
        ] {
            for (index, value) in values.iter().enumerate() {
                if is_blank(value) {
                    self.wrong(at.key(key).item(index).position(), format!("{key}: the text is empty"));
                }
            }
        }
        if self.depth != Depth::Function {
            for (index, text) in entry.project.iter().enumerate() {
                if let Some(problem) = projects::problem(text) {
                    let at = at.key("project").item(index).position();
                    self.wrong(at, format!("project: {problem}"));
                }
            }
        }
        Conditions {
            sites,
            project: entry.project.iter().map(|text| Glob::path(text)).collect(),
            name: names(entry.name),
            tags_any: texts(tags.any),
            tags_all: texts(tags.all),
            tags_none: texts(tags.none),
            owner: names(entry.owner),
            owner_group: names(entry.owner_group),
            certified: entry.certified,
            cause: causes,
            failures_in_a_row: entry.failures_in_a_row,
            time: entry.time.and_then(|time| self.window(time, "time", at.key("time"))),
        }
    }

    /// Days and hours. A day of maintenance may be a date.
    pub(super) fn window(&mut self, entry: TimeEntry, of: &str, at: At<'_>) -> Option<Window> {
        let with_dates = of == "maintenance";
        let mut weekdays = Vec::new();
        let mut dates = Vec::new();
        for (index, text) in entry.days.iter().enumerate() {
            match days(text, with_dates) {
                Some(Days::Some { weekdays: more, dates: more_dates }) => {
                    weekdays.extend(more);
                    dates.extend(more_dates);
                }
                Some(Days::Every) => {}
                None => {
                    let every = if matches!(text.as_str(), "daily" | "every day" | "all" | "*" | "Mon-Sun") {
                        "; for every day, leave `days` out"
                    } else {
                        ""
                    };
                    let date = if with_dates { ", or 2026-12-24" } else { "" };
                    let text = format!(
                        "`{text}` is not a day. Days are, for example, Mon, Mon-Fri, weekdays or weekends{date}{every}"
                    );
                    self.wrong(at.key("days").item(index).position(), text);
                }
            }
        }
        let timezone = entry.timezone.and_then(|name| self.kept(at.key("timezone"), time_zone(&name)));
        let from = entry.from.as_deref().map(|text| self.kept(at.key("from"), time_of_day(text)));
        let to = entry.to.as_deref().map(|text| self.kept(at.key("to"), time_of_day(text)));
        let hours = match (from, to) {
            (None, None) => None,
            (Some(from), Some(to)) => Some((from?, to?)),
            (from, _) => {
                let missing = if from.is_none() { "from" } else { "to" };
                if !self.is_reported(at) {
                    let text = format!(
                        "{of}: `{missing}` is missing: write both times, as in from: \"19:00\", to: \"08:00\""
                    );
                    self.wrong(at.position(), text);
                }
                return None;
            }
        };
        if let Some((from, to)) = hours.filter(|(from, to)| from == to) {
            let from = from.strftime("%H:%M");
            let to = to.strftime("%H:%M");
            self.wrong(at.key("from").position(), format!("the hours from {from} to {to} are none"));
            return None;
        }
        let days = if entry.days.is_empty() { Days::Every } else { Days::Some { weekdays, dates } };
        if hours.is_none() && days == Days::Every {
            if !self.is_reported(at) {
                self.wrong(at.position(), format!("{of}: write `days`, or `from` and `to`, or all three"));
            }
            return None;
        }
        Some(Window { days, hours, timezone })
    }
}
