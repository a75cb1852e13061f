//! Reports, cases, actions, appeals and the log: who may do what, what it does to things and people, and that nobody hears what is not theirs.

mod hidden;
mod log;
mod standing;

use tidings_actors::command::{Act, Command, Deed, Denied, ModeratedKind, Outcome};
use tidings_actors::entry::Change;
use tidings_actors::ports::{Asked, JournalStore, Moderation, Reads};
use tidings_protocol::entity::{Role, Visibility};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ActionId, CommentId, PostId, ReportId, SessionId, UserId};
use tidings_protocol::limits::REPORTS_PER_DAY;
use tidings_protocol::moderation::{
    AccountStanding, Action, ActionKind, AppealState, Case, CaseState, Reason, Report, SettledAs,
};
use tidings_protocol::position::{Millis, Seq};
use tidings_protocol::push::EventName;
use tidings_protocol::text::Note;
use uuid::Uuid;

use crate::world::{World, block, body, comment, done, duplicate, edit, post_for, refused};

fn note(text: &str) -> Note {
    Note::parse(text).unwrap()
}

pub(crate) fn report(kind: ModeratedKind, thing: Uuid, reason: Reason) -> Act {
    let (id, most) = (ReportId(Uuid::now_v7()), REPORTS_PER_DAY);
    Act::Deed(Deed::Report { id, kind, thing, reason, note: Some(note("look at this")), most })
}

pub(crate) fn report_post(post: PostId) -> Act {
    report(ModeratedKind::Post, post.0, Reason::Spam)
}

/// An action about a thing, and its id.
pub(crate) fn act(kind: ModeratedKind, thing: Uuid, action: ActionKind, until: Option<Millis>) -> (ActionId, Act) {
    let id = ActionId(Uuid::now_v7());
    let (kind, thing, note) = (Some(kind), Some(thing), Some(note("because")));
    (id, Act::Deed(Deed::Moderate { id, case: None, kind, thing, action, reason: Reason::Hate, note, until }))
}

fn about_post(post: PostId, action: ActionKind) -> Act {
    act(ModeratedKind::Post, post.0, action, None).1
}

fn about_user(user: UserId, action: ActionKind) -> Act {
    act(ModeratedKind::User, user.0, action, None).1
}

fn appeal(action: ActionId) -> Act {
    Act::Deed(Deed::Appeal { action, text: note("it was my sister") })
}

fn settle_appeal(action: ActionId, accept: bool) -> Act {
    Act::Deed(Deed::SettleAppeal { action, accept, note: Some(note("we have looked")) })
}

/// Two moderators and an admin.
pub(crate) struct Office {
    pub(crate) world: World,
    pub(crate) mia: UserId,
    pub(crate) max: UserId,
    pub(crate) adam: UserId,
}

impl Office {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let [mia, max, adam] = [world.sign_up("mia").await, world.sign_up("max").await, world.sign_up("adam").await];
        for (handle, role) in [("mia", Role::Moderator), ("max", Role::Moderator), ("adam", Role::Admin)] {
            assert!(world.store.set_role(handle, role).await.unwrap());
        }
        Self { world, mia, max, adam }
    }

    async fn cases(&self, settled: bool) -> Vec<Case> {
        match self.world.store.cases_page(self.mia, settled, None, 100).await.unwrap() {
            Asked::Told(page) => page.cases,
            other => panic!("{other:?}"),
        }
    }

    async fn outcome_of(&self, reporter: UserId) -> Vec<Option<SettledAs>> {
        let page = self.world.store.reports_page(reporter, None, 100).await.unwrap();
        page.reports.into_iter().map(|report| report.outcome).collect()
    }

    async fn standing(&self, user: UserId) -> AccountStanding {
        self.world.store.actions_page(user, None, 100).await.unwrap().standing
    }
}

#[tokio::test]
async fn reports_about_one_thing_are_one_case_and_each_person_reports_it_once() {
    let office = Office::new().await;
    let world = &office.world;
    let [ann, bob, cara] = [world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cara").await];
    let post = world.post(ann, "buy now").await;
    let first = done(world.does(bob, report_post(post)).await);
    assert_eq!(first.change, Change::Own { event: EventName::ReportUpdated, user: bob, id: post.0 });
    let told: Report = body(&first);
    assert_eq!((told.rev, told.about.post, told.outcome), (first.seq, Some(post), None));
    let again = duplicate(world.does(bob, report(ModeratedKind::Post, post.0, Reason::Other)).await);
    assert_eq!(body::<Report>(&again).id, told.id, "the first counts");
    done(world.does(cara, report(ModeratedKind::Post, post.0, Reason::Hate)).await);
    // What it said when it was reported is kept, whatever becomes of it.
    done(world.does(ann, edit(post, "good morning", None)).await);
    let cases = office.cases(false).await;
    assert_eq!(cases.len(), 1);
    let case = &cases[0];
    assert_eq!((case.count, case.state, case.author.id, case.about.post), (2, CaseState::Open, ann, Some(post)));
    assert_eq!(case.copy.as_ref().and_then(|copy| copy.text.as_deref()), Some("buy now"));
    assert_eq!(
        case.reasons.iter().map(|(reason, count)| (*reason, *count)).collect::<Vec<_>>(),
        [(Reason::Spam, 1), (Reason::Hate, 1)]
    );
    let Asked::Told(got) = world.store.case(office.mia, case.id).await.unwrap() else { panic!("not told") };
    assert_eq!(got.now.and_then(|now| now.text).as_deref(), Some("good morning"));
    let by: Vec<UserId> = got.reports.iter().map(|report| report.by.id).collect();
    assert_eq!(by, [cara, bob]);
    assert_eq!(got.reports[1].note.as_deref(), Some("look at this"));
    // Nothing to do: both hear so.
    let settled = done(world.does(office.mia, Act::Deed(Deed::SettleCase { case: case.id })).await);
    assert_eq!(body::<Case>(&settled).outcome, Some(SettledAs::Dismissed));
    assert_eq!(office.outcome_of(bob).await, [Some(SettledAs::Dismissed)]);
    assert_eq!(office.outcome_of(cara).await, [Some(SettledAs::Dismissed)]);
    duplicate(world.does(office.max, Act::Deed(Deed::SettleCase { case: case.id })).await);
    assert!(office.cases(false).await.is_empty());
    // Whoever reports it now makes another case of it.
    done(world.does(world.sign_up("dan").await, report_post(post)).await);
    let cases = office.cases(false).await;
    assert_eq!((cases.len(), cases[0].id != case.id, cases[0].count), (1, true, 1));
}

#[tokio::test]
async fn p5_what_one_may_not_see_cannot_be_reported_and_one_reports_neither_oneself_nor_without_end() {
    let office = Office::new().await;
    let world = &office.world;
    let [ann, bob] = [world.sign_up("ann").await, world.sign_up("bob").await];
    let secret = PostId(Uuid::now_v7());
    done(world.does(ann, post_for(secret, "for nobody", Visibility::Private)).await);
    let open = world.post(ann, "open").await;
    let under = CommentId(Uuid::now_v7());
    done(world.does(ann, comment(under, open, None, "and so on")).await);
    assert_eq!(refused(world.does(bob, report_post(secret)).await), Denied::NotFound);
    assert_eq!(refused(world.does(bob, report_post(PostId(Uuid::now_v7()))).await), Denied::NotFound);
    assert_eq!(refused(world.does(ann, report_post(open)).await), Denied::Oneself);
    assert_eq!(refused(world.does(ann, report(ModeratedKind::User, ann.0, Reason::Spam)).await), Denied::Oneself);
    // Whom ann blocks sees none of it; whom one has blocked oneself one may still report.
    done(world.does(ann, block(bob)).await);
    for act in [
        report_post(open),
        report(ModeratedKind::Comment, under.0, Reason::Spam),
        report(ModeratedKind::User, ann.0, Reason::Spam),
    ] {
        assert_eq!(refused(world.does(bob, act).await), Denied::NotFound);
    }
    let cara = world.sign_up("cara").await;
    done(world.does(cara, block(ann)).await);
    done(world.does(cara, report_post(open)).await);
    done(world.does(cara, report(ModeratedKind::User, ann.0, Reason::Harassment)).await);
    // An id of another's is taken.
    let Act::Deed(Deed::Report { id, .. }) = report_post(open) else { unreachable!("a report") };
    let with = |thing: Uuid| {
        let (kind, reason, most) = (ModeratedKind::Post, Reason::Spam, REPORTS_PER_DAY);
        Act::Deed(Deed::Report { id, kind, thing, reason, note: None, most })
    };
    let dan = world.sign_up("dan").await;
    done(world.does(dan, with(open.0)).await);
    let other = world.post(ann, "other").await;
    assert_eq!(refused(world.does(cara, with(other.0)).await), Denied::IdTaken);
    for _ in 1..REPORTS_PER_DAY {
        let post = world.post(ann, "more").await;
        done(world.does(dan, report_post(post)).await);
    }
    assert_eq!(refused(world.does(dan, report_post(other)).await), Denied::TooMany);
}

#[tokio::test]
async fn whom_a_case_is_about_hears_neither_who_reported_nor_who_acted() {
    let office = Office::new().await;
    let world = &office.world;
    let [ann, bob] = [world.sign_up("ann").await, world.sign_up("bob").await];
    let post = world.post(office.mia, "a moderator's").await;
    done(world.does(bob, report_post(post)).await);
    let case = office.cases(false).await.remove(0).id;
    let Asked::Told(got) = world.store.case(office.mia, case).await.unwrap() else { panic!("not told") };
    assert!(got.reports.is_empty());
    assert!(!serde_json::to_string(&got).unwrap().contains("bob"));
    let claim = Act::Deed(Deed::ClaimCase { case, release: false });
    assert_eq!(refused(world.does(office.mia, claim).await), Denied::Protected);
    let settle = Act::Deed(Deed::SettleCase { case });
    assert_eq!(refused(world.does(office.mia, settle).await), Denied::Protected);
    // Nor does anybody hear of others' reports and actions on their `me`.
    done(world.does(office.max, about_user(ann, ActionKind::Warn)).await);
    let missed = world.store.missed(Some(ann), &[FeedName::Me], Seq(1), 1_000).await.unwrap();
    let own = missed.entries.iter().filter(|entry| matches!(entry.change, Change::Own { .. })).count();
    assert_eq!(own, 1, "the warning");
    let missed = world.store.missed(Some(bob), &[FeedName::Me], Seq(1), 1_000).await.unwrap();
    let events: Vec<_> = missed.entries.iter().filter_map(|entry| entry.change.event()).collect();
    assert!(events.contains(&EventName::ReportUpdated) && !events.contains(&EventName::ActionUpdated), "{events:?}");
}

#[tokio::test]
async fn an_appeal_is_made_once_and_decided_by_another() {
    let office = Office::new().await;
    let world = &office.world;
    let [ann, bob] = [world.sign_up("ann").await, world.sign_up("bob").await];
    let (id, suspend) = act(ModeratedKind::User, ann.0, ActionKind::Suspend, None);
    done(world.does(office.mia, suspend).await);
    assert_eq!(refused(world.does(bob, appeal(id)).await), Denied::NotFound, "it is not his");
    // Who is suspended may.
    let made = done(world.does(ann, appeal(id)).await);
    assert_eq!(body::<Action>(&made).appeal.map(|appeal| appeal.state), Some(AppealState::Open));
    duplicate(world.does(ann, appeal(id)).await);
    let more = Act::Deed(Deed::Appeal { action: id, text: note("and besides") });
    assert_eq!(refused(world.does(ann, more).await), Denied::NoAppeal);
    let open = office.cases(false).await;
    assert_eq!(
        (open.len(), open[0].actions[0].appeal.as_ref().map(|appeal| appeal.text.as_str())),
        (1, Some("it was my sister"))
    );
    let settle = Act::Deed(Deed::SettleCase { case: open[0].id });
    assert_eq!(refused(world.does(office.max, settle).await), Denied::AppealOpen);
    assert_eq!(refused(world.does(office.mia, settle_appeal(id, true)).await), Denied::OwnDecision);
    let decided = done(world.does(office.max, settle_appeal(id, true)).await);
    assert_eq!(body::<Case>(&decided).state, CaseState::Settled);
    duplicate(world.does(office.max, settle_appeal(id, true)).await);
    assert_eq!(refused(world.does(office.max, settle_appeal(id, false)).await), Denied::AlreadySo);
    assert_eq!(office.standing(ann).await, AccountStanding::Good);
    // Rejected, it stays.
    let post = world.post(ann, "rude").await;
    let (id, hide) = act(ModeratedKind::Post, post.0, ActionKind::Hide, None);
    done(world.does(office.mia, hide).await);
    done(world.does(ann, appeal(id)).await);
    done(world.does(office.adam, settle_appeal(id, false)).await);
    assert!(world.store.post(Some(bob), post).await.unwrap().is_none());
    let told = world.store.actions_page(ann, None, 10).await.unwrap().actions.remove(0);
    let appeal_of = told.appeal.unwrap();
    assert_eq!(
        (told.ended, appeal_of.state, appeal_of.reply.as_deref()),
        (false, AppealState::Rejected, Some("we have looked"))
    );
    // What was shown again meanwhile has got what it wanted.
    let other = world.post(ann, "rude too").await;
    let (id, hide) = act(ModeratedKind::Post, other.0, ActionKind::Hide, None);
    done(world.does(office.mia, hide).await);
    done(world.does(ann, appeal(id)).await);
    done(world.does(office.max, about_post(other, ActionKind::Unhide)).await);
    assert!(office.cases(false).await.is_empty());
    let unhide = world.store.actions_page(ann, None, 1).await.unwrap().actions.remove(0);
    assert_eq!(refused(world.does(ann, appeal(unhide.id)).await), Denied::NoAppeal, "that was in her favour");
}

#[tokio::test]
async fn claims_are_for_one_and_last_half_an_hour() {
    let office = Office::new().await;
    let world = &office.world;
    let [ann, bob] = [world.sign_up("ann").await, world.sign_up("bob").await];
    done(world.does(bob, report(ModeratedKind::User, ann.0, Reason::Impersonation)).await);
    let case = office.cases(false).await.remove(0).id;
    let claim = |release| Act::Deed(Deed::ClaimCase { case, release });
    let mine = done(world.does(office.mia, claim(false)).await);
    let told: Case = body(&mine);
    assert_eq!(
        (mine.change, told.state, told.by.map(|by| by.id)),
        (Change::Case { id: case }, CaseState::Claimed, Some(office.mia))
    );
    duplicate(world.does(office.mia, claim(false)).await);
    assert_eq!(refused(world.does(office.max, claim(false)).await), Denied::Claimed);
    assert_eq!(refused(world.does(office.max, claim(true)).await), Denied::Claimed);
    world.database.psql("update cases set claimed_ms = claimed_ms - 1800001").unwrap();
    done(world.does(office.max, claim(false)).await);
    done(world.does(office.adam, claim(true)).await);
    duplicate(world.does(office.max, claim(true)).await);
    assert_eq!(office.cases(false).await[0].state, CaseState::Open);
}

/// P4: the snapshot, and what is missed since, make the state that is fetched.

#[tokio::test]
async fn p4_a_moderator_who_was_away_is_told_what_changed_and_who_is_none_any_more_nothing() {
    let office = Office::new().await;
    let world = &office.world;
    let [ann, bob] = [world.sign_up("ann").await, world.sign_up("bob").await];
    let posts = [world.post(ann, "1").await, world.post(ann, "2").await, world.post(ann, "3").await];
    for post in posts {
        done(world.does(bob, report_post(post)).await);
    }
    let snapshot = world.store.snapshot(Some(office.mia), FeedName::Mod, 2).await.unwrap().unwrap();
    let ids = |cases: &[Case]| cases.iter().map(|case| case.about.post.unwrap()).collect::<Vec<_>>();
    assert_eq!(ids(snapshot.cases.as_ref().unwrap()), [posts[2], posts[1]]);
    let next = snapshot.next.unwrap().seq;
    let Asked::Told(page) = world.store.cases_page(office.mia, false, Some(next), 2).await.unwrap() else { panic!() };
    assert_eq!((ids(&page.cases), page.next), (vec![posts[0]], None));
    let since = world.head().await;
    done(world.does(office.max, about_post(posts[1], ActionKind::Delete)).await);
    let missed = world.store.missed(Some(office.mia), &[FeedName::Mod], since.next(), 100).await.unwrap();
    let cases: Vec<Case> = missed.entries.iter().map(body).collect();
    assert_eq!((ids(&cases), cases[0].state), (vec![posts[1]], CaseState::Settled));
    assert!(missed.restart.is_empty());
    // What the settled one remembers goes after some time.
    world.database.psql("update cases set settled_ms = 1 where state = 'settled'").unwrap();
    world.store.prune(u64::from(u32::MAX)).await.unwrap();
    assert!(office.cases(true).await[0].copy.is_none());
    assert!(office.cases(false).await.iter().all(|case| case.copy.is_some()));
    assert!(world.store.set_role("mia", Role::User).await.unwrap());
    let missed = world.store.missed(Some(office.mia), &[FeedName::Mod, FeedName::Me], since.next(), 100).await.unwrap();
    assert_eq!(missed.restart, [FeedName::Mod], "and is refused then");
    assert!(missed.entries.iter().all(|entry| !matches!(entry.change, Change::Case { .. })));
    assert!(world.store.snapshot(Some(office.mia), FeedName::Mod, 2).await.unwrap().is_none());
    let viewer = world.store.viewer(office.mia, SessionId(Uuid::now_v7())).await.unwrap().unwrap();
    assert!(!viewer.moderates);
    let viewer = world.store.viewer(office.max, SessionId(Uuid::now_v7())).await.unwrap().unwrap();
    assert!(viewer.moderates);
}

/// P10: an answer that was lost is asked for again.
#[tokio::test]
async fn p10_whatever_is_asked_again_is_done_once() {
    let office = Office::new().await;
    let world = &office.world;
    let [ann, bob] = [world.sign_up("ann").await, world.sign_up("bob").await];
    let post = world.post(ann, "rude").await;
    let (id, hide) = act(ModeratedKind::Post, post.0, ActionKind::Hide, None);
    for (actor, act) in
        [(bob, report_post(post)), (office.mia, hide), (ann, appeal(id)), (office.max, settle_appeal(id, true))]
    {
        let batch = crate::world::once();
        let commands = [Command { actor, act }];
        let first = world.store.commit(batch, &commands).await.unwrap().outcomes.remove(0);
        let head = world.head().await;
        let again = world.store.commit(batch, &commands).await.unwrap().outcomes.remove(0);
        let (Outcome::Done(first), Outcome::Duplicate(again)) = (first, again) else { panic!("not done, or again") };
        assert_eq!((first.seq, first.body.get(), head), (again.seq, again.body.get(), world.head().await));
    }
}
