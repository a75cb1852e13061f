//! Arbitrary values of every wire type, for property tests.
//! Must never make what the protocol does not allow: everything here has to round-trip. Large ones are boxed: unboxed, their nesting outgrows a test's stack.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use tidings_protocol::bots::{BotOf, FirehoseFilter, FirehoseKind, Scope};
use tidings_protocol::delivery::{Changed, DeliveryMode};
use tidings_protocol::entity::{
    Author, Block, Comment, CommentExtra, Follow, Mute, Post, PostExtra, Removed, Role, User, UserExtra, Visibility,
};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, ConnectionId, MediaId, PostId, RequestId, SessionId, UserId};
use tidings_protocol::limits::MAX_SAFE_INTEGER;
use tidings_protocol::listing::{Listing, Span};
use tidings_protocol::media::{MediaKind, MediaType};
use tidings_protocol::position::{Cursor, Epoch, Millis, Seq};
use tidings_protocol::presence::{Presence, Showing, Status};
use tidings_protocol::push::{Event, EventName, FeedPush, Notice};
use tidings_protocol::reply::{FeedStart, Limits, Snapshot, Welcome};
use tidings_protocol::request::{self, Hello, Method, Request};
use tidings_protocol::spans::{MentionSpan, Tag, TagSpan};
use tidings_protocol::text::{Bio, CommentText, DisplayName, Handle, PostText, Warning};
use uuid::Uuid;

use crate::marks;
use crate::moderation;
use crate::notes;
use crate::pictures;
use crate::search;
use crate::threads;
use crate::{circle, composing};

pub fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub fn user_id() -> impl Strategy<Value = UserId> {
    uuid().prop_map(UserId)
}

pub fn post_id() -> impl Strategy<Value = PostId> {
    uuid().prop_map(PostId)
}

pub fn comment_id() -> impl Strategy<Value = CommentId> {
    uuid().prop_map(CommentId)
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_u64, 0..=MAX_SAFE_INTEGER, Just(MAX_SAFE_INTEGER)]
}

pub fn seq() -> impl Strategy<Value = Seq> {
    number().prop_map(Seq)
}

pub fn millis() -> impl Strategy<Value = Millis> {
    number().prop_map(Millis)
}

pub fn epoch() -> impl Strategy<Value = Epoch> {
    prop_oneof![any::<u64>(), 0..100_u64, Just(u64::MAX)].prop_map(Epoch)
}

pub fn cursor() -> impl Strategy<Value = Cursor> {
    (epoch(), seq()).prop_map(|(epoch, seq)| Cursor { epoch, seq })
}

pub fn feed() -> impl Strategy<Value = FeedName> {
    prop_oneof![
        Just(FeedName::Home),
        Just(FeedName::Global),
        Just(FeedName::Firehose),
        Just(FeedName::Me),
        Just(FeedName::Mod),
        user_id().prop_map(FeedName::User),
        post_id().prop_map(FeedName::Post),
        tag().prop_map(FeedName::Tag),
        circle::list_id().prop_map(FeedName::List),
    ]
}

pub fn tag() -> impl Strategy<Value = Tag> {
    "[a-zé日_]{0,8}[a-z日][0-9_]{0,4}".prop_map(|name| name.parse().expect("of a tag's form"))
}

fn limit() -> impl Strategy<Value = Option<u16>> {
    of(1..=100_u16)
}

pub fn post_text() -> impl Strategy<Value = PostText> {
    any::<String>().prop_filter_map("not a post's text", |text| PostText::parse(text).ok())
}

fn comment_text() -> impl Strategy<Value = CommentText> {
    any::<String>().prop_filter_map("not a comment's text", |text| CommentText::parse(text).ok())
}

fn display_name() -> impl Strategy<Value = DisplayName> {
    "\\PC{1,50}".prop_filter_map("not a name", |text| DisplayName::parse(text).ok())
}

fn bio() -> impl Strategy<Value = Bio> {
    "(\\PC{0,40}\n?)?".prop_filter_map("not a bio", |text| Bio::parse(text).ok())
}

pub fn handle() -> impl Strategy<Value = Handle> {
    "[A-Za-z][A-Za-z0-9_]{2,29}".prop_map(|text| Handle::parse(text).expect("of handle's form"))
}

pub fn user() -> BoxedStrategy<User> {
    let role = prop_oneof![Just(Role::User), Just(Role::Admin), Just(Role::Moderator)];
    let bot = of((user_id(), any::<bool>()).prop_map(|(owner, stopped)| BotOf { owner, stopped }));
    (user_id(), seq(), any::<[String; 3]>(), role, millis(), any::<bool>(), (bot, of(uuid())))
        .prop_map(|(id, rev, [handle, name, bio], role, created_at, asks, (bot, avatar))| User {
            id,
            rev,
            handle,
            name,
            bio,
            role,
            created_at,
            extra: UserExtra { asks, bot, avatar: avatar.map(MediaId), deleted: false },
        })
        .boxed()
}

pub fn author() -> impl Strategy<Value = Author> {
    (user_id(), seq(), any::<[String; 2]>()).prop_map(|(id, rev, [handle, name])| Author { id, rev, handle, name })
}

pub fn post() -> BoxedStrategy<Post> {
    (post_id(), seq(), seq(), author(), any::<String>(), millis(), of(millis()), extra())
        .prop_map(|(id, rev, seq, author, text, created_at, edited_at, extra)| Post {
            id,
            rev,
            seq,
            author,
            text,
            created_at,
            edited_at,
            extra,
        })
        .boxed()
}

fn visibility() -> impl Strategy<Value = Visibility> {
    proptest::sample::select(vec![
        Visibility::Public,
        Visibility::Followers,
        Visibility::Mentioned,
        Visibility::Private,
    ])
}

fn warning() -> impl Strategy<Value = Warning> {
    "(\\PC{1,20})?".prop_filter_map("not a warning", |text| Warning::parse(text).ok())
}

fn extra() -> impl Strategy<Value = PostExtra> {
    let tag = (any::<[u32; 2]>(), tag()).prop_map(|([start, end], tag)| TagSpan { start, end, tag });
    let mention = (any::<[u32; 2]>(), handle()).prop_map(|([start, end], handle)| MentionSpan {
        start,
        end,
        handle: handle.into(),
    });
    let of_post = of(post_id());
    let thread = (of(threads::commenters()), threads::locked(), of(1..=3_600_u32), of(moderation::reason()));
    (
        visibility(),
        of(any::<String>()),
        of_post,
        vec(tag, 0..3),
        vec(mention, 0..3),
        thread,
        vec(pictures::shown(), 0..3),
    )
        .prop_map(|(visibility, warning, of, tags, mentions, (comments, locked, slow, hidden), media)| PostExtra {
            hidden,
            visibility,
            warning,
            of,
            pinned: tags.is_empty(),
            tags,
            mentions,
            comments,
            locked,
            slow,
            media,
        })
}

fn block() -> impl Strategy<Value = Block> {
    (seq(), user_id(), user_id()).prop_map(|(rev, blocker, blocked)| Block { rev, blocker, blocked })
}

fn mute() -> impl Strategy<Value = Mute> {
    (seq(), user_id(), user_id(), of(millis())).prop_map(|(rev, muter, muted, until)| Mute { rev, muter, muted, until })
}

pub fn comment() -> BoxedStrategy<Comment> {
    let place = (comment_id(), seq(), seq(), post_id(), of(comment_id()), 0..=8_u8);
    let content = of((author(), any::<String>(), any::<bool>()));
    (place, content, millis(), of(millis()))
        .prop_map(|((id, rev, seq, post, parent, depth), content, created_at, edited_at)| {
            let hidden = content.as_ref().is_some_and(|(.., hidden)| *hidden);
            let (author, text) = content.map(|(author, text, _)| (author, text)).unzip();
            Comment {
                id,
                rev,
                seq,
                post,
                parent,
                depth,
                removed: author.is_none(),
                author,
                text,
                created_at,
                edited_at,
                extra: CommentExtra { hidden },
            }
        })
        .boxed()
}

fn follow() -> impl Strategy<Value = Follow> {
    (seq(), user_id(), user_id()).prop_map(|(rev, follower, followee)| Follow { rev, follower, followee })
}

fn removed() -> impl Strategy<Value = Removed> {
    (uuid(), seq()).prop_map(|(id, rev)| Removed { id, rev })
}

pub fn snapshot() -> BoxedStrategy<Snapshot> {
    let people = (of(user()), of(vec(user_id(), 0..4)), of(vec(block(), 0..3)), of(vec(mute(), 0..3)));
    let content = (of(post()), of(vec(post(), 0..3)), of(vec(comment(), 0..3)));
    let read = (of(vec(notes::marker(), 0..3)), of(notes::preferences()), of(composing::settings()));
    let told = (of(vec(notes::notification(), 0..3)), of(notes::reading()), of(vec(moderation::case(), 0..2)));
    let own = (of(vec(circle::list(), 0..3)), of(vec(circle::filter(), 0..3)), of(vec(circle::request(), 0..3)));
    (feed(), seq(), people, content, (read, told, own), of(cursor()))
        .prop_map(|(feed, seq, (user, follows, blocks, mutes), (post, posts, comments), (read, told, own), next)| {
            Snapshot {
                markers: read.0,
                preferences: read.1,
                settings: read.2,
                lists: own.0,
                filters: own.1,
                requests: own.2,
                notifications: told.0,
                reading: told.1,
                cases: told.2,
                user,
                post,
                posts,
                comments,
                follows,
                blocks,
                mutes,
                next,
                ..Snapshot::empty(feed, seq)
            }
        })
        .boxed()
}

pub fn refusal() -> impl Strategy<Value = Refusal> {
    let code = proptest::sample::select(ErrorCode::ALL);
    (code, any::<String>(), of(number()), of(any::<String>())).prop_map(|(code, message, retry_after_ms, field)| {
        Refusal { retry_after_ms, field, ..Refusal::new(code, message) }
    })
}

pub fn welcome() -> impl Strategy<Value = Welcome> {
    let start = prop_oneof![
        feed().prop_map(|feed| FeedStart::Live { feed }),
        snapshot().prop_map(|snapshot| FeedStart::Snapshot { snapshot: Box::new(snapshot) }),
        (feed(), refusal()).prop_map(|(feed, error)| FeedStart::Refused { feed, error }),
    ];
    let who = (uuid().prop_map(ConnectionId), of(user()), of(millis()));
    (who, cursor(), any::<bool>(), any::<u32>(), number(), vec(start, 0..4)).prop_map(
        |((session, user, expires_at), cursor, resumed, budget, heartbeat_ms, feeds)| Welcome {
            session,
            user,
            expires_at,
            cursor,
            resumed,
            limits: Limits::with_budget(budget),
            heartbeat_ms,
            feeds,
        },
    )
}

pub fn push() -> impl Strategy<Value = FeedPush> {
    let event = prop_oneof![
        post().prop_map(Event::PostCreated),
        post().prop_map(Event::PostUpdated),
        removed().prop_map(Event::PostRemoved),
        comment().prop_map(Event::CommentCreated),
        comment().prop_map(Event::CommentUpdated),
        removed().prop_map(Event::CommentRemoved),
        user().prop_map(Event::UserUpdated),
        follow().prop_map(Event::FollowCreated),
        follow().prop_map(Event::FollowRemoved),
        block().prop_map(Event::BlockCreated),
        block().prop_map(Event::BlockRemoved),
        mute().prop_map(Event::MuteCreated),
        mute().prop_map(Event::MuteRemoved),
        marks::event(),
        notes::event(),
        composing::event(),
        moderation::event(),
        (uuid(), seq()).prop_map(|(id, rev)| Event::FeedChanged(Changed { event: EventName::PostUpdated, id, rev })),
        circle::event(),
        snapshot().prop_map(|snapshot| Event::FeedResync(Box::new(snapshot))),
    ];
    (feed(), seq(), event).prop_map(|(feed, seq, event)| FeedPush { feed, seq, event })
}

pub fn notice() -> impl Strategy<Value = Notice> {
    prop_oneof![
        cursor().prop_map(|cursor| Notice::Heartbeat { cursor }),
        (number(), cursor()).prop_map(|(reconnect_after_ms, cursor)| Notice::GoingAway { reconnect_after_ms, cursor }),
        cursor().prop_map(|cursor| Notice::Resync { cursor }),
        millis().prop_map(|expires_at| Notice::TokenExpiring { expires_at }),
        marks::counts(),
        vec(presence(), 0..4).prop_map(|users| Notice::Presence { users }),
        (post_id(), of(comment_id()), vec(author(), 0..3)).prop_map(|(post, parent, users)| Notice::Typing {
            post,
            parent,
            users
        }),
        (post_id(), number()).prop_map(|(post, count)| Notice::Readers { post, count }),
        (feed(), any::<u32>(), cursor()).prop_map(|(feed, count, since)| Notice::News { feed, count, since }),
        (feed(), any::<u32>()).prop_map(|(feed, one_in)| Notice::Sampled { feed, one_in }),
    ]
}

fn presence() -> impl Strategy<Value = Presence> {
    let status = prop_oneof![Just(Status::Online), Just(Status::Idle), Just(Status::Offline)];
    (user_id(), status, of(millis())).prop_map(|(id, status, last_seen)| Presence { id, status, last_seen })
}

fn showing() -> impl Strategy<Value = Showing> {
    prop_oneof![Just(Showing::Online), Just(Showing::Idle), Just(Showing::Invisible)]
}

fn company_method() -> impl Strategy<Value = Method> {
    prop_oneof![
        vec(user_id(), 0..4).prop_map(|ids| Method::PresenceWatch(request::PresenceWatch { ids })),
        showing().prop_map(|status| Method::PresenceSet(request::PresenceSet { status })),
        (post_id(), of(comment_id()))
            .prop_map(|(post, parent)| Method::TypingSend(request::TypingSend { post, parent })),
    ]
}

fn hello() -> impl Strategy<Value = Hello> {
    let client = of("[ -~]{0,64}");
    let rest = (limit(), of(showing()), of(filter()));
    (of(any::<String>()), client, vec(feed(), 0..5), of(cursor()), rest).prop_map(
        |(token, client, feeds, cursor, (limit, presence, filter))| {
            let modes = feeds.iter().map(|feed| (*feed, DeliveryMode::Count)).collect();
            Hello { token, client, feeds, modes, cursor, limit, presence, filter }
        },
    )
}

fn account_method() -> impl Strategy<Value = Method> {
    prop_oneof![
        any::<[String; 2]>()
            .prop_map(|[current, new]| Method::AccountPassword(request::AccountPassword { current, new })),
        any::<[String; 2]>()
            .prop_map(|[password, email]| Method::AccountEmail(request::AccountEmail { password, email })),
        Just(Method::AccountGet(request::Nothing {})),
        Just(Method::AccountExport(request::Nothing {})),
        any::<String>().prop_map(|password| Method::AccountDelete(request::AccountDelete { password })),
        Just(Method::SessionList(request::Nothing {})),
        uuid().prop_map(|id| Method::SessionRevoke(request::SessionRef { id: SessionId(id) })),
        Just(Method::SessionRevokeOthers(request::Nothing {})),
        (of(user_id()), display_name(), vec(select(&Scope::ALL), 0..4), of(millis())).prop_map(
            |(bot, name, scopes, expires)| { Method::TokenCreate(request::TokenCreate { bot, name, scopes, expires }) }
        ),
        (user_id(), handle(), display_name()).prop_map(|(id, handle, name)| Method::BotCreate(request::BotCreate {
            id,
            handle,
            name
        })),
        Just(Method::BotAll(request::Nothing {})),
        user_id().prop_map(|id| Method::BotDelete(request::BotRef { id })),
        of(user_id()).prop_map(|bot| Method::TokenAll(request::TokenAll { bot })),
        uuid().prop_map(|id| Method::TokenRevoke(request::TokenRef { id: SessionId(id) })),
    ]
}

fn user_method() -> impl Strategy<Value = Method> {
    let whom = || user_id().prop_map(|id| request::UserRef { id });
    prop_oneof![
        hello().prop_map(Method::Hello),
        any::<String>().prop_map(|token| Method::AuthRefresh(request::AuthRefresh { token })),
        (of(user_id()), of(handle())).prop_map(|(id, handle)| Method::UserGet(request::UserGet { id, handle })),
        (of(display_name()), of(bio()), of(of(uuid())), of(any::<bool>()), of(seq())).prop_map(
            |(name, bio, avatar, asks, if_rev)| {
                let avatar = avatar.map(|avatar| avatar.map(MediaId));
                Method::UserUpdate(request::UserUpdate { name, bio, avatar, asks, if_rev })
            },
        ),
        whom().prop_map(Method::UserFollow),
        whom().prop_map(Method::UserUnfollow),
        whom().prop_map(Method::UserBlock),
        whom().prop_map(Method::UserUnblock),
        (user_id(), of(millis())).prop_map(|(id, until)| Method::UserMute(request::UserMute { id, until })),
        whom().prop_map(Method::UserUnmute),
    ]
}

fn post_method() -> impl Strategy<Value = Method> {
    let which = || post_id().prop_map(|id| request::PostRef { id });
    prop_oneof![
        (
            post_id(),
            of(post_text()),
            visibility(),
            of(warning()),
            of(post_id()),
            of(threads::commenters()),
            vec(pictures::asked(), 0..3)
        )
            .prop_map(|(id, text, visibility, warning, of, comments, media)| {
                Method::PostCreate(request::PostCreate { id, text, visibility, warning, of, comments, media })
            }),
        which().prop_map(Method::PostGet),
        (post_id(), post_text(), of(visibility()), of(warning()), of(threads::commenters()), of(seq())).prop_map(
            |(id, text, visibility, warning, comments, if_rev)| {
                Method::PostUpdate(request::PostUpdate { id, text, visibility, warning, comments, if_rev })
            }
        ),
        which().prop_map(Method::PostDelete),
    ]
}

fn comment_method() -> impl Strategy<Value = Method> {
    prop_oneof![
        (comment_id(), post_id(), of(comment_id()), comment_text()).prop_map(|(id, post, parent, text)| {
            Method::CommentCreate(request::CommentCreate { id, post, parent, text })
        }),
        (comment_id(), comment_text(), of(seq()))
            .prop_map(|(id, text, if_rev)| { Method::CommentUpdate(request::CommentUpdate { id, text, if_rev }) }),
        comment_id().prop_map(|id| Method::CommentDelete(request::CommentRef { id })),
        (post_id(), of(comment_id()), of(cursor()), limit()).prop_map(|(post, parent, before, limit)| {
            Method::CommentPage(request::CommentPage { post, parent, before, limit })
        }),
    ]
}

fn mode() -> impl Strategy<Value = DeliveryMode> {
    prop_oneof![Just(DeliveryMode::Full), Just(DeliveryMode::Ids), Just(DeliveryMode::Count), Just(DeliveryMode::Off)]
}

fn listing() -> impl Strategy<Value = Listing> {
    prop_oneof![feed().prop_map(Listing::Feed), Just(Listing::Top(Span::Day)), Just(Listing::Top(Span::Week))]
}

fn filter() -> impl Strategy<Value = FirehoseFilter> {
    let kind = prop_oneof![Just(FirehoseKind::Post), Just(FirehoseKind::Comment), Just(FirehoseKind::User)];
    (vec(kind, 0..3), vec(user_id(), 0..3), vec(tag(), 0..3)).prop_map(|(kinds, authors, tags)| FirehoseFilter {
        kinds,
        authors,
        tags,
    })
}

fn feed_method() -> impl Strategy<Value = Method> {
    prop_oneof![
        (listing(), of(cursor()), limit())
            .prop_map(|(feed, before, limit)| { Method::FeedPage(request::FeedPage { feed, before, limit }) }),
        (feed(), limit(), mode(), of(filter())).prop_map(|(feed, limit, mode, filter)| {
            Method::FeedSubscribe(request::FeedSubscribe { feed, limit, mode, filter })
        }),
        (feed(), limit(), mode()).prop_map(|(feed, limit, mode)| Method::FeedMode(request::FeedMode {
            feed,
            mode,
            limit
        })),
        feed().prop_map(|feed| Method::FeedUnsubscribe(request::FeedUnsubscribe { feed })),
    ]
}

fn media_method() -> impl Strategy<Value = Method> {
    let which = || uuid().prop_map(|id| request::MediaRef { id: MediaId(id) });
    let kind = prop_oneof![Just(MediaKind::Avatar), Just(MediaKind::Image)];
    let media_type =
        prop_oneof![Just(MediaType::Png), Just(MediaType::Jpeg), Just(MediaType::Webp), Just(MediaType::Gif)];
    prop_oneof![
        (uuid(), kind, media_type, any::<u32>()).prop_map(|(id, kind, media_type, bytes)| {
            Method::MediaTicket(request::MediaTicket { id: MediaId(id), kind, media_type, bytes })
        }),
        which().prop_map(Method::MediaGet),
        which().prop_map(Method::MediaDelete),
    ]
}

pub fn request() -> impl Strategy<Value = Request> {
    // Boxed, or their nesting outgrows a test's stack.
    let method = prop_oneof![
        2 => user_method().boxed(), 1 => account_method().boxed(), 1 => post_method().boxed(), 1 => comment_method().boxed(), 1 => feed_method().boxed(), 1 => company_method().boxed(), 1 => media_method().boxed(), 1 => marks::method().boxed(), 1 => circle::method().boxed(), 1 => search::method().boxed(),
        1 => notes::method().boxed(), 1 => threads::method().boxed(), 1 => composing::method().boxed(), 1 => moderation::method().boxed()
    ];
    (number().prop_map(RequestId), method).prop_map(|(id, method)| Request { id, method })
}
