//! Errors of any type, and their causes.

use std::error::Error;

/// Any error, as the standard library boxes it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Joins an error and its causes into one line, outermost first: [`crate::Error`] says what the client was doing, its
/// causes say why that failed. A cause is left out if the text before already ends with it.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = error.source();
    }
    text
}
