//! Permissions of workbooks, data sources, views and projects: the capabilities that users are allowed or denied.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_permissions.htm>

use super::call::{Answer, Call, malformed};
use super::element::Element;
use super::error::RestError;
use crate::tableau::model::{Capability, Mode};
use serde_json::Value;
use tableau::UserLuid;

/// A kind of content with permissions: its element name, the error code when it does not exist, its capabilities, and
/// the error code for a capability that is not set.
struct Kind {
    element: &'static str,
    name: &'static str,
    missing: &'static str,
    capabilities: &'static [&'static str],
    not_given: &'static str,
}

const WORKBOOK: Kind = Kind {
    element: "workbook",
    name: "Workbook",
    missing: "404006",
    capabilities: &[
        "AddComment",
        "ChangeHierarchy",
        "ChangePermissions",
        "CreateRefreshMetrics",
        "Delete",
        "ExportData",
        "ExportImage",
        "ExportXml",
        "ExtractRefresh",
        "Filter",
        "Read",
        "RunExplainData",
        "ShareView",
        "ViewComments",
        "ViewUnderlyingData",
        "WebAuthoring",
        "Write",
    ],
    not_given: "404013",
};
const DATASOURCE: Kind = Kind {
    element: "datasource",
    name: "Datasource",
    missing: "404004",
    capabilities: &[
        "ChangeHierarchy",
        "ChangePermissions",
        "Connect",
        "Delete",
        "ExportXml",
        "ExtractRefresh",
        "PulseMetricDefine",
        "Read",
        "SaveAs",
        "VizqlDataApiAccess",
        "Write",
    ],
    not_given: "404013",
};
const VIEW: Kind = Kind {
    element: "view",
    name: "View",
    missing: "404011",
    capabilities: &[
        "AddComment",
        "ChangePermissions",
        "Delete",
        "ExportData",
        "ExportImage",
        "ExportXml",
        "Filter",
        "Read",
        "ShareView",
        "ViewComments",
        "ViewUnderlyingData",
        "WebAuthoring",
        "Write",
    ],
    not_given: "404014",
};
const PROJECT: Kind = Kind {
    element: "project",
    name: "Project",
    missing: "404005",
    capabilities: &["ProjectLeader", "Read", "Write"],
    not_given: "404013",
};

/// An object that has permissions.
struct Thing {
    luid: String,
    name: String,
    owner: Option<UserLuid>,
    /// While a workbook shows tabs, its views have the workbook's permissions.
    inherits: bool,
}

impl Kind {
    fn find(&self, call: &Call<'_>) -> Result<Thing, RestError> {
        let model = &*call.model;
        let site = call.site();
        let id = call.path.get(1).map_or("", String::as_str);
        let thing = |name: &str, owner: Option<&UserLuid>, inherits| Thing {
            luid: id.to_owned(),
            name: name.to_owned(),
            owner: owner.cloned(),
            inherits,
        };
        let found = match self.element {
            "workbook" => {
                let workbook = model.workbook(id).filter(|w| w.site == site);
                workbook.map(|w| thing(&w.name, Some(&w.owner), false))
            }
            "datasource" => {
                let datasource = model.datasource(id).filter(|d| d.site == site);
                datasource.map(|d| thing(&d.name, Some(&d.owner), false))
            }
            "view" => model.view(id).filter(|v| v.site == site).map(|view| {
                let workbook = model.workbook(view.workbook.as_str());
                thing(&view.name, workbook.map(|w| &w.owner), workbook.is_some_and(|w| w.show_tabs))
            }),
            _ => {
                let project = model.projects.iter().find(|p| p.luid.as_str() == id && p.site == site);
                project.map(|p| thing(&p.name, p.owner.as_ref(), false))
            }
        };
        found.ok_or_else(|| RestError::not_found(self.missing, self.name, id))
    }

    /// Whether the caller may set permissions on this object.
    fn may_set(&self, call: &Call<'_>, thing: &Thing) -> Result<(), RestError> {
        match call.model.projects.iter().find(|project| project.luid.as_str() == thing.luid) {
            Some(project) => call.may_lead(project)?,
            None => call.may_permit(&thing.luid)?,
        }
        if thing.inherits {
            let detail = "The view has the permissions of its workbook, which shows its views as tabs.";
            return Err(RestError::new("403096", detail));
        }
        Ok(())
    }

    /// Parses a capability of this kind of content, and whether it is allowed or denied.
    fn read(&self, name: &str, mode: &str) -> Result<(&'static str, Mode), RestError> {
        let unknown = |what: &str| RestError::new("404013", format!("There is no capability '{what}'."));
        let mode = Mode::parse(mode).ok_or_else(|| unknown(&format!("{name} {mode}")))?;
        if let Some(name) = self.capabilities.iter().find(|known| **known == name) {
            return Ok((name, mode));
        }
        let others = [&WORKBOOK, &DATASOURCE, &VIEW, &PROJECT];
        if others.iter().any(|other| other.capabilities.contains(&name)) {
            let detail = format!("'{name}' is no capability of a {}.", self.element);
            return Err(RestError::new("400009", detail));
        }
        Err(unknown(name))
    }

    /// All capability settings of an object, by user.
    fn answer(&self, call: &Call<'_>, thing: &Thing) -> Answer {
        let all = || call.model.capabilities.iter().filter(|c| c.on == thing.luid);
        let mut users: Vec<&UserLuid> = Vec::new();
        for capability in all() {
            if !users.contains(&&capability.user) {
                users.push(&capability.user);
            }
        }
        let grantees = users.into_iter().map(|user| {
            let capabilities = all()
                .filter(|c| c.user == *user)
                .map(|c| Element::new("capability").with("name", c.name).with("mode", c.mode.as_str()));
            Element::new("granteeCapabilities")
                .child(Element::new("user").with("id", user.as_str()))
                .child(Element::new("capabilities").many(capabilities.collect()))
        });
        let owner = thing.owner.as_ref().map(|owner| Element::new("owner").with("id", owner.as_str()));
        let about = Element::new(self.element)
            .with("id", thing.luid.as_str())
            .with("name", thing.name.as_str())
            .child_some(owner);
        let permissions = Element::new("permissions").child(about).many(grantees.collect());
        Answer::ok(Element::root().child(permissions))
    }

    /// Every user who sees a view may read its permissions. For other content, only users who may set them.
    fn list(&self, call: &Call<'_>) -> Result<Answer, RestError> {
        let thing = self.find(call)?;
        match self.element {
            "view" => call.may_read(&thing.luid)?,
            _ => self.may_set(call, &thing)?,
        }
        Ok(self.answer(call, &thing))
    }

    /// Adds permissions. Existing settings stay. Either all are added or none.
    fn add(&self, call: &mut Call<'_>) -> Result<Answer, RestError> {
        let thing = self.find(call)?;
        self.may_set(call, &thing)?;
        let text = |value: &Value, path: [&str; 2]| {
            let text = value.get(path[0]).and_then(|value| value.get(path[1])).and_then(Value::as_str);
            text.map(str::to_owned)
        };
        let incomplete = || malformed("Payload is either malformed or incomplete: no permissions.");
        for kind in [&WORKBOOK, &DATASOURCE, &VIEW, &PROJECT] {
            let about = call.body.text(&["permissions", kind.element, "id"]);
            if about.is_some_and(|id| kind.element != self.element || id != thing.luid) {
                return Err(malformed("The permissions are for something else than the address names."));
            }
        }
        let grantees = call.body.list(&["permissions", "granteeCapabilities"]);
        let mut added = Vec::new();
        for grantee in &grantees {
            if let Some(group) = text(grantee, ["group", "id"]) {
                return Err(no_group(&group));
            }
            let user = find_user(call, &text(grantee, ["user", "id"]).ok_or_else(incomplete)?)?;
            let capabilities = grantee.get("capabilities").and_then(|all| all.get("capability"));
            let capabilities = match capabilities {
                Some(Value::Array(several)) => several.iter().collect(),
                Some(one) => vec![one],
                None => Vec::new(),
            };
            for capability in capabilities {
                let attribute = |name: &str| capability.get(name).and_then(Value::as_str).unwrap_or_default();
                let (name, mode) = self.read(attribute("name"), attribute("mode"))?;
                added.push(Capability { on: thing.luid.clone(), user: user.clone(), name, mode });
            }
        }
        if added.is_empty() {
            return Err(incomplete());
        }
        for new in added {
            let same = |c: &Capability| c.on == new.on && c.user == new.user && c.name == new.name;
            if !call.model.capabilities.iter().any(same) {
                call.model.capabilities.push(new);
            }
        }
        Ok(self.answer(call, &thing))
    }

    fn delete(&self, call: &mut Call<'_>) -> Result<Answer, RestError> {
        let thing = self.find(call)?;
        self.may_set(call, &thing)?;
        let [_, _, user, name, mode] = &call.path[..] else {
            return Err(malformed("The address names no capability."));
        };
        let user = find_user(call, user)?;
        let (name, mode) = self.read(name, mode)?;
        let gone = Capability { on: thing.luid, user, name, mode };
        let at = call.model.capabilities.iter().position(|capability| *capability == gone);
        let at =
            at.ok_or_else(|| RestError::new(self.not_given, format!("'{name}' was not given like this.")))?;
        call.model.capabilities.remove(at);
        Ok(Answer::no_content())
    }
}

fn find_user(call: &Call<'_>, id: &str) -> Result<UserLuid, RestError> {
    let found = call.model.user(id).filter(|u| u.site == call.site()).map(|u| u.luid.clone());
    found.ok_or_else(|| RestError::not_found("404002", "User", id))
}

/// Groups are not simulated, so a group is never found.
fn no_group(id: &str) -> RestError {
    RestError::not_found("404012", "Group", id)
}

pub(crate) fn of_a_group(call: &mut Call<'_>) -> Result<Answer, RestError> {
    Err(no_group(call.path.get(2).map_or("", String::as_str)))
}

macro_rules! handlers {
    ($($kind:ident $list:ident $add:ident $delete:ident;)*) => {$(
        pub(crate) fn $list(call: &mut Call<'_>) -> Result<Answer, RestError> {
            $kind.list(call)
        }

        pub(crate) fn $add(call: &mut Call<'_>) -> Result<Answer, RestError> {
            $kind.add(call)
        }

        pub(crate) fn $delete(call: &mut Call<'_>) -> Result<Answer, RestError> {
            $kind.delete(call)
        }
    )*};
}
handlers! {
    WORKBOOK of_workbook add_to_workbook delete_from_workbook;
    DATASOURCE of_datasource add_to_datasource delete_from_datasource;
    VIEW of_view add_to_view delete_from_view;
    PROJECT of_project add_to_project delete_from_project;
}
