//! Whether a frame may be told somebody, by a plain state. It must not know how it came about.

use tidings_protocol::entity::{Block, Comment, Follow, List, ListMember, Mute, Post, Removed, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, ListId, PostId, UserId};

use super::client::{Message, read};
use super::model::State;

/// What a frame tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// All of it.
    Whole,
    /// Less than there is: of something that may not be seen any more, or not by this reader.
    Short,
}

/// What a frame tells, if it may tell that to this viewer as things stand.
pub(crate) fn may_be_told(state: &State, viewer: Option<UserId>, frame: &str) -> Option<Told> {
    let message: Message<'_> = read(frame);
    let (feed, body) = (message.feed.expect("a push"), message.data.expect("a push").get());
    let whole = |fine: bool| fine.then_some(Told::Whole);
    let mine = |user: UserId| whole(feed == FeedName::Me && viewer == Some(user));
    let is_open = |post| state.is_open(FeedName::Post(post), viewer);
    match message.event.expect("a push") {
        "post.created" | "post.updated" => {
            let Post { id, .. } = read(body);
            whole(state.shows(feed, viewer, state.posts.get(&id)?, id))
        }
        "post.removed" => {
            let id = PostId(read::<Removed>(body).id);
            let row = state.posts.get(&id)?;
            let told = if row.removed { Told::Whole } else { Told::Short };
            state.may_have_shown(feed, viewer, row, id).then_some(told)
        }
        "comment.created" | "comment.updated" => {
            let Comment { id, post, removed, author, text, .. } = read(body);
            let row = state.comments.get(&id)?;
            let says_nothing = author.is_none() && text.is_none();
            match removed {
                true => (is_open(post) && says_nothing && state.unread(viewer, row.author)).then_some(Told::Short),
                false => whole(is_open(post) && state.reads(viewer, row)),
            }
        }
        "comment.removed" => {
            let row = state.comments.get(&CommentId(read::<Removed>(body).id))?;
            whole(row.removed && row.post.is_some_and(is_open))
        }
        "user.updated" => {
            let id = read::<User>(body).id;
            let is_there = if let FeedName::List(list) = feed { state.lists(list, viewer, id) } else { true };
            whole(is_there && !state.apart(viewer, id))
        }
        "follow.created" | "follow.removed" => mine(read::<Follow>(body).follower),
        "block.created" | "block.removed" => mine(read::<Block>(body).blocker),
        "mute.created" | "mute.removed" => mine(read::<Mute>(body).muter),
        "list.updated" => mine(state.lists.get(&read::<List>(body).id)?.0),
        "list.removed" => mine(state.lists.get(&ListId(read::<Removed>(body).id))?.0),
        "member.created" | "member.removed" => mine(state.lists.get(&read::<ListMember>(body).list)?.0),
        event => panic!("{event} is not pushed here"),
    }
}
