//! The rule of `template.yaml` that a new account's ten concurrent executions are enough for: at most two workflows on.
//!
//! CloudFormation's rules cannot count. But of three workflows that are on, one stands between the other two; so at most
//! two are on if of every workflow either it is off, or all before it are, or all behind it.

use super::place::section;
use crate::repository::Problem;

/// The rule's name, and the line it begins with.
const NAME: &str = "FitsTwoWorkflows";

/// What CloudFormation says when it refuses the deploy.
const ADVICE: &str = "Three workflows are more than the 10 concurrent executions of a new account allow. Request the \
                      quota \"Concurrent executions\" of AWS Lambda in Service Quotas, then deploy with \
                      ConcurrencyQuotaConfirmed=true.";

/// The rule for these workflows, as `NotifySlack`; none for two, of which both fit.
pub(super) fn rule(workflows: &[String]) -> Option<String> {
    let last = workflows.len().checked_sub(1).filter(|last| *last >= 2)?;
    let mut rule = format!(
        "  {NAME}:\n    # Written by `cargo xtask template`: a workflow is off, or all before it are, or all behind it.\n    \
         RuleCondition: !Equals [!Ref ConcurrencyQuotaConfirmed, \"false\"]\n    Assertions:\n"
    );
    for middle in 1..last {
        let off = |names: &[String]| {
            let names: Vec<String> = names.iter().map(|name| format!("!Ref {name}Enabled")).collect();
            format!("          - Fn::EachMemberEquals: [[{}], \"false\"]\n", names.join(", "))
        };
        rule.push_str("      - Assert: !Or\n");
        rule.push_str(&off(&workflows[middle..=middle]));
        rule.push_str(&off(&workflows[..middle]));
        rule.push_str(&off(&workflows[middle + 1..]));
        rule.push_str(&format!("        AssertDescription: '{ADVICE}'\n"));
    }
    Some(rule)
}

/// The template with the rule for these workflows, in the place of the rule that was there, or behind the others.
pub(super) fn with_rule(text: &str, workflows: &[String]) -> Result<String, Problem> {
    let mut lines: Vec<&str> = text.lines().collect();
    let rules = section(&lines, "Rules:")?;
    let start = rules.clone().find(|&line| lines[line] == format!("  {NAME}:"));
    if let Some(start) = start {
        let own = (start + 1..rules.end).take_while(|&line| lines[line].starts_with("   "));
        let end = start + 1 + own.count();
        lines.drain(start..end);
    }
    let rules = section(&lines, "Rules:")?;
    // The last line of a rule: behind it are a blank line and comments of the next section.
    let last = rules.clone().rev().find(|&line| lines[line].starts_with("   "));
    let at = last.map_or(rules.end, |last| last + 1);
    let rule = rule(workflows).unwrap_or_default();
    lines.splice(at..at, rule.lines());
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str =
        "Rules:\n  Other:\n    Assertions:\n      - Assert: x\n\n# Next.\nConditions:\n  A: b\n";

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn two_workflows_need_no_rule_and_three_have_one_in_the_middle() {
        assert_eq!(rule(&names(&["A", "B"])), None);
        let three = rule(&names(&["A", "B", "C"])).unwrap();
        assert_eq!(three.matches("- Assert: !Or\n").count(), 1);
        for part in ["[[!Ref BEnabled]", "[[!Ref AEnabled]", "[[!Ref CEnabled]"] {
            assert!(three.contains(part), "no {part} in\n{three}");
        }
        let five = rule(&names(&["A", "B", "C", "D", "E"])).unwrap();
        assert_eq!(five.matches("- Assert: !Or\n").count(), 3);
        assert!(five.contains("[[!Ref AEnabled, !Ref BEnabled, !Ref CEnabled], \"false\"]"), "{five}");
    }

    #[test]
    fn the_rule_goes_behind_the_others_and_takes_the_place_of_an_earlier_one() {
        let three = with_rule(TEMPLATE, &names(&["A", "B", "C"])).unwrap();
        let expected = rule(&names(&["A", "B", "C"])).unwrap();
        assert!(three.contains(&format!("      - Assert: x\n{expected}\n# Next.\nConditions:\n")), "{three}");
        let four = with_rule(&three, &names(&["A", "B", "C", "D"])).unwrap();
        assert_eq!(four, with_rule(TEMPLATE, &names(&["A", "B", "C", "D"])).unwrap());
        assert_eq!(with_rule(&four, &names(&["A", "B"])).unwrap(), TEMPLATE);
    }
}
