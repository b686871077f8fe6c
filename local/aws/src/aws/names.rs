//! ARNs and URLs of the resources in the AWS double.

/// The account that owns all resources.
pub const ACCOUNT: &str = "000000000000";

/// The region of all resources.
pub const REGION: &str = "us-east-1";

/// The stack name that a template gets.
pub const STACK: &str = "local";

/// The ARN of a resource of `service`, such as a queue of `sqs`.
pub(crate) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// The last part of an ARN or path, after the last `:` or `/`.
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
        // Bytes 6 and 8 carry the UUID's version and variant. 248 is the largest multiple of 62 that fits in a byte:
        // larger values would make some characters likelier.
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
