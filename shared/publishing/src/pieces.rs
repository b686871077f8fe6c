//! A file on disk that is sent in pieces, so that its size does not matter to memory.

use bytes::Bytes;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The size of a piece: 16 times the 320 KiB that Microsoft Graph wants pieces to be a multiple of, and the least that S3 takes.
pub const PIECE_BYTES: usize = 16 * 320 * 1024;

/// A whole file.
#[derive(Debug)]
pub struct Pieces<'a> {
    file: &'a File,
    size_bytes: u64,
}

impl<'a> Pieces<'a> {
    /// The first `size_bytes` of a file, which has that many.
    pub fn new(file: &'a File, size_bytes: u64) -> Self {
        Self { file, size_bytes }
    }

    /// How many bytes there are.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The piece that begins at `offset`.
    ///
    /// # Errors
    /// The system's, when the file cannot be read.
    pub fn at(&self, offset: u64) -> io::Result<Bytes> {
        let left = usize::try_from(self.size_bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut piece = vec![0; left.min(PIECE_BYTES)];
        self.file.read_exact_at(&mut piece, offset)?;
        Ok(Bytes::from(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_is_read_in_pieces_whose_last_one_is_the_rest() {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..PIECE_BYTES + 7).map(|n| (n % 251) as u8).collect();
        file.write_all(&content).unwrap();
        let pieces = Pieces::new(&file, content.len() as u64);

        let first = pieces.at(0).unwrap();
        let last = pieces.at(PIECE_BYTES as u64).unwrap();

        assert_eq!((first.len(), last.len()), (PIECE_BYTES, 7));
        assert_eq!([first, last].concat(), content);
        assert!(pieces.at(content.len() as u64).unwrap().is_empty());
    }
}
