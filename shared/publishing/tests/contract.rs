//! Files of one part and of several, through the uploader to Amazon S3: to the double, and to the emulator whose URL is in `AWS_CONTRACT_URL`,
//! which is another project's idea of S3.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use aws_types::SdkConfig;
use publishing::{PIECE_BYTES, Pieces, Problem, S3};
use std::io::Write;
use std::time::Duration;
use testkit::dynamodb::config;
use testkit::local_aws::Aws;
use tokio::time::Instant;

const BUCKET: &str = "reports-of-the-contract";

/// A file whose bytes tell where they belong.
fn content(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n / 7 % 251) as u8).collect()
}

/// Uploads a small file over a larger one, and one of three parts. Returns the keys with what has to be there.
async fn upload_all(config: &SdkConfig) -> Vec<(String, Vec<u8>)> {
    let s3 = S3::new(config);
    let until = Instant::now() + Duration::from_secs(60);
    let mut uploaded = Vec::new();
    for (name, size) in
        [("Sales & more.pdf", 9_000), ("Sales & more.pdf", 700), ("R&D + Ünits #1.pdf", 2 * PIECE_BYTES + 5)]
    {
        let content = content(size);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        let path = ["Finance".to_owned(), "2026 11".to_owned(), name.to_owned()];
        let there = s3.upload(BUCKET, &path, &Pieces::new(&file, size as u64), until).await.unwrap();
        let key = path.join("/");
        assert_eq!(there.id, format!("s3://{BUCKET}/{key}"));
        uploaded.retain(|(other, _)| *other != key);
        uploaded.push((key, content));
    }
    uploaded
}

/// A bucket that there is not is told as that.
async fn assert_names_a_missing_bucket(config: &SdkConfig) {
    let file = tempfile::tempfile().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    let missing = S3::new(config)
        .upload("no-such-bucket-here", &["a.pdf".to_owned()], &Pieces::new(&file, 0), until)
        .await;
    let error = missing.unwrap_err();
    assert_eq!(error.problem(), Some(Problem::NoPlace), "{error}");
}

async fn assert_there(client: &aws_sdk_s3::Client, uploaded: &[(String, Vec<u8>)]) {
    for (key, content) in uploaded {
        let object = client.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        assert_eq!(object.content_type(), Some("application/pdf"), "{key}");
        let bytes = object.body.collect().await.unwrap().to_vec();
        assert!(bytes == *content, "{key}: {} bytes of {}", bytes.len(), content.len());
    }
}

#[tokio::test]
async fn the_double_takes_files_of_one_part_and_of_several() {
    let aws = Aws::start().await.unwrap();
    aws.create_bucket(BUCKET);
    let config = config(&aws);
    let uploaded = upload_all(&config).await;
    let objects = aws.objects();
    for (key, content) in &uploaded {
        let object = objects.iter().find(|object| object.key == *key).unwrap();
        assert!(object.content == *content && object.content_type == "application/pdf", "{key}");
    }
    assert_eq!(objects.len(), uploaded.len());
    assert_names_a_missing_bucket(&config).await;
}

#[tokio::test]
async fn the_emulator_takes_files_of_one_part_and_of_several() {
    let Some(url) = testkit::dynamodb::emulator_url() else { return };
    let config = config(&url);
    let client = aws_sdk_s3::Client::new(&config);
    // One that an earlier run has made is as good.
    let _ = client.create_bucket().bucket(BUCKET).send().await;
    let uploaded = upload_all(&config).await;
    assert_there(&client, &uploaded).await;
    assert_names_a_missing_bucket(&config).await;
}
