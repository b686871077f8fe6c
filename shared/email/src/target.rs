//! Who gets a mail, and why.

use rules::Address;

/// How many recipients one mail has at most: `To`, `Cc` and `Bcc` together.
///
/// Source: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
pub const MOST_RECIPIENTS: usize = 50;

/// Those who get one mail. Which addresses these are is decided before alerting sees an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailTarget {
    /// The recipients, at most [`MOST_RECIPIENTS`].
    pub to: Vec<Address>,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Address>,
    /// Why they get it.
    pub reason: Reason,
    /// Recipients of the same rule who get no mail, and why: for the mail's small print.
    pub left_out: Vec<String>,
}

/// Why a person gets a mail. The mail says it at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A rule names the address.
    Named,
    /// The content is theirs.
    Owner,
    /// They own the project of the content.
    ProjectLeader,
    /// One of these two; which of them only the first mail says.
    OwnerOrProjectLeader,
    /// Tableau does not say the address of the owner or project leader.
    InPlace,
}

impl Reason {
    /// The sentence at the end of the mail.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Named => "You get this mail because a rule of tableau-webhooks names your address.",
            Self::Owner => "You get this mail because you own the content in Tableau.",
            Self::ProjectLeader => "You get this mail because you own the project of the content in Tableau.",
            Self::OwnerOrProjectLeader => {
                "You get this mail because you own the content in Tableau, or its project."
            }
            Self::InPlace => "You get this mail in the place of a person whose address Tableau does not say.",
        }
    }
}
