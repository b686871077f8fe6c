//! Texts that mean something: LUIDs, times, time zones. No I/O.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use tableau::SiteLuid;

pub(super) fn site_luid(text: &str) -> Result<SiteLuid, String> {
    let luid = text.parse().ok().filter(|_| is_luid(text));
    luid.ok_or_else(|| {
        format!("`{text}` is not a LUID. LUIDs are, for example, 8b2a95d8-52b9-40a4-8712-cd6da771bd1b")
    })
}

pub(super) fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| match similar_zone(name) {
        Some(near) => format!("`{name}` is not a time zone; did you mean `{near}`?"),
        None => format!("`{name}` is not a time zone. Time zones are, for example, Europe/Berlin"),
    })
}

/// The zone with this name or city, or with one like it.
fn similar_zone(name: &str) -> Option<String> {
    // A short text, such as PST or +01:00, is near to many.
    if name.chars().count() < 5 {
        return None;
    }
    let zones: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let cities = zones.iter().filter_map(|zone| zone.rsplit_once('/').map(|(_, city)| city));
    let near = tableau::nearest(name, zones.iter().map(String::as_str).chain(cities))?;
    zones.iter().find(|zone| *zone == near || zone.ends_with(&format!("/{near}"))).cloned()
}

pub(super) fn time_of_day(text: &str) -> Result<Time, String> {
    Time::strptime("%H:%M", text).map_err(|_| match text {
        "24:00" => "a day ends at 00:00: write 00:00 in place of 24:00".to_owned(),
        _ => format!("`{text}` is not a time of day. Times of day are, for example, 22:00"),
    })
}

pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        let written = text.trim().replacen(' ', "T", 1);
        let what = match (written.parse::<DateTime>(), written.contains('T')) {
            (Ok(_), true) if text.contains('T') => "the offset from UTC is missing, such as +01:00: ",
            (Ok(_), true) => "a `T` between date and time and the offset from UTC are missing: ",
            (Ok(_), false) => "the time of day and the offset from UTC are missing: ",
            (Err(_), _) => "",
        };
        format!("`{text}` is not a time: {what}write, for example, 2026-12-24T18:00:00+01:00")
    })
}

/// A site's LUID is a UUID. A mistyped one would keep every event of the site out, and have its webhooks switched off.
pub(super) fn is_luid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}
