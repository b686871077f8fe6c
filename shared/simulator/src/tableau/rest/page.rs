//! Pages of lists.

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;

/// The page of `all` that a call asks for, as a list inside `wrapper`, after a pagination block.
pub(crate) fn answer<T>(
    call: &Call<'_>,
    wrapper: &'static str,
    all: &[T],
    element: impl Fn(&T) -> Element,
) -> Result<Answer, RestError> {
    let number = |name: &str, default: usize| match call.query(name) {
        None => Some(default),
        Some(text) => text.parse::<usize>().ok().filter(|n| *n > 0),
    };
    let bad_size =
        || RestError::new("400007", "The page size parameter is not an integer, or is less than one.");
    let bad_number =
        || RestError::new("400006", "The page number is not an integer, less than one, or beyond the end.");
    let size = number("pageSize", 100).ok_or_else(bad_size)?;
    if size > 1000 {
        return Err(RestError::new("403014", "The page size is larger than 1000."));
    }
    let page = number("pageNumber", 1).ok_or_else(bad_number)?;
    let start = (page - 1).saturating_mul(size);
    if page > 1 && start >= all.len() {
        return Err(bad_number());
    }
    let elements = all.iter().skip(start).take(size).map(element).collect();
    let pagination = Element::new("pagination")
        .with("pageNumber", page)
        .with("pageSize", size)
        .with("totalAvailable", all.len());
    Ok(Answer::ok(Element::root().child(pagination).child(Element::new(wrapper).many(elements))))
}
