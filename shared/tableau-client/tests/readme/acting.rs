use std::sync::Arc;
use std::time::Duration;
use tableau_client::{ActAs, BoxError, Filter, FixedCredential, OwnSession, Settings, TableauCredential};

/// How many workbooks Ana sees, with a connected app that may sign in as any user.
pub(crate) async fn workbooks_of_ana(server: &str, secret: &str) -> Result<usize, BoxError> {
    let app = TableauCredential::from_json(secret)?;
    let ana = ActAs::UserName("ana@example.com".to_owned());
    let settings = Settings::new(server, "marketing", "3.24")?.acting_as(ana);
    let client = OwnSession::new(http_client::client(None)?, settings, Arc::new(FixedCredential::new(app)));
    // Five seconds from here on, for all pages together.
    let quick = client.within(Duration::from_secs(5));
    let workbooks = quick.workbooks(Filter::all()).all(1_000).await;
    // Also after an error: otherwise the session would stay open.
    let signed_out = client.sign_out().await;
    let workbooks = workbooks?.len();
    signed_out?;
    Ok(workbooks)
}
