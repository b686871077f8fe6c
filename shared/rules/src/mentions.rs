//! Whom a notification calls. No I/O.

/// Whom the notifications of a rule call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// The owner of the content.
    pub owner: bool,
    /// Others, in the destination's own words: `here`, an id.
    pub named: Vec<String>,
    /// Those who are called in place of an owner whom the destination does not know, in its own words.
    pub if_unknown: Vec<String>,
}

impl Mentions {
    /// Adds those whom another rule calls, each once.
    pub fn add(&mut self, other: &Self) {
        self.owner |= other.owner;
        add(&mut self.named, &other.named);
        add(&mut self.if_unknown, &other.if_unknown);
    }
}

fn add(to: &mut Vec<String>, others: &[String]) {
    for other in others {
        if !to.contains(other) {
            to.push(other.clone());
        }
    }
}
