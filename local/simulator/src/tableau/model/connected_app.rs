//! Connected apps with direct trust, and the scopes of their calls.
//!
//! Source: <https://help.tableau.com/current/server/en-us/connected_apps_direct.htm>

#[derive(Clone, Debug)]
pub(crate) struct ConnectedApp {
    pub(crate) client_id: String,
    /// Secret ids and secrets: at most two, so that secrets can be rotated.
    pub(crate) secrets: Vec<(String, String)>,
}

/// Whether one of the scopes covers the required scope; `*` stands for one part.
pub(crate) fn covers(scopes: &[String], needed: &str) -> bool {
    let needed: Vec<&str> = needed.split(':').collect();
    let one = |scope: &String| {
        let parts: Vec<&str> = scope.split(':').collect();
        parts.len() == needed.len()
            && parts.iter().zip(&needed).all(|(part, need)| *part == "*" || part == need)
    };
    scopes.iter().any(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_part_of_a_scope() {
        let scopes = ["tableau:views:*".to_owned(), "tableau:content:read".to_owned()];
        assert!(covers(&scopes, "tableau:views:download") && covers(&scopes, "tableau:content:read"));
        assert!(!covers(&scopes, "tableau:workbooks:download") && !covers(&scopes, "tableau:views"));
    }
}
