//! Upload sessions.
//!
//! Source: <https://learn.microsoft.com/graph/api/driveitem-createuploadsession>

use super::refusal::{Refused, refused};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What the size of each piece but the last is a multiple of.
const UNIT: u64 = 320 * 1024;
/// What a piece is smaller than.
const LARGEST: u64 = 60 * 1024 * 1024;
/// How many bytes of a file are kept.
const KEPT: usize = 8 * 1024 * 1024;

/// An open session.
#[derive(Debug)]
pub(super) struct UploadSession {
    pub(super) drive: String,
    pub(super) path: String,
    /// What the address has beside the id.
    pub(super) secret: String,
    pub(super) behaviour: String,
    next: u64,
    total: Option<u64>,
    hash: Sha256,
    content: Vec<u8>,
}

/// What a piece leads to.
pub(super) enum Taken {
    /// More is expected.
    More,
    /// That was the last one: size, content and SHA-256 of the file.
    Whole(u64, Vec<u8>, String),
}

impl UploadSession {
    pub(super) fn new(drive: &str, path: &str, behaviour: &str, secret: String) -> Self {
        Self {
            drive: drive.to_owned(),
            path: path.to_owned(),
            secret,
            behaviour: behaviour.to_owned(),
            next: 0,
            total: None,
            hash: Sha256::new(),
            content: Vec::new(),
        }
    }

    pub(super) fn status(&self) -> Value {
        json!({ "expirationDateTime": "2099-01-01T00:00:00Z", "nextExpectedRanges": [format!("{}-", self.next)] })
    }

    /// Takes a piece with this `Content-Range`.
    pub(super) fn take(&mut self, range: &str, piece: &[u8]) -> Result<Taken, Refused> {
        let invalid = |why: &str| refused(400, "invalidRequest", why);
        let (first, last, total) =
            parsed(range).ok_or_else(|| invalid("The Content-Range header is missing or malformed."))?;
        if last < first || last >= total || last - first + 1 != piece.len() as u64 {
            return Err(invalid(
                "The Content-Range header length does not match the provided number of bytes.",
            ));
        }
        if self.total.is_some_and(|known| known != total) {
            return Err(invalid("The total length must be the same in all requests."));
        }
        if first != self.next {
            return Err(refused(
                416,
                "invalidRange",
                "The uploaded fragment has already been received, or is not the next one.",
            ));
        }
        let is_last = last + 1 == total;
        if piece.len() as u64 >= LARGEST || (!is_last && !(piece.len() as u64).is_multiple_of(UNIT)) {
            return Err(invalid("The size of a fragment is below 60 MiB and a multiple of 320 KiB."));
        }
        self.total = Some(total);
        self.next = last + 1;
        self.hash.update(piece);
        if self.next as usize <= KEPT {
            self.content.extend_from_slice(piece);
        } else {
            self.content = Vec::new();
        }
        if !is_last {
            return Ok(Taken::More);
        }
        let sha256 = std::mem::take(&mut self.hash).finalize();
        let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Taken::Whole(total, std::mem::take(&mut self.content), sha256))
    }
}

/// `bytes 0-327679/1000000`.
fn parsed(range: &str) -> Option<(u64, u64, u64)> {
    let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()?))
}
