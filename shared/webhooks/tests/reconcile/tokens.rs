//! A new token of the URL.

use crate::prelude::*;
use crate::scene::{Scene, rules, token};
use secrecy::ExposeSecret;
use std::time::Instant;

#[tokio::test]
async fn webhooks_get_the_new_token_after_the_ingress_has_had_time_to_learn_it() {
    let mut scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.routine(0).await;
    scene.put_tokens("b", "a");
    scene.reconciler.settling = Duration::from_secs(2);
    let began = Instant::now();
    scene.routine(15).await;
    assert!(began.elapsed() >= Duration::from_secs(2));
    assert!(scene.webhook().await.url.ends_with(token("b").expose_secret()));
}
