//! What a person has to do about an error code of Slack's.

/// What a person has to do about an error code of Slack's, where the kind of the refusal does not say it.
pub(crate) fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        // Slack does not say that a private channel exists to an app that is not in it.
        "channel_not_found" => {
            "there is no such channel, or it is or has become private and the app is not in it; in the channel, write \
             /invite @ and the app's name"
        }
        "not_in_channel" => {
            "the app is not in the channel; in the channel, write /invite @ and the app's name"
        }
        "is_archived" | "channel_is_archived" => {
            "the channel is archived: name another one in the rule, or unarchive it in Slack"
        }
        "action_prohibited" | "posting_to_general_channel_denied" => {
            "an administrator of the workspace does not allow this app's messages there"
        }
        code if code.starts_with("restricted_action") => {
            "an administrator of the workspace has restricted who may post in the channel"
        }
        "user_not_found" => "the webhook's user or the person of this id does not exist any more",
        "message_limit_exceeded" => "the workspace has reached the number of messages that its plan allows",
        "token_expired" => "the token has expired: put a new one into the Slack secret",
        "missing_scope" => {
            "the app has no scope for it: add chat:write to the app, install it again, and put the token into the Slack secret"
        }
        _ => return None,
    })
}
