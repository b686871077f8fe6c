//! `webhooks`: the webhooks of a Tableau site, of the stack's or any other.
//!
//! A webhook's URL holds a token, so of a URL only the origin is ever printed: see `shown`.

mod apply;
mod change;
mod create;
mod credential;
mod delete;
mod destination;
mod list;
mod lookup;
mod options;
mod plan;
mod rotate;
mod shown;
mod site;
mod stack_webhooks;
mod test;
mod update;

pub(crate) use options::WebhooksCommand;

use std::process::ExitCode;
use workflow::BoxError;

/// Carries out a command.
pub(crate) async fn run(command: WebhooksCommand) -> Result<ExitCode, BoxError> {
    match command {
        WebhooksCommand::Plan(options) => plan::plan(&options).await,
        WebhooksCommand::Apply(options) => apply::apply(&options).await,
        WebhooksCommand::Rotate(options) => rotate::rotate(&options).await,
        WebhooksCommand::List(options) => list::list(&options).await,
        WebhooksCommand::Create(options) => create::create(&options).await,
        WebhooksCommand::Update(options) => update::update(&options).await,
        WebhooksCommand::Test(options) => test::test(&options).await,
        WebhooksCommand::Enable(options) => change::enable(&options).await,
        WebhooksCommand::Disable(options) => change::disable(&options).await,
        WebhooksCommand::Delete(options) => delete::delete(&options).await,
    }
}
