//! Everything that goes over the supervisor's socket, in tasks of its own: what comes in waits in a bounded queue,
//! and nothing ever waits for an answer but the task that asked.

use std::time::Duration;

use anyhow::{Context, bail};
use futures::StreamExt;
use supervisor::client::{Client, ClientError};
use supervisor::wire::ActBatch;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::model::{Deed, Update};

/// Updates that wait to be shown; a supervisor that says more waits.
const QUEUE: usize = 64;
/// Deeds under way at once.
const MOST_DEEDS: usize = 16;
/// Time between two looks at what the processes use.
const PERIOD: Duration = Duration::from_secs(1);
/// A supervisor that takes longer for a list counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time before a stream that ended is opened anew.
const PAUSE: Duration = Duration::from_millis(500);
/// A selection that passes sooner is not asked about: somebody holds the arrow key.
const SETTLE: Duration = Duration::from_millis(100);
/// Old lines that the log begins with.
const TAIL: usize = 500;
/// Lines in one update.
const CHUNK: usize = 256;

/// The process that is looked at. Its description may be another one when `created_at` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    pub id: u32,
    pub created_at: Option<i64>,
}

/// The open connections. They end when it is dropped.
pub struct Feed {
    client: Client,
    updates: Receiver<Update>,
    sender: Sender<Update>,
    subject: watch::Sender<Option<Subject>>,
    deeds: JoinSet<()>,
    /// Those that run as long as the feed.
    _tasks: JoinSet<()>,
}

impl Feed {
    /// Connects. Needs a running runtime.
    pub fn start(client: Client) -> Self {
        let (sender, updates) = mpsc::channel(QUEUE);
        let (subject, subjects) = watch::channel(None);
        let mut tasks = JoinSet::new();
        tasks.spawn(rows(client.clone(), sender.clone()));
        tasks.spawn(events(client.clone(), sender.clone()));
        tasks.spawn(log(client.clone(), subjects.clone(), sender.clone()));
        tasks.spawn(descriptions(client.clone(), subjects, sender.clone()));
        Self { client, updates, sender, subject, deeds: JoinSet::new(), _tasks: tasks }
    }

    /// What comes next.
    ///
    /// # Errors
    /// When nothing can come any more, which is a mistake of ours.
    pub async fn next(&mut self) -> anyhow::Result<Update> {
        self.updates.recv().await.context("the dashboard's connections ended")
    }

    /// Says which process is looked at.
    pub fn look_at(&self, subject: Option<Subject>) {
        self.subject.send_if_modified(|now| std::mem::replace(now, subject) != subject);
    }

    /// Has something done.
    ///
    /// # Errors
    /// When too much is under way already.
    pub fn order(&mut self, deed: Deed) -> anyhow::Result<()> {
        while self.deeds.try_join_next().is_some() {}
        if self.deeds.len() >= MOST_DEEDS {
            bail!("{MOST_DEEDS} requests are under way; wait for one to end");
        }
        let (client, updates) = (self.client.clone(), self.sender.clone());
        self.deeds.spawn(async move {
            let batch =
                ActBatch { action: deed.action, ids: deed.ids.clone(), force: false, settle_ms: 0 };
            let answer = client.act_batch(&batch).await.map_err(|error| error.to_string());
            // Nobody listens any more when the dashboard is closed.
            let _ = updates.send(Update::Done { deed, answer }).await;
        });
        Ok(())
    }
}

/// The list, once a second. It is also what tells whether the supervisor lives.
async fn rows(client: Client, updates: Sender<Update>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connected = false;
    loop {
        ticks.tick().await;
        let look = async {
            if !connected {
                let info = client.info().await?;
                connected = true;
                // The end is noticed with the next update.
                let _ = updates.send(Update::Supervisor(info)).await;
            }
            client.rows().await
        };
        let update = match timeout(PATIENCE, look).await {
            Ok(Ok(rows)) => Update::Rows(rows),
            Ok(Err(error)) => Update::Lost(error.to_string()),
            Err(_) => Update::Lost(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        connected &= !matches!(update, Update::Lost(_));
        if updates.send(update).await.is_err() {
            return;
        }
    }
}

/// Changes as they happen. Each new stream begins with the whole list, so that nothing is missed in between.
async fn events(client: Client, updates: Sender<Update>) {
    loop {
        if let Ok(mut stream) = client.events().await {
            while let Some(Ok(event)) = stream.next().await {
                if updates.send(Update::Event(event)).await.is_err() {
                    return;
                }
            }
        }
        // Why it ended is told by the list, which fails too.
        sleep(PAUSE).await;
    }
}

/// The output of the process that is looked at.
async fn log(
    client: Client,
    mut subjects: watch::Receiver<Option<Subject>>,
    updates: Sender<Update>,
) {
    let id = |subject: &Option<Subject>| subject.map(|subject| subject.id);
    let mut followed = id(&subjects.borrow());
    loop {
        let other = subjects.wait_for(|subject| id(subject) != followed);
        followed = match followed {
            Some(followed) => tokio::select! {
                other = other => match other {
                    Ok(other) => id(&other),
                    Err(_) => return,
                },
                () = follow(&client, followed, &updates) => Some(followed),
            },
            None => match other.await {
                Ok(other) => id(&other),
                Err(_) => return,
            },
        };
    }
}

/// Passes the lines of one process on until the stream ends, and some time more.
async fn follow(client: &Client, id: u32, updates: &Sender<Update>) {
    sleep(SETTLE).await;
    let ended = match client.follow_logs(&id.to_string(), TAIL).await {
        Err(error) => error,
        Ok(stream) => {
            let _ = updates.send(Update::LogBegins { id }).await;
            pass_on(stream, id, updates).await
        }
    };
    let _ = updates.send(Update::LogBroke { id, why: ended.to_string() }).await;
    sleep(PAUSE).await;
}

async fn pass_on(
    stream: impl futures::Stream<Item = Result<supervisor::wire::LogLine, ClientError>>,
    id: u32,
    updates: &Sender<Update>,
) -> ClientError {
    let mut chunks = std::pin::pin!(stream.ready_chunks(CHUNK));
    let mut broken = ClientError::Nonsense("the log ended".to_owned());
    while let Some(chunk) = chunks.next().await {
        let mut lines = Vec::with_capacity(chunk.len());
        for line in chunk {
            match line {
                Ok(line) => lines.push(line),
                Err(error) => broken = error,
            }
        }
        if updates.send(Update::LogLines { id, lines }).await.is_err() {
            break;
        }
    }
    broken
}

/// The description of the process that is looked at.
async fn descriptions(
    client: Client,
    mut subjects: watch::Receiver<Option<Subject>>,
    updates: Sender<Update>,
) {
    while subjects.changed().await.is_ok() {
        sleep(SETTLE).await;
        let Some(Subject { id, .. }) = *subjects.borrow_and_update() else {
            continue;
        };
        // Without an answer the details lack the limits; the next change asks again.
        if let Ok(Ok(spec)) = timeout(PATIENCE, client.spec(&id.to_string())).await {
            let _ = updates.send(Update::Spec { id, spec: Box::new(spec) }).await;
        }
    }
}
