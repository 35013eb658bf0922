//! Answers that take time before they can be sent, because a file is fetched and uploaded: beside the
//! other answers, so that a slow address or upload holds up its own chat alone.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::JoinSet;
use whatsapp_rust::waproto::whatsapp::Message;

use super::content::UPLOAD;
use super::files::FileError;
use crate::outside::FILE;

/// So many are prepared or wait to be sent at once: files lie in memory meanwhile.
const AT_ONCE: usize = 2;

/// When an answer that is being prepared is looked at again, if nothing is heard before.
pub(super) const PREPARING: Duration = FILE.saturating_add(UPLOAD);

/// When an answer that found too many others is looked at again.
pub(super) const BUSY: Duration = Duration::from_secs(1);

/// What came of it.
pub(super) type Prepared = Result<Message, FileError>;

/// The answers that are prepared, by their rows.
#[derive(Default)]
pub(super) struct Preparing {
    under_way: JoinSet<(i64, Prepared)>,
    ready: HashMap<i64, Prepared>,
}

impl Preparing {
    /// What was prepared for an answer, if it was; it is handed out once.
    pub(super) fn take(&mut self, answer: i64) -> Option<Prepared> {
        self.ready.remove(&answer)
    }

    /// Begins to prepare an answer; `false` when too many are under way.
    pub(super) fn begin(
        &mut self,
        answer: i64,
        work: impl Future<Output = Prepared> + Send + 'static,
    ) -> bool {
        if self.under_way.len() + self.ready.len() >= AT_ONCE {
            return false;
        }
        self.under_way.spawn(async move { (answer, work.await) });
        true
    }

    /// Waits until an answer was prepared, or could not be; gives its row.
    pub(super) async fn next(&mut self) -> Option<i64> {
        // Work that panicked is begun again when its answer is looked at.
        let (answer, prepared) = self.under_way.join_next().await?.ok()?;
        self.ready.insert(answer, prepared);
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_few_are_under_way_or_ready() {
        let mut preparing = Preparing::default();
        let text = |text: &str| {
            let message = Message { conversation: Some(text.to_owned()), ..Message::default() };
            async move { Ok(message) }
        };
        assert!(preparing.begin(1, std::future::pending()) && preparing.begin(2, text("two")));
        assert!(!preparing.begin(3, text("three")));
        assert_eq!(preparing.next().await, Some(2));
        assert!(!preparing.begin(3, text("three")), "it waits to be sent");
        let two = preparing.take(2).unwrap().unwrap();
        assert_eq!(two.conversation.as_deref(), Some("two"));
        assert!(preparing.take(2).is_none());
        assert!(preparing.begin(3, text("three")));
        assert_eq!(preparing.next().await, Some(3));
    }
}
