//! A question to the person at the terminal.

use std::io::{IsTerminal as _, Write as _, stderr, stdin};
use workflow::BoxError;

/// Whether the person agrees. `is_agreed`: the command line says so already. `what`: what is done then, as a verb.
///
/// # Errors
/// When there is no terminal to ask at.
pub(crate) async fn agrees(question: &str, is_agreed: bool, what: &str) -> Result<bool, BoxError> {
    if is_agreed {
        return Ok(true);
    }
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Err(format!(
            "cannot ask for confirmation without a terminal: add --yes to {what} without a question"
        )
        .into());
    }
    let mut err = stderr();
    // A person who cannot read the question does not say yes.
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        stdin().read_line(&mut line).map(|_| line)
    });
    let answer = answer.await??;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
