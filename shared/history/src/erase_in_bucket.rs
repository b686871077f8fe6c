//! Takes a person out of the bucket.

use crate::erase::{Erased, erase_file};
use crate::error::Error;
use crate::files::{Files, Version, packed, unpacked};

/// How often a file is read again because an export has written it in between.
const MOST_TRIES: usize = 10;

impl Files {
    /// The keys of the files that name a person. Needs `s3:ListBucket` and `s3:GetObject`.
    ///
    /// # Errors
    /// [`Error::Bucket`], and [`Error::File`] for a file that the export has not written.
    pub async fn that_name(&self, person: &str) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        for key in self.keys().await? {
            if self.without(&key, person).await?.is_some() {
                found.push(key);
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
        for _ in 0..MOST_TRIES {
            let Some((erased, version)) = self.without(key, person).await? else { return Ok(0) };
            if self.replace(key, packed(&erased.lines), &version).await? {
                return Ok(erased.rows);
            }
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
