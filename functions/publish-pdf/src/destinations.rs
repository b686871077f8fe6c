//! Puts a file where a rule says.

use crate::exports::Target;
use circuit::{Circuits, Guarded};
use jiff::{SignedDuration, Timestamp, Zoned};
use publishing::{Error, Existing, Pieces, Place, Problem, S3, SharePoint, Uploaded, clean, fit};
use rules::settings::{IfExists, PdfDestination};
use tokio::time::Instant;
use workflow::{Effect, Failure, Invocation};

/// How long a file that is in use is waited for, before the new one gets a name of its own.
const IN_USE: SignedDuration = SignedDuration::from_mins(20);

/// The services that files go to.
#[derive(Debug)]
pub struct Destinations {
    sharepoint: SharePoint,
    circuits: Circuits,
    s3: S3,
    s3_circuits: Circuits,
}

/// What came of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// It is there.
    There {
        uploaded: Uploaded,
        /// What people should know about it: empty, or a sentence.
        note: String,
    },
    /// A file of this name is there, and the rule keeps it.
    Kept,
}

impl Destinations {
    /// SharePoint and S3, each behind a circuit breaker.
    pub fn new(sharepoint: SharePoint, circuits: Circuits, s3: S3, s3_circuits: Circuits) -> Self {
        Self { sharepoint, circuits, s3, s3_circuits }
    }

    /// Puts a file there, until `until`.
    pub(crate) async fn publish(
        &self,
        target: &Target,
        pieces: &Pieces<'_>,
        time: &Zoned,
        until: Instant,
        invocation: &Invocation,
    ) -> Result<Published, Failure> {
        if target.settings.to == Some(PdfDestination::S3) {
            let uploaded = self.to_s3(target, pieces, until, invocation).await?;
            return Ok(Published::There { uploaded, note: String::new() });
        }
        let mut note = String::new();
        let mut stem = target.file.stem.clone();
        if let Some(since) = in_use_since(target, invocation)
            && invocation.now.duration_since(since) >= IN_USE
        {
            note = format!("the file `{stem}` has been in use since {}", since.strftime("%H:%M UTC"));
            stem = clean(&format!("{stem} {}", time.strftime("%Y-%m-%d %H%M"))).0;
        }
        match self.to_sharepoint(target, &stem, pieces, until, invocation).await {
            Ok(uploaded) => {
                if !uploaded.name.is_empty()
                    && !uploaded.name.starts_with(&stem)
                    && target.settings.if_exists != IfExists::Rename
                {
                    tracing::warn!(
                        sent = stem,
                        stored = uploaded.name,
                        "SharePoint stored the file under another name"
                    );
                }
                Ok(Published::There { uploaded, note })
            }
            Err(Guarded::Call(error)) if error.problem() == Some(Problem::Exists) => Ok(Published::Kept),
            Err(Guarded::Call(error)) if error.problem() == Some(Problem::InUse) => {
                if in_use_since(target, invocation).is_none() {
                    let effect = Effect::from(
                        format!("in-use/{}/{}", target.key(), invocation.now.as_second()).as_str(),
                    );
                    invocation.once(effect, async { Ok::<_, Failure>(()) }).await?;
                }
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn to_s3(
        &self,
        target: &Target,
        pieces: &Pieces<'_>,
        until: Instant,
        invocation: &Invocation,
    ) -> Result<Uploaded, Guarded<Error>> {
        let bucket = target.settings.bucket.as_deref().unwrap_or_default();
        let upload = async {
            let file = &target.file;
            let path = fit(&file.folders, &file.stem, ".pdf", &file.id, 0)?;
            self.s3.upload(bucket, &path, pieces, until).await
        };
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        Box::pin(self.s3_circuits.call(bucket, invocation.time(), upload, Error::call_result)).await
    }

    async fn to_sharepoint(
        &self,
        target: &Target,
        stem: &str,
        pieces: &Pieces<'_>,
        until: Instant,
        invocation: &Invocation,
    ) -> Result<Uploaded, Guarded<Error>> {
        let settings = &target.settings;
        let upload = async {
            let drive = self.sharepoint.drive(settings.drive.as_deref()).await?;
            let before = self.sharepoint.path_before(&drive).await?;
            let file = &target.file;
            let path = fit(&file.folders, stem, ".pdf", &file.id, before)?;
            let existing = match settings.if_exists {
                IfExists::Replace => Existing::Replace,
                IfExists::Rename => Existing::Rename,
                IfExists::Keep => Existing::Keep,
            };
            let place = Place { drive: Some(&drive), path: &path, existing };
            self.sharepoint.upload(&place, pieces, until).await
        };
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        Box::pin(self.circuits.call("", invocation.time(), upload, Error::call_result)).await
    }
}

/// Since when earlier attempts have found the file in use.
fn in_use_since(target: &Target, invocation: &Invocation) -> Option<Timestamp> {
    let begins = format!("in-use/{}/", target.key());
    let mut since = invocation.happened().filter_map(|effect| {
        let text = effect.to_string();
        Timestamp::from_second(text.strip_prefix(&begins)?.parse().ok()?).ok()
    });
    since.next()
}
