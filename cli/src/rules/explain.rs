//! `rules explain`.

use super::cases::time;
use super::check::without_mistakes;
use super::evaluate::{Evaluation, evaluate};
use super::event;
use super::explained::{About, shown};
use super::given::GivenFacts;
use super::options::ExplainOptions;
use super::published::StackRules;
use crate::events::payload_of;
use crate::out::{self, line};
use crate::stack::Stack;
use crate::stack_tableau;
use circuit::Circuits;
use facts::{FactLookups, Question};
use guarded_tableau::GuardedTableau;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rules::{Facts, Lookup, Rules};
use std::process::ExitCode;
use std::time::Duration;
use store::documents;
use tableau::{Action, Event};
use workflow::{BoxError, Invocation};

/// How long Tableau may take for all that is asked.
const TIMEOUT: Duration = Duration::from_secs(60);
const OFFLINE: &str = "no --fact gives it";
const NOT_COUNTED: &str = "not counted here; --fact failures_in_a_row=3 says it";

/// Goes through the rules, and says of each what it has to do with the event.
pub(super) async fn explain(options: &ExplainOptions) -> Result<ExitCode, BoxError> {
    let mut source = Source { options, stack: None };
    let payload = match event::text(&options.event)? {
        Some(text) => text,
        None => payload_of(source.stack().await?, &options.event).await?,
    };
    let (payload, event) = event::read(&payload)?;
    let (rules, name) = source.rules().await?;
    let rules = source.knowing_the_sample_site(rules)?;
    let given = GivenFacts::of(&options.facts);
    if let Some((lookup, why)) = given.never_known(&event) {
        return Err(format!(
            "--fact gives this, which workflows never know of {}: {lookup}; {why}",
            event.name
        )
        .into());
    }
    let at = match &options.at {
        Some(text) => {
            let timezone = rules.site(&event.site).map_or(TimeZone::UTC, |site| site.timezone.clone());
            time(text, &timezone).map_err(|problem| format!("--{problem}"))?
        }
        None => event.created_at.unwrap_or_else(Timestamp::now),
    };
    let mut looking = Looking { given, lookups: None, source };
    let (facts, evaluation) = looking.evaluation(&rules, &event, at).await?;
    let payload = options.body.then_some(&payload);
    let about = About { event: &event, rules: &rules, source: &name, facts: &facts, at, payload };
    if options.json {
        about.objects(&evaluation).iter().try_for_each(|object| line!("{}", out::json(object)))?;
    } else {
        shown(&about, &evaluation).iter().try_for_each(|part| line!("{part}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Where events, rules and facts come from. A stack is looked for only where it is needed.
struct Source<'o> {
    options: &'o ExplainOptions,
    stack: Option<Stack>,
}

impl Source<'_> {
    async fn stack(&mut self) -> Result<&Stack, BoxError> {
        if self.stack.is_none() {
            self.stack = Some(Stack::find(&self.options.target).await?);
        }
        self.stack.as_ref().ok_or_else(|| "there is no stack".into())
    }

    /// The rules, and what they are called.
    async fn rules(&mut self) -> Result<(Rules, String), BoxError> {
        if let Some(file) = &self.options.rules {
            return Ok((without_mistakes(file)?.rules, file.display().to_string()));
        }
        let stack = self.stack().await?.clone();
        let name = stack.name.clone();
        let version = StackRules::of(stack)?.current().await?;
        let source = format!(
            "version {}, in force at the stack `{name}` since {:.0}",
            version.number, version.published_at
        );
        Ok((Rules::of_json(&version.form)?, source))
    }

    /// The local stack knows the name and time zone of its sample site.
    fn knowing_the_sample_site(&self, rules: Rules) -> Result<Rules, BoxError> {
        match self.options.target.local && rules.sites().is_empty() {
            true => Ok(rules.knowing(crate::up::SAMPLE_SITE)?),
            false => Ok(rules),
        }
    }
}

/// Looks up what rules ask.
struct Looking<'o> {
    source: Source<'o>,
    given: GivenFacts,
    lookups: Option<FactLookups>,
}

impl Looking<'_> {
    async fn evaluation(
        &mut self,
        rules: &Rules,
        event: &Event,
        at: Timestamp,
    ) -> Result<(Facts, Evaluation), BoxError> {
        let mut facts = Facts::default();
        let invocation = Invocation::new("rules explain", Timestamp::now(), TIMEOUT);
        let question = Question::new(event, &invocation);
        let mut evaluation = loop {
            match evaluate(rules, event, &facts, at) {
                Ok(evaluation) => break evaluation,
                Err(lookup) => self.answer(lookup, question, &mut facts).await?,
            }
        };
        if evaluation.planned.iter().any(|planned| planned.message.is_some()) {
            // The rule's own words may have what no condition asks.
            let asked = of_words(event).into_iter().filter(|lookup| !facts.has(*lookup)).collect::<Vec<_>>();
            for lookup in asked {
                self.answer(lookup, question, &mut facts).await?;
            }
            if let Ok(again) = evaluate(rules, event, &facts, at) {
                evaluation = again;
            }
        }
        Ok((facts, evaluation))
    }

    async fn answer(
        &mut self,
        lookup: Lookup,
        question: Question<'_>,
        facts: &mut Facts,
    ) -> Result<(), BoxError> {
        if self.given.answers(lookup) {
            self.given.answer(lookup, facts);
            return Ok(());
        }
        let is_failure = question.event.name.action() == Some(Action::RefreshFailed);
        if lookup == Lookup::FailuresInARow && is_failure {
            facts.set_missing(lookup, NOT_COUNTED);
            return Ok(());
        }
        if self.source.options.offline {
            facts.set_missing(lookup, OFFLINE);
            return Ok(());
        }
        if self.lookups.is_none() {
            let stack = self.source.stack().await.map_err(|error| {
                format!(
                    "the rules ask for the {lookup}, which Tableau has to say, and no stack was found: {error}; give it with \
                     --fact, or add --offline"
                )
            })?;
            let client = stack_tableau::client(stack).await?;
            // Its own circuit: a person's questions neither wait for those of functions nor close them.
            let circuits = Circuits::new(documents(None), "rules-explain", "Tableau");
            self.lookups = Some(FactLookups::new(GuardedTableau::new(client, circuits)));
        }
        if let Some(lookups) = &self.lookups {
            let mut found = Facts::default();
            lookups
                .look_up(lookup, question, &mut found)
                .await
                .map_err(|failure| failure.reason().to_owned())?;
            facts.take(lookup, &found);
        }
        Ok(())
    }
}

/// What the words of a notification may have.
fn of_words(event: &Event) -> Vec<Lookup> {
    let mut all = vec![Lookup::Content, Lookup::Project, Lookup::Owner];
    if event.name.action() == Some(Action::RefreshFailed) {
        all.extend([Lookup::Cause, Lookup::FailuresInARow]);
    }
    if event.name.action() == Some(Action::Deleted) {
        all.push(Lookup::DeletedBy);
    }
    all
}
