//! Records of webhooks and broadcasts.

use jiff::Timestamp;
use tableau::{EventName, SiteLuid, UserLuid, ViewLuid, WorkbookLuid};

/// A webhook in its current state.
#[derive(Clone, Debug)]
pub struct WebhookRecord {
    /// The webhook's id.
    pub luid: String,
    /// The site whose events the webhook sends.
    pub site: SiteLuid,
    /// The user who registered the webhook.
    pub owner: Option<UserLuid>,
    /// The webhook's name. It need not be unique.
    pub name: String,
    /// The event that the webhook sends.
    pub event: EventName,
    /// The destination URL.
    pub url: String,
    /// Whether the webhook is enabled. Four failed attempts or an administrator disable it.
    pub enabled: bool,
    /// Why the webhook was disabled; empty while enabled.
    pub status_change_reason: String,
}

/// A view that anyone on the Internet can see, as last broadcast.
#[derive(Clone, Debug)]
pub struct BroadcastRecord {
    /// The view's site.
    pub site: SiteLuid,
    /// The broadcast view.
    pub view: ViewLuid,
    /// The view's workbook.
    pub workbook: WorkbookLuid,
    /// `showWatermark` of the last broadcast call.
    pub show_watermark: bool,
    /// `showTabs` of the last broadcast call.
    pub show_tabs: bool,
    /// `allowDownloads` of the last broadcast call.
    pub allow_downloads: bool,
    /// The user who made the last broadcast call.
    pub sent_by: UserLuid,
    /// When the view was first broadcast.
    pub first_sent_at: Timestamp,
    /// When the view was last broadcast.
    pub last_sent_at: Timestamp,
    /// How often the view was broadcast.
    pub times: u32,
}
