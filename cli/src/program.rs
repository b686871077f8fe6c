//! What a person types to run this program.

use std::env::var_os;

/// Set by the launcher, which `cargo run` starts.
const TYPED_AS: &str = "TABLEAU_WEBHOOKS_TYPED_AS";

/// What stands in front of a command: `tableau-webhooks`, or `cargo run --` for a program that was started so.
pub(crate) fn typed() -> String {
    let typed = var_os(TYPED_AS).and_then(|typed| typed.into_string().ok());
    typed.filter(|typed| typed == "cargo run --").unwrap_or_else(|| "tableau-webhooks".to_owned())
}

/// The command that starts the local stack.
pub(crate) fn start() -> &'static str {
    if typed() == "tableau-webhooks" { "tableau-webhooks up" } else { "cargo run" }
}
