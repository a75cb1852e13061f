//! Questions that come while an answer is under way are asked together, next: no timer, no wait for an idle database, and one statement
//! for as many as a storm brings. Must never add a question to a statement that has begun, and never leave one without an answer.

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, oneshot};
use tokio::task::yield_now;

/// Questions in one statement: with some hundred rows behind each still a matter of milliseconds.
const MOST_AT_ONCE: usize = 128;

/// Questions `Q` waiting for their turn. Each is held by somebody who waits for its answer, so there are no more than these.
pub(crate) struct Gather<Q, A> {
    waiting: Mutex<Vec<(Q, oneshot::Sender<A>)>>,
    /// One place: whoever holds it asks for all that wait.
    turn: Semaphore,
}

impl<Q: Clone, A> Gather<Q, A> {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::default(), turn: Semaphore::new(1) }
    }

    /// Asks. `read` answers each question of its list in order; of those who wait one lends theirs for all. Dropped half-way, it costs
    /// the others of its list nothing but another try.
    pub(crate) async fn ask<F: Future<Output = Vec<A>>>(&self, question: Q, read: impl Fn(Vec<Q>) -> F) -> A {
        let mut answer = self.line_up(question.clone());
        loop {
            tokio::select! {
                biased;
                answered = &mut answer => match answered {
                    Ok(answer) => return answer,
                    Err(_) => answer = self.line_up(question.clone()),
                },
                turn = self.turn.acquire() => {
                    // Whoever is about to ask on this thread does so first: a storm comes in handfuls, one for each look at the sockets.
                    yield_now().await;
                    let (questions, askers): (Vec<Q>, Vec<oneshot::Sender<A>>) = self.next().into_iter().unzip();
                    for (asker, answer) in askers.into_iter().zip(read(questions).await) {
                        // Who has left meanwhile needs none.
                        drop(asker.send(answer));
                    }
                    drop(turn);
                }
            }
        }
    }

    fn line_up(&self, question: Q) -> oneshot::Receiver<A> {
        let (to, answer) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((question, to));
        answer
    }

    /// Those whose turn it is, but for who does not wait any more.
    fn next(&self) -> Vec<(Q, oneshot::Sender<A>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|(_, asker)| !asker.is_closed());
        let most = waiting.len().min(MOST_AT_ONCE);
        waiting.drain(..most).collect()
    }
}

impl<Q, A> fmt::Debug for Gather<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    use tokio::task::{JoinSet, LocalSet};
    use tokio::time::sleep;

    use super::*;

    /// Nothing is held up: time stands still unless everybody waits.
    const SOON: Duration = Duration::from_millis(1);

    /// A database that writes down what it is asked, and takes a second.
    #[derive(Default)]
    struct Slow {
        gather: Gather<u32, u32>,
        asked: RefCell<Vec<Vec<u32>>>,
    }

    impl Default for Gather<u32, u32> {
        fn default() -> Self {
            Self::new()
        }
    }

    impl Slow {
        async fn double(&self, number: u32) -> u32 {
            self.gather.ask(number, |numbers| self.read(numbers)).await
        }

        async fn read(&self, numbers: Vec<u32>) -> Vec<u32> {
            self.asked.borrow_mut().push(numbers.clone());
            sleep(Duration::from_secs(1)).await;
            numbers.into_iter().map(|number| 2 * number).collect()
        }

        fn sizes(&self) -> Vec<usize> {
            self.asked.borrow().iter().map(Vec::len).collect()
        }
    }

    fn all_ask(slow: &Rc<Slow>, numbers: std::ops::Range<u32>) -> JoinSet<(u32, u32)> {
        let mut asking = JoinSet::new();
        for number in numbers {
            let slow = Rc::clone(slow);
            asking.spawn_local(async move { (number, slow.double(number).await) });
        }
        asking
    }

    #[tokio::test(start_paused = true)]
    async fn one_asks_at_once_and_those_who_come_meanwhile_ask_together() {
        let slow = Rc::new(Slow::default());
        LocalSet::new()
            .run_until(async {
                let mut first = all_ask(&slow, 0..1);
                sleep(SOON).await;
                assert_eq!(slow.sizes(), [1], "an idle database is asked at once");
                let mut rest = all_ask(&slow, 1..201);
                first.join_next().await.unwrap().unwrap();
                while let Some(answered) = rest.join_next().await {
                    let (number, double) = answered.unwrap();
                    assert_eq!(double, 2 * number, "each gets their own answer");
                }
                assert_eq!(slow.sizes(), [1, MOST_AT_ONCE, 200 - MOST_AT_ONCE]);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn p5_a_question_is_never_answered_by_what_was_read_before_it() {
        let slow = Rc::new(Slow::default());
        LocalSet::new()
            .run_until(async {
                let mut first = all_ask(&slow, 7..8);
                sleep(SOON).await;
                let mut same = all_ask(&slow, 7..8);
                first.join_next().await.unwrap().unwrap();
                assert_eq!(same.join_next().await.unwrap().unwrap(), (7, 14));
                assert_eq!(slow.sizes(), [1, 1]);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_all_may_leave_and_the_others_are_answered_all_the_same() {
        let slow = Rc::new(Slow::default());
        LocalSet::new()
            .run_until(async {
                let mut first = all_ask(&slow, 0..1);
                sleep(SOON).await;
                let mut leaving = all_ask(&slow, 1..2);
                sleep(SOON).await;
                let mut staying = all_ask(&slow, 2..4);
                first.join_next().await.unwrap().unwrap();
                sleep(Duration::from_millis(500)).await;
                assert_eq!(*slow.asked.borrow(), [vec![0], vec![1, 2, 3]]);
                leaving.shutdown().await;
                let mut answers = Vec::new();
                while let Some(answered) = staying.join_next().await {
                    answers.push(answered.unwrap());
                }
                answers.sort_unstable();
                assert_eq!(answers, [(2, 4), (3, 6)]);
                assert_eq!(*slow.asked.borrow(), [vec![0], vec![1, 2, 3], vec![2, 3]]);
            })
            .await;
    }
}
