//! Server-sent events as a stream of JSON values.

use eventsource_stream::Eventsource;
use futures::{Stream, StreamExt, future};
use reqwest::Response;
use serde::de::DeserializeOwned;

/// The values of a response's events, in order; the stream ends with the connection. Events that
/// are no `T` (keep-alives among them) are passed over, so that a newer server may say more.
pub(super) fn values<T: DeserializeOwned>(answer: Response) -> impl Stream<Item = T> + Unpin {
    answer.bytes_stream().eventsource().take_while(|event| future::ready(event.is_ok())).filter_map(
        |event| future::ready(event.ok().and_then(|event| serde_json::from_str(&event.data).ok())),
    )
}
