//! Who moderates, and where in the journal what moderators did has its place. Must never ask the database what anybody may see: only which entry
//! was whose.

use rand::RngExt as _;
use serde_json::{Value, json};
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName;
use tidings_protocol::position::Seq;
use uuid::Uuid;

use super::chance::Wish;
use super::deed::{Deed, Done};
use super::truth::Truth;
use super::{Play, WARDENS};
use crate::person::{Outcome, Person};
use crate::world::World;

/// The herald gives roles, and two have one.
pub fn begin(world: &World, herald: &Person, people: &[Person], truth: &mut Truth) {
    for (person, role) in [(herald, "admin"), (&people[0], "moderator"), (&people[1], "moderator")] {
        world.database.psql(&format!("select set_role('{}', '{role}')", person.handle)).expect("a role");
    }
    truth.admins.insert(herald.id());
    truth.moderators.extend([people[0].id(), people[1].id()]);
}

/// What the entries of a deed are about, and of which kinds they are.
fn entries_of(deed: &Deed) -> Option<(Uuid, [u8; 2])> {
    match deed {
        Deed::Hide { id, .. } | Deed::Delete { id } => Some((id.0, [6, 7])),
        Deed::HideComment { id, .. } | Deed::DeleteComment { id } => Some((id.0, [9, 10])),
        Deed::Post { .. }
        | Deed::Edit { .. }
        | Deed::Comment { .. }
        | Deed::Follow { .. }
        | Deed::Block { .. }
        | Deed::Mute { .. }
        | Deed::Enlist { .. }
        | Deed::React { .. }
        | Deed::Suspend { .. }
        | Deed::Role { .. } => None,
    }
}

impl Play {
    /// Or to leave it; by the herald, and now and then they are suspended, or no longer.
    pub(super) async fn somebody_is_asked_to_moderate(&mut self) {
        let whom = self.people[self.dice.random_range(0..WARDENS)].id();
        let on = self.dice.random_bool(0.6);
        let (method, params, deed) = if self.dice.random_bool(0.6) {
            let role = if on { "moderator" } else { "user" };
            ("mod.role", json!({ "id": whom, "role": role }), Deed::Role { whom, on })
        } else {
            let action = if on { "reinstate" } else { "suspend" };
            let params = json!({ "id": Uuid::now_v7(), "user": whom, "action": action, "reason": "other" });
            ("mod.act", params, Deed::Suspend { whom, on: !on })
        };
        self.volleys += 1;
        match self.herald.tries(method, &params).await {
            Outcome::Done(result) => {
                let who = self.herald.id();
                self.is_done(&result, who, Wish { method, params, deed });
            }
            Outcome::Refused(_) => self.refused += 1,
            Outcome::Lost(number) => panic!("closed with {number}"),
        }
    }

    /// The answer to an act holds the last of its entries, that of its case; what was done has one before that.
    pub(super) fn acts_find_their_places(&mut self) {
        let acts = std::mem::take(&mut self.acts);
        if acts.is_empty() {
            return;
        }
        let since = self.judge.truth.seq;
        let asked = format!("select seq, kind, subject from journal where seq > {since} and kind in (6, 7, 9, 10)");
        let told = self.world.database.psql(&asked).expect("the journal");
        let entry = |line: &str| -> Option<(Seq, u8, Uuid)> {
            let mut columns = line.split('|').map(str::trim);
            Some((Seq(columns.next()?.parse().ok()?), columns.next()?.parse().ok()?, columns.next()?.parse().ok()?))
        };
        let entries: Vec<(Seq, u8, Uuid)> = told.lines().filter_map(entry).collect();
        for (last, done) in acts {
            self.takes_its_place(last, done, &entries);
        }
    }

    fn takes_its_place(&mut self, last: Seq, done: Done, entries: &[(Seq, u8, Uuid)]) {
        let place = entries_of(&done.deed).and_then(|(about, kinds)| {
            let of_it = entries.iter().filter(|(seq, kind, subject)| {
                *seq <= last && kinds.contains(kind) && *subject == about && !self.deeds.contains_key(seq)
            });
            of_it.map(|(seq, ..)| *seq).max()
        });
        // Somebody's standing or role is so at the end; and a hidden comment is gone already when it is deleted.
        let had = self.deeds.insert(place.unwrap_or(last), done);
        assert!(had.is_none(), "two deeds in one place: {had:?}");
    }

    /// Who moderates watches what is reported, and somebody reports something.
    pub(super) async fn wardens_look_around(&mut self) {
        for nth in 0..WARDENS {
            let person = &mut self.people[nth];
            if self.judge.truth.moderates(person.id()) && !person.feeds.contains(&FeedName::Mod) {
                let cases: Result<Value, Refusal> =
                    person.request("feed.subscribe", json!({ "feed": FeedName::Mod })).await;
                person.feeds.push(FeedName::Mod);
                person.state.starts_afresh(serde_json::from_value(cases.expect("they moderate")).expect("a snapshot"));
            }
        }
        let nth = self.dice.random_range(0..super::PEOPLE);
        if let Some((post, _)) = self.things.posts.last().copied() {
            let report = json!({ "id": Uuid::now_v7(), "post": post, "reason": "spam" });
            // Refused where it is their own, or not for them to see.
            self.refused +=
                usize::from(matches!(self.people[nth].tries("report.create", report).await, Outcome::Refused(_)));
        }
    }
}
