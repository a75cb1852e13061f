-- Why: pictures. What is known of each; its bytes are in a folder or an object store, under its id.
--
-- Nothing of this is in the journal: a picture never changes, and is seen only through what shows it (a post, a profile), which is.

create table media (
    -- Chosen by the client.
    id         uuid     not null,
    owner      uuid     not null,
    -- 0 avatar, 1 image.
    kind       smallint not null,
    -- What the ticket was for: 0 png, 1 jpeg, 2 webp, 3 gif, and how many bytes.
    wish_type  smallint not null,
    wish_bytes integer  not null,
    -- 0 awaited, 1 kept, 2 condemned: shown by nothing new, and its files are about to go.
    state      smallint not null default 0,
    -- How many posts and profiles show it.
    used       integer  not null default 0,
    -- SHA-256 of what was sent, and what is kept of it. There once somebody has claimed the id with a good picture.
    digest     bytea,
    type       smallint,
    width      integer,
    height     integer,
    bytes      integer,
    created_ms bigint   not null,
    -- Since when it has been as it is and nothing has shown it.
    idle_ms    bigint   not null,
    constraint media_pk primary key (id),
    constraint media_kind check (kind in (0, 1)),
    constraint media_types check (wish_type between 0 and 3 and type between 0 and 3),
    constraint media_state check (state between 0 and 2),
    constraint media_used check (used >= 0),
    constraint media_claimed check (
        case when digest is null then num_nonnulls(type, width, height, bytes) = 0
             else length(digest) = 32 and num_nulls(type, width, height, bytes) = 0 end
    ),
    constraint media_kept_is_claimed check (state <> 1 or digest is not null),
    constraint media_sizes check (wish_bytes > 0 and width > 0 and height > 0 and bytes > 0)
);
-- For what somebody sends in a day.
create index media_of_owner on media (owner, created_ms);
-- For what nothing shows, and what is condemned.
create index media_unused on media (idle_ms) where used = 0 and state < 2;
create index media_condemned on media (idle_ms) where state = 2;

-- A wish to send a picture. verdict: 0 granted, 1 the id is taken, 2 too much in a day, 3 no such user. A function, because what is decided
-- after the wait for the lock must see what was committed during it.
create function media_wish(
    new_id uuid, of_owner uuid, of_kind smallint, of_type smallint, of_bytes integer, day_bytes bigint
)
returns smallint
language plpgsql volatile
as $$
declare
    known media;
    sum_bytes bigint;
begin
    -- Of one user at a time: otherwise several wishes at once would each see room for themselves.
    perform pg_advisory_xact_lock(hashtextextended('media/' || of_owner::text, 0));
    select m.* into known from media m where m.id = new_id;
    if found then
        return case when known.owner = of_owner and known.kind = of_kind and known.wish_type = of_type
                     and known.wish_bytes = of_bytes and known.state < 2 then 0 else 1 end;
    end if;
    if not exists (select from users u where u.id = of_owner) then
        return 3;
    end if;
    -- What was condemned since counts as well: it had to be taken in.
    select coalesce(sum(m.wish_bytes), 0) into sum_bytes
      from media m where m.owner = of_owner and m.created_ms > clock_ms() - 24 * 60 * 60 * 1000;
    if sum_bytes + of_bytes > day_bytes then
        return 2;
    end if;
    insert into media (id, owner, kind, wish_type, wish_bytes, created_ms, idle_ms)
    values (new_id, of_owner, of_kind, of_type, of_bytes, clock_ms(), clock_ms())
    -- Somebody else, with the same id, at the same time.
    on conflict on constraint media_pk do nothing;
    return case when found then 0 else 1 end;
end
$$;

-- Whether all of these are the owner's, of this kind, and may be shown; if so, they are now shown once more. All or none. Called by what
-- shows them, within its own transaction.
create function media_take(of_owner uuid, of_kind smallint, ids uuid[]) returns boolean
language plpgsql volatile
as $$
declare
    wanted bigint := (select count(distinct i) from unnest(ids) i);
    good   bigint;
begin
    with locked as (
        -- In one order, so that two who show the same pictures do not wait for each other.
        select m.id from media m
         where m.id = any(ids) and m.owner = of_owner and m.kind = of_kind and m.state = 1
         order by m.id for update
    )
    select count(*) into good from locked;
    if good <> wanted then
        return false;
    end if;
    update media m set used = m.used + 1 where m.id = any(ids);
    return true;
end
$$;

-- These are shown by one thing less. What nothing shows any more is forgotten a day later, unless something shows it again.
create function media_let_go(ids uuid[]) returns void
language plpgsql volatile
as $$
begin
    perform from media m where m.id = any(ids) order by m.id for update;
    update media m set used = greatest(m.used - 1, 0), idle_ms = clock_ms() where m.id = any(ids);
end
$$;

-- A wish to delete. verdict: 0 condemned, now or before; 1 no such picture; 2 somebody else's; 3 something shows it.
create function media_condemn(of_owner uuid, of_id uuid) returns smallint
language plpgsql volatile
as $$
declare
    known media;
begin
    select m.* into known from media m where m.id = of_id for update;
    if not found then
        return 1;
    elsif known.owner <> of_owner then
        return 2;
    elsif known.used > 0 then
        return 3;
    elsif known.state < 2 then
        update media m set state = 2, idle_ms = clock_ms() where m.id = of_id;
    end if;
    return 0;
end
$$;

-- Condemns what nothing has shown for so long, at most `most`, and gives what was condemned long enough ago to be erased. A row stays for a day,
-- because it counts for what its owner may send.
create function media_forgettable(unused_ms bigint, grace_ms bigint, most integer) returns setof uuid
language plpgsql volatile
as $$
begin
    update media m set state = 2, idle_ms = clock_ms()
     where m.id in (select i.id from media i
                     where i.used = 0 and i.state < 2 and i.idle_ms < clock_ms() - unused_ms
                     order by i.idle_ms limit most for update skip locked);
    return query
    select m.id from media m
     where m.state = 2 and m.idle_ms < clock_ms() - grace_ms
       and m.created_ms < clock_ms() - 24 * 60 * 60 * 1000
     order by m.idle_ms limit most;
end
$$;
