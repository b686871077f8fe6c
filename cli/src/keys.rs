//! The commands `keys`: keys with which pipelines and people call the stack's API.

use crate::events::{Column, Table};
use crate::help;
use crate::options::TargetOptions;
use crate::out::{self, line, note, plain};
use crate::stack::Stack;
use api_keys::{Key, Keys, LARGEST_RATE, NewKey, Permissions};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use rules::PathPattern;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;
use store::records::DynamoDbRecords;
use store::{Documents, DynamoDbStore};
use tableau::{ContentKind, ResourceLuid};
use workflow::{BoxError, chain};

/// The longest name of a caller.
const LONGEST_CALLER: usize = 100;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key, and print it once
    #[command(after_help = help::KEYS_CREATE)]
    Create(CreateOptions),
    /// List the keys, the oldest first
    #[command(after_help = help::KEYS_LIST)]
    List(ListOptions),
    /// Show what a key may do
    #[command(after_help = help::KEYS_SHOW)]
    Show(OneKey),
    /// Revoke a key: it is refused from then on
    #[command(after_help = help::KEYS_REVOKE)]
    Revoke(OneKey),
}

#[derive(Debug, Args)]
pub(crate) struct CreateOptions {
    /// Whose key it is, such as the name of a pipeline. Logs and the history show it
    #[arg(value_name = "CALLER", value_parser = caller)]
    caller: String,
    /// A kind of content that it may refresh: workbook, datasource or flow. May be given several times
    #[arg(long, value_name = "KIND")]
    kind: Vec<ContentKind>,
    /// Projects in which it may refresh content, such as "Finance/**"; `\/` is a slash in a name. May be given several times
    #[arg(long, value_name = "PATTERN", value_parser = PathPattern::parse)]
    project: Vec<PathPattern>,
    /// An object that it may refresh wherever it is. May be given several times
    #[arg(long, value_name = "LUID", value_parser = luid)]
    luid: Vec<String>,
    /// Let it send events
    #[arg(long)]
    events: bool,
    /// How many requests a minute it may make
    #[arg(long, value_name = "REQUESTS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=i64::from(LARGEST_RATE)))]
    rate: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetOptions,
}

#[derive(Debug, Args)]
pub(crate) struct OneKey {
    /// The key's id: the 12 characters behind `twk_`
    #[arg(value_name = "ID", value_parser = key_id)]
    id: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetOptions,
}

fn caller(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_right =
        (1..=LONGEST_CALLER).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    is_right
        .then(|| text.to_owned())
        .ok_or_else(|| format!("1 to {LONGEST_CALLER} characters on one line are allowed"))
}

fn luid(text: &str) -> Result<String, String> {
    let luid: ResourceLuid = text.parse().map_err(|error| format!("{error}"))?;
    Ok(luid.as_str().to_ascii_lowercase())
}

/// An id, also out of a whole key that was pasted: the secret is dropped.
fn key_id(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix(api_keys::KEY_START).unwrap_or(text);
    let id = rest.split('_').next().unwrap_or_default();
    let is_id = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    // The text is not repeated: it may hold a secret.
    is_id
        .then(|| id.to_owned())
        .ok_or_else(|| "an id has 12 small letters and digits; `keys list` shows all".to_owned())
}

pub(crate) async fn run(command: KeysCommand) -> Result<ExitCode, BoxError> {
    match command {
        KeysCommand::Create(options) => create(options).await,
        KeysCommand::List(options) => list(options).await,
        KeysCommand::Show(options) => show(options).await,
        KeysCommand::Revoke(options) => revoke(options).await,
    }
}

/// The keys of a stack.
struct Opened {
    stack: Stack,
    keys: Keys,
}

impl Opened {
    async fn at(target: &TargetOptions) -> Result<Self, BoxError> {
        let stack = Stack::find(target).await?;
        let client = aws_sdk_dynamodb::Client::new(&stack.account.config);
        let table = stack.table()?.to_owned();
        let records = Arc::new(DynamoDbRecords::new(client.clone(), table.clone(), "refresh-extract"));
        let documents = Documents::new(Arc::new(DynamoDbStore::new(client, table)));
        Ok(Self { keys: Keys::new(records, documents), stack })
    }

    fn failed(&self, what: &str, error: &BoxError) -> BoxError {
        format!("cannot {what} in {}: {}", self.stack.account.target, chain(error.as_ref())).into()
    }

    fn unknown(&self, id: &str) -> BoxError {
        format!("the stack `{}` has no key `{id}`; `keys list` shows all", self.stack.name).into()
    }
}

async fn create(options: CreateOptions) -> Result<ExitCode, BoxError> {
    let permissions = Permissions {
        kinds: options.kind.iter().copied().collect(),
        projects: options.project.clone(),
        luids: options.luid.iter().cloned().collect(),
        events: options.events,
    };
    let names_content = !(permissions.projects.is_empty() && permissions.luids.is_empty());
    if permissions.is_empty() || permissions.kinds.is_empty() == names_content {
        return Err(
            "say what the key may do: --kind with --project or --luid, and --events if it may send events"
                .into(),
        );
    }
    let opened = Opened::at(&options.target).await?;
    let made = opened.keys.create(&options.caller, permissions, options.rate, Timestamp::now()).await;
    let NewKey { key, secret } = made.map_err(|error| opened.failed("make a key", &error))?;
    let signing = key.signing_secret()?;
    if options.json {
        let mut shown = described(&key);
        shown["key"] = json!(secret.expose_secret());
        shown["callback_secret"] = json!(signing.expose_secret());
        line!("{}", out::json(&shown))?;
        return Ok(ExitCode::SUCCESS);
    }
    line!("Key of {}:            {}", plain(&key.caller), secret.expose_secret())?;
    line!("Secret of its callbacks: {}", signing.expose_secret())?;
    note("neither is shown again: store both now, where the caller reads them");
    Ok(ExitCode::SUCCESS)
}

async fn list(options: ListOptions) -> Result<ExitCode, BoxError> {
    let opened = Opened::at(&options.target).await?;
    let keys = opened.keys.list().await.map_err(|error| opened.failed("list the keys", &error))?;
    if options.json {
        keys.iter().try_for_each(|key| line!("{}", out::json(&described(key))))?;
        return Ok(ExitCode::SUCCESS);
    }
    if keys.is_empty() {
        note(format!("the stack `{}` has no keys", opened.stack.name));
        return Ok(ExitCode::SUCCESS);
    }
    let columns = [
        Column::whole("ID"),
        Column::cut("CALLER", 12),
        Column::cut("MAY", 20),
        Column::whole("A MINUTE"),
        Column::whole("MADE (UTC)"),
        Column::whole("REVOKED (UTC)"),
    ];
    let mut table = Table::new(columns, Some(out::width()));
    let rows: Vec<[String; 6]> = keys.iter().map(row).collect();
    table.fit(&rows);
    line!("{}", table.head())?;
    rows.iter().try_for_each(|row| line!("{}", table.line(row)))?;
    Ok(ExitCode::SUCCESS)
}

async fn show(options: OneKey) -> Result<ExitCode, BoxError> {
    let opened = Opened::at(&options.target).await?;
    let key = opened.keys.get(&options.id).await.map_err(|error| opened.failed("read the key", &error))?;
    print(&key.ok_or_else(|| opened.unknown(&options.id))?, options.json)
}

async fn revoke(options: OneKey) -> Result<ExitCode, BoxError> {
    let opened = Opened::at(&options.target).await?;
    let revoked = opened.keys.revoke(&options.id, Timestamp::now()).await;
    let revoked = revoked.map_err(|error| opened.failed("revoke the key", &error))?;
    print(&revoked.ok_or_else(|| opened.unknown(&options.id))?, options.json)
}

fn print(key: &Key, as_json: bool) -> Result<ExitCode, BoxError> {
    if as_json {
        line!("{}", out::json(&described(key)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let [id, caller, may, rate, made, revoked] = row(key);
    for (name, value) in [
        ("Id", id),
        ("Caller", caller),
        ("May", may),
        ("A minute", rate),
        ("Made", made),
        ("Revoked", revoked),
    ] {
        line!("{name:<9}{value}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A key without its secrets, as `--json` has it.
fn described(key: &Key) -> Value {
    let may = &key.permissions;
    json!({
        "id": key.id,
        "caller": key.caller,
        "kinds": may.kinds,
        "projects": may.projects,
        "luids": may.luids,
        "events": may.events,
        "per_minute": key.per_minute,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    })
}

fn row(key: &Key) -> [String; 6] {
    [
        key.id.clone(),
        plain(&key.caller),
        plain(&may(&key.permissions)),
        key.per_minute.to_string(),
        minute(key.created_at),
        key.revoked_at.map_or_else(|| "-".to_owned(), minute),
    ]
}

/// What a key may do, in a few words.
fn may(permissions: &Permissions) -> String {
    let mut all = Vec::new();
    let kinds: Vec<&str> = permissions.kinds.iter().map(|kind| kind.as_str()).collect();
    if !kinds.is_empty() {
        let places = permissions.projects.iter().map(ToString::to_string);
        let places: Vec<String> = places.chain(permissions.luids.iter().cloned()).collect();
        all.push(format!("refresh {} in {}", kinds.join(", "), places.join(", ")));
    }
    if permissions.events {
        all.push("send events".to_owned());
    }
    all.join("; ")
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_out_of_a_whole_key_and_a_wrong_one_is_not_repeated() {
        let secret = "A".repeat(43);
        assert_eq!(key_id("0a1b2c3d4e5f"), Ok("0a1b2c3d4e5f".to_owned()));
        assert_eq!(key_id(&format!("twk_0a1b2c3d4e5f_{secret}")), Ok("0a1b2c3d4e5f".to_owned()));
        let error = key_id(&format!("tok_0a1b2c3d4e5f_{secret}")).unwrap_err();
        assert!(!error.contains(&secret), "{error}");
        assert!(key_id("").is_err() && key_id("0A1B2C3D4E5F").is_err());
    }

    #[test]
    fn what_a_key_may_do_is_said_in_words() {
        let project = |text: &str| PathPattern::parse(text).unwrap();
        let permissions = Permissions {
            kinds: [ContentKind::Datasource, ContentKind::Workbook].into(),
            projects: vec![project("Finance/**"), project(r"Ops/Q1\/Q2")],
            luids: ["d-1".to_owned()].into(),
            events: true,
        };
        let expected = r"refresh workbook, datasource in Finance/**, Ops/Q1\/Q2, d-1; send events";
        assert_eq!(may(&permissions), expected);
        assert_eq!(may(&Permissions { events: true, ..Permissions::default() }), "send events");
    }
}
