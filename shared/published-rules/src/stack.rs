//! What deploys of the stack publish.

use crate::published::{Publication, PublishError, PublishedRules, checked};
use crate::version::{InForce, Source, Version, sha256};
use jiff::Timestamp;
use workflow::BoxError;

/// What a deploy of the stack, or its rollback, did to the rules.
#[derive(Clone, Debug)]
pub enum Deployed {
    /// It published this version.
    Published(Version),
    /// It changed nothing.
    Unchanged(InForce),
}

impl PublishedRules {
    /// Publishes the file of a stack deploy, unless it is the same as that of the last stack deploy: what `rules deploy` has
    /// published since then stays. `layer`: the ARN of the layer with the file.
    ///
    /// # Errors
    /// [`PublishError`]. The version in force stays.
    pub async fn deploy_stack(
        &self,
        text: &str,
        layer: Option<&str>,
        published_by: &str,
        at: Timestamp,
    ) -> Result<Deployed, PublishError> {
        let in_force = self.in_force().await.map_err(PublishError::Table)?;
        // Without a version that can be read, the file is better than what functions have.
        if let InForce::Version(version, _) = &in_force
            && self.stack_file(version).await.map_err(PublishError::Table)? == sha256(text)
        {
            return Ok(Deployed::Unchanged(in_force));
        }
        let publication = Publication { text, source: Source::StackDeploy, published_by, at };
        let version = Version { layer: layer.map(ToOwned::to_owned), ..checked(&publication)? };
        self.put(version, None).await.map(Deployed::Published)
    }

    /// Takes back what the stack deploy with this layer has published: the version before it is published again. If another
    /// version is in force, it stays.
    ///
    /// # Errors
    /// [`PublishError::Table`]. The version in force stays.
    pub async fn roll_back_stack(
        &self,
        layer: &str,
        published_by: &str,
        at: Timestamp,
    ) -> Result<Deployed, PublishError> {
        let in_force = self.in_force().await.map_err(PublishError::Table)?;
        let InForce::Version(version, _) = &in_force else { return Ok(Deployed::Unchanged(in_force)) };
        if version.source != Source::StackDeploy || version.layer.as_deref() != Some(layer) {
            return Ok(Deployed::Unchanged(in_force));
        }
        let before = self.history_before(version.number).next().await.map_err(PublishError::Table)?;
        let Some(before) = before else { return Ok(Deployed::Unchanged(in_force)) };
        let stack_file = self.stack_file(&before).await.map_err(PublishError::Table)?;
        // As it is, without a check: it was in force, and a refusal would leave the stack half rolled back.
        let again = Version {
            published_at: at,
            published_by: published_by.to_owned(),
            source: Source::Rollback(before.number),
            layer: Some(layer.to_owned()),
            stack_file: Some(stack_file),
            ..before
        };
        match self.put(again, Some(&in_force)).await {
            Ok(version) => Ok(Deployed::Published(version)),
            // A version that was published meanwhile is newer than the deploy.
            Err(PublishError::Conflict) => {
                self.in_force().await.map(Deployed::Unchanged).map_err(PublishError::Table)
            }
            Err(error) => Err(error),
        }
    }

    /// The SHA-256 of the file of the last stack deploy before or with this version; empty if there was none.
    async fn stack_file(&self, version: &Version) -> Result<String, BoxError> {
        if let Some(noted) = version.stack_file() {
            return Ok(noted);
        }
        let mut history = self.history_before(version.number);
        while let Some(earlier) = history.next().await? {
            if let Some(noted) = earlier.stack_file() {
                return Ok(noted);
            }
        }
        Ok(String::new())
    }
}
