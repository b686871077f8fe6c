//! Runs newman, which replays a collection of Postman, and reads its report.

use super::{LONGEST, variable};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use testkit::repository::root;
use tokio::process::Command;

const FOLDER: &str = "integrations/postman";
const COLLECTION: &str = "integrations/postman/tableau-webhooks.postman_collection.json";
const ENVIRONMENT: &str = "integrations/postman/tableau-webhooks.postman_environment.json";

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The collection in the repository.
pub(crate) fn collection() -> Value {
    parsed(&read(COLLECTION))
}

/// The environment in the repository.
pub(crate) fn environment() -> Value {
    parsed(&read(ENVIRONMENT))
}

/// The requests of a folder of the collection, in their order.
pub(crate) fn requests(folder: &str) -> Vec<Value> {
    let collection = collection();
    let folders = collection["item"].as_array().unwrap();
    let found = folders.iter().find(|one| one["name"] == folder).expect("the collection has this folder");
    found["item"].as_array().unwrap().clone()
}

/// The names of the requests of a folder, in their order.
pub(crate) fn names_in(folder: &str) -> Vec<String> {
    requests(folder).iter().map(|request| request["name"].as_str().unwrap().to_owned()).collect()
}

/// The names of all requests of the collection, in their order.
pub(crate) fn names() -> Vec<String> {
    let collection = collection();
    let folders = collection["item"].as_array().unwrap();
    folders.iter().flat_map(|folder| names_in(folder["name"].as_str().unwrap())).collect()
}

/// The files of `integrations/postman` with their texts.
pub(crate) fn files() -> Vec<(PathBuf, String)> {
    let files = std::fs::read_dir(root().join(FOLDER)).unwrap().map(|file| file.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.is_file()).collect();
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The program, with a value for each variable of the environment.
pub(crate) struct Newman {
    program: PathBuf,
    values: Vec<(&'static str, String)>,
}

impl Newman {
    /// `None` where newman is not installed.
    pub(crate) fn installed() -> Option<Self> {
        let program = variable("NEWMAN");
        if program.is_none() {
            eprintln!("SKIPPED: NEWMAN is not set; `cargo xtask check --full` sets it");
        }
        program.map(|program| Self { program: program.into(), values: Vec::new() })
    }

    /// The same with this value of a variable.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut values = self.values.clone();
        values.retain(|(one, _)| *one != name);
        values.push((name, value.to_owned()));
        Self { program: self.program.clone(), values }
    }

    /// Replays these folders and requests of the collection, in its order; all of it if none is named.
    pub(crate) async fn run(&self, folders: &[&str]) -> Report {
        self.run_for_each(folders, "event", &[]).await
    }

    /// The same once for each value of a variable.
    pub(crate) async fn run_for_each(&self, folders: &[&str], name: &str, values: &[&str]) -> Report {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut environment = environment();
        let variables = environment["values"].as_array_mut().unwrap();
        for (name, value) in &self.values {
            match variables.iter_mut().find(|variable| variable["key"] == *name) {
                Some(variable) => variable["value"] = json!(value),
                None => variables.push(json!({ "key": name, "value": value, "enabled": true })),
            }
        }
        std::fs::write(path("environment.json"), environment.to_string()).unwrap();
        let mut command = Command::new(&self.program);
        command.env_clear().env("PATH", variable("PATH").unwrap()).env("HOME", folder.path());
        command.current_dir(root()).kill_on_drop(true).stdin(Stdio::null());
        command.args(["run", COLLECTION, "--reporters", "json"]);
        command.arg("--environment").arg(path("environment.json"));
        command.arg("--reporter-json-export").arg(path("report.json"));
        command.args(folders.iter().flat_map(|folder| ["--folder", folder]));
        if !values.is_empty() {
            let rows: Vec<Value> = values.iter().map(|value| json!({ name: value })).collect();
            std::fs::write(path("data.json"), json!(rows).to_string()).unwrap();
            command.arg("--iteration-data").arg(path("data.json"));
        }
        let ended =
            tokio::time::timeout(LONGEST, command.output()).await.expect("it takes too long").unwrap();
        let text = std::fs::read_to_string(path("report.json")).unwrap_or_else(|error| {
            panic!("newman made no report ({error}): {}", String::from_utf8_lossy(&ended.stderr))
        });
        let report = Report(parsed(&text)["run"].clone());
        assert_eq!(ended.status.success(), report.failures().is_empty(), "{:?}", report.failures());
        report
    }
}

/// What newman reports of a run.
pub(crate) struct Report(Value);

impl Report {
    fn executions(&self) -> impl Iterator<Item = &Value> {
        self.0["executions"].as_array().unwrap().iter()
    }

    /// The names of the requests that were answered, in their order. Each has assertions.
    pub(crate) fn answered(&self) -> Vec<String> {
        let answered = self.executions().filter(|one| one["response"]["code"].is_u64());
        let name = |one: &Value| {
            let name = one["item"]["name"].as_str().unwrap().to_owned();
            assert!(!one["assertions"].as_array().unwrap().is_empty(), "{name} asserts nothing");
            name
        };
        answered.map(name).collect()
    }

    /// What failed: the name of the request, and why.
    pub(crate) fn failures(&self) -> Vec<(&str, String)> {
        let failures = self.0["failures"].as_array().unwrap().iter();
        let why = |error: &Value| format!("{}: {}", error["test"], error["message"]);
        failures.map(|one| (one["source"]["name"].as_str().unwrap(), why(&one["error"]))).collect()
    }

    /// The names of the requests of which something failed.
    pub(crate) fn failed(&self) -> BTreeSet<String> {
        self.failures().into_iter().map(|(name, _)| name.to_owned()).collect()
    }

    /// The answers' bodies by the names of the requests.
    pub(crate) fn bodies(&self) -> Vec<(&str, String)> {
        let body = |one: &Value| {
            let bytes = one["response"]["stream"]["data"].as_array().cloned().unwrap_or_default();
            let bytes = bytes.iter().map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap()).collect();
            String::from_utf8(bytes).unwrap()
        };
        self.executions().map(|one| (one["item"]["name"].as_str().unwrap(), body(one))).collect()
    }

    /// The session tokens that were sent.
    pub(crate) fn session_tokens(&self) -> BTreeSet<String> {
        let headers = self.executions().flat_map(|one| one["request"]["header"].as_array().unwrap());
        let tokens = headers.filter(|header| header["key"] == "X-Tableau-Auth");
        tokens.map(|header| header["value"].as_str().unwrap().to_owned()).collect()
    }
}
