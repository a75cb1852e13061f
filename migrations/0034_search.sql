-- Why: looking for people, posts and hashtags by words.
--
-- What is searched is not written by `commit_batch`, where it would make every post dearer, but by a chore of the nodes a moment later: it walks
-- behind the journal by `rev`, compares texts in one way for all databases and locales (case, width and accents do not count), and writes
-- what it found by the functions here. Two nodes that do so at once are told apart by `search_progress`: whoever comes second changes nothing.
-- What is found is always looked up in `posts` and `users` again: a text that was edited, narrowed or removed meanwhile is not found until it has been
-- taken in anew.

create table search_progress (
    only_row   boolean not null default true,
    -- Everything of posts, and of people, that changed up to here has been taken in.
    posts_rev  bigint  not null default 0,
    people_rev bigint  not null default 0,
    constraint search_progress_pk primary key (only_row),
    constraint search_progress_one_row check (only_row)
);
insert into search_progress default values;

-- For the walk; a change of a profile is rare.
create index users_changed on users (rev);

-- The words of posts, and of each the block of the journal it stands in, as `#` and a number: no word of a text holds a `#`. With it a search
-- goes through the newest posts first, block by block, by one index, and reads no more of a common word than it needs.
create table post_words (
    -- The post's place.
    seq   bigint   not null,
    post  uuid     not null,
    -- The post's when these were its words: one that has changed since is not found by words it may no longer have.
    rev   bigint   not null,
    words tsvector not null,
    -- Hashtags for which it is counted: those of a public post.
    tags  text[]   not null,
    constraint post_words_pk primary key (seq)
);
create unique index post_words_of_post on post_words (post);
-- What waits in a list of its own would be read by every search; a chore can wait instead.
create index post_words_words on post_words using gin (words) with (fastupdate = off);

-- How many public posts have a hashtag. "C" orders by code points, so that what begins alike lies together.
create table tag_counts (
    tag   text   collate "C" not null,
    posts bigint not null,
    constraint tag_counts_pk primary key (tag)
);
-- The most used ones that begin with a letter, and of all.
create index tag_counts_by_letter on tag_counts (left(tag, 1), posts desc);
create index tag_counts_most on tag_counts (posts desc);

-- The words of people's names, and their handles, whole and in parts.
create table people_words (
    word    text    collate "C" not null,
    user_id uuid    not null,
    -- It is the handle or the beginning of a part of it.
    handle  boolean not null,
    constraint people_words_pk primary key (word, user_id)
);
create index people_words_handles on people_words (word, user_id) where handle;
create index people_words_of on people_words (user_id, word);

-- Where a word begins that is the first not to begin with `prefix`.
create function behind_prefix(prefix text) returns text
language sql immutable
as $$ select prefix || chr(1114111) $$;

create function block_word(seq bigint) returns text
language sql immutable
as $$ select '#' || (seq >> 14) $$;

-- Takes in the texts (empty: none) of posts that changed after `from_rev`, up to `to_rev`. False if another node has.
create function index_posts(from_rev bigint, to_rev bigint, ids uuid[], texts text[]) returns boolean
language plpgsql volatile
as $$
declare
    had text[];
    has text[];
begin
    update search_progress s set posts_rev = to_rev where s.posts_rev = from_rev;
    if not found then
        return false;
    end if;
    with gone as (delete from post_words w where w.post = any(ids) returning w.tags)
    select array_agg(t) into had from gone cross join unnest(gone.tags) t;
    with new as (
        insert into post_words (seq, post, rev, words, tags)
        select p.seq, p.id, least(p.rev, to_rev),
               to_tsvector('simple', c.text) || array_to_tsvector(array[block_word(p.seq)]),
               case when p.audience = 0 then coalesce(p.tags, '{}') else '{}' end
          from unnest(ids, texts) c (id, text)
          join posts p on p.id = c.id
         where not p.removed and c.text <> ''
        returning tags)
    select array_agg(t) into has from new cross join unnest(new.tags) t;
    insert into tag_counts as k (tag, posts)
    select d.tag, sum(d.by)
      from (select unnest(has) as tag, 1 as by union all select unnest(had), -1) d
     group by d.tag
    having sum(d.by) <> 0
        on conflict on constraint tag_counts_pk do update set posts = k.posts + excluded.posts;
    delete from tag_counts k where k.tag = any(had) and k.posts <= 0;
    return true;
end
$$;

-- Takes in the words of people (`ids`: all who changed; the rest: word by word) after `from_rev`, up to `to_rev`. False if another node has.
create function index_people(
    from_rev bigint, to_rev bigint, ids uuid[], of_users uuid[], words text[], handles boolean[]
)
returns boolean
language plpgsql volatile
as $$
begin
    update search_progress s set people_rev = to_rev where s.people_rev = from_rev;
    if not found then
        return false;
    end if;
    delete from people_words w where w.user_id = any(ids);
    insert into people_words (word, user_id, handle)
    select c.word, c.user_id, bool_or(c.handle)
      from unnest(words, of_users, handles) c (word, user_id, handle)
     group by c.word, c.user_id;
    return true;
end
$$;

-- Posts with these words that somebody may see and wants to, before a place, the newest first. Looks at so many blocks and so many posts at most;
-- a row without a post says that it has looked as far as there.
create function search_posts(viewer uuid, query tsquery, before bigint, most integer)
returns table (place bigint, post uuid)
language plpgsql stable
-- The index of words is only ever read so; everything else here is bounded.
set enable_bitmapscan = on
as $$
#variable_conflict use_column
declare
    hidden constant uuid[] := hidden_from(viewer);
    block  bigint;
    oldest bigint;
    blocks integer := 256;
    looks  integer := 2000;
    hit    record;
begin
    select w.seq >> 14 into block from post_words w where w.seq < before order by w.seq desc limit 1;
    select w.seq >> 14 into oldest from post_words w order by w.seq limit 1;
    while block >= oldest loop
        if blocks = 0 then
            return query select (block + 1) << 14, null::uuid;
            return;
        end if;
        for hit in
            with hits as materialized (
                select w.seq, w.post, w.rev from post_words w
                 where w.words @@ (format('''%s''', block_word(block << 14))::tsquery && query)
            )
            select h.seq, h.post, s.is_seen
              from (select h.* from hits h where h.seq < before order by h.seq desc limit looks) h
             cross join lateral (
                   select exists (select from posts p
                                   where p.id = h.post and p.rev = h.rev and not p.removed and p.author <> all (hidden)
                                     and sees(viewer, p.author, p.audience, p.mentioned)) as is_seen) s
             order by h.seq desc
        loop
            looks := looks - 1;
            if hit.is_seen then
                return query select hit.seq, hit.post;
                most := most - 1;
            end if;
            if most = 0 then
                return;
            end if;
            if looks = 0 then
                return query select hit.seq, null::uuid;
                return;
            end if;
        end loop;
        block := block - 1;
        blocks := blocks - 1;
    end loop;
end
$$;

-- People who may be meant: `tokens` are folded words, the longest first, with all of which they have words that begin so; `exact` is a handle.
-- Looks at some hundreds of candidates: those one follows, and the first of the others.
create function search_people(viewer uuid, tokens text[], exact text)
returns table (id uuid, tier integer, begins boolean, following boolean, followers bigint)
language sql stable
as $$
    with followed as materialized (
        select f.followee as id from follows f where f.follower = viewer and f.active limit 2000
    ), candidates as materialized (
        (select f.id from followed f
          where exists (select from people_words w
                         where w.user_id = f.id and w.word >= tokens[1] and w.word < behind_prefix(tokens[1])))
        union
        (select w.user_id from people_words w
          where w.handle and w.word >= tokens[1] and w.word < behind_prefix(tokens[1]) order by w.word, w.user_id limit 300)
        union
        (select w.user_id from people_words w
          where w.word >= tokens[1] and w.word < behind_prefix(tokens[1]) order by w.word, w.user_id limit 700)
    )
    select u.id,
           case when u.handle = exact then 0 when f.is_so then 1 else 2 end,
           starts_with(u.handle, tokens[1]), f.is_so, coalesce(k.followers, 0)
      from (select c.id from candidates c
             where not exists (select from unnest(tokens) t (word)
                                where not exists (select from people_words w
                                                   where w.user_id = c.id and w.word >= t.word
                                                     and w.word < behind_prefix(t.word)))
             union
            -- Also who signed up a moment ago.
            select n.id from users n where n.handle = exact) c
      join users u on u.id = c.id
     cross join lateral (
           select exists (select from follows f
                           where f.follower = viewer and f.followee = u.id and f.active) as is_so) f
      left join follow_counts k on k.user_id = u.id
     where viewer is null or not blocks_between(viewer, u.id)
$$;

-- Whom somebody who writes an `@` may mean: those who have written under the post (the newest 300 comments), those they follow, and, where
-- something has been typed, others.
create function suggest_mentions(viewer uuid, prefix text, under uuid, most integer)
returns table (id uuid, tier integer, nth bigint)
language sql stable
as $$
    with near as materialized (
        select p.author as id, 0 as tier, 9223372036854775807 as nth from posts p where p.id = under
        union all
        (select m.author, 0, m.seq from comments m where m.post = under and not m.removed order by m.seq desc limit 300)
        union all
        (select f.followee, 1, f.rev from follows f where f.follower = viewer and f.active limit 2000)
        union all
        (select w.user_id, 2, 0 from people_words w
          where prefix <> '' and w.handle and w.word >= prefix and w.word < behind_prefix(prefix)
          order by w.word, w.user_id limit 100)
        union all
        (select w.user_id, 2, -1 from people_words w
          where prefix <> '' and w.word >= prefix and w.word < behind_prefix(prefix)
          order by w.word, w.user_id limit 100)
        union all
        select u.id, 2, 1 from users u where u.handle = prefix
    ), best as materialized (
        select n.id, min(n.tier) as tier, max(n.nth) as nth from near n group by n.id
    )
    select b.id, b.tier, b.nth from best b
     where b.id <> viewer and not blocks_between(viewer, b.id)
       and (prefix = '' or b.tier = 2 or exists (select from people_words w
                                  where w.user_id = b.id and w.word >= prefix and w.word < behind_prefix(prefix)))
     order by b.tier, b.nth desc, b.id
     limit most
$$;

-- Hashtags that begin so, the most used first: of those that share the letter the most used 1,000, and the first 1,000 in order.
create function search_tags(prefix text, most integer)
returns setof tag_counts
language sql stable
as $$
    select d.* from (
        (select k.* from tag_counts k where prefix = '' order by k.posts desc limit most)
        union
        (select k.* from (select l.* from tag_counts l
                           where prefix <> '' and left(l.tag, 1) = left(prefix, 1)
                           order by l.posts desc limit 1000) k
          where starts_with(k.tag, prefix))
        union
        (select k.* from tag_counts k
          where prefix <> '' and k.tag >= prefix and k.tag < behind_prefix(prefix) order by k.tag limit 1000)) d
     where d.posts > 0
     order by d.posts desc, d.tag
     limit most
$$;
