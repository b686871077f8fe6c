//! The trace header of an invocation, by which Lambda detects functions that invoke themselves endlessly.
//!
//! `X-Amzn-Trace-Id: Root=1-…;Parent=…;Sampled=0;Lineage=<invocations>:<function>:<earlier>`: how many invocations one first
//! event has caused, and for each function, by a hash, how many of its own came before this one. Lambda gives a
//! function the header, the SDK sends it with each call, and SQS keeps it with the message, also when nothing is traced.
//!
//! Sources: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>,
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>

use crate::aws::names::arn;
use jiff::Timestamp;
use md5::{Digest, Md5};

/// The most invocations of one function that one event may cause. AWS says "approximately 16".
pub(crate) const MOST_INVOCATIONS: u32 = 16;

/// The position of an invocation in the chain of invocations that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lineage {
    root: String,
    invocations: u32,
    /// Hashes of functions, each with the number of its newest invocation, counted from 0. The first entry is the
    /// function that is invoked.
    functions: Vec<(String, u32)>,
}

impl Lineage {
    /// The lineage of the next invocation of `function` in the chain of `header`; starts a new chain when there is no
    /// header.
    pub(crate) fn next(header: Option<&str>, function: &str) -> Self {
        let own = hash(function);
        let earlier = header.map(counts).unwrap_or_default();
        let invocations = earlier.iter().map(|(_, newest)| newest + 1).sum::<u32>() + 1;
        let before = earlier.iter().find(|(hash, _)| *hash == own).map_or(0, |(_, newest)| newest + 1);
        let others = earlier.into_iter().filter(|(hash, _)| *hash != own);
        Self {
            root: header.and_then(|header| part(header, "Root")).map_or_else(new_root, str::to_owned),
            invocations,
            functions: std::iter::once((own.clone(), before)).chain(others).collect(),
        }
    }

    /// How many earlier invocations of the function are in this chain.
    pub(crate) fn earlier(&self) -> u32 {
        self.functions.first().map_or(0, |(_, earlier)| *earlier)
    }

    /// The value of `X-Amzn-Trace-Id`.
    pub(crate) fn header(&self) -> String {
        let functions = self.functions.iter().map(|(hash, newest)| format!("{hash}:{newest}"));
        let functions = functions.collect::<Vec<_>>().join("|");
        let parent = random(16);
        format!("Root={};Parent={parent};Sampled=0;Lineage={}:{functions}", self.root, self.invocations)
    }
}

/// Starts a new trace, as an AWS service does for a call without a trace header.
pub(crate) fn new_root() -> String {
    format!("1-{:08x}-{}", Timestamp::now().as_second(), random(24))
}

/// `count` random hexadecimal digits, at most 32.
fn random(digits: usize) -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    id.get(..digits).unwrap_or(&id).to_owned()
}

/// Lambda's own hash is not documented. This double hashes the function's ARN to eight digits.
fn hash(function: &str) -> String {
    let digest = Md5::digest(arn("lambda", &format!("function:{function}")));
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The value of a part of a header, such as `Root`.
fn part<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = header.split(';').filter_map(|part| part.trim().split_once('='));
    parts.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The functions in a header, each with the number of its newest invocation. Unreadable parts are left out.
fn counts(header: &str) -> Vec<(String, u32)> {
    let entries = part(header, "Lineage").unwrap_or_default().split('|').filter_map(|entry| {
        // The first part also counts all invocations; headers from before 2025 lack that count.
        let mut from_the_end = entry.rsplit(':');
        let newest = from_the_end.next()?.parse().ok()?;
        Some((from_the_end.next()?.to_owned(), newest))
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_counts_the_invocations_of_each_function() {
        let first = Lineage::next(None, "one");
        let second = Lineage::next(Some(&first.header()), "two");
        let third = Lineage::next(Some(&second.header()), "one");
        let fourth = Lineage::next(Some(&third.header()), "one");

        let counts = [&first, &second, &third, &fourth].map(|at| (at.invocations, at.earlier()));
        assert_eq!(counts, [(1, 0), (2, 0), (3, 1), (4, 2)]);
        assert!([second, third, fourth].iter().all(|at| at.root == first.root));
    }

    #[test]
    fn a_header_is_written_as_lambda_writes_it() {
        let header = Lineage::next(None, "one").header();
        let lineage = header.rsplit(';').next().unwrap();
        assert_eq!(lineage, format!("Lineage=1:{}:0", hash("one")));
        let parts: Vec<_> = header.split(';').map(|part| part.split_once('=').unwrap()).collect();
        assert_eq!(
            parts.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["Root", "Parent", "Sampled", "Lineage"]
        );
        assert_eq!((parts[0].1.len(), parts[1].1.len(), hash("one").len()), (35, 16, 8));
    }

    #[test]
    fn both_forms_of_a_header_are_read() {
        let of =
            |lineage: &str| Lineage::next(Some(&format!("Root=1-5-6;Sampled=0;Lineage={lineage}")), "one");
        let own = hash("one");
        for lineage in [format!("7:{own}:4|c512fbe3:1"), format!("c512fbe3:1|{own}:4")] {
            assert_eq!((of(&lineage).earlier(), of(&lineage).invocations), (5, 8), "{lineage}");
        }
        for unreadable in ["", "x", "1:2:x", "|"] {
            assert_eq!(
                (of(unreadable).earlier(), of(unreadable).root.as_str()),
                (0, "1-5-6"),
                "{unreadable}"
            );
        }
        assert_eq!(Lineage::next(Some("nonsense"), "one").earlier(), 0);
    }
}
