//! The names of Tableau's webhook events.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The kind of object that an event is about, by the event's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Object {
    /// A workbook.
    Workbook,
    /// A published data source.
    Datasource,
    /// A label on a workbook or data source; the payload names the labelled one.
    Label,
    /// A view.
    View,
    /// A user.
    User,
    /// A site.
    Site,
    /// A webhook.
    Webhook,
}

/// What happened to the object, by the event's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The object was published for the first time, or added.
    Created,
    /// The object was published again, or changed.
    Updated,
    /// The object was deleted and can no longer be fetched.
    Deleted,
    /// An extract refresh began.
    RefreshStarted,
    /// An extract refresh succeeded.
    RefreshSucceeded,
    /// An extract refresh failed.
    RefreshFailed,
    /// A user became a site administrator.
    Promoted,
    /// A user is no longer a site administrator.
    Demoted,
    /// This stack published a PDF of the workbook.
    PdfPublished,
    /// Tableau disabled the webhook, as this stack found.
    Disabled,
    /// This stack made a report of the site's week.
    Reported,
}

macro_rules! event_names {
    (
        Tableau { $($name:ident: $object:ident $action:ident, $doc:literal;)* }
        Derived { $($own:ident: $own_object:ident $own_action:ident, $own_doc:literal;)* }
    ) => {
        /// The name of an event: the `event` attribute of a webhook and the `event_type` of a payload.
        ///
        /// Tableau sends most events. A function of this stack sends the *derived* ones: they take the same way.
        ///
        /// Source: <https://help.tableau.com/current/developer/webhooks/en-us/docs/webhooks-events-payload.html>
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        #[non_exhaustive]
        pub enum EventName {
            $(#[doc = $doc] $name,)*
            $(#[doc = $own_doc] $own,)*
            /// A name that this version does not know, exactly as Tableau sent it.
            Other(String),
        }

        impl EventName {
            /// Every name that Tableau documents, in alphabetical order.
            pub const KNOWN: [EventName; 22] = [$(EventName::$name,)*];

            /// The names of the derived events.
            pub const DERIVED: [EventName; 3] = [$(EventName::$own,)*];

            /// Every name of [`EventName::KNOWN`], then of [`EventName::DERIVED`].
            pub const ALL: [EventName; 25] = [$(EventName::$name,)* $(EventName::$own,)*];

            /// The name as Tableau writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    $(Self::$own => stringify!($own),)*
                    Self::Other(name) => name,
                }
            }

            /// The kind of object that the event is about; `None` for [`EventName::Other`].
            pub fn object(&self) -> Option<Object> {
                match self {
                    $(Self::$name => Some(Object::$object),)*
                    $(Self::$own => Some(Object::$own_object),)*
                    Self::Other(_) => None,
                }
            }

            /// What happened to the object; `None` for [`EventName::Other`].
            pub fn action(&self) -> Option<Action> {
                match self {
                    $(Self::$name => Some(Action::$action),)*
                    $(Self::$own => Some(Action::$own_action),)*
                    Self::Other(_) => None,
                }
            }
        }

        impl From<&str> for EventName {
            fn from(name: &str) -> Self {
                match name {
                    $(stringify!($name) => Self::$name,)*
                    $(stringify!($own) => Self::$own,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

event_names! {
    Tableau {
        AdminDemoted: User Demoted, "A user is no longer a site administrator.";
        AdminPromoted: User Promoted, "A user became a site administrator.";
        DatasourceCreated: Datasource Created, "A data source was published for the first time.";
        DatasourceDeleted: Datasource Deleted, "A data source was deleted.";
        DatasourceRefreshFailed: Datasource RefreshFailed, "The extract refresh of a data source failed.";
        DatasourceRefreshStarted: Datasource RefreshStarted, "The extract refresh of a data source began.";
        DatasourceRefreshSucceeded: Datasource RefreshSucceeded, "The extract refresh of a data source ended well.";
        DatasourceUpdated: Datasource Updated, "A data source was published again or changed.";
        LabelCreated: Label Created, "A label was put on a workbook or data source.";
        LabelDeleted: Label Deleted, "A label was taken off a workbook or data source.";
        LabelUpdated: Label Updated, "A label on a workbook or data source changed.";
        SiteCreated: Site Created, "A site was created.";
        SiteDeleted: Site Deleted, "A site was deleted.";
        SiteUpdated: Site Updated, "A site's settings changed.";
        UserDeleted: User Deleted, "A user was removed.";
        ViewDeleted: View Deleted, "A view was deleted.";
        WorkbookCreated: Workbook Created, "A workbook was published for the first time.";
        WorkbookDeleted: Workbook Deleted, "A workbook was deleted.";
        WorkbookRefreshFailed: Workbook RefreshFailed, "The extract refresh of a workbook failed.";
        WorkbookRefreshStarted: Workbook RefreshStarted, "The extract refresh of a workbook began.";
        WorkbookRefreshSucceeded: Workbook RefreshSucceeded, "The extract refresh of a workbook ended well.";
        WorkbookUpdated: Workbook Updated, "A workbook was published again or changed.";
    }
    Derived {
        PdfPublished: Workbook PdfPublished, "This stack published a PDF of a workbook.";
        WebhookDisabled: Webhook Disabled, "This stack found that Tableau has disabled one of its webhooks, or has enabled it again.";
        WeeklyReport: Site Reported, "This stack's report of a week of the site.";
    }
}

impl EventName {
    /// Whether the name is one of [`EventName::ALL`].
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Whether a function of this stack sends the event, and not Tableau.
    pub fn is_derived(&self) -> bool {
        Self::DERIVED.contains(self)
    }

    /// The event name for a failed refresh of this kind of object; `None` for a kind that is not refreshed.
    pub fn refresh_failed(object: Object) -> Option<Self> {
        match object {
            Object::Workbook => Some(Self::WorkbookRefreshFailed),
            Object::Datasource => Some(Self::DatasourceRefreshFailed),
            Object::Label | Object::View | Object::User | Object::Site | Object::Webhook => None,
        }
    }

    /// The known name that `text` is most likely a misspelling of; `None` when it is far from all of them.
    pub fn nearest(text: &str) -> Option<Self> {
        let distances = Self::ALL.into_iter().map(|known| (strsim::levenshtein(text, known.as_str()), known));
        let (distance, known) = distances.min_by_key(|(distance, _)| *distance)?;
        (distance <= 4).then_some(known)
    }
}

impl From<String> for EventName {
    fn from(name: String) -> Self {
        Self::from(name.as_str())
    }
}

/// The error that a name is not one of [`EventName::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no event `{name}`{}", .nearest.as_ref().map(|name| format!("; is it `{name}`?")).unwrap_or_default())]
pub struct UnknownEvent {
    /// The name as a person wrote it.
    pub name: String,
    /// The known name that was probably meant.
    pub nearest: Option<EventName>,
}

/// For names that people write: an unknown name is an error. Names from Tableau are read with `From`.
impl FromStr for EventName {
    type Err = UnknownEvent;

    fn from_str(name: &str) -> Result<Self, UnknownEvent> {
        match Self::from(name) {
            Self::Other(name) => Err(UnknownEvent { nearest: Self::nearest(&name), name }),
            known => Ok(known),
        }
    }
}

impl From<EventName> for String {
    fn from(name: EventName) -> String {
        name.as_str().to_owned()
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_comes_back_from_its_text() {
        for name in EventName::ALL {
            assert_eq!(EventName::from(name.as_str()), name);
            assert!(name.object().is_some() && name.action().is_some());
            assert_eq!(name.is_derived(), !EventName::KNOWN.contains(&name));
        }
    }

    #[test]
    fn a_misspelt_name_is_not_the_same_as_an_unknown_one() {
        assert_eq!(EventName::nearest("WorkbookRefreshFaild"), Some(EventName::WorkbookRefreshFailed));
        assert_eq!(EventName::nearest("workbookCreated"), Some(EventName::WorkbookCreated));
        assert_eq!(EventName::nearest("WebhookDisable"), Some(EventName::WebhookDisabled));
        assert_eq!(EventName::nearest("FlowRunFailed"), None);
    }

    #[test]
    fn a_name_that_a_person_wrote_must_be_known() {
        assert_eq!("WorkbookDeleted".parse(), Ok(EventName::WorkbookDeleted));
        let misspelt = "DatasourceRefreshFaild".parse::<EventName>().unwrap_err();
        assert_eq!(
            misspelt.to_string(),
            "there is no event `DatasourceRefreshFaild`; is it `DatasourceRefreshFailed`?"
        );
        let unknown = "FlowRunFailed".parse::<EventName>().unwrap_err();
        assert_eq!(unknown.to_string(), "there is no event `FlowRunFailed`");
    }

    #[test]
    fn an_unknown_name_is_data() {
        let name = EventName::from("FlowRunFailed");
        assert_eq!(name, EventName::Other("FlowRunFailed".to_owned()));
        assert_eq!((name.as_str(), name.object(), name.is_known()), ("FlowRunFailed", None, false));
    }
}
