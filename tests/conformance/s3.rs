//! AWS's own Python client against our double of Amazon S3.

use super::{python, script};
use testkit::TestEnvironment;
use testkit::local_aws::REGION;

#[tokio::test]
async fn awss_own_client_finds_in_the_double_what_it_expects() {
    let Some(python) = python() else { return };
    let environment = TestEnvironment::start().await;
    let aws = &environment.aws;
    aws.create_bucket("history");
    let keys = aws.keys();
    let arguments =
        ["double", aws.url(), REGION, keys.access_key_id(), keys.secret_access_key(), keys.session_token()];
    script(&python, "s3.py", &arguments).await;
    assert_eq!(aws.objects().len(), 6);
}
