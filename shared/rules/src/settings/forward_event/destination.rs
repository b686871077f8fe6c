//! Where an event goes.

use crate::workflow::Invalid;

/// The longest name of a target, in characters. It is a key of the forward secret.
const LONGEST: usize = 40;

/// Where an event goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination<'a> {
    /// A target of the forward secret, by its name.
    Target(&'a str),
    /// An event bus of Amazon EventBridge, by its ARN.
    Bus(&'a str),
    /// A topic of Amazon SNS, by its ARN.
    Topic(&'a str),
}

impl<'a> Destination<'a> {
    /// What names the destination: a target's name, or an ARN.
    pub fn key(self) -> &'a str {
        match self {
            Self::Target(key) | Self::Bus(key) | Self::Topic(key) => key,
        }
    }

    /// The region in the ARN of a bus or topic.
    pub fn region(self) -> Option<&'a str> {
        match self {
            Self::Target(_) => None,
            Self::Bus(arn) | Self::Topic(arn) => arn.split(':').nth(3),
        }
    }

    pub(super) fn check(self) -> Result<(), Invalid> {
        let (field, problem) = match self {
            Self::Target(name) => ("target", problem_of_name(name)),
            Self::Bus(arn) => ("bus", problem_of_arn(arn, "events", "event-bus/")),
            Self::Topic(arn) => ("topic", problem_of_arn(arn, "sns", "")),
        };
        problem.map_or(Ok(()), |problem| Err(Invalid { field, problem }))
    }
}

fn problem_of_name(name: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() {
        return Some("it is empty: write a key of `targets` in the forward secret, such as jira".to_owned());
    }
    if name.contains("://") {
        return Some(
            "a URL is no target: put it into `targets` of the forward secret, and write its key here. Make a new URL if it is \
             secret and others could read it here"
                .to_owned(),
        );
    }
    if name.starts_with("arn:") {
        return Some("an ARN is no target: write it as `bus` or `topic`".to_owned());
    }
    if !name.chars().all(is_part) {
        return Some("a target's name has letters, digits, `-` and `_` only".to_owned());
    }
    (name.len() > LONGEST).then(|| format!("it is longer than {LONGEST} characters"))
}

fn problem_of_arn(arn: &str, service: &str, kind: &str) -> Option<String> {
    let example = format!("arn:aws:{service}:eu-central-1:123456789012:{kind}alerts");
    let is_name = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let parts: Vec<&str> = arn.split(':').collect();
    let [start, partition, of, region, account, name] = parts[..] else {
        return Some(format!("it is no ARN: write it as in {example}"));
    };
    let is_arn = start == "arn"
        && partition.starts_with("aws")
        && is_name(partition, "-")
        && of == service
        && is_name(region, "-")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && name.strip_prefix(kind).is_some_and(|name| is_name(name, "-_./"));
    (!is_arn).then(|| format!("it is another ARN: write it as in {example}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(destination: Destination<'_>) -> String {
        destination.check().err().map(|invalid| invalid.problem).unwrap_or_default()
    }

    #[test]
    fn a_target_is_a_key_of_the_secret_and_no_problem_repeats_it() {
        for name in ["jira", "Jira_2", "a", "on-call"] {
            assert_eq!(problem(Destination::Target(name)), "", "{name}");
        }
        let long = "a".repeat(41);
        for (name, expected) in [
            ("", "it is empty"),
            ("https://example.com/hunter2", "a URL is no target"),
            ("arn:aws:sns:eu-central-1:123456789012:hunter2", "an ARN is no target"),
            ("hunter2 b", "a target's name has letters"),
            ("hunter2\n", "a target's name has letters"),
            ("jira#hunter2", "a target's name has letters"),
            (long.as_str(), "it is longer than 40 characters"),
        ] {
            let problem = problem(Destination::Target(name));
            assert!(problem.starts_with(expected), "{name}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn a_bus_and_a_topic_are_arns_of_their_kind() {
        let bus = "arn:aws:events:eu-central-1:123456789012:event-bus/data";
        let topic = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:alerts.fifo";
        assert_eq!(problem(Destination::Bus(bus)), "");
        assert_eq!(problem(Destination::Topic(topic)), "");
        assert_eq!(Destination::Topic(topic).region(), Some("us-gov-west-1"));
        for wrong in [
            topic,
            "data",
            "",
            "arn:aws:events:eu-central-1:12:event-bus/data",
            "arn:aws:events::123456789012:event-bus/d",
        ] {
            assert!(!problem(Destination::Bus(wrong)).is_empty(), "{wrong}");
        }
        for wrong in
            [bus, "arn:aws:sns:eu-central-1:123456789012:a:b", "arn:aws:sns:eu-central-1:123456789012:"]
        {
            assert!(!problem(Destination::Topic(wrong)).is_empty(), "{wrong}");
        }
    }
}
