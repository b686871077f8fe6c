//! Accounts of the instance: passwords, and tokens of an OAuth application.

use crate::support::{NOTE, done, failed, last, message, only, queued, reason, start, succeeded};
use serde_json::json;
use std::time::Duration;
use testkit::TestEnvironment;

/// Puts the OAuth application into the secret.
fn use_application(environment: &TestEnvironment, secret: &str) {
    let (id, _) = environment.servicenow.application();
    let instance = environment.servicenow.url();
    let secret = json!({ "instance": instance, "client_id": id, "client_secret": secret });
    environment.aws.create_secret("servicenow", secret);
}

#[tokio::test]
async fn a_password_is_rotated_without_a_restart() {
    let environment = start(NOTE).await;
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;

    environment.servicenow.set_password("another-not-a-secret-of-the-sample");
    let again = failed(&environment);
    let said = reason(&environment, &function, &message(&again)).await;
    assert!(
        said.contains("401 (User Not Authenticated")
            && said.contains("put a valid credential into the ServiceNow secret"),
        "{said}"
    );
    assert_eq!(last(&function, "outcome"), "misconfigured", "the operator has an alarm at once");

    let secret = json!({
        "instance": environment.servicenow.url(), "user": "tableau.integration", "password": "another-not-a-secret-of-the-sample",
    });
    environment.aws.create_secret("servicenow", secret);
    // A secret that was read less than five seconds ago is not read again.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(
        function.failures(&message(&again).received(2)).await.is_empty(),
        "{}",
        function.logs().join("\n")
    );
    assert_eq!(only(&environment).work_notes().len(), 1);
    let logs = function.logs();
    environment.assert_no_secret_in(&logs);
    assert!(!logs.iter().any(|line| line.contains("another-not-a-secret")));
}

// D040
#[tokio::test]
async fn a_token_serves_until_shortly_before_its_end_and_a_revoked_one_is_replaced_once() {
    let environment = start(NOTE).await;
    let (_, secret) = environment.servicenow.application();
    use_application(&environment, &secret);
    environment.servicenow.set_token_life(Duration::from_secs(4));
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    assert_eq!(environment.servicenow.tokens_given(), 1, "a search and a create");

    tokio::time::sleep(Duration::from_secs(4)).await;
    done(&function, &failed(&environment)).await;
    assert_eq!(environment.servicenow.tokens_given(), 2);
    assert_eq!(environment.servicenow.refusals(), [], "a new one before the old one has ended");

    environment.servicenow.set_token_life(Duration::from_secs(1_799));
    environment.servicenow.revoke_tokens();
    done(&function, &succeeded(&environment)).await;
    assert_eq!(only(&environment).work_notes().len(), 2);
    let refused: Vec<u16> = environment.servicenow.refusals().iter().map(|call| call.status).collect();
    assert!(refused.len() <= 1 && refused.iter().all(|status| *status == 401), "{refused:?}");
    assert_eq!(environment.servicenow.tokens_given(), 3);
    environment.assert_no_secret_in(&function.logs());
}

// D040
#[tokio::test]
async fn a_token_that_is_refused_twice_and_a_wrong_application_wait_for_a_person() {
    let environment = start(NOTE).await;
    let (_, secret) = environment.servicenow.application();
    use_application(&environment, &secret);
    environment.servicenow.set_token_life(Duration::ZERO);
    let function = queued(&environment);
    let failure = failed(&environment);
    let said = reason(&environment, &function, &message(&failure)).await;
    assert!(said.contains("401") && said.contains("An OAuth token that is refused twice"), "{said}");
    assert_eq!(
        (environment.servicenow.tokens_given(), last(&function, "outcome").as_str()),
        (2, "misconfigured")
    );

    environment.servicenow.allow_client_credentials(false);
    let said = reason(&environment, &function, &message(&failure).received(2)).await;
    assert!(said.contains("unsupported_grant_type") && said.contains("grant_type.enabled"), "{said}");
    environment.servicenow.allow_client_credentials(true);
    environment.servicenow.set_token_life(Duration::from_secs(60));
    assert!(
        function.failures(&message(&failure).received(3)).await.is_empty(),
        "{}",
        function.logs().join("\n")
    );
    only(&environment);
}

#[tokio::test]
async fn a_secret_that_cannot_work_says_what_to_do_and_nothing_is_sent() {
    for (secret, expected) in [
        (json!({ "instance": "", "user": "", "password": "" }), "fill in `user` and `password`"),
        (
            json!({ "instance": "http://example.service-now.com", "user": "u", "password": "hunter2" }),
            "`instance` is not https",
        ),
    ] {
        let environment = start(NOTE).await;
        environment.aws.create_secret("servicenow", secret);
        let function = queued(&environment);
        let failure = failed(&environment);
        let said = reason(&environment, &function, &message(&failure)).await;
        assert!(said.contains(expected) && !said.contains("hunter2"), "{said}");
        assert!(environment.servicenow.calls().is_empty());
    }
}
