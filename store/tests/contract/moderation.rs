//! Reports, cases, actions, appeals and the log: who may do what, what it does to things and people, and that nobody hears what is not theirs.

mod log;

use tidings_actors::command::{Act, Command, Deed, Denied, ModeratedKind, Outcome};
use tidings_actors::entry::{Change, Verb};
use tidings_actors::ports::{Agenda, Asked, Branch, JournalStore, Marks, Moderation, Reads};
use tidings_protocol::entity::{Role, Visibility};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{ActionId, CaseId, CommentId, PostId, ReportId, SessionId, UserId};
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
async fn p5_a_hidden_post_is_for_its_author_alone_until_it_is_shown_again() {
    let office = Office::new().await;
    let world = &office.world;
    let [ann, bob] = [world.sign_up("ann").await, world.sign_up("bob").await];
    let post = world.post(ann, "rude").await;
    let quote = PostId(Uuid::now_v7());
    done(world.does(bob, crate::world::hand_on(quote, post, Some("look"))).await);
    done(world.does(bob, report_post(post)).await);
    let before = world.head().await;
    let (id, hide) = act(ModeratedKind::Post, post.0, ActionKind::Hide, None);
    let hidden = done(world.does(office.mia, hide.clone()).await);
    let case: Case = body(&hidden);
    assert_eq!((case.rev, case.state, case.outcome), (hidden.seq, CaseState::Settled, Some(SettledAs::Acted)));
    assert_eq!((case.actions.len(), case.actions[0].by.as_ref().map(|by| by.id)), (1, Some(office.mia)));
    assert_eq!(duplicate(world.does(office.mia, hide).await).seq, hidden.seq, "an answer that was lost");
    assert_eq!(office.outcome_of(bob).await, [Some(SettledAs::Acted)]);
    // Live and in catch-up it is told as a post that has become its author's alone.
    let batch = world.store.read(before.next(), hidden.seq).await.unwrap();
    let entry = batch.entries.iter().find(|entry| matches!(entry.change, Change::Post { .. })).unwrap();
    assert_eq!(entry.scope.as_ref().map(|scope| scope.visibility), Some(Visibility::Private));
    assert!(world.store.post(Some(bob), post).await.unwrap().is_none());
    assert!(world.store.post(None, post).await.unwrap().is_none());
    assert!(world.store.stats(Some(bob), &[post]).await.unwrap().is_empty());
    let own = world.store.post(Some(ann), post).await.unwrap().unwrap();
    assert_eq!((own.extra.hidden, own.extra.visibility), (Some(Reason::Hate), Visibility::Public));
    let global = world.store.posts_page(Some(bob), FeedName::Global, None, 10).await.unwrap().unwrap();
    assert_eq!(global.posts.iter().map(|post| post.id).collect::<Vec<_>>(), [quote]);
    // Editing it does not bring it back.
    done(world.does(ann, crate::world::edit_for(post, "polite", Some(Visibility::Public), None)).await);
    assert!(world.store.post(Some(bob), post).await.unwrap().is_none());
    // The author hears why, and not by whom.
    let told = world.store.actions_page(ann, None, 10).await.unwrap();
    assert_eq!((told.actions[0].id, told.actions[0].reason, told.actions[0].ended), (id, Reason::Hate, false));
    let words = serde_json::to_string(&told).unwrap();
    assert!(words.contains("because") && !words.contains("mia"), "{words}");
    assert_eq!(refused(world.does(office.mia, about_post(post, ActionKind::Hide)).await), Denied::AlreadySo);
    done(world.does(office.max, about_post(post, ActionKind::Unhide)).await);
    let seen = world.store.post(Some(bob), post).await.unwrap().unwrap();
    assert_eq!((seen.text.as_str(), seen.extra.hidden), ("polite", None));
    assert!(
        world.store.history(Some(bob), post).await.unwrap().unwrap().versions.is_empty(),
        "what was hidden stays so"
    );
    let stats = world.store.stats(Some(bob), &[post]).await.unwrap().remove(0);
    assert_eq!(stats.counts.quotes, 1);
    assert_eq!(refused(world.does(office.mia, about_post(post, ActionKind::Unhide)).await), Denied::AlreadySo);
}

#[tokio::test]
async fn a_hidden_comment_is_a_placeholder_and_comes_back_as_it_was() {
    let office = Office::new().await;
    let world = &office.world;
    let [ann, bob] = [world.sign_up("ann").await, world.sign_up("bob").await];
    let post = world.post(ann, "hello").await;
    let rude = world.comment(bob, post, None, "rude").await;
    let answer = world.comment(ann, post, Some(rude), "why?").await;
    let shown = || async {
        let page =
            world.store.comments_page(Some(ann), Branch { post, parent: None }, None, 10).await.unwrap().unwrap();
        let mut texts: Vec<_> = page.comments.into_iter().map(|comment| (comment.id, comment.text)).collect();
        texts.sort();
        texts
    };
    let counted = || async { world.store.counts(&[post]).await.unwrap().remove(0).comments };
    let before = world.head().await;
    let (id, hide) = act(ModeratedKind::Comment, rude.0, ActionKind::Hide, None);
    let hidden = done(world.does(office.mia, hide).await);
    let batch = world.store.read(before.next(), hidden.seq).await.unwrap();
    let gone = batch.entries.iter().any(|entry| matches!(entry.change, Change::Comment { verb: Verb::Removed, .. }));
    assert!(gone, "told as removed");
    assert_eq!(shown().await, [(rude, None), (answer, Some("why?".into()))]);
    assert_eq!(counted().await, 1);
    let told: Action = world.store.actions_page(bob, None, 10).await.unwrap().actions.remove(0);
    assert_eq!((told.text.as_deref(), told.about.comment, told.about.post), (Some("rude"), Some(rude), Some(post)));
    // Forgetting tombstones leaves it.
    world.store.prune(0).await.unwrap();
    done(world.does(bob, appeal(id)).await);
    done(world.does(office.max, settle_appeal(id, true)).await);
    assert_eq!(shown().await, [(rude, Some("rude".into())), (answer, Some("why?".into()))]);
    assert_eq!(counted().await, 2);
    let told: Action = world.store.actions_page(bob, None, 10).await.unwrap().actions.remove(0);
    assert_eq!(
        (told.ended, told.text, told.appeal.map(|appeal| appeal.state)),
        (true, None, Some(AppealState::Accepted))
    );
    // Deleted while it is hidden, it does not come back.
    done(world.does(office.mia, act(ModeratedKind::Comment, rude.0, ActionKind::Hide, None).1).await);
    done(world.does(office.mia, act(ModeratedKind::Comment, rude.0, ActionKind::Delete, None).1).await);
    let unhide = act(ModeratedKind::Comment, rude.0, ActionKind::Unhide, None).1;
    assert_eq!(refused(world.does(office.mia, unhide).await), Denied::NotFound);
    assert_eq!(world.database.psql("select count(*) from hidden_comments").unwrap().trim(), "0");
}

#[tokio::test]
async fn p5_a_suspension_holds_at_once_ends_by_itself_and_a_ban_ends_all_log_ins() {
    let office = Office::new().await;
    let world = &office.world;
    let ann = world.sign_up("ann").await;
    let session = world.log_in(ann, 1).await;
    let now = world.database.psql("select clock_ms()").unwrap().trim().parse::<u64>().unwrap();
    let past = act(ModeratedKind::User, ann.0, ActionKind::Suspend, Some(Millis(now - 1))).1;
    assert_eq!(refused(world.does(office.mia, past).await), Denied::Misplaced);
    let until = Millis(now + 3_600_000);
    let (id, suspend) = act(ModeratedKind::User, ann.0, ActionKind::Suspend, Some(until));
    done(world.does(office.mia, suspend).await);
    let post = crate::world::post(PostId(Uuid::now_v7()), "more");
    assert_eq!(refused(world.does(ann, post.clone()).await), Denied::Suspended);
    let told = world.store.actions_page(ann, None, 10).await.unwrap();
    assert_eq!(
        (told.standing, told.until, told.actions[0].until),
        (AccountStanding::Suspended, Some(until), Some(until))
    );
    // Not yet.
    assert!(world.store.due(10).await.unwrap().is_empty());
    duplicate(world.does(ann, Act::Deed(Deed::EndSuspension { action: id })).await);
    assert_eq!(office.standing(ann).await, AccountStanding::Suspended);
    world.database.psql("update users set standing_until = 1 where standing = 1").unwrap();
    let due = world.store.due(10).await.unwrap();
    let [Command { actor, act: Act::Deed(Deed::EndSuspension { action }) }] = due.as_slice() else { panic!("{due:?}") };
    assert_eq!((*actor, *action), (ann, id));
    let over = done(world.commit(&due).await.remove(0));
    assert_eq!(over.change, Change::Own { event: EventName::ActionUpdated, user: ann, id: id.0 });
    assert!(body::<Action>(&over).ended);
    done(world.does(ann, post).await);
    assert!(world.store.due(10).await.unwrap().is_empty());
    // A ban.
    let before = world.head().await;
    let banned = done(world.does(office.mia, about_user(ann, ActionKind::Ban)).await);
    let batch = world.store.read(before.next(), banned.seq).await.unwrap();
    let ended = Change::SessionRevoked { user: ann, session: None };
    assert!(batch.entries.iter().any(|entry| entry.change == ended), "all nodes hear of it");
    assert!(!world.store.viewer(ann, session).await.unwrap().unwrap().session_live);
    assert_eq!(refused(world.does(office.max, about_user(ann, ActionKind::Ban)).await), Denied::AlreadySo);
    done(world.does(office.max, about_user(ann, ActionKind::Reinstate)).await);
    assert_eq!(office.standing(ann).await, AccountStanding::Good);
    let told = world.store.actions_page(ann, None, 10).await.unwrap();
    assert!(told.actions.iter().filter(|action| action.action == ActionKind::Ban).all(|action| action.ended));
}

#[tokio::test]
async fn moderators_act_neither_on_themselves_nor_on_those_above_them_and_others_not_at_all() {
    let office = Office::new().await;
    let world = &office.world;
    let ann = world.sign_up("ann").await;
    let post = world.post(office.mia, "mine").await;
    let before = world.head().await;
    for (who, whom) in [(office.mia, office.mia), (office.mia, office.max), (office.mia, office.adam)] {
        assert_eq!(refused(world.does(who, about_user(whom, ActionKind::Warn)).await), Denied::Protected);
    }
    assert_eq!(refused(world.does(office.mia, about_post(post, ActionKind::Hide)).await), Denied::Protected);
    assert_eq!(refused(world.does(ann, about_user(office.mia, ActionKind::Warn)).await), Denied::NotModerator);
    let hide = about_user(ann, ActionKind::Hide);
    assert_eq!(refused(world.does(office.mia, hide).await), Denied::Misplaced);
    let nobody = about_user(UserId(Uuid::now_v7()), ActionKind::Warn);
    assert_eq!(refused(world.does(office.mia, nobody).await), Denied::NotFound);
    // P2: what was refused left nothing behind.
    assert_eq!(world.head().await, before);
    assert!(office.cases(false).await.is_empty() && office.cases(true).await.is_empty());
    for act in [
        Act::Deed(Deed::SettleCase { case: CaseId(Uuid::now_v7()) }),
        Act::Deed(Deed::ClaimCase { case: CaseId(Uuid::now_v7()), release: false }),
        settle_appeal(ActionId(Uuid::now_v7()), true),
        Act::Deed(Deed::SetRole { whom: office.max, role: Role::Admin }),
    ] {
        assert_eq!(refused(world.does(ann, act).await), Denied::NotModerator);
    }
    assert!(matches!(world.store.cases_page(ann, false, None, 9).await.unwrap(), Asked::NotForThem));
    assert!(matches!(world.store.case(ann, CaseId(Uuid::now_v7())).await.unwrap(), Asked::NotForThem));
    assert!(matches!(world.store.case(office.mia, CaseId(Uuid::now_v7())).await.unwrap(), Asked::NotThere));
    assert!(matches!(world.store.log(office.mia, None, 9).await.unwrap(), Asked::NotForThem));
    assert!(world.store.snapshot(Some(ann), FeedName::Mod, 9).await.unwrap().is_none());
    // An admin may; suspended, a moderator is none.
    done(world.does(office.adam, about_post(post, ActionKind::Hide)).await);
    let before = world.head().await;
    let suspended = done(world.does(office.adam, about_user(office.mia, ActionKind::Suspend)).await);
    let batch = world.store.read(before.next(), suspended.seq).await.unwrap();
    let lost = Change::Rights { user: office.mia, moderates: false };
    assert!(batch.entries.iter().any(|entry| entry.change == lost), "their `mod` ends");
    assert!(matches!(world.store.cases_page(office.mia, false, None, 9).await.unwrap(), Asked::NotForThem));
    assert_eq!(refused(world.does(office.mia, about_user(ann, ActionKind::Warn)).await), Denied::Suspended);
    // Of admins none acts on another.
    done(world.does(office.adam, Act::Deed(Deed::SetRole { whom: office.max, role: Role::Admin })).await);
    assert_eq!(refused(world.does(office.adam, about_user(office.max, ActionKind::Warn)).await), Denied::Protected);
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

#[tokio::test]
async fn admins_give_roles_but_neither_to_themselves_nor_to_other_admins() {
    let office = Office::new().await;
    let world = &office.world;
    let ann = world.sign_up("ann").await;
    let give = |whom, role| Act::Deed(Deed::SetRole { whom, role });
    let before = world.head().await;
    let given = done(world.does(office.adam, give(ann, Role::Moderator)).await);
    assert_eq!(given.change, Change::User { verb: Verb::Updated, id: ann });
    assert_eq!(body::<tidings_protocol::entity::User>(&given).role, Role::Moderator);
    let batch = world.store.read(before.next(), given.seq).await.unwrap();
    assert!(batch.entries.iter().any(|entry| entry.change == Change::Rights { user: ann, moderates: true }));
    duplicate(world.does(office.adam, give(ann, Role::Moderator)).await);
    done(world.does(office.adam, give(ann, Role::Admin)).await);
    assert_eq!(refused(world.does(office.adam, give(ann, Role::User)).await), Denied::Protected);
    assert_eq!(refused(world.does(office.adam, give(office.adam, Role::User)).await), Denied::Protected);
    assert_eq!(refused(world.does(office.mia, give(office.max, Role::User)).await), Denied::NotModerator);
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
