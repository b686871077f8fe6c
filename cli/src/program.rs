//! How the user starts this program.

use std::env::var_os;

/// The environment variable that the launcher sets, which `cargo run` starts.
const TYPED_AS: &str = "TABLEAU_WEBHOOKS_TYPED_AS";

/// The beginning of a command line: `tableau-webhooks`, or `cargo run --` if the program was started that way.
pub(crate) fn typed() -> String {
    let typed = var_os(TYPED_AS).and_then(|typed| typed.into_string().ok());
    typed.filter(|typed| typed == "cargo run --").unwrap_or_else(|| "tableau-webhooks".to_owned())
}

/// The command that starts the local stack.
pub(crate) fn start() -> &'static str {
    if typed() == "tableau-webhooks" { "tableau-webhooks up" } else { "cargo run" }
}
