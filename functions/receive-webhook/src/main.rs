//! Lambda entry point. The function is in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), workflow::BoxError> {
    receive_webhook::serve().await
}
