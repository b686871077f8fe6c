//! AWS's own Python client against our double of Amazon SES.

use super::{python, script};
use testkit::TestEnvironment;
use testkit::local_aws::{REGION, SesAccount};

#[tokio::test]
async fn awss_own_client_finds_in_the_double_what_it_expects() {
    let Some(python) = python() else { return };
    let environment = TestEnvironment::start().await;
    let aws = &environment.aws;
    aws.verify_identity("example.com");
    aws.create_configuration_set("alerts");
    aws.set_ses_account(SesAccount { is_in_sandbox: true, ..SesAccount::default() });
    let keys = aws.keys();
    let arguments =
        ["double", aws.url(), REGION, keys.access_key_id(), keys.secret_access_key(), keys.session_token()];
    script(&python, "ses.py", &arguments).await;
    let mails = aws.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].shown_subject(), "Größe");
}
