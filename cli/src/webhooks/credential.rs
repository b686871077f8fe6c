//! The credential for a site of any server. It comes from environment variables only: options are in the list of processes and
//! in shell histories.

use serde_json::{Map, Value};
use std::ffi::OsString;
use tableau_client::TableauCredential;

const USER: &str = "TABLEAU_USER";

/// A kind of credential: its name, and its variables with the fields of a credential that they fill in.
struct Kind {
    what: &'static str,
    variables: &'static [(&'static str, &'static str)],
}

const KINDS: [Kind; 3] = [
    Kind {
        what: "a personal access token",
        variables: &[("TABLEAU_TOKEN_NAME", "token_name"), ("TABLEAU_TOKEN_SECRET", "token_secret")],
    },
    Kind { what: "a user and password", variables: &[(USER, "user_name"), ("TABLEAU_PASSWORD", "password")] },
    Kind {
        what: "a connected app",
        variables: &[
            ("TABLEAU_CLIENT_ID", "client_id"),
            ("TABLEAU_SECRET_ID", "secret_id"),
            ("TABLEAU_SECRET_VALUE", "secret_value"),
            (USER, "user_name"),
        ],
    },
];

impl Kind {
    fn names(&self) -> Vec<&'static str> {
        self.variables.iter().map(|(name, _)| *name).collect()
    }

    fn has(&self, variable: &str) -> bool {
        self.variables.iter().any(|(name, _)| *name == variable)
    }
}

fn listed(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}

/// The variables of each kind.
fn kinds() -> String {
    let kinds = KINDS.iter().map(|kind| format!("{} for {}", listed(&kind.names()), kind.what));
    kinds.collect::<Vec<_>>().join("; or ")
}

/// Reads the credential from the variables. `get` gives the value of a variable.
///
/// # Errors
/// No kind is complete, or variables of more than one are set. The error names variables and never a value.
pub(super) fn credential(get: impl Fn(&str) -> Option<OsString>) -> Result<TableauCredential, String> {
    let mut set: Vec<(&str, String)> = Vec::new();
    for (name, _) in KINDS.iter().flat_map(|kind| kind.variables) {
        let Some(value) = get(name) else { continue };
        let value = value.into_string().map_err(|_| format!("{name} is not text in UTF-8"))?;
        if !value.trim().is_empty() && set.iter().all(|(other, _)| other != name) {
            set.push((name, value));
        }
    }
    let names: Vec<&str> = set.iter().map(|(name, _)| *name).collect();
    if names.is_empty() {
        return Err(format!("--server needs a credential in environment variables: {}", kinds()));
    }
    let Some(kind) = KINDS.iter().find(|kind| names.iter().all(|name| kind.has(name))) else {
        let unset = "unset the variables of all but one kind";
        return Err(format!("{} belong to different credentials: {unset}: {}", listed(&names), kinds()));
    };
    let missing: Vec<&str> = kind.names().into_iter().filter(|name| !names.contains(name)).collect();
    if !missing.is_empty() {
        if names == [USER] {
            return Err(format!("{USER} alone is no credential: {}", kinds()));
        }
        let are = if missing.len() == 1 { "is" } else { "are" };
        return Err(format!(
            "{} {are} missing: {} needs {}",
            listed(&missing),
            kind.what,
            listed(&kind.names())
        ));
    }
    let field = |name: &str| kind.variables.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
    let fields: Map<String, Value> = set
        .into_iter()
        .filter_map(|(name, value)| Some((field(name)?.to_owned(), Value::String(value))))
        .collect();
    let json = Value::Object(fields).to_string();
    secrets::parse(&json.into()).map_err(|problem| format!("{}: {problem}", listed(&names)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<TableauCredential, String> {
        credential(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    const TOKEN: [(&str, &str); 2] = [("TABLEAU_TOKEN_NAME", "lambda"), ("TABLEAU_TOKEN_SECRET", "hunter2")];
    const PASSWORD: [(&str, &str); 2] = [("TABLEAU_USER", "ana"), ("TABLEAU_PASSWORD", "hunter2 hunter2")];
    const APP: [(&str, &str); 4] = [
        ("TABLEAU_CLIENT_ID", "c"),
        ("TABLEAU_SECRET_ID", "i"),
        ("TABLEAU_SECRET_VALUE", "hunter2"),
        ("TABLEAU_USER", "ana@example.com"),
    ];

    #[test]
    fn each_kind_is_read_from_its_variables() {
        let token = read(&TOKEN).unwrap();
        assert_eq!(token, TableauCredential::personal_access_token("lambda", "hunter2"));
        let password =
            TableauCredential::Password { user: "ana".to_owned(), password: "hunter2 hunter2".into() };
        assert_eq!(read(&PASSWORD).unwrap(), password);
        let TableauCredential::ConnectedApp(app) = read(&APP).unwrap() else { panic!("not an app") };
        assert_eq!((app.user.as_str(), app.scopes.len()), ("ana@example.com", 0));
        let empty = [TOKEN[0], TOKEN[1], ("TABLEAU_PASSWORD", ""), ("TABLEAU_USER", " ")];
        assert_eq!(read(&empty).unwrap(), token, "an empty variable counts as none");
        assert_eq!(read(&[TOKEN[0], ("TABLEAU_TOKEN_SECRET", "hunter2\n")]).unwrap(), token);
    }

    #[test]
    fn half_a_credential_and_two_of_them_are_refused_by_the_names_of_variables() {
        let all = "TABLEAU_TOKEN_NAME and TABLEAU_TOKEN_SECRET for a personal access token; or TABLEAU_USER and TABLEAU_PASSWORD \
                   for a user and password; or TABLEAU_CLIENT_ID, TABLEAU_SECRET_ID, TABLEAU_SECRET_VALUE and TABLEAU_USER for a \
                   connected app";
        for (variables, expected) in [
            (vec![], format!("--server needs a credential in environment variables: {all}")),
            (
                vec![TOKEN[1]],
                "TABLEAU_TOKEN_NAME is missing: a personal access token needs TABLEAU_TOKEN_NAME and TABLEAU_TOKEN_SECRET"
                    .to_owned(),
            ),
            (
                vec![PASSWORD[1]],
                "TABLEAU_USER is missing: a user and password needs TABLEAU_USER and TABLEAU_PASSWORD".to_owned(),
            ),
            (vec![PASSWORD[0]], format!("TABLEAU_USER alone is no credential: {all}")),
            (
                vec![APP[2], APP[3]],
                "TABLEAU_CLIENT_ID and TABLEAU_SECRET_ID are missing: a connected app needs TABLEAU_CLIENT_ID, TABLEAU_SECRET_ID, \
                 TABLEAU_SECRET_VALUE and TABLEAU_USER"
                    .to_owned(),
            ),
            (
                [TOKEN, PASSWORD].concat(),
                format!(
                    "TABLEAU_TOKEN_NAME, TABLEAU_TOKEN_SECRET, TABLEAU_USER and TABLEAU_PASSWORD belong to different credentials: \
                     unset the variables of all but one kind: {all}"
                ),
            ),
            (
                vec![TOKEN[0], TOKEN[1], PASSWORD[0]],
                format!(
                    "TABLEAU_TOKEN_NAME, TABLEAU_TOKEN_SECRET and TABLEAU_USER belong to different credentials: unset the \
                     variables of all but one kind: {all}"
                ),
            ),
            (
                [&APP[..], &PASSWORD[1..]].concat(),
                format!(
                    "TABLEAU_USER, TABLEAU_PASSWORD, TABLEAU_CLIENT_ID, TABLEAU_SECRET_ID and TABLEAU_SECRET_VALUE belong to \
                     different credentials: unset the variables of all but one kind: {all}"
                ),
            ),
        ] {
            let error = read(&variables).unwrap_err();
            assert_eq!(error, expected);
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_right_is_refused_without_being_repeated() {
        let error = read(&[TOKEN[0], ("TABLEAU_TOKEN_SECRET", "hunter2 x")]).unwrap_err();
        assert!(error.starts_with("TABLEAU_TOKEN_NAME and TABLEAU_TOKEN_SECRET: "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStringExt as _;
            let error =
                credential(|name| (name == "TABLEAU_PASSWORD").then(|| OsString::from_vec(vec![b'h', 0xff])));
            assert_eq!(error.unwrap_err(), "TABLEAU_PASSWORD is not text in UTF-8");
        }
    }
}
