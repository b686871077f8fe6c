//! What leaves the site: webhooks and broadcasts.

use jiff::Timestamp;
use tableau::{EventName, SiteLuid, UserLuid, ViewLuid, WorkbookLuid};

/// A webhook as it is now.
#[derive(Clone, Debug)]
pub struct WebhookRecord {
    /// Its id.
    pub luid: String,
    /// The site whose events it sends.
    pub site: SiteLuid,
    /// Who registered it.
    pub owner: Option<UserLuid>,
    /// Its name. Need not be unique.
    pub name: String,
    /// The events it sends.
    pub event: EventName,
    /// Where it sends them.
    pub url: String,
    /// Off after four failed tries, or by hand.
    pub enabled: bool,
    /// Why it was switched off; empty otherwise.
    pub status_change_reason: String,
}

/// A view that anyone on the Internet may see, as it was when it was sent last.
#[derive(Clone, Debug)]
pub struct BroadcastRecord {
    /// The site.
    pub site: SiteLuid,
    /// The view.
    pub view: ViewLuid,
    /// The view's workbook.
    pub workbook: WorkbookLuid,
    /// As the last call asked.
    pub show_watermark: bool,
    /// As the last call asked.
    pub show_tabs: bool,
    /// As the last call asked.
    pub allow_downloads: bool,
    /// Who made the last call.
    pub sent_by: UserLuid,
    /// When it was broadcast first.
    pub first_sent_at: Timestamp,
    /// When it was broadcast last.
    pub last_sent_at: Timestamp,
    /// How often it was broadcast.
    pub times: u32,
}
