//! Requests that are made while everything is being killed.

use anyhow::{Result, bail};
use supervisor::client::{Action, Client, ClientError};
use supervisor::wire::{
    ActBatch, ActionRequest, BatchAction, BatchResult, CreateRequest, ErrorBody, ErrorCode,
    ProcessSpec,
};
use tokio::task::JoinSet;

use crate::invariants::{Cast, Promise};
use crate::stage::name_and_instance;

/// What is asked for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Made, or started again.
    Create,
    /// Stopped.
    Stop,
    /// Restarted.
    Restart,
    /// Restarted in a hurry.
    ForceRestart,
    /// Stopped and forgotten.
    Delete,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Create, Self::Stop, Self::Restart, Self::ForceRestart, Self::Delete];

    fn promise(self) -> Promise {
        match self {
            Self::Create | Self::Restart | Self::ForceRestart => Promise::Runs,
            Self::Stop => Promise::Rests,
            Self::Delete => Promise::Gone,
        }
    }

    fn in_batch(self) -> BatchAction {
        match self {
            Self::Create => BatchAction::Start,
            Self::Stop => BatchAction::Stop,
            Self::Restart => BatchAction::Restart,
            Self::ForceRestart => BatchAction::ForceRestart,
            Self::Delete => BatchAction::Delete,
        }
    }
}

/// What an answer says of a worker.
type News = (String, Deed, Result<(), ClientError>);

/// Requests under way: at most one a worker, so that the answers leave no doubt.
#[derive(Debug, Default)]
pub struct Requests {
    under_way: JoinSet<Vec<News>>,
    concerned: Vec<String>,
    /// How many were made.
    pub made: u32,
}

impl Requests {
    /// Whether one concerns this worker.
    #[must_use]
    pub fn concern(&self, key: &str) -> bool {
        self.concerned.iter().any(|concerned| concerned == key)
    }

    /// Asks, without waiting for the answer.
    pub fn ask(&mut self, client: &Client, deed: Deed, key: String, spec: ProcessSpec) {
        let client = client.clone();
        self.made += 1;
        self.concerned.push(key.clone());
        self.under_way.spawn(async move {
            let answer = one(&client, deed, &key, spec).await;
            vec![(key, deed, answer)]
        });
    }

    /// Asks for many at once.
    pub fn ask_batch(&mut self, client: &Client, deed: Deed, keys: Vec<String>) {
        let client = client.clone();
        self.made += 1;
        self.concerned.extend(keys.iter().cloned());
        self.under_way.spawn(async move { many(&client, deed, keys).await });
    }

    /// Takes the answers that there are; with `all`, waits for all of them.
    ///
    /// # Errors
    /// An answer that no misfortune explains.
    pub async fn take(&mut self, cast: &mut Cast, all: bool) -> Result<()> {
        loop {
            let next = match all {
                true => self.under_way.join_next().await,
                false => self.under_way.try_join_next(),
            };
            let Some(news) = next else { return Ok(()) };
            for (key, deed, answer) in news? {
                self.concerned.retain(|concerned| *concerned != key);
                let Some(part) = cast.get_mut(&key) else { continue };
                match answer {
                    Ok(()) => part.promise = deed.promise(),
                    Err(ClientError::Unreachable { .. }) => part.promise = Promise::Unclear,
                    Err(ClientError::Refused(body)) if is_fair(body.code) => {}
                    Err(error) => bail!("{deed:?} {key}: {error}"),
                }
            }
        }
    }
}

/// Whether a refusal only says that the time was wrong.
fn is_fair(code: ErrorCode) -> bool {
    use ErrorCode::{AlreadyRunning, Busy, UnknownProcess};
    matches!(code, AlreadyRunning | Busy | UnknownProcess)
}

async fn one(client: &Client, deed: Deed, key: &str, spec: ProcessSpec) -> Result<(), ClientError> {
    let request = CreateRequest { spec, settle_ms: 0 };
    if deed == Deed::Create {
        return client.create(&request).await.map(drop);
    }
    let id = find(client, key).await?.to_string();
    let act = async |action| client.act(&id, action, &ActionRequest::default()).await.map(drop);
    match deed {
        Deed::Create => Ok(()),
        Deed::Stop => act(Action::Stop).await,
        Deed::Restart => act(Action::Restart).await,
        Deed::ForceRestart => act(Action::ForceRestart).await,
        Deed::Delete => client.delete(&id).await.map(drop),
    }
}

/// The id of a worker.
async fn find(client: &Client, key: &str) -> Result<u32, ClientError> {
    let (name, instance) = name_and_instance(key);
    let rows = client.rows().await?;
    let row = rows.iter().find(|row| row.name == name && row.instance == instance);
    row.map(|row| row.id).ok_or_else(|| {
        let message = format!("there is no {key}");
        let code = ErrorCode::UnknownProcess;
        ClientError::Refused(ErrorBody { code, message, exit: None, log_tail: Vec::new() })
    })
}

async fn many(client: &Client, deed: Deed, keys: Vec<String>) -> Vec<News> {
    let mut news = Vec::new();
    let (mut ids, mut asked) = (Vec::new(), Vec::new());
    for key in keys {
        match find(client, &key).await {
            Ok(id) => {
                ids.push(id);
                asked.push(key);
            }
            Err(error) => news.push((key, deed, Err(error))),
        }
    }
    let batch = ActBatch { action: deed.in_batch(), ids, force: false, settle_ms: 0 };
    match client.act_batch(&batch).await {
        Ok(answer) => {
            let results = answer.results.into_iter().map(|result| match result {
                BatchResult::Done(_) => Ok(()),
                BatchResult::Failed(body) => Err(ClientError::Refused(body)),
            });
            news.extend(asked.into_iter().zip(results).map(|(key, result)| (key, deed, result)));
        }
        Err(error) => {
            let reason = error.to_string();
            let lost = || {
                let socket = client.socket().to_owned();
                Err(ClientError::Unreachable { socket, reason: reason.clone() })
            };
            news.extend(asked.into_iter().map(|key| (key, deed, lost())));
        }
    }
    news
}
