//! The lines of a YAML text that is wrong: its quotation marks and brackets, as far as they can be followed. No I/O.

use crate::file::Position;

/// The first bracket that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bracket {
    Unclosed { open: char, at: Position },
    Mismatched { open: char, opened: Position, close: char, at: Position },
    Extra { close: char, at: Position },
}

/// What a text has of brackets and quotation marks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scan {
    pub(crate) bracket: Option<Bracket>,
    /// Each bracket's place, with how many are open behind it.
    depths: Vec<(Position, usize)>,
    /// Quotation marks that are still open at the end of their line.
    open_quotes: Vec<Position>,
}

impl Scan {
    /// How many brackets are open at a place.
    pub(crate) fn depth_at(&self, at: Position) -> usize {
        self.depths.iter().rev().find(|(place, _)| *place < at).map_or(0, |(_, depth)| *depth)
    }

    /// The last quotation mark on this line or above that its own line does not close.
    pub(crate) fn quote_open_at(&self, line: u64) -> Option<Position> {
        self.open_quotes.iter().rev().find(|place| place.line <= line).copied()
    }
}

/// Follows brackets and quotation marks. A quotation mark that is open at the end of its line counts as closed there, so that
/// one that was forgotten does not turn all others round.
pub(crate) fn scan(text: &str) -> Scan {
    let mut scan = Scan::default();
    let mut open: Vec<(char, Position)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut quote: Option<(char, Position)> = None;
        let mut before: Option<char> = None;
        for (column, c) in (1..).zip(line.chars()) {
            let at = Position { line: number, column };
            let begins = before.is_none_or(|b| b.is_whitespace() || "[{,:".contains(b));
            match (quote, c) {
                (Some((mark, _)), c) if c == mark && before != Some('\\') => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') if begins => quote = Some((c, at)),
                (None, '#') if before.is_none_or(|b| b.is_whitespace()) => break,
                // In the middle of a text it is a letter, unless it stands within brackets.
                (None, '[' | '{') if begins || !open.is_empty() => {
                    open.push((c, at));
                    scan.depths.push((at, open.len()));
                }
                (None, ']' | '}') => close(&mut scan, &mut open, c, at),
                (None, _) => {}
            }
            before = Some(c);
        }
        scan.open_quotes.extend(quote.map(|(_, at)| at));
    }
    if scan.bracket.is_none()
        && let Some((open, at)) = open.first()
    {
        scan.bracket = Some(Bracket::Unclosed { open: *open, at: *at });
    }
    scan
}

fn close(scan: &mut Scan, open: &mut Vec<(char, Position)>, close: char, at: Position) {
    let wanted = if close == ']' { '[' } else { '{' };
    let wrong = match open.pop() {
        Some((opened, _)) if opened == wanted => None,
        Some((opened, place)) => Some(Bracket::Mismatched { open: opened, opened: place, close, at }),
        None => Some(Bracket::Extra { close, at }),
    };
    scan.bracket = scan.bracket.take().or(wrong);
    scan.depths.push((at, open.len()));
}

/// The spaces and tabs before what a line has.
pub(crate) fn indentation(line: &str) -> &str {
    let code = line.trim_start();
    line.strip_suffix(code).unwrap_or_default()
}

/// The key that ends this code with its colon.
pub(crate) fn key_of(code: &str) -> Option<&str> {
    let before_colon = code.trim_end().strip_suffix(':')?;
    let key = before_colon.rsplit(['{', '[', ',', ' ', '\t']).next().unwrap_or_default();
    Some(key.trim_matches(['"', '\''])).filter(|key| !key.is_empty())
}
