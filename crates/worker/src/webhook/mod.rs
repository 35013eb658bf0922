//! Asks the tenant's webhook what to do with messages. Several questions at once, so that one that
//! hangs holds up neither another chat's question nor any answer.

mod request;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use api::TenantId;
use chrono::Utc;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rules::{WebhookAnswer, limits};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::outside::{Outside, OutsideError};
use crate::settings::Settings;
use crate::store::{BotStore, Question, StoreError};

/// Questions that are under way at once.
const AT_ONCE: usize = 4;

/// How often a question is asked.
const TRIES: u32 = 5;

/// The longest time without a look at what is due.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The wait after the worker's database failed.
const AFTER_STORE_FAILURE: Duration = Duration::from_secs(5);

/// What the task works with.
pub struct Webhook {
    /// Whose webhook it is.
    pub tenant: TenantId,
    /// The worker's database.
    pub store: Arc<BotStore>,
    /// The tenant's settings.
    pub settings: watch::Receiver<Settings>,
    /// Makes the requests.
    pub outside: Arc<Outside>,
    /// The wait after the first failed try; it doubles with each.
    pub first_retry: Duration,
}

/// What came of a question.
enum Came {
    Answer(String),
    Refused(String),
    Failed(String),
}

impl Webhook {
    /// Asks, without end. A question that is under way when the worker ends is asked again by the next.
    pub async fn run(mut self) {
        let mut under_way = FuturesUnordered::new();
        let mut asked: HashSet<i64> = HashSet::new();
        loop {
            let wait = match self.due(&asked) {
                Ok((questions, wait)) => {
                    for question in questions {
                        asked.insert(question.message.seq);
                        under_way.push(self.ask(question));
                    }
                    wait
                }
                Err(error) => {
                    tracing::error!(%error, "cannot read the questions for the webhook");
                    AFTER_STORE_FAILURE
                }
            };
            let store = Arc::clone(&self.store);
            tokio::select! {
                Some((question, came)) = under_way.next() => {
                    asked.remove(&question.message.seq);
                    if let Err(error) = self.settle(&question, came) {
                        // Its row is as it was, so it is asked again.
                        tracing::error!(%error, "cannot store what the webhook answered");
                        sleep(AFTER_STORE_FAILURE).await;
                    }
                }
                () = sleep(wait) => {}
                () = store.question_came() => {}
                // An error means that the worker is ending, and this task with it.
                changed = self.settings.changed() => if changed.is_err() { return },
            }
        }
    }

    /// The questions to ask now, and how long until there may be more.
    fn due(&self, asked: &HashSet<i64>) -> Result<(Vec<Question>, Duration), StoreError> {
        let free = AT_ONCE.saturating_sub(asked.len());
        if free == 0 {
            return Ok((Vec::new(), LONGEST_WAIT));
        }
        let now = Utc::now();
        let mut questions = self.store.due_questions(now, free + asked.len())?;
        questions.retain(|question| !asked.contains(&question.message.seq));
        questions.truncate(free);
        // What is due already is under way from now on, or finds no place until something comes back.
        let due = self.store.next_question_due(now)?;
        let wait = due
            .map_or(LONGEST_WAIT, |due| (due - now).to_std().unwrap_or_default().min(LONGEST_WAIT));
        Ok((questions, wait))
    }

    /// Asks one question. What it needs is taken along, so that several can be under way.
    fn ask(&self, question: Question) -> impl Future<Output = (Question, Came)> + use<> {
        let settings = self.settings.borrow();
        let url = settings.rules.as_ref().and_then(|rules| rules.webhook().map(str::to_owned));
        let request =
            request::Request::new(self.tenant, &question, settings.wire.webhook_secret.as_ref());
        let outside = Arc::clone(&self.outside);
        async move {
            let Some(url) = url else {
                let why = "the rules no longer name a webhook".to_owned();
                return (question, Came::Refused(why));
            };
            let answer =
                outside.post(&url, &request.headers, request.body, limits::WEBHOOK_ANSWER).await;
            let came = match answer {
                Ok(body) => match WebhookAnswer::read(&body) {
                    Ok(_) => Came::Answer(String::from_utf8_lossy(&body).into_owned()),
                    Err(why) => Came::Refused(format!("its answer is not understood: {why}")),
                },
                Err(OutsideError::Refused(why)) => Came::Refused(why),
                Err(OutsideError::Failed(why)) => Came::Failed(why),
            };
            (question, came)
        }
    }

    fn settle(&self, question: &Question, came: Came) -> Result<(), StoreError> {
        let (id, tries) = (&question.message.message_id, question.tries + 1);
        match came {
            Came::Answer(answer) => {
                tracing::info!(%id, rule = question.rule, "the webhook answered");
                self.store.question_answered(question, &answer)
            }
            Came::Failed(why) if tries < TRIES => {
                tracing::warn!(%id, why, tries, "the webhook did not answer; it is asked again");
                let wait = self.first_retry.saturating_mul(1 << question.tries.min(8));
                self.store.ask_again(question, Utc::now() + wait)
            }
            Came::Failed(why) => {
                tracing::error!(%id, why, "the webhook does not answer");
                let why = format!("asked {tries} times: {why}");
                self.store.question_failed(question, &why, Utc::now())
            }
            Came::Refused(why) => {
                tracing::error!(%id, why, "the webhook's answer cannot be used");
                self.store.question_failed(question, &why, Utc::now())
            }
        }
    }
}
