//! Checks the JWTs with which connected apps sign in.
//!
//! Source: <https://help.tableau.com/current/server/en-us/connected_apps_direct.htm>

use super::{Model, SignInError};
use crate::clock::after;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;
use std::time::Duration;

/// How far in the future a JWT may expire.
const LONGEST_LIFE: Duration = Duration::from_secs(10 * 60);

/// The detail codes of a `401001` answer.
pub(super) const UNKNOWN_USER: SignInError = SignInError(Some(5));
const LOGIN_FAILED: SignInError = SignInError(Some(16));
const APP_NOT_FOUND: SignInError = SignInError(Some(126));
const SECRET_NOT_FOUND: SignInError = SignInError(Some(127));

/// The claims of a valid JWT.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    /// The user name.
    pub(crate) subject: String,
    pub(crate) scopes: Vec<String>,
}

impl Model {
    /// Checks a JWT. Each JWT can be used once.
    pub(crate) fn verified(&mut self, jwt: &str, now: Timestamp) -> Result<Claims, SignInError> {
        let (signed, signature) = jwt.rsplit_once('.').ok_or(LOGIN_FAILED)?;
        let (header, claims) = signed.split_once('.').ok_or(LOGIN_FAILED)?;
        let header = decoded(header)?;
        let claims = decoded(claims)?;
        let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
        let issuer = text(&claims, "iss").or_else(|| text(&header, "iss")).ok_or(APP_NOT_FOUND)?;
        let app = self.apps.iter().find(|app| app.client_id == issuer).ok_or(APP_NOT_FOUND)?;
        let kid = text(&header, "kid").ok_or(SECRET_NOT_FOUND)?;
        let (_, secret) = app.secrets.iter().find(|(id, _)| *id == kid).ok_or(SECRET_NOT_FOUND)?;
        let right = header.get("alg").and_then(Value::as_str) == Some("HS256")
            && is_signed(signed, signature, secret)
            && text(&claims, "aud").as_deref() == Some("tableau");
        let time = |name: &str| claims.get(name).and_then(Value::as_f64).map(|seconds| seconds as i64);
        let expires = time("exp").ok_or(LOGIN_FAILED)?;
        let latest = after(now, LONGEST_LIFE).as_second();
        let in_time = (now.as_second() + 1..=latest).contains(&expires)
            && ["nbf", "iat"].iter().all(|name| time(name).is_none_or(|at| at <= now.as_second()));
        if !right || !in_time {
            return Err(LOGIN_FAILED);
        }
        let id = text(&claims, "jti").filter(|id| !id.is_empty()).ok_or(LOGIN_FAILED)?;
        self.used_jwts.retain(|(_, expires)| *expires > now.as_second());
        if self.used_jwts.iter().any(|(used, _)| *used == id) {
            return Err(LOGIN_FAILED);
        }
        self.used_jwts.push((id, expires));
        let scopes = claims.get("scp").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(Claims {
            subject: text(&claims, "sub").ok_or(UNKNOWN_USER)?,
            scopes: scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }
}

fn decoded(part: &str) -> Result<Value, SignInError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| LOGIN_FAILED)?;
    serde_json::from_slice(&bytes).map_err(|_| LOGIN_FAILED)
}

fn is_signed(signed: &str, signature: &str, secret: &str) -> bool {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    mac.chain_update(signed.as_bytes()).verify_slice(&signature).is_ok()
}
