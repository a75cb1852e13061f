//! The log: what is written into it, that nobody can change it, and that whoever can is found out.

use tidings_actors::command::{Act, ModeratedKind};
use tidings_actors::ports::{Asked, Moderation};
use tidings_protocol::moderation::{ActionKind, LogLine};
use tidings_store::{LogCheck, Standing, known_line};

use super::{Office, act, appeal, report_post, settle_appeal};
use crate::world::done;

impl Office {
    async fn lines(&self) -> Vec<LogLine> {
        match self.world.store.log(self.adam, None, 100).await.unwrap() {
            Asked::Told(log) => log.lines,
            other => panic!("{other:?}"),
        }
    }

    async fn check(&self) -> LogCheck {
        self.world.store.check_log(None).await.unwrap()
    }
}

#[tokio::test]
async fn every_act_is_a_line_without_a_word_of_what_people_wrote() {
    let office = Office::new().await;
    let world = &office.world;
    let [ann, bob] = [world.sign_up("ann").await, world.sign_up("bob").await];
    let (post, other) = (world.post(ann, "a secret text").await, world.post(ann, "another").await);
    let under = world.comment(ann, other, None, "a comment").await;
    done(world.does(bob, report_post(post)).await);
    let (id, hide) = act(ModeratedKind::Post, post.0, ActionKind::Hide, None);
    done(world.does(office.mia, hide).await);
    done(world.does(ann, appeal(id)).await);
    done(world.does(office.max, settle_appeal(id, false)).await);
    // Also what is not done by `mod.act`; but not what authors do with their own.
    done(world.does(office.mia, Act::CommentDelete { id: under }).await);
    done(world.does(office.mia, Act::PostDelete { id: other }).await);
    done(world.does(ann, Act::PostDelete { id: post }).await);
    done(world.does(office.mia, act(ModeratedKind::User, ann.0, ActionKind::Ban, None).1).await);
    world.store.set_standing("ann", Standing::Good).await.unwrap();
    world.store.log_out_everywhere("bob").await.unwrap();
    let lines = office.lines().await;
    let acts: Vec<_> = lines.iter().rev().map(|line| (line.n, line.act.as_str(), line.actor)).collect();
    let (mia, max) = (Some(office.mia), Some(office.max));
    assert_eq!(
        acts,
        [
            (1, "role moderator", None),
            (2, "role moderator", None),
            (3, "role admin", None),
            (4, "hide", mia),
            (5, "appeal", Some(ann)),
            (6, "appeal rejected", max),
            (7, "delete", mia),
            (8, "delete", mia),
            (9, "ban", mia),
            (10, "reinstate", None),
            (11, "log out", None),
        ]
    );
    assert_eq!((lines[4].kind.as_str(), lines[4].subject), ("comment", under.0));
    let all = world.database.psql("select * from audit_log").unwrap();
    for word in ["secret", "sister", "because", "look at this", "@example.org", "we have looked"] {
        assert!(!all.contains(word), "{word}");
    }
    assert!(matches!(office.check().await, LogCheck::Whole { lines: 11, .. }));
    let Asked::Told(page) = world.store.log(office.adam, Some(4), 2).await.unwrap() else { panic!("not told") };
    assert_eq!((page.lines.iter().map(|line| line.n).collect::<Vec<_>>(), page.next), (vec![3, 2], Some(2)));
}

#[tokio::test]
async fn nobody_changes_the_log_and_who_can_is_found_out() {
    let office = Office::new().await;
    let world = &office.world;
    let ann = world.sign_up("ann").await;
    for action in [ActionKind::Warn, ActionKind::Suspend, ActionKind::Reinstate] {
        done(world.does(office.mia, act(ModeratedKind::User, ann.0, action, None).1).await);
    }
    let LogCheck::Whole { lines: 6, last } = office.check().await else { panic!("not whole") };
    let known = known_line(&format!("6:{last}")).unwrap();
    for order in ["update audit_log set act = 'warn'", "delete from audit_log", "truncate audit_log"] {
        assert!(world.database.psql(order).is_err(), "{order}");
    }
    // Who owns the database can; but not unnoticed.
    let tamper = |order: &str| {
        let script = format!(
            "alter table audit_log disable trigger audit_log_stays; {order}; alter table audit_log enable trigger audit_log_stays"
        );
        world.database.psql(&script).unwrap();
    };
    tamper("update audit_log set actor = null where n = 5");
    assert_eq!(office.check().await, LogCheck::Broken { at: 5, what: "it is not what was written then" });
    tamper(&format!("update audit_log set actor = '{}' where n = 5", office.mia));
    assert!(matches!(office.check().await, LogCheck::Whole { lines: 6, .. }), "as it was");
    tamper("create table kept as select * from audit_log where n = 2; delete from audit_log where n = 2");
    assert_eq!(office.check().await, LogCheck::Broken { at: 2, what: "it is missing" });
    tamper("insert into audit_log select * from kept");
    assert!(matches!(world.store.check_log(Some(known.clone())).await.unwrap(), LogCheck::Whole { .. }));
    // Cut off, what is left is whole; but not for whoever has written down how far it went.
    tamper("delete from audit_log where n > 4");
    assert!(matches!(office.check().await, LogCheck::Whole { lines: 4, .. }));
    let cut = world.store.check_log(Some(known)).await.unwrap();
    assert_eq!(cut, LogCheck::Broken { at: 6, what: "it was known, and is not there any more" });
}
