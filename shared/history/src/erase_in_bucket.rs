//! Takes a person out of all that the export and the report keep.

use crate::erase::{Erased, erase_file};
use crate::erased_people::ErasedPeople;
use crate::error::Error;
use crate::files::{Files, Version, packed, unpacked};
use crate::weekly::Reports;
use jiff::Timestamp;
use std::collections::BTreeMap;
use store::Documents;

/// How often a file is read again because an export has written it in between.
const MOST_TRIES: usize = 10;

/// What was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasedFiles {
    /// How many files named the person.
    pub files: usize,
    /// How many of their rows did.
    pub rows: u64,
}

/// Takes a person out of all files, of the reports that were not sent yet, and of later exports and reports. Needs `dynamodb:GetItem` and
/// `dynamodb:UpdateItem` on the table, and `s3:ListBucket`, `s3:GetObject` and `s3:PutObject` on the bucket.
///
/// # Errors
/// [`Error`]. What was erased stays so; a second call does the rest.
pub async fn erase_person(
    documents: &Documents,
    files: Option<&Files>,
    person: &str,
    now: Timestamp,
) -> Result<ErasedFiles, Error> {
    // An export at the same moment looks into this document after it has written, so the files are looked at after this.
    documents.change(ErasedPeople::KEY, now, |erased: &mut ErasedPeople| erased.add(person)).await?;
    documents.change(Reports::KEY, now, Reports::forget_pending).await?;
    let mut changed = ErasedFiles::default();
    let Some(files) = files else { return Ok(changed) };
    for key in files.that_name(person).await?.into_keys() {
        let rows = files.erase(&key, person).await?;
        changed.rows += rows;
        changed.files += usize::from(rows > 0);
    }
    Ok(changed)
}

impl Files {
    /// The keys of the files that name a person, each with how many rows do. Needs `s3:ListBucket` and `s3:GetObject`.
    ///
    /// # Errors
    /// [`Error::Bucket`], and [`Error::File`] for a file that the export has not written.
    pub async fn that_name(&self, person: &str) -> Result<BTreeMap<String, u64>, Error> {
        let mut found = BTreeMap::new();
        for key in self.keys().await? {
            if let Some((erased, _)) = self.without(&key, person).await? {
                found.insert(key, erased.rows);
            }
        }
        Ok(found)
    }

    /// Takes a person out of a file. Returns how many rows named the person. What an export writes at the same time is not lost. Needs
    /// `s3:GetObject` and `s3:PutObject`.
    ///
    /// # Errors
    /// As [`Self::that_name`].
    pub async fn erase(&self, key: &str, person: &str) -> Result<u64, Error> {
        // A write whose answer was lost is made again by the client, and refused then.
        let mut maybe_written = 0;
        for _ in 0..MOST_TRIES {
            let Some((erased, version)) = self.without(key, person).await? else { return Ok(maybe_written) };
            if self.replace(key, packed(&erased.lines), &version).await? {
                return Ok(erased.rows);
            }
            maybe_written = erased.rows;
        }
        let reason = "others write it all the time; try again".to_owned();
        Err(Error::Bucket { action: "write", key: key.to_owned(), reason })
    }

    /// A file without the person, and the version that was read; `None` if it does not name them, or is gone.
    async fn without(&self, key: &str, person: &str) -> Result<Option<(Erased, Version)>, Error> {
        let Some((bytes, version)) = self.get_version(key).await? else { return Ok(None) };
        let erased = erase_file(key, &unpacked(key, &bytes)?, person)?;
        Ok(erased.filter(|erased| erased.rows > 0).map(|erased| (erased, version)))
    }
}
