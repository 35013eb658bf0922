//! The bodies of requests and answers, as a connection sees them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::progress::Progress;

/// A request's body that tells how long it is waited for.
pub struct Received {
    body: Incoming,
    progress: Arc<Progress>,
}

impl Received {
    /// The body as the routes take it.
    pub fn wrap(body: Incoming, progress: &Arc<Progress>) -> Body {
        if body.is_end_stream() {
            return Body::empty();
        }
        Body::new(Self { body, progress: Arc::clone(progress) })
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let outcome = Pin::new(&mut self.body).poll_frame(cx);
        match &outcome {
            Poll::Pending => self.progress.body_awaited(),
            Poll::Ready(Some(Ok(frame))) => {
                self.progress.body_came(frame.data_ref().map_or(0, Bytes::len));
            }
            Poll::Ready(_) => self.progress.body_came(0),
        }
        outcome
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.progress.body_came(0);
    }
}

/// An answer's body. Where it is a stream without an end, it ends with the server.
pub struct Answer {
    body: Body,
    /// Rung when the server ends.
    end: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// Tells that the answer was given.
    _under_way: UnderWay,
}

/// A request that is under way; dropped, it is answered or its connection is gone.
pub struct UnderWay(Arc<Progress>);

impl UnderWay {
    pub fn begin(progress: &Arc<Progress>) -> Self {
        progress.request();
        Self(Arc::clone(progress))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.answered();
    }
}

impl Answer {
    /// A body that ends when it ends.
    pub fn whole(body: Body, under_way: UnderWay) -> Self {
        Self { body, end: None, _under_way: under_way }
    }

    /// A body that ends with the server, at the latest.
    pub fn endless(body: Body, under_way: UnderWay, shutdown: CancellationToken) -> Self {
        let end = Some(Box::pin(shutdown.cancelled_owned()));
        Self { body, end, _under_way: under_way }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(end) = &mut self.end
            && end.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
