//! AWS's Runtime Interface Emulator: runs one function's package behind Lambda's Invoke API, without a container.

use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// How long the emulator may take until it listens.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// The package and environment that SAM would run.
#[derive(serde::Deserialize)]
pub(crate) struct Built {
    emulator: PathBuf,
    functions: BTreeMap<String, Function>,
}

#[derive(serde::Deserialize)]
struct Function {
    folder: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Built {
    /// The package and environment that `functions.py` prints.
    pub(crate) fn read(printed: &[u8]) -> Self {
        serde_json::from_slice(printed).unwrap()
    }
}

/// A function's answer to an event.
pub(crate) async fn answer(built: &Built, function: &str, event: &str) -> Value {
    let Function { folder, environment } = &built.functions[function];
    let invoke = free_address();
    let runtime_api = free_address();
    let mut emulator = Command::new(&built.emulator);
    emulator.args(["--runtime-interface-emulator-address", &invoke, "--runtime-api-address", &runtime_api]);
    // The emulator starts the bootstrap relative to the function's folder, as Lambda does.
    emulator.arg("./bootstrap").current_dir(folder).env_clear().envs(environment);
    emulator.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let _emulator = emulator.spawn().unwrap();

    let http = http_client::client(None).unwrap();
    let url = format!("http://{invoke}/2015-03-31/functions/function/invocations");
    let start = Instant::now();
    loop {
        match http.post(&url).body(event.to_owned()).send().await {
            Ok(response) => {
                let text = response.text().await.unwrap();
                return serde_json::from_str(&text).unwrap_or_else(|_| panic!("{function} answers {text}"));
            }
            Err(error) => {
                assert!(error.is_connect() && start.elapsed() < READY_WITHIN, "{function}: {error}")
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A loopback address on which no program listens.
fn free_address() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().to_string()
}
