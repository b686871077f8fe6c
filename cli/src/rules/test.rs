//! `rules test`.

use super::cases::{self, Case, Expected};
use super::check::without_mistakes;
use super::evaluate::{Evaluation, evaluate, facts_of, settings, when};
use super::options::TestOptions;
use crate::colour::paint;
use crate::out::{self, line, plain};
use anstyle::AnsiColor;
use rules::{Facts, Planned, Rules};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use workflow::BoxError;

/// What became of a case.
#[derive(Debug)]
struct Outcome {
    /// Why it could not be run.
    error: Option<String>,
    /// What is expected, and did not come.
    missing: Vec<Expected>,
    /// What came, and is not expected.
    unexpected: Vec<Planned>,
}

impl Outcome {
    fn has_passed(&self) -> bool {
        self.error.is_none() && self.missing.is_empty() && self.unexpected.is_empty()
    }
}

/// Runs all cases of all files, and prints those that fail.
pub(super) fn test(options: &TestOptions) -> Result<ExitCode, BoxError> {
    let rules = without_mistakes(&options.rules)?.rules;
    // All files are read first: a mistake in the last one is no matter of how the first one ends.
    let files = options.files.iter().map(|file| Ok((file, cases::read(file)?)));
    let files = files.collect::<Result<Vec<_>, String>>()?;
    let mut count = 0;
    let mut failed = 0;
    for (file, cases) in files {
        for case in cases.cases {
            let line = case.referenced.line();
            let case = case.value;
            let outcome = run(&case, file, &rules);
            count += 1;
            failed += usize::from(!outcome.has_passed());
            if options.json {
                line!("{}", out::json(&facts(file, line, &case, &outcome)))?;
            } else if !outcome.has_passed() {
                shown(file, line, &case, &outcome).iter().try_for_each(|part| line!("{part}"))?;
            }
        }
    }
    if !options.json {
        let cases = out::counted(count, "case");
        match failed {
            0 => line!("{}", paint(AnsiColor::Green.on_default(), &format!("{cases}: all passed")))?,
            failed => {
                let text = format!("{cases}: {failed} failed, {} passed", count - failed);
                line!("{}", paint(AnsiColor::Red.on_default(), &text))?;
            }
        }
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(case: &Case, file: &Path, rules: &Rules) -> Outcome {
    match planned(case, file, rules) {
        Ok(planned) => compared(&case.expect, planned),
        Err(error) => Outcome { error: Some(error), missing: Vec::new(), unexpected: Vec::new() },
    }
}

fn planned(case: &Case, file: &Path, rules: &Rules) -> Result<Vec<Planned>, String> {
    let (event, at) = case.event(file.parent().unwrap_or(Path::new("")), rules)?;
    let given = case.facts()?;
    if let Some((lookup, why)) = given.never_known(&event) {
        return Err(format!(
            "`facts` gives this, which workflows never know of {}: {lookup}; {why}",
            event.name
        ));
    }
    let mut facts = Facts::default();
    loop {
        match evaluate(rules, &event, &facts, at) {
            Ok(evaluation) => {
                return match unknown(&case.expect, &evaluation) {
                    Some(error) => Err(error),
                    // Events of other sites are recorded as ignored, and no workflow acts on them.
                    None if !rules.welcomes(&event) => Ok(Vec::new()),
                    None => Ok(evaluation.planned),
                };
            }
            Err(lookup) if given.answers(lookup) => given.answer(lookup, &mut facts),
            Err(lookup) => {
                return Err(format!(
                    "a rule asks for the {lookup}: say it under `facts`, or list it under `missing`"
                ));
            }
        }
    }
}

/// What to say of the first rule that a case expects and that there is not.
fn unknown(expected: &[Expected], evaluation: &Evaluation) -> Option<String> {
    let names = || evaluation.explained.iter().map(|(name, _)| name.as_str());
    let mut expected = expected.iter().filter_map(|expected| expected.rule.as_deref());
    let unknown = expected.find(|rule| !names().any(|name| name == *rule))?;
    Some(match tableau::nearest(unknown, names()) {
        Some(near) => format!("there is no rule `{unknown}`; did you mean `{near}`?"),
        None => format!("there is no rule `{unknown}`"),
    })
}

/// Takes each planned action off the list of what is expected.
fn compared(expected: &[Expected], planned: Vec<Planned>) -> Outcome {
    let mut missing = expected.to_vec();
    // What says the most goes first, so that one which says little does not take what another means.
    missing.sort_by_key(|expected| std::cmp::Reverse(weight(expected)));
    let mut left = planned;
    missing.retain(|expected| match left.iter().position(|planned| is_met(expected, planned)) {
        Some(at) => {
            left.remove(at);
            false
        }
        None => true,
    });
    Outcome { error: None, missing, unexpected: left }
}

fn weight(expected: &Expected) -> usize {
    let parts = [expected.rule.is_some(), expected.workflow.is_some(), expected.when.is_some()];
    parts.into_iter().filter(|is_given| *is_given).count() + expected.settings.len()
}

fn is_met(expected: &Expected, planned: &Planned) -> bool {
    let is = |expected: &Option<String>, found: &str| expected.as_deref().is_none_or(|text| text == found);
    let has =
        |(key, value): (&String, &Value)| planned.settings.get(key).is_some_and(|found| same(value, found));
    is(&expected.rule, &planned.rule)
        && is(&expected.workflow, &planned.workflow)
        && expected.settings.iter().all(has)
        && expected.when.is_none_or(|expected| expected.as_str() == when(planned.schedule))
}

/// A channel is the same with `#` and without.
fn same(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::String(expected), Value::String(found)) => {
            expected.trim_start_matches('#') == found.trim_start_matches('#')
        }
        _ => expected == found,
    }
}

/// The lines about a case that has failed.
fn shown(file: &Path, line: u64, case: &Case, outcome: &Outcome) -> Vec<String> {
    let failed = paint(AnsiColor::Red.on_default().bold(), "failed:");
    let mut lines = vec![format!("{}:{line}: {failed} {}", file.display(), plain(&case.name))];
    lines.extend(outcome.error.as_ref().map(|error| format!("  error     {}", plain(error))));
    let expected = |expected: &Expected| plain(&format!("  expected  {}", in_words(expected)));
    lines.extend(outcome.missing.iter().map(expected));
    let found = |planned: &Planned| {
        let Planned { rule, workflow, .. } = planned;
        let settings = settings(&planned.settings);
        plain(&format!("  found     {workflow} {settings} of rule `{rule}`, {}", when(planned.schedule)))
    };
    lines.extend(outcome.unexpected.iter().map(found));
    if outcome.error.is_none() && outcome.missing.is_empty() {
        lines.insert(1, "  expected  nothing more".to_owned());
    }
    if outcome.error.is_none() && outcome.unexpected.is_empty() {
        lines.push("  found     nothing else".to_owned());
    }
    lines
}

fn in_words(expected: &Expected) -> String {
    let mut words = expected.workflow.clone().unwrap_or_else(|| "an action".to_owned());
    if !expected.settings.is_empty() {
        words.push_str(&format!(" {}", settings(&Value::Object(expected.settings.clone()))));
    }
    if let Some(rule) = &expected.rule {
        words.push_str(&format!(" of rule `{rule}`"));
    }
    if let Some(when) = expected.when {
        words.push_str(&format!(", {}", when.as_str()));
    }
    words
}

/// A case for programs.
fn facts(file: &Path, line: u64, case: &Case, outcome: &Outcome) -> Value {
    let expected = |expected: &Expected| {
        json!({
            "rule": expected.rule,
            "workflow": expected.workflow,
            "settings": expected.settings,
            "when": expected.when.map(cases::When::as_str),
        })
    };
    json!({
        "file": file.display().to_string(),
        "line": line,
        "case": case.name,
        "passed": outcome.has_passed(),
        "error": outcome.error,
        "missing": outcome.missing.iter().map(expected).collect::<Vec<_>>(),
        "unexpected": outcome.unexpected.iter().map(facts_of).collect::<Vec<_>>(),
    })
}
