//! Reads a credential from JSON. Not with serde's derive, whose error messages repeat values.

use super::TableauCredential;
use crate::ConnectedApp;
use secrecy::SecretString;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Value};
use std::fmt;

/// Why a credential cannot be used. Repeats neither values nor keys: a person may have confused the two.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCredential {
    /// The text is not JSON.
    #[error("the credential is not JSON, at line {line}, column {column}")]
    NotJson {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1; 0 at the end of the text before.
        column: usize,
    },
    /// The JSON is not an object.
    #[error(
        "the credential must be a JSON object, such as {{\"token_name\": \"…\", \"token_secret\": \"…\"}}"
    )]
    NotAnObject,
    /// A key is unknown.
    #[error(
        "the credential has a field that is not known{}; there are `token_name`, `token_secret`, `user_name`, \
         `password`, `client_id`, `secret_id`, `secret_value`, `scopes`",
        .meant.map(|meant| format!(", and may be meant as `{meant}`")).unwrap_or_default()
    )]
    UnknownField {
        /// The known key that was probably meant.
        meant: Option<&'static str>,
    },
    /// A value is not a text.
    #[error("`{field}` of the credential must be a text, in quotation marks")]
    NotText {
        /// The key of the value.
        field: &'static str,
    },
    /// A value contains a character that Tableau never generates.
    #[error(
        "`{field}` of the credential has a space, a line break or another character that Tableau does not use there: \
         paste it again"
    )]
    Characters {
        /// The key of the value.
        field: &'static str,
    },
    /// `scopes` is not a list of texts.
    #[error("`scopes` of the credential must be a list of texts, such as [\"tableau:content:read\"]")]
    Scopes,
    /// No value is filled in.
    #[error("fill in `token_name` and `token_secret`")]
    Empty,
    /// Values are missing, or belong to two kinds of credentials.
    #[error(
        "fill in `token_name` and `token_secret`, or `user_name` and `password`, and nothing else; or for a connected \
         app `client_id`, `secret_id`, `secret_value` and `user_name`"
    )]
    Incomplete,
}

/// Shows the same sentence as `Display`, because that is what appears when `main` returns this error.
impl fmt::Debug for InvalidCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvalidCredential({self})")
    }
}

const TOKEN_NAME: &str = "token_name";
const TOKEN_SECRET: &str = "token_secret";
const USER_NAME: &str = "user_name";
const PASSWORD: &str = "password";
const CLIENT_ID: &str = "client_id";
const SECRET_ID: &str = "secret_id";
const SECRET_VALUE: &str = "secret_value";
const SCOPES: &str = "scopes";
/// Values that Tableau generates: they consist of visible ASCII. Names and passwords are chosen by people.
const GENERATED: [&str; 4] = [TOKEN_SECRET, CLIENT_ID, SECRET_ID, SECRET_VALUE];
const TEXTS: [&str; 7] = [TOKEN_NAME, TOKEN_SECRET, USER_NAME, PASSWORD, CLIENT_ID, SECRET_ID, SECRET_VALUE];

impl TableauCredential {
    /// Reads a credential from JSON, in one of the forms above.
    ///
    /// # Errors
    /// [`InvalidCredential`], which says what is wrong and repeats nothing of the text.
    pub fn from_json(text: &str) -> Result<Self, InvalidCredential> {
        let value = serde_json::from_str(text)
            .map_err(|error| InvalidCredential::NotJson { line: error.line(), column: error.column() })?;
        Self::from_value(value)
    }

    fn from_value(value: Value) -> Result<Self, InvalidCredential> {
        let Value::Object(mut json) = value else {
            return Err(InvalidCredential::NotAnObject);
        };
        if let Some(unknown) = json.keys().find(|key| *key != SCOPES && !TEXTS.contains(&key.as_str())) {
            let meant = tableau::nearest(unknown, TEXTS.into_iter().chain([SCOPES]));
            return Err(InvalidCredential::UnknownField { meant });
        }
        let texts = TEXTS.map(|field| filled(&mut json, field));
        let [token_name, token_secret, user, password, client_id, secret_id, secret_value] = texts;
        let token_name = token_name?;
        let token_secret = token_secret?;
        let user = user?;
        let password = password?;
        let client_id = client_id?;
        let secret_id = secret_id?;
        let secret_value = secret_value?;
        let scopes = scopes(json.remove(SCOPES))?;
        match (token_name, token_secret, user, password, client_id, secret_id, secret_value, scopes) {
            (None, None, None, None, None, None, None, None) => Err(InvalidCredential::Empty),
            (Some(name), Some(secret), None, None, None, None, None, None) => {
                Ok(Self::PersonalAccessToken { name, secret: SecretString::from(secret) })
            }
            (None, None, Some(user), Some(password), None, None, None, None) => {
                Ok(Self::Password { user, password: SecretString::from(password) })
            }
            (None, None, Some(user), None, Some(client_id), Some(secret_id), Some(value), scopes) => {
                let scopes = scopes.unwrap_or_default();
                let secret_value = SecretString::from(value);
                Ok(Self::ConnectedApp(ConnectedApp { client_id, secret_id, secret_value, user, scopes }))
            }
            _ => Err(InvalidCredential::Incomplete),
        }
    }
}

/// The text of a field; `None` if the field is missing or empty.
fn filled(json: &mut Map<String, Value>, field: &'static str) -> Result<Option<String>, InvalidCredential> {
    match json.remove(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text))
            if GENERATED.contains(&field) && !text.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Err(InvalidCredential::Characters { field })
        }
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(_) => Err(InvalidCredential::NotText { field }),
    }
}

fn scopes(value: Option<Value>) -> Result<Option<Vec<String>>, InvalidCredential> {
    let scope =
        |value| if let Value::String(text) = value { Ok(text) } else { Err(InvalidCredential::Scopes) };
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(scopes)) => scopes.into_iter().map(scope).collect::<Result<_, _>>().map(Some),
        Some(_) => Err(InvalidCredential::Scopes),
    }
}

impl<'de> Deserialize<'de> for TableauCredential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Every JSON text is a valid `Value`, so serde can only complain about syntax here.
        let value = Value::deserialize(deserializer)?;
        Self::from_value(value).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problem(json: &str) -> String {
        let error = TableauCredential::from_json(json).unwrap_err();
        let by_serde = serde_json::from_str::<TableauCredential>(json).unwrap_err();
        format!("{error}\n{error:?}\n{by_serde}\n{by_serde:?}")
    }

    #[test]
    fn no_error_repeats_a_value_or_an_unknown_key() {
        for (json, says) in [
            ("hunter2", "not JSON, at line 1, column 1"),
            (r#"{"token_secret": "hunter2"#, "not JSON"),
            (r#"{"token_secret": hunter2}"#, "not JSON"),
            (r#""hunter2""#, "must be a JSON object"),
            (r#"["a","hunter2"]"#, "must be a JSON object"),
            ("99887766", "must be a JSON object"),
            ("null", "must be a JSON object"),
            (r#"{"hunter2":"token_secret"}"#, "a field that is not known"),
            (r#"{"user_name":"a","password":99887766}"#, "`password` of the credential must be a text"),
            (r#"{"user_name":"a","password":["hunter2"]}"#, "`password` of the credential must be a text"),
            (
                r#"{"token_name":true,"token_secret":"hunter2"}"#,
                "`token_name` of the credential must be a text",
            ),
            (
                r#"{"client_id":"c","secret_id":"i","secret_value":99887766,"user_name":"a"}"#,
                "`secret_value` of the credential must be a text",
            ),
            (
                r#"{"client_id":"c","secret_id":"i","secret_value":"v","user_name":"a","scopes":"hunter2"}"#,
                "`scopes` of the credential must be a list of texts",
            ),
            (
                r#"{"client_id":"c","secret_id":"i","secret_value":"v","user_name":"a","scopes":[99887766]}"#,
                "`scopes` of the credential must be a list of texts",
            ),
            (r#"{"user_name":"hunter2"}"#, "and nothing else"),
            (r#"{"token_nam":"hunter2"}"#, "may be meant as `token_name`"),
            (r#"{"tokenSecret":"hunter2"}"#, "may be meant as `token_secret`"),
            (
                r#"{"token_name":"n","token_secret":"hunter2 x"}"#,
                "`token_secret` of the credential has a space",
            ),
            (
                r#"{"token_name":"n","token_secret":"hunter2\n"}"#,
                "`token_secret` of the credential has a space",
            ),
            (
                r#"{"token_name":"n","token_secret":"hunter2…"}"#,
                "`token_secret` of the credential has a space",
            ),
            (
                r#"{"client_id":"c","secret_id":"i","secret_value":"“hunter2”","user_name":"a"}"#,
                "`secret_value` of the credential has a space",
            ),
        ] {
            let problem = problem(json);
            assert!(problem.contains(says), "{json}: {problem}");
            for never in ["hunter2", "99887766", "struct", "Json"] {
                assert!(!problem.contains(never), "{json}: {problem}");
            }
        }
    }

    #[test]
    fn an_unfilled_secret_says_what_to_fill_in() {
        for json in ["{}", r#"{"token_name":"","token_secret":""}"#, r#"{"token_name":null}"#] {
            assert_eq!(TableauCredential::from_json(json), Err(InvalidCredential::Empty), "{json}");
        }
        for json in [
            r#"{"token_name":"n"}"#,
            r#"{"token_name":"n","token_secret":"s","user_name":"u","password":"p"}"#,
            r#"{"client_id":"c","secret_id":"i","secret_value":"v"}"#,
            r#"{"user_name":"u","password":"p","scopes":[]}"#,
        ] {
            assert_eq!(TableauCredential::from_json(json), Err(InvalidCredential::Incomplete), "{json}");
        }
    }

    #[test]
    fn each_kind_is_read_from_its_own_fields() {
        let read = |json: &str| TableauCredential::from_json(json).unwrap();
        let token = read(r#"{"token_name":"n","token_secret":"s"}"#);
        assert_eq!(token, TableauCredential::personal_access_token("n", "s"));
        let password = read(r#"{"user_name":"u","password":"p","scopes":null}"#);
        assert_eq!(password, TableauCredential::Password { user: "u".to_owned(), password: "p".into() });
        let app = r#"{"client_id":"c","secret_id":"i","secret_value":"v","user_name":"ana@example.com"}"#;
        let TableauCredential::ConnectedApp(app) = read(app) else { panic!("not an app") };
        assert!(app.scopes.is_empty(), "those of the settings");
    }

    proptest! {
        #[test]
        fn whatever_the_json_is_its_errors_do_not_repeat_it(
            key in "(hunter2|token_name|password|user_name|secret_value|scopes)",
            value in r#"("hunter2"|hunter2|\["hunter2"\]|\{"hunter2":"hunter2"\}|"hunter2|null|[^"]{0,3}hunter2)"#,
        ) {
            let json = format!(r#"{{"{key}":{value}}}"#);
            if TableauCredential::from_json(&json).is_err() {
                prop_assert!(!problem(&json).contains("hunter2"), "{}", json);
            }
        }
    }
}
