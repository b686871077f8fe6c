//! Looks at a PDF file as it passes by. No I/O.

use std::collections::VecDeque;

/// How a PDF file begins.
const HEAD: &[u8] = b"%PDF-";
/// How it ends, but for white space.
const TAIL: &[u8] = b"%%EOF";
/// How much of the end is kept.
const KEPT: usize = 64;
/// The longest run of bytes that says that an object is a page: `/Type  /Page` and one more.
const LONGEST: usize = 24;

/// What is known of a file of which all pieces were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many bytes it has.
    pub(crate) size_bytes: u64,
    /// How many pages; `None` if the file does not say it in clear text.
    pub(crate) pages: Option<u32>,
}

/// Looks at pieces of a file, in order.
#[derive(Debug, Default)]
pub(crate) struct Look {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// The end of the pieces before, in which a page may begin.
    before: Vec<u8>,
    size_bytes: u64,
    pages: u32,
}

impl Look {
    /// Sees the next piece.
    pub(crate) fn see(&mut self, piece: &[u8]) {
        self.size_bytes += piece.len() as u64;
        let missing = HEAD.len().saturating_sub(self.head.len());
        self.head.extend(piece.iter().take(missing));
        self.tail.extend(&piece[piece.len().saturating_sub(KEPT)..]);
        self.tail.drain(..self.tail.len().saturating_sub(KEPT));
        self.count(piece);
    }

    /// Counts the pages whose mark begins in the pieces before or in this one, and is whole.
    fn count(&mut self, piece: &[u8]) {
        let before = std::mem::take(&mut self.before);
        let joint = &piece[..piece.len().min(LONGEST)];
        // Marks that begin before this piece; what is whole in the pieces before was counted then.
        let across = [before.as_slice(), joint].concat();
        self.pages += marks(&across, 0..before.len(), before.len());
        let whole = piece.len().saturating_sub(LONGEST);
        self.pages += marks(piece, 0..piece.len(), 0);
        let kept = if piece.len() >= LONGEST {
            &piece[whole..]
        } else {
            &across[across.len().saturating_sub(LONGEST)..]
        };
        self.before = kept.to_vec();
    }

    /// What is known of the file; `None` if it is no whole PDF file.
    pub(crate) fn end(self) -> Option<Seen> {
        let tail: Vec<u8> = self.tail.into_iter().collect();
        let is_whole = self.head == HEAD && tail.trim_ascii_end().ends_with(TAIL);
        let pages = Some(self.pages).filter(|pages| *pages > 0);
        is_whole.then_some(Seen { size_bytes: self.size_bytes, pages })
    }
}

/// How many `/Type /Page` begin in `within` and end behind `beyond`. `/Pages` is the list of them.
fn marks(bytes: &[u8], within: std::ops::Range<usize>, beyond: usize) -> u32 {
    let mut count = 0;
    for at in within {
        if bytes[at] != b'/' || !bytes[at..].starts_with(b"/Type") {
            continue;
        }
        let rest = &bytes[at + 5..];
        let spaces = rest.iter().take(LONGEST).take_while(|byte| byte.is_ascii_whitespace()).count();
        let Some(rest) = rest[spaces..].strip_prefix(b"/Page") else { continue };
        let end = at + 5 + spaces + 5;
        // The sign behind it decides, so without it the mark is not whole.
        if rest.first().is_some_and(|next| !next.is_ascii_alphanumeric()) && end + 1 > beyond {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"%PDF-1.4\n1 0 obj <</Type/Pages/Kids[]>> 2 0 obj<</Type /Page/X 1>> 3 0 obj <</Type\n\n/Page>> /Type/PageLabel /Typ/Page\n%%EOF\r\n";

    fn look(pieces: &[&[u8]]) -> Option<Seen> {
        let mut look = Look::default();
        pieces.iter().for_each(|piece| look.see(piece));
        look.end()
    }

    #[test]
    fn pages_are_counted_wherever_the_pieces_are_cut() {
        let whole = Some(Seen { size_bytes: FILE.len() as u64, pages: Some(2) });
        assert_eq!(look(&[FILE]), whole);
        for first in 0..FILE.len() {
            assert_eq!(look(&[&FILE[..first], &FILE[first..]]), whole, "{first}");
            for second in [1, 3, 17, 40] {
                let second = (first + second).min(FILE.len());
                assert_eq!(
                    look(&[&FILE[..first], &FILE[first..second], &FILE[second..]]),
                    whole,
                    "{first} {second}"
                );
            }
        }
        let one_by_one: Vec<&[u8]> = FILE.chunks(1).collect();
        assert_eq!(look(&one_by_one), whole);
    }

    // E02
    #[test]
    fn what_is_no_whole_file_is_none() {
        assert_eq!(look(&[&FILE[..FILE.len() / 2]]), None);
        assert_eq!(look(&[b"Something went wrong. %%EOF"]), None);
        assert_eq!(look(&[b" %PDF-1.4 %%EOF"]), None);
        assert_eq!(look(&[]), None);
        assert_eq!(look(&[b"%PDF-1.7\ncompressed\n%%EOF"]).unwrap().pages, None);
    }
}
