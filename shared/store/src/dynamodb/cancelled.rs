//! Why DynamoDB cancelled a transaction.

use super::item::was_written_by;
use aws_sdk_dynamodb::types::CancellationReason;

/// The combined reason why DynamoDB cancelled a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// The same transaction was already carried out: its answer was lost, and the request was sent again.
    ByItself,
    /// The conditions of these parts (by index) did not hold.
    Conditions(Vec<usize>),
    /// Other requests were changing the items of these parts (by index).
    Conflicts(Vec<usize>),
    /// The table is throttled for a moment.
    Throttled(String),
    /// DynamoDB refuses the part at this index, with this error code.
    Refused(usize, String),
}

impl Cancelled {
    /// Combines the reasons that DynamoDB gives for each part. If several apply, the first counts, in
    /// this order: `ByItself`, `Conditions`, `Refused`, `Throttled`, `Conflicts`.
    /// `write_id` is the id that all writes of this transaction carry.
    ///
    /// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
    pub(super) fn by(reasons: &[CancellationReason], write_id: &str) -> Self {
        let of_code = |codes: &[&str]| -> Vec<usize> {
            let coded = reasons.iter().enumerate();
            let coded = coded.filter(|(_, reason)| codes.contains(&reason.code().unwrap_or_default()));
            coded.map(|(at, _)| at).collect()
        };
        // Either all writes of a transaction are made or none, so one item with our id shows that all were made.
        if reasons.iter().filter_map(CancellationReason::item).any(|item| was_written_by(item, write_id)) {
            return Self::ByItself;
        }
        let failed = of_code(&["ConditionalCheckFailed"]);
        if !failed.is_empty() {
            return Self::Conditions(failed);
        }
        let conflicts = of_code(&["TransactionConflict"]);
        let throttled = of_code(&["ThrottlingError", "ProvisionedThroughputExceeded"]);
        let is_known = |at: &usize| conflicts.contains(at) || throttled.contains(at);
        let code = |at: usize| aws_http::code(reasons[at].code().unwrap_or_default()).to_owned();
        let others =
            reasons.iter().enumerate().filter(|(_, reason)| !matches!(reason.code(), None | Some("None")));
        let refused = others.map(|(at, _)| at).find(|at| !is_known(at));
        match (refused, throttled.first()) {
            (Some(at), _) => Self::Refused(at, code(at)),
            (None, Some(at)) => Self::Throttled(code(*at)),
            (None, None) => Self::Conflicts(conflicts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::item::{WRITE_ID, text};

    fn reason(code: &str, write_id: Option<&str>) -> CancellationReason {
        let reason = CancellationReason::builder().code(code);
        let item = write_id.map(|id| [(WRITE_ID.to_owned(), text(id))].into());
        reason.set_item(item).build()
    }

    #[test]
    fn a_transaction_is_ours_then_a_conflict_then_refused_then_to_be_made_again() {
        let none = || reason("None", None);
        let failed = || reason("ConditionalCheckFailed", Some("theirs"));
        let ours = || reason("ConditionalCheckFailed", Some("ours"));
        let conflict = || reason("TransactionConflict", None);
        let throttled = || reason("ThrottlingError", None);
        let invalid = || reason("ValidationError", None);
        let refused = |at, code: &str| Cancelled::Refused(at, code.to_owned());
        for (reasons, expected) in [
            (vec![failed(), ours()], Cancelled::ByItself),
            (vec![failed(), none(), failed()], Cancelled::Conditions(vec![0, 2])),
            (vec![conflict(), failed(), invalid(), throttled()], Cancelled::Conditions(vec![1])),
            (vec![none(), conflict(), conflict()], Cancelled::Conflicts(vec![1, 2])),
            (vec![conflict(), throttled()], Cancelled::Throttled("ThrottlingError".to_owned())),
            (vec![throttled(), conflict(), invalid()], refused(2, "ValidationError")),
            (vec![none(), reason("hunter2 is secret", None)], refused(1, "an unreadable code")),
        ] {
            assert_eq!(Cancelled::by(&reasons, "ours"), expected);
        }
    }
}
