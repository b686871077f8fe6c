//! Pagination of lists.

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;

/// The page size and page number.
struct Page {
    size: usize,
    number: usize,
}

fn beyond_the_end() -> RestError {
    RestError::new("400006", "The page number is not an integer, less than one, or beyond the end.")
}

fn asked(call: &Call<'_>) -> Result<Page, RestError> {
    let number = |name: &str, default: usize| match call.query(name) {
        None => Some(default),
        Some(text) => text.parse::<usize>().ok().filter(|n| *n > 0),
    };
    let bad_size =
        || RestError::new("400007", "The page size parameter is not an integer, or is less than one.");
    let size = number("pageSize", 100).ok_or_else(bad_size)?;
    if size > 1000 {
        return Err(RestError::new("403014", "The page size is larger than 1000."));
    }
    Ok(Page { size, number: number("pageNumber", 1).ok_or_else(beyond_the_end)? })
}

/// Refuses invalid page sizes and page numbers.
pub(crate) fn check(call: &Call<'_>) -> Result<(), RestError> {
    asked(call).map(|_| ())
}

/// The requested page of `all`, as a list inside `wrapper` after a pagination block.
pub(crate) fn answer<T>(
    call: &Call<'_>,
    wrapper: &'static str,
    all: &[T],
    element: impl Fn(&T) -> Element,
) -> Result<Answer, RestError> {
    let Page { size, number } = asked(call)?;
    let start = (number - 1).saturating_mul(size);
    if number > 1 && start >= all.len() {
        return Err(beyond_the_end());
    }
    let elements = all.iter().skip(start).take(size).map(element).collect();
    let pagination = Element::new("pagination")
        .with("pageNumber", number)
        .with("pageSize", size)
        .with("totalAvailable", all.len());
    Ok(Answer::ok(Element::root().child(pagination).child(Element::new(wrapper).many(elements))))
}

/// The requested page of `all` without a pagination block. A page beyond the end is empty.
pub(crate) fn answer_without_total<T>(
    call: &Call<'_>,
    wrapper: &'static str,
    all: &[T],
    element: impl Fn(&T) -> Element,
) -> Result<Answer, RestError> {
    let Page { size, number } = asked(call)?;
    let elements = all.iter().skip((number - 1).saturating_mul(size)).take(size).map(element).collect();
    Ok(Answer::ok(Element::root().child(Element::new(wrapper).many(elements))))
}

/// A list for which Tableau documents no pagination: complete and without a pagination block. A call that asks for a
/// page gets that page and a block.
pub(crate) fn answer_whole(
    call: &Call<'_>,
    wrapper: &'static str,
    all: Vec<Element>,
) -> Result<Answer, RestError> {
    if ["pageSize", "pageNumber"].iter().any(|name| call.query(name).is_some()) {
        return answer(call, wrapper, &all, Element::clone);
    }
    Ok(Answer::ok(Element::root().child(Element::new(wrapper).many(all))))
}
