//! Which of several rules for one service counts.

use jiff::Timestamp;
use page_on_call::{Target, one_for_each_service};
use rules::settings::{PageOnCall, PageSeverity};
use rules::{Schedule, TargetSettings as _};

fn target(service: &str, severity: Option<PageSeverity>, schedule: Schedule) -> Target {
    let settings = PageOnCall::new(service, severity);
    Target::new(settings.key().to_owned(), settings, schedule)
}

#[test]
fn the_most_severe_rule_of_those_that_page_first_counts_for_a_service() {
    let later = Schedule::DeferUntil(Timestamp::from_second(1_800_000_000).expect("a time"));
    let warning = || target("finance", Some(PageSeverity::Warning), Schedule::Now);
    let critical = || target("finance", Some(PageSeverity::Critical), Schedule::Now);
    let other = || target("sales", None, Schedule::Now);
    for targets in [vec![warning(), critical(), other()], vec![other(), critical(), warning()]] {
        let kept = one_for_each_service(targets);
        let kept: Vec<&str> = kept.iter().map(|target| target.key.as_str()).collect();
        assert_eq!(kept, ["finance (critical)", "sales"]);
    }
    let waiting = target("finance", Some(PageSeverity::Critical), later);
    for targets in [vec![warning(), waiting.clone()], vec![waiting, warning()]] {
        assert_eq!(one_for_each_service(targets)[0].key, "finance (warning)", "it pages now");
    }
}
