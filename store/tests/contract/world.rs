//! One database of its own for each test, and short words for what people do.

use tidings_actors::command::{Act, Command, Deed, Denied, ExtraChange, Outcome, ProfileChange};
use tidings_actors::entry::Entry;
use tidings_actors::ports::{Accounts, BatchId, JournalStore, NewToken, Opening};
use tidings_protocol::entity::{PostExtra, Visibility};
use tidings_protocol::ids::{CommentId, ListId, PostId, SessionId, UserId};
use tidings_protocol::limits::{LIST_MEMBERS, LISTS};
use tidings_protocol::position::Seq;
use tidings_protocol::spans;
use tidings_protocol::text::{CommentText, DisplayName, Handle, ListName, PostText};
use tidings_store::{Store, StoreOptions};
use tidings_testkit::{Database, Postgres};
use uuid::Uuid;

/// A batch that is asked once, by a writer of its own.
pub fn once() -> BatchId {
    BatchId { writer: Uuid::new_v4(), number: 1 }
}

/// A migrated database with one node's store on it.
pub struct World {
    pub store: Store,
    pub database: Database,
}

impl World {
    pub async fn new() -> Self {
        let database = Postgres::shared().unwrap().fresh_database().unwrap();
        let store = connect(database.url());
        store.migrate().await.unwrap();
        Self { store, database }
    }

    /// Another node on the same database.
    pub fn another_node(&self) -> Store {
        connect(self.database.url())
    }

    pub async fn commit(&self, commands: &[Command]) -> Vec<Outcome> {
        self.store.commit(once(), commands).await.unwrap().outcomes
    }

    /// Carries out one command.
    pub async fn does(&self, actor: UserId, act: Act) -> Outcome {
        let mut outcomes = self.commit(&[Command { actor, act }]).await;
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    pub async fn sign_up(&self, handle: &str) -> UserId {
        let id = UserId(Uuid::now_v7());
        done(self.does(id, sign_up(handle)).await);
        id
    }

    pub async fn sign_up_with_address(&self, handle: &str, address: &str) -> UserId {
        let id = UserId(Uuid::now_v7());
        let Act::UserCreate { handle, name, password_hash, .. } = sign_up(handle) else { unreachable!("a sign-up") };
        done(self.does(id, Act::UserCreate { handle, name, email: address.into(), password_hash }).await);
        id
    }

    pub async fn post(&self, author: UserId, text: &str) -> PostId {
        let id = PostId(Uuid::now_v7());
        done(self.does(author, post(id, text)).await);
        id
    }

    pub async fn comment(&self, author: UserId, on: PostId, parent: Option<CommentId>, text: &str) -> CommentId {
        let id = CommentId(Uuid::now_v7());
        done(self.does(author, comment(id, on, parent, text)).await);
        id
    }

    pub async fn log_in(&self, user: UserId, token: u8) -> SessionId {
        let opening = opening(user, token);
        let session = opening.session;
        assert!(self.store.open_session(opening).await.unwrap());
        session
    }

    pub async fn head(&self) -> Seq {
        self.store.head().await.unwrap().seq
    }

    /// The journal's numbers, as stored.
    pub fn stored_seqs(&self) -> Vec<u64> {
        let rows = self.database.psql("select seq from journal order by seq");
        rows.unwrap().lines().map(|row| row.parse().unwrap()).collect()
    }
}

pub fn connect(url: &str) -> Store {
    Store::connect(url, &StoreOptions::default()).unwrap()
}

pub fn new_token(number: u8) -> NewToken {
    NewToken { hash: [number; 32], life_ms: 60_000 }
}

/// A log-in after a password that was good.
pub fn opening(user: UserId, token: u8) -> Opening {
    let (session, token) = (SessionId(Uuid::now_v7()), new_token(token));
    Opening { user, session, token, device: None, checked: Some(PASSWORD_HASH.into()) }
}

/// What everybody's password is checked against after [`World::sign_up`].
pub const PASSWORD_HASH: &str = "$2b$12$hash";

pub fn sign_up(handle: &str) -> Act {
    Act::UserCreate {
        handle: Handle::parse(handle).unwrap(),
        name: DisplayName::parse(format!("The {handle}")).unwrap(),
        email: format!("{handle}@example.org").into(),
        password_hash: PASSWORD_HASH.into(),
    }
}

pub fn post(id: PostId, text: &str) -> Act {
    post_for(id, text, Visibility::Public)
}

/// As a session makes it of what a person writes: with the hashtags and mentions of the text.
pub fn post_for(id: PostId, text: &str, visibility: Visibility) -> Act {
    let found = spans::find(text);
    let extra = PostExtra { visibility, tags: found.tags, mentions: found.mentions, ..PostExtra::default() };
    let extra = (extra != PostExtra::default()).then(|| Box::new(extra));
    Act::PostCreate { id, text: Some(PostText::parse(text).unwrap()), extra, pictures: Vec::new() }
}

/// Hands a post on, with words or without.
pub fn hand_on(id: PostId, of: PostId, text: Option<&str>) -> Act {
    let extra = Box::new(PostExtra { of: Some(of), ..PostExtra::default() });
    Act::PostCreate {
        id,
        text: text.map(|text| PostText::parse(text).unwrap()),
        extra: Some(extra),
        pictures: Vec::new(),
    }
}

pub fn edit(id: PostId, text: &str, if_rev: Option<Seq>) -> Act {
    edit_for(id, text, None, if_rev)
}

/// The same, and who may see it from now on.
pub fn edit_for(id: PostId, text: &str, visibility: Option<Visibility>, if_rev: Option<Seq>) -> Act {
    let found = spans::find(text);
    let change = ExtraChange { visibility, tags: found.tags, mentions: found.mentions, ..ExtraChange::default() };
    Act::PostUpdate { id, text: PostText::parse(text).unwrap(), change, if_rev }
}

pub fn block(whom: UserId) -> Act {
    Act::Deed(Deed::Block { whom })
}

pub fn unblock(whom: UserId) -> Act {
    Act::Deed(Deed::Unblock { whom })
}

pub fn make_list(list: ListId, name: &str) -> Act {
    Act::Deed(Deed::MakeList { list, name: ListName::parse(name).unwrap(), most: LISTS })
}

pub fn enlist(list: ListId, user: UserId, there: bool) -> Act {
    Act::Deed(Deed::Enlist { list, user, there, most: LIST_MEMBERS })
}

pub fn mute(whom: UserId) -> Act {
    Act::Deed(Deed::Mute { whom, until: None })
}

pub fn unmute(whom: UserId) -> Act {
    Act::Deed(Deed::Unmute { whom })
}

pub fn comment(id: CommentId, post: PostId, parent: Option<CommentId>, text: &str) -> Act {
    Act::CommentCreate { id, post, parent, text: CommentText::parse(text).unwrap() }
}

pub fn edit_comment(id: CommentId, text: &str, if_rev: Option<Seq>) -> Act {
    Act::CommentUpdate { id, text: CommentText::parse(text).unwrap(), if_rev }
}

pub fn rename(name: &str) -> Act {
    Act::UserUpdate {
        name: Some(DisplayName::parse(name).unwrap()),
        bio: None,
        change: ProfileChange::default(),
        if_rev: None,
    }
}

pub fn done(outcome: Outcome) -> Entry {
    match outcome {
        Outcome::Done(entry) => entry,
        other => panic!("not done: {other:?}"),
    }
}

pub fn duplicate(outcome: Outcome) -> Entry {
    match outcome {
        Outcome::Duplicate(entry) => entry,
        other => panic!("no duplicate: {other:?}"),
    }
}

pub fn refused(outcome: Outcome) -> Denied {
    match outcome {
        Outcome::Refused(why) => why,
        other => panic!("not refused: {other:?}"),
    }
}

/// The body of an entry as the wire type it must be.
pub fn body<T: serde::de::DeserializeOwned>(entry: &Entry) -> T {
    serde_json::from_str(entry.body.get()).unwrap()
}
