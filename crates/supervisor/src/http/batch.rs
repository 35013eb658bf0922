//! Many processes in one request.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use futures::future::join_all;

use super::{HttpError, Shared, parse, settle};
use crate::engine::{Creation, Edit, EngineError, EngineHandle, Target};
use crate::process::Verb;
use crate::wire::{
    ActBatch, BatchAction, BatchAnswer, BatchResult, ListRow, ProcessSpec, ProcessView, StartBatch,
};

pub(super) async fn rows(State(served): Shared) -> Result<Json<Vec<ListRow>>, HttpError> {
    let mut rows = served.engine.rows().await?;
    served.stats.fill_rows(&mut rows).await;
    Ok(Json(rows))
}

pub(super) async fn start(
    State(served): Shared,
    body: Bytes,
) -> Result<Json<BatchAnswer>, HttpError> {
    let request: StartBatch = parse(&body)?;
    let how = Creation {
        running: request.running,
        start: request.start,
        always_new: request.always_new,
        settle: settle(request.settle_ms)?,
    };
    let base = Arc::new(request.base_env);
    let started = request.specs.into_iter().map(|mut spec: ProcessSpec| {
        if spec.base_env.is_empty() {
            spec.base_env = Arc::clone(&base);
        }
        served.engine.create(Arc::new(spec), how)
    });
    Ok(Json(answer(started).await))
}

pub(super) async fn act(
    State(served): Shared,
    body: Bytes,
) -> Result<Json<BatchAnswer>, HttpError> {
    let request: ActBatch = parse(&body)?;
    let settle = settle(request.settle_ms)?;
    let done = request.ids.iter().map(|id| act_on(&served.engine, *id, &request, settle));
    Ok(Json(answer(done).await))
}

async fn act_on(
    engine: &EngineHandle,
    id: u32,
    request: &ActBatch,
    settle: Duration,
) -> Result<ProcessView, EngineError> {
    let target = Target::Id(id);
    let verb = match request.action {
        BatchAction::Start => Verb::Start,
        BatchAction::Stop if request.force => Verb::ForceStop,
        BatchAction::Stop => Verb::Stop,
        BatchAction::Restart => Verb::Restart,
        BatchAction::ForceRestart => Verb::ForceRestart,
        BatchAction::Delete => Verb::Delete,
        BatchAction::Reset => return engine.edit(target, Edit::Reset).await,
        BatchAction::FlushLogs => return engine.edit(target, Edit::FlushLogs).await,
        BatchAction::ReopenLogs => return engine.edit(target, Edit::ReopenLogs).await,
        BatchAction::Watch => return engine.edit(target, Edit::Watch(true)).await,
        BatchAction::Unwatch => return engine.edit(target, Edit::Watch(false)).await,
    };
    engine.act(target, verb, None, settle).await
}

async fn answer<F>(all: impl Iterator<Item = F>) -> BatchAnswer
where
    F: Future<Output = Result<ProcessView, EngineError>>,
{
    // Made short at once: of thousands of long answers there must not be many at a time.
    let short = all.map(|result| async {
        match result.await {
            Ok(view) => BatchResult::Done(Box::new(view.into())),
            Err(error) => BatchResult::Failed(HttpError::from(error).body),
        }
    });
    BatchAnswer { results: join_all(short).await }
}
