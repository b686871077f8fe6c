//! The names that blocks give a value, and where they have it. No I/O.

use super::source::{Kind, Token, loop_end};

/// The blocks that are open at a place of a template. The first one stands for the whole template.
#[derive(Debug)]
pub(super) struct Scopes<'t>(Vec<Block<'t>>);

#[derive(Debug)]
struct Block<'t> {
    kind: Opens,
    names: Vec<&'t str>,
}

/// What a block is open for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opens {
    /// The names have a value up to its end.
    Scope,
    /// The same, and `loop` has one.
    Loop,
    /// The names have a value from its end on: `{% set x %}…{% endset %}`.
    Capture,
    /// No names: conditions and filters. What is set in them stays set behind them.
    Other,
}

/// An expression, or the filters of a block: `{% filter upper %}`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a, 't> {
    Expression(&'a [Token<'t>]),
    Filters(&'a [Token<'t>]),
}

impl Default for Scopes<'_> {
    fn default() -> Self {
        Self(vec![Block { kind: Opens::Scope, names: Vec::new() }])
    }
}

impl<'t> Scopes<'t> {
    /// Whether a block has given this name a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// The names that blocks have given a value.
    pub(super) fn names(&self) -> impl Iterator<Item = &'t str> {
        let scopes = self.0.iter().filter(|block| block.kind.is_scope());
        scopes.flat_map(|block| block.names.iter().copied())
    }

    /// Whether `loop` has a value.
    pub(super) fn has_loop(&self) -> bool {
        self.0.iter().any(|block| block.kind == Opens::Loop)
    }

    /// Follows a block's tag. `look` gets each expression of the tag with the names that have a value there.
    ///
    /// # Errors
    /// The first one of `look`.
    pub(super) fn follow<E>(
        &mut self,
        tokens: &[Token<'t>],
        mut look: impl FnMut(&Self, Piece<'_, 't>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some((first, rest)) = tokens.split_first() else { return Ok(()) };
        match first.text {
            "for" => {
                let (target, list) = split(rest, "in");
                let list = list.unwrap_or_default();
                let list = if loop_end(tokens).is_some() { but_last(list) } else { list };
                let (list, condition) = split(list, "if");
                look(self, Piece::Expression(list))?;
                self.open(Opens::Scope, names(target));
                // The condition chooses the items before the loop begins.
                look(self, Piece::Expression(condition.unwrap_or_default()))?;
                if let Some(block) = self.0.last_mut() {
                    block.kind = Opens::Loop;
                }
            }
            "else" => {
                let of_loop = self.0.last_mut().filter(|block| block.kind == Opens::Loop);
                if let Some(block) = of_loop {
                    *block = Block { kind: Opens::Other, names: Vec::new() };
                }
            }
            "if" => {
                look(self, Piece::Expression(rest))?;
                self.open(Opens::Other, Vec::new());
            }
            "elif" | "do" => look(self, Piece::Expression(rest))?,
            "filter" => {
                look(self, Piece::Filters(rest))?;
                self.open(Opens::Other, Vec::new());
            }
            "set" => {
                let (target, value) = split(rest, "=");
                match value {
                    Some(value) => {
                        look(self, Piece::Expression(value))?;
                        self.set(target, &mut look)?;
                    }
                    None => {
                        let (target, filters) = split(rest, "|");
                        look(self, Piece::Filters(filters.unwrap_or_default()))?;
                        self.open(Opens::Capture, Vec::new());
                        self.set(target, &mut look)?;
                    }
                }
            }
            "with" => {
                self.open(Opens::Scope, Vec::new());
                let mut rest = Some(rest);
                while let Some(pairs) = rest {
                    let (pair, more) = split(pairs, ",");
                    let (target, value) = split(pair, "=");
                    look(self, Piece::Expression(value.unwrap_or_default()))?;
                    self.set(target, &mut look)?;
                    rest = more;
                }
            }
            "endfor" | "endif" | "endfilter" | "endset" | "endwith" if self.0.len() > 1 => self.close(),
            _ => {}
        }
        Ok(())
    }

    /// Gives names a value. Of an object, parts are asked for: `set` can change none.
    fn set<E>(
        &mut self,
        target: &[Token<'t>],
        look: &mut impl FnMut(&Self, Piece<'_, 't>) -> Result<(), E>,
    ) -> Result<(), E> {
        if target.iter().any(|token| token.is(".")) {
            look(self, Piece::Expression(target))?;
        }
        self.add(names(target));
        Ok(())
    }

    fn open(&mut self, kind: Opens, names: Vec<&'t str>) {
        self.0.push(Block { kind, names });
    }

    fn close(&mut self) {
        let closed = self.0.pop();
        if let Some(Block { kind: Opens::Capture, names }) = closed {
            self.add(names);
        }
    }

    /// Adds names to the innermost block that has some.
    fn add(&mut self, names: Vec<&'t str>) {
        if let Some(block) = self.0.iter_mut().rev().find(|block| block.kind != Opens::Other) {
            block.names.extend(names);
        }
    }
}

impl Opens {
    fn is_scope(self) -> bool {
        matches!(self, Self::Scope | Self::Loop)
    }
}

/// The names of a target, as in `a, (b, c)`. In `a.b`, none.
fn names<'t>(target: &[Token<'t>]) -> Vec<&'t str> {
    let is_name = |index: usize, token: &Token<'t>| {
        let has_field = target.get(index + 1).is_some_and(|next| next.is("."));
        token.kind == Kind::Name && !has_field
    };
    let tokens = target.iter().enumerate();
    tokens.filter(|(index, token)| is_name(*index, token)).map(|(_, token)| token.text).collect()
}

fn but_last<'a, 't>(tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    tokens.split_last().map_or(tokens, |(_, before)| before)
}

/// What stands before and behind the first such word or sign outside of brackets.
fn split<'a, 't>(tokens: &'a [Token<'t>], at: &str) -> (&'a [Token<'t>], Option<&'a [Token<'t>]>) {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        if depth == 0 && token.is(at) {
            return (tokens.get(..index).unwrap_or_default(), tokens.get(index + 1..));
        }
        if token.kind == Kind::Sign {
            match token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    (tokens, None)
}
