//! Puts a file where a rule says.

use crate::exports::{Target, hash};
use crate::notes::{late, note, times};
use circuit::{Circuits, Guarded};
use jiff::{SignedDuration, Zoned};
use publishing::{Error, Existing, Pieces, Place, Problem, S3, SharePoint, Uploaded, clean, fit};
use rules::settings::{IfExists, PdfDestination};
use tokio::time::Instant;
use workflow::{Failure, Invocation};

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
            return match self.to_s3(target, pieces, until, invocation).await {
                Ok(uploaded) => Ok(Published::There { uploaded, note: String::new() }),
                Err(error) => Err(failed(target, error, invocation).await),
            };
        }
        let stem = &target.file.stem;
        let in_use = format!("in-use/{}", target.key());
        let since = times(invocation, &in_use).first().copied();
        let long = since.filter(|since| invocation.now.duration_since(*since) >= IN_USE);
        let beside = long.map(|since| {
            let said =
                format!("the file `{stem}` has been in use since {}", since.strftime("%Y-%m-%d %H:%M UTC"));
            (clean(&format!("{stem} {}", time.strftime("%Y-%m-%d %H%M"))).0, said)
        });
        let is_in_use = |put: &Result<_, Guarded<Error>>| matches!(put, Err(Guarded::Call(error)) if error.problem() == Some(Problem::InUse));
        // What the rule keeps, it keeps also while it is in use: so the wanted name is tried first.
        let keeps = target.settings.if_exists == IfExists::Keep;
        let (name, said) = match &beside {
            Some((name, said)) if !keeps => (name.as_str(), said.as_str()),
            _ => (stem.as_str(), ""),
        };
        let mut put = (self.to_sharepoint(target, name, pieces, until, invocation).await, said);
        if let (true, true, Some((name, said))) = (keeps, is_in_use(&put.0), &beside) {
            put = (self.to_sharepoint(target, name, pieces, until, invocation).await, said);
        }
        let is_in_use = is_in_use(&put.0);
        match put {
            (Ok(uploaded), said) => Ok(Published::There { uploaded, note: said.to_owned() }),
            (Err(Guarded::Call(error)), _) if error.problem() == Some(Problem::Exists) => Ok(Published::Kept),
            (Err(error), _) if is_in_use => {
                if since.is_none() {
                    note(invocation, &in_use).await?;
                }
                Err(error.into())
            }
            (Err(error), _) => Err(failed(target, error, invocation).await),
        }
    }

    /// The same text for the same file, whichever rule asks for it.
    pub(crate) async fn place(&self, target: &Target) -> String {
        let settings = &target.settings;
        let file = &target.file;
        let path = fit(&file.folders, &file.stem, ".pdf", &file.id, 0).unwrap_or_default().join("/");
        if settings.to == Some(PdfDestination::S3) {
            return hash(&format!("s3/{}/{path}", settings.bucket.as_deref().unwrap_or_default()));
        }
        // Without a library the file cannot be published, which is told then.
        let drive = self.sharepoint.drive(settings.drive.as_deref()).await.unwrap_or_default();
        // SharePoint takes names that differ in case for the same.
        hash(&format!("sharepoint/{drive}/{}", path.to_lowercase()))
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
            let (event, ends) = (target.event.as_str(), invocation.ends_at());
            let place = Place { drive: Some(&drive), path: &path, existing, event, ends };
            let uploaded = self.sharepoint.upload(&place, pieces, until).await?;
            let sent = path.last().map(String::as_str).unwrap_or_default();
            let is_other = !uploaded.name.is_empty() && uploaded.name.to_lowercase() != sent.to_lowercase();
            if is_other && existing != Existing::Rename {
                let stored = plain_text::one_line(&uploaded.name);
                tracing::warn!(sent, stored, "SharePoint stored the file under another name");
            }
            Ok(uploaded)
        };
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        Box::pin(self.circuits.call("", invocation.time(), upload, Error::call_result)).await
    }
}

/// What a failed upload means. One that has too little time again and again, a person has to help.
async fn failed(target: &Target, error: Guarded<Error>, invocation: &Invocation) -> Failure {
    let is_late = matches!(&error, Guarded::Call(Error::OutOfTime { .. }));
    match is_late {
        true => late(invocation, &target.key(), error.into()).await,
        false => error.into(),
    }
}
