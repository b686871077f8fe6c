//! Route keys, and the choice of the route for a request. No I/O.

use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use std::fmt;

/// The key of a route, such as `GET /pets/{id}`, `ANY /files/{path+}` or `$default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteKey {
    text: String,
    /// The path segments; `None` for the route `$default`.
    pattern: Option<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    /// The HTTP method; `None` for `ANY`.
    method: Option<String>,
    segments: Vec<Segment>,
}

/// The routes, ordered from the most to the least specific.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
    Greedy(String),
}

/// How specific a match is; the smallest wins. A full match comes before a match with a greedy parameter; then,
/// segment by segment, a literal comes before a parameter; then a method comes before `ANY`.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation>
type Specificity = (bool, Vec<u8>, bool);

/// Path parameters by name, percent-decoded.
pub(crate) type PathParameters = BTreeMap<String, String>;

impl RouteKey {
    /// Parses a route key.
    ///
    /// # Errors
    /// A sentence that says what API Gateway would refuse.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = |reason: &str| Err(format!("`{text}` {reason}"));
        if text == "$default" {
            return Ok(Self { text: text.to_owned(), pattern: None });
        }
        let Some((method, path)) = text.split_once(' ') else { return refuse("is not a method and a path") };
        if !["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"].contains(&method) {
            return refuse("has an unknown method");
        }
        let Some(path) = path.strip_prefix('/') else { return refuse("has a path without a slash") };
        let segments: Vec<Segment> = path.split('/').map(Segment::parse).collect();
        let greedy = segments.iter().position(|segment| matches!(segment, Segment::Greedy(_)));
        if greedy.is_some_and(|at| at + 1 < segments.len()) {
            return refuse("has a greedy parameter before its end");
        }
        let method = (method != "ANY").then(|| method.to_owned());
        Ok(Self { text: text.to_owned(), pattern: Some(Pattern { method, segments }) })
    }

    fn matches(&self, method: &str, path: &str) -> Option<(Option<Specificity>, PathParameters)> {
        let Some(pattern) = &self.pattern else { return Some((None, PathParameters::new())) };
        if pattern.method.as_deref().is_some_and(|wanted| wanted != method) {
            return None;
        }
        let mut parameters = PathParameters::new();
        let mut ranks = Vec::new();
        let mut rest = path.strip_prefix('/')?.split('/');
        for segment in &pattern.segments {
            let given = rest.next()?;
            match segment {
                Segment::Literal(literal) => {
                    if decoded(given) != *literal {
                        return None;
                    }
                    ranks.push(0);
                }
                Segment::Parameter(name) => {
                    if given.is_empty() {
                        return None;
                    }
                    parameters.insert(name.clone(), decoded(given));
                    ranks.push(1);
                }
                Segment::Greedy(name) => {
                    let whole = std::iter::once(given).chain(rest.by_ref()).collect::<Vec<_>>().join("/");
                    if whole.is_empty() {
                        return None;
                    }
                    parameters.insert(name.clone(), decoded(&whole));
                    ranks.push(2);
                }
            }
        }
        let greedy = ranks.contains(&2);
        rest.next().is_none().then_some((Some((greedy, ranks, pattern.method.is_none())), parameters))
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
            None => Self::Literal(text.to_owned()),
        }
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Percent-decodes a text.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The route for a request, and its path parameters. `$default` gets the requests that no other route matches.
pub(super) fn find<'a, T>(
    routes: &'a [T],
    key: impl Fn(&T) -> &RouteKey,
    method: &str,
    path: &str,
) -> Option<(&'a T, PathParameters)> {
    let matching = routes.iter().filter_map(|route| {
        let (specificity, parameters) = key(route).matches(method, path)?;
        Some((specificity, route, parameters))
    });
    let best = matching.min_by(|(one, ..), (other, ..)| {
        // `None` stands for `$default`, which is ordered last.
        one.is_none().cmp(&other.is_none()).then_with(|| one.cmp(other))
    });
    best.map(|(_, route, parameters)| (route, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(routes: &[&str], method: &str, path: &str) -> Option<(String, Vec<(String, String)>)> {
        let keys: Vec<RouteKey> = routes.iter().map(|route| RouteKey::parse(route).unwrap()).collect();
        let (key, parameters) = find(&keys, |key| key, method, path)?;
        Some((key.to_string(), parameters.into_iter().collect()))
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes = [
            "$default",
            "ANY /pets/{id}",
            "GET /pets/{id}",
            "ANY /pets/dog",
            "ANY /pets/{proxy+}",
            "ANY /{kind}/dog/food",
            "POST /pets",
        ];
        for (method, path, expected) in [
            ("GET", "/pets/cat", "GET /pets/{id}"),
            ("PUT", "/pets/cat", "ANY /pets/{id}"),
            ("GET", "/pets/dog", "ANY /pets/dog"),
            ("GET", "/pets/dog/food", "ANY /{kind}/dog/food"),
            ("GET", "/pets/cat/food", "ANY /pets/{proxy+}"),
            ("POST", "/pets", "POST /pets"),
            ("GET", "/pets", "$default"),
            ("GET", "/pets/", "$default"),
            ("GET", "/", "$default"),
        ] {
            assert_eq!(found(&routes, method, path).unwrap().0, expected, "{method} {path}");
        }
        assert_eq!(found(&routes[1..], "GET", "/pets"), None);
    }

    #[test]
    fn parameters_are_decoded_and_never_empty() {
        let parameters = |path| found(&["ANY /webhooks/{name}/{rest+}"], "POST", path).map(|(_, p)| p);
        let expected = vec![("name".to_owned(), "a b/ü".to_owned()), ("rest".to_owned(), "x/y z".to_owned())];
        assert_eq!(parameters("/webhooks/a%20b%2F%C3%BC/x/y%20z"), Some(expected));
        assert_eq!(parameters("/webhooks//x"), None);
        assert_eq!(parameters("/webhooks/a/"), None);
        assert_eq!(parameters("/webhooks/a"), None);
    }

    #[test]
    fn keys_api_gateway_refuses_are_refused() {
        for text in ["/pets", "FETCH /pets", "GET pets", "ANY /{a+}/b", ""] {
            assert!(RouteKey::parse(text).is_err(), "{text}");
        }
    }
}
