-- Why: the journal, and everything of it that clients can see.
--
-- Every row a client can see carries `rev`, the `seq` of its last change; deleting keeps the row as a tombstone with its
-- text erased. All times are milliseconds since 1970 UTC, by the database's clock.
--
-- There are no foreign keys between these tables: their only writer is `commit_batch`, which decides by sets under the
-- journal's lock, and a trigger per row would halve its speed. What belongs together is held together by that function alone.

create table journal_head (
    only_row    boolean not null default true,
    -- The last entry committed; 0 in an empty journal.
    seq         bigint  not null default 0,
    -- Entries and tombstones below this may be gone.
    floor       bigint  not null default 0,
    -- One part of the epoch.
    life_word   bytea   not null,
    -- Shared by all nodes of this database: authenticates what they tell each other.
    node_secret bytea   not null,
    constraint journal_head_pk primary key (only_row),
    constraint journal_head_one_row check (only_row),
    constraint journal_head_floor check (floor between 0 and seq),
    constraint journal_head_secret check (length(node_secret) = 32)
)
-- Every commit changes this row: room on its page keeps each change heap-only and prunable.
with (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- gen_random_uuid() draws from the server's strong source; two of them hold 244 random bits.
insert into journal_head (life_word, node_secret)
values (
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
);

create table journal (
    seq     bigint   not null,
    -- The number of the act, see commit_batch.
    kind    smallint not null,
    -- The post or comment; the user in all other kinds.
    subject uuid     not null,
    -- The followee, or the log-in.
    object  uuid,
    -- Who did it.
    actor   uuid     not null,
    at_ms   bigint   not null,
    constraint journal_pk primary key (seq)
);

create table users (
    id         uuid     not null,
    handle     text     not null,
    name       text     not null,
    bio        text     not null default '',
    -- 0 user, 1 admin.
    role       smallint not null default 0,
    seq        bigint   not null,
    rev        bigint   not null,
    created_ms bigint   not null,
    constraint users_pk primary key (id),
    constraint users_handle_key unique (handle),
    constraint users_role check (role in (0, 1))
);

create table follows (
    follower uuid    not null,
    followee uuid    not null,
    -- False: a tombstone.
    active   boolean not null,
    rev      bigint  not null,
    constraint follows_pk primary key (follower, followee),
    constraint follows_not_oneself check (follower <> followee)
);
-- Catch-up of `me`, and whether `home` must start afresh.
create index follows_changed on follows (follower, rev);
-- Whom one follows, without touching tombstones.
create index follows_active on follows (follower, followee) where active;
-- For forgetting.
create index follows_tombstones on follows (rev) where not active;

-- Counting the followers of somebody famous takes a second; this is kept by commit_batch instead.
create table follow_counts (
    user_id   uuid   not null,
    followers bigint not null,
    constraint follow_counts_pk primary key (user_id)
) with (fillfactor = 50);

create table posts (
    id           uuid    not null,
    author       uuid    not null,
    text         text,
    seq          bigint  not null,
    rev          bigint  not null,
    created_ms   bigint  not null,
    edited_ms    bigint,
    removed      boolean not null default false,
    -- SHA-256 of the text it was created with, kept from the first edit on, so that a create asked again after an edit
    -- is still known for what it is. Erased with the text.
    first_digest bytea,
    constraint posts_pk primary key (id),
    constraint posts_tombstone_has_no_text check (
        case when removed then text is null and first_digest is null else text is not null end
    )
);
-- A new post touches its key and these two; what has changed since it was created has rev <> seq and lives in the indexes after them.
create unique index posts_newest on posts (seq) where not removed;
create index posts_of_author on posts (author, seq) where not removed;
create index posts_changed on posts (rev) where rev <> seq;
create index posts_changed_of_author on posts (author, rev) where rev <> seq;
create index posts_tombstones on posts (rev) where removed;

create table comments (
    id           uuid     not null,
    post         uuid     not null,
    parent       uuid,
    -- All ancestors, the one on the post itself first.
    path         uuid[]   not null,
    depth        smallint not null,
    author       uuid     not null,
    text         text,
    seq          bigint   not null,
    rev          bigint   not null,
    created_ms   bigint   not null,
    edited_ms    bigint,
    removed      boolean  not null default false,
    first_digest bytea,
    constraint comments_pk primary key (id),
    constraint comments_depth check (depth = cardinality(path)),
    constraint comments_parent check (parent is not distinct from path[depth]),
    constraint comments_tombstone_has_no_text check (
        case when removed then text is null and first_digest is null else text is not null end
    )
);
create unique index comments_of_post on comments (post, seq);
create index comments_changed_of_post on comments (post, rev) where rev <> seq;
create index comments_tombstones on comments (rev) where removed;

-- The present life of the journal. Besides the random word it depends on what changes by itself when the journal's past can
-- change: the server's identity and the table's (a dump restored elsewhere, or again in place) and the timeline now being
-- written (a standby promoted, a restore to a point in time).
create function journal_epoch() returns bigint
language sql stable
as $$
    select ('x' || encode(substr(sha256(
               h.life_word
               || convert_to(concat_ws('/',
                      s.system_identifier,
                      d.oid,
                      'journal_head'::regclass::oid,
                      substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)), 'UTF8')
           ), 1, 8), 'hex'))::bit(64)::bigint
      from journal_head h, pg_control_system() s, pg_database d
     where d.datname = current_database()
$$;

create function clock_ms() returns bigint
language sql volatile
as $$ select floor(extract(epoch from clock_timestamp()) * 1000)::bigint $$;
