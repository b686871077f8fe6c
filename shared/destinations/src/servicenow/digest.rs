//! What becomes of the message after quiet hours. Many objects that still fail have one incident, which their group goes on with; a few
//! have one each. What has recovered by then needs none.

use super::guarded::Trouble;
use super::key::Key;
use super::notifier::ServiceNowNotifier;
use super::render::{Rendered, of_item};
use super::task::Task;
use alerting::notification::Item;
use alerting::notifier::Delivered;

impl ServiceNowNotifier {
    pub(super) async fn digest(&self, task: Task<'_>) -> Result<Delivered, Trouble> {
        let delivered = Delivered { message: None, audible: true, note: None, skipped: None };
        if task.shown.thread.is_some() {
            let opened = self.open(task, &task.key()?, &task.texts()).await?;
            self.children(task, &opened.reference).await?;
            return Ok(delivered);
        }
        let items = || task.shown.lists.iter().flat_map(|list| &list.items).filter(|item| item.id.is_some());
        for item in items().filter(|item| item.when.is_none()) {
            self.open_item(task, item, &of_item(item, task.shown)).await?;
        }
        // Events that belong to no incident have one together.
        if let Some(first) = items().find(|item| item.when.is_some()) {
            self.open_item(task, first, &task.texts()).await?;
        }
        Ok(delivered)
    }

    async fn open_item(&self, task: Task<'_>, item: &Item, texts: &Rendered) -> Result<(), Trouble> {
        let key = Key::of_one(item.id.as_deref(), task.target)?;
        self.open(task, &key, texts).await.map(|_| ())
    }
}
