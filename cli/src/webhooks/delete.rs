//! `webhooks delete`.

use super::lookup::find_all;
use super::options::DeleteOptions;
use super::shown::{Shown, secrets_of};
use super::site::at;
use crate::confirm::agrees;
use crate::out::{self, line, note, plain, problem};
use std::process::ExitCode;
use workflow::BoxError;

/// Says what will be deleted, asks, and deletes it.
pub(super) async fn delete(options: &DeleteOptions) -> Result<ExitCode, BoxError> {
    let which = &options.which;
    at(&which.site, async |site| {
        let all = site.webhooks().await?;
        let webhooks = find_all(&all, &which.webhooks)?;
        if !agrees(&question(&webhooks), options.yes, "delete").await? {
            note("nothing is deleted");
            return Ok(ExitCode::FAILURE);
        }
        let mut is_complete = true;
        for (webhook, shown) in webhooks {
            match site.tableau().delete_webhook(&webhook.id).await {
                Ok(()) if which.json => line!("{}", out::json(&shown.json_with("deleted")))?,
                Ok(()) => line!("deleted  {}", shown.words())?,
                Err(error) => {
                    let reason = site.failed_for_one(&error, &secrets_of(&webhook.url))?;
                    problem(format!("{}: {reason}", shown.words()));
                    is_complete = false;
                }
            }
        }
        Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
    .await
}

fn question<W>(webhooks: &[&(W, Shown)]) -> String {
    let described = |(_, shown): &&(W, Shown)| format!("{} at {}", shown.words(), plain(&shown.destination));
    match webhooks {
        [only] => format!("Delete the webhook {}? Tableau cannot bring it back.", described(only)),
        several => {
            let all: Vec<String> = several.iter().map(described).collect();
            format!(
                "Delete {} webhooks? Tableau cannot bring them back.\n  {}\n",
                several.len(),
                all.join("\n  ")
            )
        }
    }
}
