//! What is under way at once: at most one message a chat, a few chats, and of files fewer, for they
//! lie in memory. A slow one takes one place of its kind, and holds up no other chat.

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::way::Arrived;
use crate::store::Outgoing;

/// Texts that are under way at once, each in another chat.
pub(super) const TEXTS: usize = 8;

/// Files that are fetched, uploaded and sent at once, each in another chat.
pub(super) const FILES: usize = 2;

/// The messages that are under way.
#[derive(Default)]
pub(super) struct Slots {
    under_way: FuturesUnordered<BoxFuture<'static, Arrived>>,
    /// Their chats, and whether they are files.
    taken: Vec<(String, bool)>,
}

impl Slots {
    /// Whether there is a place for one more of its kind.
    pub(super) fn is_free(&self, is_file: bool) -> bool {
        let taken = self.taken.iter().filter(|(_, file)| *file == is_file).count();
        taken < if is_file { FILES } else { TEXTS }
    }

    /// Whether a message of the chat is under way.
    pub(super) fn holds(&self, chat: &str) -> bool {
        self.taken.iter().any(|(taken, _)| taken == chat)
    }

    /// Lets a message go its way.
    pub(super) fn start(&mut self, outgoing: &Outgoing, way: BoxFuture<'static, Arrived>) {
        self.taken.push((outgoing.chat.clone(), outgoing.media.is_some()));
        self.under_way.push(way);
    }

    /// Waits for one that has come to its end, and frees its place; `None` when none is under way.
    pub(super) async fn next(&mut self) -> Option<Arrived> {
        let arrived = self.under_way.next().await?;
        self.taken.retain(|(chat, _)| *chat != arrived.outgoing.chat);
        Some(arrived)
    }
}

#[cfg(test)]
mod tests {
    use rules::{MediaKind, MediaReply, MediaSource};

    use super::super::way::Sent;
    use super::*;
    use crate::sends::Shape;

    fn message(chat: &str, is_file: bool) -> Outgoing {
        let source = MediaSource::File("x".to_owned());
        Outgoing {
            seq: 1,
            chat: chat.to_owned(),
            address: chat.to_owned(),
            message_id: chat.to_owned(),
            text: String::new(),
            media: is_file.then_some(MediaReply { source, kind: MediaKind::Image }),
            shape: Shape::default(),
            tries: 0,
            fresh: false,
            from_outside: false,
            cold: false,
        }
    }

    #[tokio::test]
    async fn slow_files_leave_the_places_of_texts_free_and_an_end_frees_its_own() {
        let mut slots = Slots::default();
        for chat in ["a", "b"] {
            slots.start(&message(chat, true), Box::pin(std::future::pending()));
        }
        assert!(!slots.is_free(true) && slots.is_free(false) && slots.holds("a"));
        let text = message("c", false);
        let arrived = Arrived { outgoing: text.clone(), sent: Sent::Taken, guard: None };
        slots.start(&text, Box::pin(async { arrived }));
        for n in 1..TEXTS {
            slots.start(&message(&n.to_string(), false), Box::pin(std::future::pending()));
        }
        assert!(!slots.is_free(false));
        assert_eq!(slots.next().await.unwrap().outgoing.chat, "c");
        assert!(slots.is_free(false) && !slots.holds("c"));
    }
}
