//! Between the nodes and the model of Postgres: what becomes of a question on its way, in there, and on the way back.

use crate::ports::{CommitFault, StoreFault};
use tokio::sync::oneshot;

use super::ports::Question;
use super::world::{Event, World};

fn away() -> StoreFault {
    StoreFault::Unavailable("the line was lost".to_owned())
}

impl World {
    pub(super) fn arrives(&mut self, question: Question) {
        if self.database.stands_still_until > self.now {
            let wait = self.database.stands_still_until - self.now + self.dice.between(0, 5);
            return self.later(wait, Event::Arrives(question));
        }
        if self.database.down {
            return self.turned_away(question);
        }
        let database = &mut self.database;
        match question {
            Question::Head(to) => {
                let head = database.head();
                self.answers(to, head);
            }
            Question::Read(from, end, to) => match database.read(from, end) {
                Some(batch) => self.answers(to, batch),
                None => drop(to.send(Err(StoreFault::Broken("it is forgotten".to_owned())))),
            },
            Question::Viewer(user, session, to) => {
                let viewer = database.viewer(user, session);
                self.answers(to, viewer);
            }
            Question::Snapshot(viewer, feed, limit, to) => {
                let snapshot = database.snapshot(viewer, feed, limit);
                self.answers(to, snapshot);
            }
            Question::Missed(viewer, feeds, since, limit, to) => {
                let missed = database.missed(viewer, &feeds, since, limit);
                self.answers(to, missed);
            }
            Question::Hidden(viewer, posts, to) => {
                let hidden = database.hidden(viewer, &posts);
                self.answers(to, hidden);
            }
            Question::Commit(batch, commands, to) => {
                // Cut off just before it was carried out: not done, but the node cannot know.
                if self.faults && self.dice.percent(2) {
                    return drop(to.send(Err(CommitFault::Unknown("cut off before".to_owned()))));
                }
                // Something about the batch as a whole: the commands are tried one at a time.
                if self.faults && commands.len() > 1 && self.dice.percent(2) {
                    return drop(to.send(Err(CommitFault::Rejected("what is this?".to_owned()))));
                }
                let Some(committed) = database.commit(batch, &commands) else {
                    return drop(to.send(Err(CommitFault::Rejected("a later batch was committed".to_owned()))));
                };
                self.note(1, &self.database.list.head().to_le_bytes());
                let wait = self.latency();
                let sent = Box::new(move |lost| {
                    let unknown = || CommitFault::Unknown("cut off after".to_owned());
                    drop(to.send(if lost { Err(unknown()) } else { Ok(committed) }));
                });
                self.later(wait, Event::Answers { sent, deaths: self.database.deaths });
            }
        }
    }

    fn answers<T: 'static>(&mut self, to: oneshot::Sender<Result<T, StoreFault>>, answer: T) {
        let wait = self.latency();
        let sent = Box::new(move |lost| drop(to.send(if lost { Err(away()) } else { Ok(answer) })));
        self.later(wait, Event::Answers { sent, deaths: self.database.deaths });
    }

    fn turned_away(&mut self, question: Question) {
        match question {
            Question::Head(to) => drop(to.send(Err(away()))),
            Question::Read(_, _, to) => drop(to.send(Err(away()))),
            Question::Viewer(_, _, to) => drop(to.send(Err(away()))),
            Question::Snapshot(_, _, _, to) => drop(to.send(Err(away()))),
            Question::Missed(_, _, _, _, to) => drop(to.send(Err(away()))),
            Question::Hidden(_, _, to) => drop(to.send(Err(away()))),
            Question::Commit(_, _, to) if self.dice.percent(50) => {
                drop(to.send(Err(CommitFault::Unknown("cut off on the way".to_owned()))));
            }
            Question::Commit(_, _, to) => drop(to.send(Err(CommitFault::NotDone("cannot connect".to_owned())))),
        }
    }
}
