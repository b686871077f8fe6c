//! ARNs and URLs of what lives here.

/// The account everything belongs to.
pub const ACCOUNT: &str = "000000000000";

/// The region everything is in.
pub const REGION: &str = "us-east-1";

/// The name of the stack that a template becomes.
pub const STACK: &str = "local";

/// The ARN of something of `service`, such as `queue` of `sqs`.
pub(crate) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// The last part of an ARN or path.
pub(crate) fn last_part(arn: &str) -> &str {
    arn.rsplit([':', '/']).next().unwrap_or(arn)
}

/// The URL of a queue at the endpoint `url`.
pub(crate) fn queue_url(url: &str, queue: &str) -> String {
    format!("{url}/{ACCOUNT}/{queue}")
}

/// `length` random ASCII letters and digits.
pub(crate) fn random_alphanumeric(length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let uuid = uuid::Uuid::new_v4();
        // Bytes 6 and 8 carry the version and variant. 248 is the largest multiple of 62 a byte holds: what lies
        // above it would make the first letters likelier.
        let random =
            uuid.as_bytes().iter().enumerate().filter(|(at, byte)| ![6, 8].contains(at) && **byte < 248);
        let letters = random.filter_map(|(_, byte)| ALPHABET.get(usize::from(byte % 62)));
        text.extend(letters.take(length - text.len()).map(|letter| char::from(*letter)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_texts_have_the_length_asked_for_and_differ() {
        let one = random_alphanumeric(43);
        let other = random_alphanumeric(43);
        assert_eq!((one.len(), other.len()), (43, 43));
        assert!(one.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(one, other);
    }

    #[test]
    fn a_name_is_the_last_part_of_its_arn() {
        assert_eq!(last_part(&arn("sqs", "orders")), "orders");
        assert_eq!(last_part(&arn("events", "event-bus/tableau")), "tableau");
        assert_eq!(last_part("orders"), "orders");
    }
}
