//! Contract of Secrets Manager.

use crate::backend::{backends, unique};
use crate::{code, refusal};

#[tokio::test]
async fn a_secret_is_read_by_its_name_and_by_its_arn() {
    for backend in backends().await {
        let client = backend.secrets();
        let name = unique("webhook-token");
        backend.secret(&name, r#"{"token":"a"}"#).await;

        let by_name = client.get_secret_value().secret_id(&name).send().await.unwrap();
        let arn = by_name.arn().unwrap();
        let by_arn = client.get_secret_value().secret_id(arn).send().await.unwrap();

        assert_eq!(by_name.secret_string(), Some(r#"{"token":"a"}"#));
        assert_eq!(by_name.name(), Some(name.as_str()));
        assert_eq!(by_name.version_stages(), ["AWSCURRENT"]);
        assert!(by_name.created_date().is_some());
        assert!(arn.contains(&format!(":secret:{name}-")), "{arn}");
        assert_eq!(by_arn.secret_string(), by_name.secret_string());
        assert_eq!(by_arn.version_id(), by_name.version_id());
    }
}

#[tokio::test]
async fn a_new_value_leaves_the_old_one_as_the_previous_version() {
    for backend in backends().await {
        let client = backend.secrets();
        let name = unique("token");
        backend.secret(&name, "first").await;

        let put = client.put_secret_value().secret_id(&name).secret_string("second").send().await.unwrap();

        let get = || client.get_secret_value().secret_id(&name);
        let current = get().send().await.unwrap();
        let previous = get().version_stage("AWSPREVIOUS").send().await.unwrap();
        let by_version = get().version_id(put.version_id().unwrap()).send().await.unwrap();
        assert_eq!(put.version_stages(), ["AWSCURRENT"]);
        assert_eq!(current.secret_string(), Some("second"));
        assert_eq!(previous.secret_string(), Some("first"));
        assert_eq!(by_version.secret_string(), Some("second"));
    }
}

#[tokio::test]
async fn a_value_can_be_put_under_its_own_label_without_becoming_current() {
    for backend in backends().await {
        let client = backend.secrets();
        let name = unique("token");
        backend.secret(&name, "first").await;

        let put =
            client.put_secret_value().secret_id(&name).secret_string("next").version_stages("AWSPENDING");
        put.send().await.unwrap();

        let get = || client.get_secret_value().secret_id(&name);
        assert_eq!(get().send().await.unwrap().secret_string(), Some("first"));
        assert_eq!(get().version_stage("AWSPENDING").send().await.unwrap().secret_string(), Some("next"));
    }
}

#[tokio::test]
async fn a_put_with_the_same_token_is_one_put() {
    for backend in backends().await {
        let client = backend.secrets();
        let name = unique("token");
        backend.secret(&name, "first").await;
        let token = uuid::Uuid::new_v4().to_string();
        let put = |value: &str| {
            client
                .put_secret_value()
                .secret_id(&name)
                .secret_string(value)
                .client_request_token(&token)
                .send()
        };

        let first = put("second").await.unwrap();
        let again = put("second").await.unwrap();

        assert_eq!(first.version_id(), Some(token.as_str()));
        assert_eq!(again.version_id(), first.version_id());
        // The emulator accepts another value under the same token; AWS documents ResourceExistsException.
        if backend.is_double() {
            assert_eq!(code(put("third").await.unwrap_err()), "ResourceExistsException");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    for backend in backends().await {
        let client = backend.secrets();
        let name = unique("token");
        backend.secret(&name, "value").await;

        let unknown = client.get_secret_value().secret_id(unique("absent")).send().await.unwrap_err();
        let put = client
            .put_secret_value()
            .secret_id(unique("absent"))
            .secret_string("x")
            .send()
            .await
            .unwrap_err();
        let stage =
            client.get_secret_value().secret_id(&name).version_stage("AWSPENDING").send().await.unwrap_err();

        assert!(unknown.as_service_error().unwrap().is_resource_not_found_exception());
        assert!(put.as_service_error().unwrap().is_resource_not_found_exception());
        assert!(stage.as_service_error().unwrap().is_resource_not_found_exception());
        assert_eq!(refusal(unknown).1, "Secrets Manager can't find the specified secret.");
        assert!(refusal(stage).1.contains("AWSPENDING"));
    }
}
