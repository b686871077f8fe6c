//! `webhooks rotate`: replaces the token in the URLs of webhooks, so that no event is refused.
//!
//! The secret says how far a rotation is: while it has a previous token, both are valid. So the command can be interrupted anywhere and
//! run again, and keeps nothing itself.

mod ending;
mod moving;
mod report;
mod token;

use super::options::RotateOptions;
use super::shown::Shown;
use super::site::at_any;
use super::stack_webhooks::StackWebhooks;
use crate::confirm::agrees;
use crate::out::{self, line, note, problem};
use crate::token_secret::{Held, TokenSecret};
use ending::Closed;
use jiff::{SignedDuration, Timestamp};
use report::Done;
use secrecy::SecretString;
use std::process::ExitCode;
use std::time::Duration;
use tableau_client::Webhook;
use uuid::Uuid;
use workflow::BoxError;

/// How long the old token stays valid after the last webhook has the new one.
const USUAL_WAIT: Duration = Duration::from_secs(600);
/// How often the end of a rotation may find webhooks that have got the old token meanwhile.
const ROUNDS: u32 = 3;
const INTERRUPTED: u8 = 130;

/// A rotation, and what it has done so far.
struct Rotation<'r> {
    of: &'r StackWebhooks<'r>,
    secret: TokenSecret<'r>,
    options: &'r RotateOptions,
    /// Names this process.
    id: String,
    done: Done,
}

/// How a rotation has ended.
enum Ended {
    Finished(Held),
    /// Not, on purpose: others may still have the old token.
    Left,
    /// Webhooks still have the old token.
    Failed,
}

/// Replaces the token, or moves the webhooks of another site.
pub(super) async fn rotate(options: &RotateOptions) -> Result<ExitCode, BoxError> {
    at_any(&options.site, async |site| {
        let webhooks = StackWebhooks::of(site).await?;
        webhooks.check_lives()?;
        let secret = TokenSecret::of(webhooks.stack)?;
        let held = secret.read().await?;
        // Before anything is changed: can the webhooks be listed?
        let listed = site.webhooks().await?;
        let mut rotation = Rotation {
            of: &webhooks,
            secret,
            options,
            id: format!("webhooks rotate {}", Uuid::new_v4()),
            done: Done::default(),
        };
        let question = match rotation.question(&held, &listed) {
            Ok(question) => question,
            Err(_) if options.json => {
                rotation.print()?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(nothing) => {
                line!("{nothing}")?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        if !agrees(&question, options.yes, "rotate the token").await? {
            note("nothing is changed");
            return Ok(ExitCode::FAILURE);
        }
        let ended = tokio::select! {
            ended = rotation.work(held) => Some(ended),
            // If no handler can be installed, Ctrl-C ends the program at once.
            Ok(()) = tokio::signal::ctrl_c() => None,
        };
        if options.json {
            rotation.print()?;
        }
        let Some(ended) = ended else {
            webhooks.reconciler.give_back(&rotation.id).await.map_err(|error| webhooks.explain(&error))?;
            note("interrupted: the same command goes on from here");
            return Ok(ExitCode::from(INTERRUPTED));
        };
        ended
    })
    .await
}

impl Rotation<'_> {
    /// What a person has to agree to; or why there is nothing to do.
    fn question(&self, held: &Held, listed: &[(Webhook, Shown)]) -> Result<String, String> {
        let stack = &self.of.stack.name;
        let place = self.of.site.place();
        let of = |token: &SecretString| count(self.carriers(listed, token, &SecretString::default()).len());
        let Some(old) = &held.tokens.previous else {
            if !self.of.site.is_of_stack() {
                let begin = self.of.site.command_for_stack("rotate");
                return Err(format!(
                    "no rotation is under way, so there is nothing to move: `{begin}` begins one"
                ));
            }
            if self.options.finish {
                return Err("no rotation is under way, so there is nothing to finish".to_owned());
            }
            let webhooks = of(&held.tokens.current);
            return Ok(format!(
                "Replace the token in the webhook URLs of the stack `{stack}`? {webhooks} at {place} will get a new URL."
            ));
        };
        let webhooks = of(old);
        if !self.of.site.is_of_stack() {
            return match self.carriers(listed, old, &held.tokens.current).is_empty() {
                true => Err(format!(
                    "no webhook at {place} has the old token of the stack `{stack}`: nothing to do"
                )),
                false => Ok(format!("Give {webhooks} at {place} the new token of the stack `{stack}`?")),
            };
        }
        Ok(format!(
            "An earlier rotation of the token of the stack `{stack}` is not finished: {webhooks} at {place} still have the old token. Go \
             on with it?"
        ))
    }

    async fn work(&mut self, held: Held) -> Result<ExitCode, BoxError> {
        let is_unfinished = held.tokens.previous.is_some();
        if !self.of.site.is_of_stack() {
            let is_moved = self.move_webhooks(&held).await?;
            if is_moved && !self.options.json {
                line!("no webhook at {} has the old token any more", self.of.site.place())?;
            }
            return Ok(if is_moved { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let mut held = held;
        if is_unfinished {
            note("an earlier rotation is not finished: it goes on");
            self.done.continued = true;
            match self.bring_to_end(held, self.options.finish).await? {
                Ended::Finished(closed) if self.options.leaked => held = closed,
                Ended::Left if self.options.leaked => {
                    problem("no new token was made: the earlier rotation has to be finished first");
                    return Ok(ExitCode::FAILURE);
                }
                Ended::Finished(_) | Ended::Left => return Ok(ExitCode::SUCCESS),
                Ended::Failed => return Ok(ExitCode::FAILURE),
            }
        }
        let held = self.begin(&held).await?;
        Ok(match self.bring_to_end(held, false).await? {
            // A token that has leaked must not stay valid.
            Ended::Left if self.options.leaked => ExitCode::FAILURE,
            Ended::Finished(_) | Ended::Left => ExitCode::SUCCESS,
            Ended::Failed => ExitCode::FAILURE,
        })
    }

    /// Stores a new token beside the one that webhooks have.
    async fn begin(&mut self, seen: &Held) -> Result<Held, BoxError> {
        let read = self.secret.read().await?;
        if !read.is(seen) {
            return Err(self.secret.changed());
        }
        let held = self.secret.write(&read, &token::generate()?, Some(&read.tokens.current)).await?;
        self.done.begun = true;
        note("a new token is stored; the old one stays valid until all webhooks have the new one");
        Ok(held)
    }

    /// Moves the webhooks, waits, and takes the old token away. `may_finish`: a person says that all other sites were moved.
    async fn bring_to_end(&mut self, held: Held, may_finish: bool) -> Result<Ended, BoxError> {
        for _ in 0..ROUNDS {
            if !self.move_webhooks(&held).await? {
                problem(
                    "the old token stays valid, because webhooks still have it: run the command again when this is mended",
                );
                return Ok(Ended::Failed);
            }
            if !may_finish && self.is_left(&held).await? {
                return Ok(Ended::Left);
            }
            self.wait().await;
            match self.close(&held, may_finish).await? {
                Closed::Done(held) => {
                    self.done.finished = true;
                    if !self.options.json {
                        line!(
                            "the old token is taken away; functions that still know it forget it within five minutes"
                        )?;
                    }
                    return Ok(Ended::Finished(held));
                }
                Closed::Carriers => {}
                Closed::Others(others) => {
                    self.leave(others)?;
                    return Ok(Ended::Left);
                }
            }
        }
        problem("the old token stays valid: webhooks get it again and again; see what makes them");
        Ok(Ended::Failed)
    }

    /// Waits while Tableau may still repeat deliveries to URLs with the old token.
    async fn wait(&self) {
        let usual = if self.options.leaked { Duration::ZERO } else { USUAL_WAIT };
        let wait = self.options.wait.unwrap_or(usual);
        if wait.is_zero() {
            return;
        }
        let until = Timestamp::now() + SignedDuration::try_from(wait).unwrap_or_default();
        note(format!(
            "waiting until {until:.0}, because Tableau may still repeat deliveries to the old URL. Ctrl-C is safe: the same command goes \
             on later"
        ));
        tokio::time::sleep(wait).await;
    }

    fn print(&self) -> Result<(), BoxError> {
        let mut object = self.of.site.json();
        object["stack"] = self.of.stack.name.as_str().into();
        self.done.fill(&mut object);
        line!("{}", out::json(&object))?;
        Ok(())
    }
}

fn count(webhooks: usize) -> String {
    out::counted(webhooks, "webhook")
}
