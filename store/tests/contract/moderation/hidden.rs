//! What a moderator hides: from whom, for how long, and what becomes of it meanwhile.

use tidings_actors::command::{Act, Denied, ModeratedKind};
use tidings_actors::entry::{Change, Verb};
use tidings_actors::ports::{Branch, JournalStore, Marks, Moderation, Reads};
use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::PostId;
use tidings_protocol::moderation::{Action, ActionKind, AppealState, Case, CaseState, Reason, SettledAs};
use uuid::Uuid;

use super::{Office, about_post, act, appeal, report_post, settle_appeal};
use crate::world::{body, done, duplicate, refused};

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

/// What its author deletes while it is hidden from everybody is gone: neither a moderator nor an appeal brings it back, and what it said is nowhere.
#[tokio::test]
async fn p2_a_comment_deleted_while_it_is_hidden_stays_deleted() {
    for by_appeal in [false, true] {
        let office = Office::new().await;
        let world = &office.world;
        let [ann, bob] = [world.sign_up("ann").await, world.sign_up("bob").await];
        let post = world.post(ann, "hello").await;
        let rude = world.comment(bob, post, None, "a rude word").await;
        let (id, hide) = act(ModeratedKind::Comment, rude.0, ActionKind::Hide, None);
        done(world.does(office.mia, hide).await);
        // To everybody it was gone before.
        duplicate(world.does(bob, Act::CommentDelete { id: rude }).await);
        assert_eq!(world.database.psql("select count(*) from hidden_comments").unwrap().trim(), "0");
        let told = world.store.actions_page(bob, None, 10).await.unwrap();
        assert!(told.actions.iter().all(|action| action.text.is_none()), "{told:?}");
        if by_appeal {
            done(world.does(bob, appeal(id)).await);
            done(world.does(office.max, settle_appeal(id, true)).await);
        } else {
            let unhide = act(ModeratedKind::Comment, rude.0, ActionKind::Unhide, None).1;
            assert_eq!(refused(world.does(office.mia, unhide).await), Denied::NotFound);
        }
        let page =
            world.store.comments_page(Some(ann), Branch { post, parent: None }, None, 10).await.unwrap().unwrap();
        assert!(page.comments.iter().all(|comment| comment.text.is_none()), "{:?}", page.comments);
        assert_eq!(world.store.counts(&[post]).await.unwrap().remove(0).comments, 0);
    }
}
