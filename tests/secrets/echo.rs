//! A server that repeats each request in its answer: method, path, query, headers and body.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where in the answer the request is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    Body,
    Html,
    /// In the text of the vendor's error, with a code that the vendor has.
    Words,
    /// In the code of such an error.
    Code,
    /// A JSON string instead of an object.
    Text,
    /// In every field that the client reads.
    Fields,
    /// In the key of an incomplete JSON object.
    Key,
    Location,
    Headers,
    StatusLine,
}

/// Which part of the request is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    All,
    Body,
    /// Only the secret: it could be a word of the vendor's, and no length limit cuts it off.
    Secret,
}

/// The encoding of the repeated text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Encoding {
    Plain,
    Json,
    Xml,
    Percent,
    Base64,
}

/// A planned answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeat {
    pub(crate) status: u16,
    pub(crate) place: Place,
    pub(crate) part: Part,
    pub(crate) encoding: Encoding,
}

const STATUSES: [u16; 10] = [200, 302, 400, 401, 403, 404, 409, 429, 500, 503];
const PLACES: [Place; 10] = [
    Place::Body,
    Place::Html,
    Place::Words,
    Place::Code,
    Place::Text,
    Place::Fields,
    Place::Key,
    Place::Location,
    Place::Headers,
    Place::StatusLine,
];
const ENCODINGS: [Encoding; 5] =
    [Encoding::Plain, Encoding::Json, Encoding::Xml, Encoding::Percent, Encoding::Base64];

/// A plan of answers: each status with each position, once with the request or its body and once with the secret
/// alone, with rotating encodings. Another `turn` rotates differently.
pub(crate) fn every(turn: usize) -> Vec<Repeat> {
    let pairs = PLACES.into_iter().flat_map(|place| STATUSES.map(|status| (status, place)));
    // With an equal number of statuses, tens are added so that each status gets every encoding.
    let encoding = |at: usize| ENCODINGS[(at + at / STATUSES.len() + turn) % ENCODINGS.len()];
    let of = |(at, (status, place)): (usize, (u16, Place))| {
        let part = if (at + turn).is_multiple_of(3) { Part::Body } else { Part::All };
        // An encoded secret could not be a word, so it is repeated plainly.
        let alone = if place == Place::Code { Encoding::Plain } else { encoding(at + 1) };
        [
            Repeat { status, place, part, encoding: encoding(at) },
            Repeat { status, place, part: Part::Secret, encoding: alone },
        ]
    };
    pairs.enumerate().flat_map(of).collect()
}

/// The calls that the double answers correctly.
#[derive(Clone, Debug)]
pub(crate) enum Well {
    Nothing,
    /// Tableau's version, which clients ask for before signing in.
    Version,
    /// Tableau's version and its sign-in, with a new session each time.
    SignIn,
    /// AWS's secrets with these names, and no other call.
    Secrets(Vec<(&'static str, Value)>),
}

#[derive(Default)]
struct Heard {
    plan: VecDeque<Repeat>,
    repeated: usize,
    secrets: Vec<String>,
}

/// The echo server.
#[derive(Clone)]
pub(crate) struct Echo {
    pub(crate) url: String,
    heard: Arc<Mutex<Heard>>,
}

impl Echo {
    pub(crate) async fn start(well: Well) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let echo = Self { url, heard: Arc::default() };
        let served = echo.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = served.clone();
                let well = well.clone();
                tokio::spawn(async move { served.serve(stream, &well).await });
            }
        });
        echo
    }

    /// The planned answers, used in turn and repeated.
    pub(crate) fn plan(&self, plan: &[Repeat]) {
        let mut heard = self.heard.lock().unwrap();
        (heard.plan, heard.repeated) = (plan.iter().copied().collect(), 0);
    }

    /// How many requests the server has repeated since the last reset.
    pub(crate) fn repeated(&self) -> usize {
        self.heard.lock().unwrap().repeated
    }

    /// The sessions that the server gave, and the JWTs that it received.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.heard.lock().unwrap().secrets.clone()
    }

    async fn serve(&self, mut stream: TcpStream, well: &Well) {
        while let Some(request) = read(&mut stream).await {
            let answer = well.answer(&request, self).unwrap_or_else(|| {
                let mut heard = self.heard.lock().unwrap();
                heard.secrets.extend(jwt(&request.body));
                heard.repeated += 1;
                let repeat = heard.plan.pop_front().expect("a plan");
                heard.plan.push_back(repeat);
                repeat.of(&request)
            });
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

/// A received request.
struct Request {
    /// The whole request.
    text: String,
    path: String,
    target: String,
    body: String,
    secret: String,
}

/// The secret of a request: in a header, in the body of a sign-in, or in the path.
fn secret(header: impl Fn(&str) -> String, path: &str, body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let credentials = &body["credentials"];
    let in_body = ["personalAccessTokenSecret", "password", "jwt"].map(|key| credentials[key].as_str());
    let in_header = ["x-tableau-auth", "x-amz-security-token"].map(&header);
    let bearer = header("authorization").strip_prefix("Bearer ").map(str::to_owned);
    let mut found = in_body.into_iter().flatten().map(str::to_owned).chain(in_header).chain(bearer);
    let in_path = || path.rsplit(['/', '=']).next().unwrap_or_default().to_owned();
    found.find(|secret| !secret.is_empty()).unwrap_or_else(in_path)
}

fn jwt(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    body["credentials"]["jwt"].as_str().map(str::to_owned)
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let header = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let length: usize = header("content-length").parse().unwrap_or_default();
    while bytes.len() < head + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let path = text.split(' ').nth(1)?.to_owned();
    let target = header("x-amz-target");
    let body = String::from_utf8_lossy(&bytes[head + 4..]).into_owned();
    let secret = secret(header, &path, &body);
    Some(Request { text: String::from_utf8_lossy(&bytes).into_owned(), path, target, body, secret })
}

fn answer(status: u16, reason: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} {reason}\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

impl Well {
    fn answer(&self, request: &Request, echo: &Echo) -> Option<Vec<u8>> {
        let body = match self {
            Self::Nothing => return None,
            Self::Version | Self::SignIn if request.path.ends_with("/serverinfo") => {
                json!({ "serverInfo": { "restApiVersion": "3.24" } })
            }
            Self::SignIn if request.path.ends_with("/auth/signin") => {
                let token = format!("{}|{}", uuid::Uuid::new_v4(), uuid::Uuid::new_v4().simple());
                let mut heard = echo.heard.lock().unwrap();
                heard.secrets.extend(jwt(&request.body));
                heard.secrets.push(token.clone());
                json!({ "credentials": { "token": token, "site": { "id": super::environment::SITE }, "user": { "id": "u-1" } } })
            }
            Self::Version | Self::SignIn => return None,
            Self::Secrets(secrets) => {
                let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
                let id = body["SecretId"].as_str().filter(|_| request.target.ends_with("GetSecretValue"))?;
                let (_, value) = secrets.iter().find(|(name, _)| *name == id)?;
                json!({ "Name": id, "SecretString": value.to_string() })
            }
        };
        Some(answer(200, "OK", "content-type: application/json\r\n", &body.to_string()))
    }
}

impl Repeat {
    fn of(self, request: &Request) -> Vec<u8> {
        let text = self.encoding.write(match self.part {
            Part::All => &request.text,
            Part::Body => &request.body,
            Part::Secret => &request.secret,
        });
        // Characters that neither a status line nor a header can contain.
        let line: String = text.chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
        let host: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        let head = |headers: &str, body: &str| answer(self.status, "X", headers, body);
        match self.place {
            Place::Body => head("", &text),
            Place::Html => head("content-type: text/html\r\n", &format!("<html>{text}</html>")),
            Place::Words => head("", &words(request, &text)),
            Place::Code => head("", &json!({
                "error": if request.target.is_empty() && is_slack(request) { json!(text) } else { json!({ "code": text, "summary": "s" }) },
                "ok": false, "needed": text, "provided": text, "__type": text, "code": text,
            }).to_string()),
            Place::Text => head("", &json!(text).to_string()),
            Place::Fields => head("", &fields(&text).to_string()),
            Place::Key => head("", &format!("{{{}: tru", json!(text))),
            Place::Location => {
                head(&format!("location: https://{}.example/{line}?{line}#{line}\r\n", &host[..host.len().min(60)]), "")
            }
            Place::Headers => head(
                &format!("content-type: {line}\r\nretry-after: {line}\r\nx-amzn-errortype: {line}\r\nserver: {line}\r\n"),
                &text,
            ),
            Place::StatusLine => answer(self.status, &line, "", ""),
        }
    }
}

fn is_slack(request: &Request) -> bool {
    request.path.contains("/services/") || request.path.contains("/chat.")
}

/// An error of each vendor, with a code that the vendor has.
fn words(request: &Request, text: &str) -> String {
    if request.target.is_empty() && is_slack(request) {
        return json!({ "ok": false, "error": "channel_not_found", "response_metadata": { "messages": [text] } }).to_string();
    }
    let code = if request.path.ends_with("/auth/signin") { "401001" } else { "404006" };
    json!({
        "error": { "code": code, "summary": text, "detail": text },
        "__type": "AccessDeniedException", "message": text, "Message": text,
    })
    .to_string()
}

/// The fields that clients read of successful answers, for each vendor.
fn fields(text: &str) -> Value {
    let thing = json!({
        "id": "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb", "name": text, "title": text, "status": text, "fullName": text,
        "email": text, "webpageUrl": text, "project": { "id": "p-1", "name": text }, "owner": { "id": "u-1", "name": text },
        "tags": { "tag": [{ "label": text }] }, "jobType": "refresh_extracts", "endedAt": "2026-11-28T10:00:00Z",
        "completedAt": "2026-11-28T10:00:00Z", "finishCode": 1, "extractRefreshJob": { "notes": text }, "statusNotes": text,
    });
    json!({
        "ok": true, "channel": text, "ts": text,
        "workbook": thing, "datasource": thing, "user": thing, "job": thing, "broadcast": thing,
        "backgroundJobs": { "backgroundJob": [thing] }, "broadcasts": { "broadcast": [thing] },
        "data": null, "errors": [{ "message": text, "extensions": { "code": text } }],
        "credentials": { "token": text, "site": { "id": text }, "user": { "id": text } },
        "serverInfo": { "restApiVersion": text, "productVersion": { "value": text } },
        "FailedEntryCount": 1, "Entries": [{ "ErrorCode": text, "ErrorMessage": text }],
        "SecretString": text, "Item": { "document": { "S": text }, "version": { "N": text } },
        "Attributes": { "state": { "S": text } },
    })
}

impl Encoding {
    fn write(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Json => {
                let json = Value::from(text).to_string().replace('/', "\\/").replace('=', "\\u003d");
                json[1..json.len() - 1].to_owned()
            }
            Self::Xml => {
                text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('/', "&#x2F;")
            }
            Self::Percent => utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
            Self::Base64 => BASE64_STANDARD.encode(text),
        }
    }
}
