//! The end of a rotation: the old token is taken away, unless others may still have it.

use super::Rotation;
use crate::out::{line, plain};
use crate::token_secret::Held;
use crate::webhooks::shown::Shown;
use confidential::Secrets;
use published_rules::InForce;
use rules::Rules;
use secrecy::ExposeSecret;
use tableau_client::Webhook;
use workflow::{BoxError, chain};

/// What has come of the end.
pub(super) enum Closed {
    /// The old token is taken away.
    Done(Held),
    /// Webhooks have got the old token meanwhile.
    Carriers,
    /// Others may still have it.
    Others(Others),
}

/// Who else may have the old token.
#[derive(Default)]
pub(super) struct Others {
    /// Webhooks of this site at other addresses.
    elsewhere: Vec<Shown>,
    /// Other sites that the rules name: LUID and name.
    sites: Vec<(String, String)>,
}

impl Others {
    fn are_none(&self) -> bool {
        self.elsewhere.is_empty() && self.sites.is_empty()
    }
}

impl Rotation<'_> {
    /// Takes the old token away, if no webhook of the site has it, the rules name no other site, and the secret is as it was.
    pub(super) async fn close(&self, held: &Held, may_finish: bool) -> Result<Closed, BoxError> {
        let work = async {
            let listed = self.of.site.webhooks().await?;
            if let Some(old) = &held.tokens.previous
                && old.expose_secret() != held.tokens.current.expose_secret()
                && !self.carriers(&listed, old, &held.tokens.current).is_empty()
            {
                return Ok(Closed::Carriers);
            }
            let others = if may_finish { Others::default() } else { self.others(held, &listed).await? };
            if !others.are_none() {
                return Ok(Closed::Others(others));
            }
            let read = self.secret.read().await?;
            if !read.is(held) {
                return Err(self.secret.changed());
            }
            Ok(Closed::Done(self.secret.write(&read, &held.tokens.current, None).await?))
        };
        // A run of the function that has read the secret before the rotation could still register webhooks with the old token.
        let closed = self.of.reconciler.undisturbed(&self.id, work).await;
        closed.map_err(|error| self.of.explain(&error))?
    }

    /// Whether others may still have the old token; says who, and what to do.
    pub(super) async fn is_left(&mut self, held: &Held) -> Result<bool, BoxError> {
        let listed = self.of.site.webhooks().await?;
        let others = self.others(held, &listed).await?;
        let is_left = !others.are_none();
        if is_left {
            self.leave(others)?;
        }
        Ok(is_left)
    }

    async fn others(&self, held: &Held, listed: &[(Webhook, Shown)]) -> Result<Others, BoxError> {
        let elsewhere = held.tokens.previous.as_ref().map(|old| self.elsewhere(listed, old));
        Ok(Others { elsewhere: elsewhere.unwrap_or_default(), sites: self.other_sites().await? })
    }

    /// The sites that the rules name beside this one: LUID and name.
    async fn other_sites(&self) -> Result<Vec<(String, String)>, BoxError> {
        let reconciler = &self.of.reconciler;
        let unreadable = |why: String| {
            format!(
                "the old token stays valid, because it is not known whether the rules name other sites: {why}; if their webhooks were \
                 moved, `{}` takes it away",
                self.of.site.command_for_stack("rotate --finish")
            )
        };
        let in_force = reconciler.published.in_force().await;
        let rules = match in_force.map_err(|error| unreadable(chain(error.as_ref())))? {
            InForce::Nothing => return Err(unreadable("none are in force".to_owned()).into()),
            InForce::Damaged(why, _) => return Err(unreadable(why).into()),
            InForce::Version(version, _) => {
                Rules::of_json(&version.form).map_err(|error| unreadable(chain(&error)))?
            }
        };
        let here = self.of.site.tableau().session_site().await;
        let here = here.map_err(|error| self.of.site.failed(&error, &Secrets::default()))?;
        let others = rules.sites().iter().filter(|site| site.luid != here);
        Ok(others.map(|site| (site.luid.to_string(), site.name.clone())).collect())
    }

    /// Leaves the old token valid, and says what is to be done.
    pub(super) fn leave(&mut self, others: Others) -> Result<(), BoxError> {
        let Others { elsewhere, sites } = others;
        if !self.options.json {
            let site = self.of.site;
            if !elsewhere.is_empty() {
                line!(
                    "the old token stays valid, because webhooks at other addresses have it, and may lead to this stack:"
                )?;
                for shown in &elsewhere {
                    line!("  {} at {}", shown.words(), plain(&shown.destination))?;
                }
                line!("if they do, change their URLs; WEBHOOK_URL has the new one:")?;
                line!("  {}", site.command("update WEBHOOK --url env"))?;
            }
            if !sites.is_empty() {
                line!(
                    "the old token stays valid, because the rules name sites whose webhooks may still have it:"
                )?;
                for (luid, name) in &sites {
                    line!("  {} ({})", plain(name), plain(luid))?;
                }
                line!("move the webhooks of each, with a credential in environment variables:")?;
                line!("  {}", site.command_for_stack("rotate --server URL --site SITE"))?;
            }
            line!("when all are moved, take the old token away:")?;
            line!("  {}", site.command_for_stack("rotate --finish"))?;
        }
        self.done.elsewhere = elsewhere;
        self.done.left_for = sites;
        Ok(())
    }
}
