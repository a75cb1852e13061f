-- Why: room for the rest of what is social. `commit_batch` is that of 0013, but each kind of decision is a function of its own, so that a later
-- one is changed without writing all of it anew; deeds are carried out by groups, each by functions of its own; a deed may be told as a
-- profile, a post or a comment; and profiles have what not every profile has. Its parts stand with what they are about: decide_follows and
-- the group `graph` in 0024 and 0025, `composing` in 0027, decide_comments and `threads` in 0028, decide_posts in 0029, `moderation` in 0030,
-- `bots` in 0032.
-- Verdicts besides those of 0013: 15 asks first  16 comments are closed  17 too soon  18 no such picture  19 no more of them  20 being published

alter table users
    -- What not every profile has, as clients see it; null where it has nothing of it.
    add column extra jsonb;
alter table comments
    -- What not every comment has, as clients see it; null where it has nothing of it.
    add column extra jsonb;

create or replace view user_states as
select 1::smallint as kind, u.id, u.rev, u.seq, false as removed,
       u.id as author, u.rev as author_rev, u.handle, u.name,
       null::text as text, u.created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, u.bio, u.role,
       u.extra::text as extra, null::text as scope
  from users u;

-- As a change leaves it: what it names `null` or `false` is taken away.
create function changed_profile(had jsonb, change jsonb) returns jsonb
language sql immutable
as $$
    select nullif(coalesce((select jsonb_object_agg(e.key, e.value)
                              from jsonb_each(coalesce(had, '{}') || coalesce(change, '{}')) e
                             where e.value not in ('null', 'false')), '{}'), '{}')
$$;

-- What somebody who is suspended may do: take back what they did, end their log-ins, say how far they have read.
create table suspended_may (
    act smallint not null,
    constraint suspended_may_pk primary key (act)
);
insert into suspended_may (act) select unnest(array[4, 7, 10, 11, 21, 23, 25, 27, 28, 29, 30]);

drop function decide_users(smallint[], uuid[], text[], text[], bigint[], text[], text[]);
drop function write_users(smallint[], uuid[], text[], text[], text[], text[], text[], bigint[], bigint);
drop function own_state(smallint, uuid, uuid, uuid);
drop function carry_out(smallint, bigint, bigint, uuid, uuid, uuid, jsonb);
drop function commit_batch(
    smallint[], uuid[], uuid[], text[], bigint[], uuid[], uuid[], text[], text[], text[], text[], smallint, uuid, bigint, text[]);

-- The parts of commit_batch. They inherit its settings and hold under its lock alone: never call them from elsewhere.

-- Sign-ups are decided one after the other, since two of a batch may want the same name; hashing passwords keeps them rare.
create function decide_users(
    acts smallint[], actors uuid[], names text[], bios text[], if_revs bigint[], handles text[], emails text[], args text[]
)
returns table (of_ords bigint[], of_verdicts smallint[])
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    c           record;
    known       record;
    nth         integer;
    verdict     smallint;
    all_ords    bigint[] := '{}';
    all_verdict smallint[] := '{}';
    new_ids     uuid[] := '{}';
    new_handles text[] := '{}';
    new_emails  text[] := '{}';
begin
    for c in
        select w.* from unnest(acts, actors, names, bios, if_revs, handles, emails, args) with ordinality
               w (act, actor, name, bio, if_rev, handle, email, arg, ord)
         where w.act in (1, 2) order by w.ord
    loop
        select u.handle, u.name, u.bio, u.extra, u.rev, a.email into known
          from users u left join accounts a on a.user_id = u.id where u.id = c.actor;
        nth := array_position(new_ids, c.actor);
        verdict := case
            when c.act = 2 then case
                when known.handle is null then 2
                when coalesce(c.name, known.name) = known.name and coalesce(c.bio, known.bio) = known.bio
                     and changed_profile(known.extra, c.arg::jsonb) is not distinct from known.extra then 1
                when c.if_rev <> known.rev then 8
                when not may_wear(c.actor, c.arg::jsonb ->> 'avatar', known.extra ->> 'avatar') then 18
                else 0 end
            when known.handle is not null then
                case when known.handle = c.handle and known.email = c.email then 1 else 5 end
            when nth is not null then
                case when new_handles[nth] = c.handle and new_emails[nth] = c.email then 1 else 5 end
            when c.handle = any(new_handles) or handle_is_taken(c.handle) then 6
            when c.email = any(new_emails) or exists (select from accounts a where a.email = c.email) then 7
            else 0 end;
        if c.act = 1 and verdict = 0 then
            new_ids := new_ids || c.actor;
            new_handles := new_handles || c.handle;
            new_emails := new_emails || c.email;
        end if;
        all_ords := all_ords || c.ord;
        all_verdict := all_verdict || verdict;
    end loop;
    return query select all_ords, all_verdict;
end
$$;

create function write_users(
    acts smallint[], actors uuid[], names text[], bios text[], handles text[], emails text[], hashes text[],
    args text[], seqs bigint[], now_ms bigint
)
returns void
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    insert into users (id, handle, name, seq, rev, created_ms)
    select c.actor, c.handle, c.name, c.seq, c.seq, now_ms
      from unnest(acts, actors, names, handles, seqs) c (act, actor, name, handle, seq)
     where c.act = 1 and c.seq is not null;
    insert into accounts (user_id, email, password_hash)
    select c.actor, c.email, c.hash
      from unnest(acts, actors, emails, hashes, seqs) c (act, actor, email, hash, seq)
     where c.act = 1 and c.seq is not null;
    update users u
       set name = coalesce(c.name, u.name), bio = coalesce(c.bio, u.bio), extra = changed_profile(u.extra, c.arg::jsonb), rev = c.seq
      from unnest(acts, actors, names, bios, args, seqs) c (act, actor, name, bio, arg, seq)
     where c.act = 2 and c.seq is not null and u.id = c.actor;
end
$$;

-- Carries one deed out: the verdict, and the deed's own entry, which is the last it has written.
create function carry_out(
    act smallint, entry bigint, now_ms bigint, actor uuid, thing uuid, args jsonb,
    out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    case
        when act = 20 then select d.verdict, d.last into verdict, last from act_block(entry, now_ms, actor, thing) d;
        when act = 21 then select d.verdict, d.last into verdict, last from act_unblock(entry, actor, thing) d;
        when act = 22 then
            select d.verdict, d.last into verdict, last
              from act_mute(entry, now_ms, actor, thing, (args ->> 'until')::bigint) d;
        when act = 23 then select d.verdict, d.last into verdict, last from act_unmute(entry, actor, thing) d;
        when act = 24 then
            select d.verdict, d.last into verdict, last
              from act_react(entry, actor, thing, emoji_number(args ->> 'emoji')) d;
        when act = 25 then select d.verdict, d.last into verdict, last from act_unreact(entry, actor, thing) d;
        when act = 26 then select d.verdict, d.last into verdict, last from act_bookmark(entry, actor, thing) d;
        when act = 27 then select d.verdict, d.last into verdict, last from act_unbookmark(entry, actor, thing) d;
        when act = 38 then select d.verdict, d.last into verdict, last from act_pin(entry, actor, thing) d;
        when act = 39 then select d.verdict, d.last into verdict, last from act_unpin(entry, actor, thing) d;
        when act = 28 then
            select d.verdict, d.last into verdict, last
              from act_notification_seen(entry, actor, (args ->> 'up_to')::bigint) d;
        when act = 29 then
            select d.verdict, d.last into verdict, last
              from act_notification_read(
                       entry, actor,
                       case when args ? 'ids' then array(select i::uuid from jsonb_array_elements_text(args -> 'ids') i) end,
                       (args ->> 'up_to')::bigint) d;
        when act = 30 then
            select d.verdict, d.last into verdict, last
              from act_marker(entry, now_ms, actor, thing, args ->> 'feed', (args ->> 'seq')::bigint,
                              (args ->> 'most')::integer) d;
        when act = 31 then
            select d.verdict, d.last into verdict, last from act_notification_preferences(entry, actor, args) d;
        when act between 41 and 49 then
            select d.verdict, d.last into verdict, last from carry_out_graph(act, entry, now_ms, actor, thing, args) d;
        when act between 50 and 59 then
            select d.verdict, d.last into verdict, last from carry_out_composing(act, entry, now_ms, actor, thing, args) d;
        when act between 60 and 69 then
            select d.verdict, d.last into verdict, last from carry_out_threads(act, entry, now_ms, actor, thing, args) d;
        when act between 70 and 79 then
            select d.verdict, d.last into verdict, last from carry_out_moderation(act, entry, now_ms, actor, thing, args) d;
        when act between 80 and 89 then
            select d.verdict, d.last into verdict, last from carry_out_bots(act, entry, now_ms, actor, thing, args) d;
        else raise exception 'unknown act' using errcode = 'invalid_parameter_value';
    end case;
end
$$;

-- The entity a deed is about, as clients see it now; no row if there never was one. Its `kind`: 1 a profile, 3 a post, 4 a comment, else
-- something of one user's own (`author`), with its body in `extra`.
create function own_state(act smallint, actor uuid, thing uuid)
returns setof block_states
language plpgsql stable
as $$
begin
    case
        when act in (20, 21) then return query select s.* from block_states s where s.author = actor and s.id = thing;
        when act in (22, 23) then return query select s.* from mute_states s where s.author = actor and s.id = thing;
        when act in (24, 25) then return query select s.* from reaction_states s where s.author = actor and s.id = thing;
        when act in (26, 27) then return query select s.* from bookmark_states s where s.author = actor and s.id = thing;
        when act in (38, 39) then return query select s.* from post_states s where s.id = thing;
        when act in (28, 29) then return query select s.* from notification_reading_states s where s.author = actor;
        when act = 30 then return query select s.* from read_marker_states s where s.author = actor and s.id = thing;
        when act = 31 then return query select s.* from notification_preference_states s where s.author = actor;
        when act = 40 then return query select s.* from notification_states s where s.id = thing and s.author = actor;
        when act between 41 and 49 then return query select s.* from own_state_graph(act, actor, thing) s;
        when act between 50 and 59 then return query select s.* from own_state_composing(act, actor, thing) s;
        when act between 60 and 69 then return query select s.* from own_state_threads(act, actor, thing) s;
        when act between 70 and 79 then return query select s.* from own_state_moderation(act, actor, thing) s;
        when act between 80 and 89 then return query select s.* from own_state_bots(act, actor, thing) s;
        else return;
    end case;
end
$$;

-- Everything of somebody's own that has changed since, for `me`.
create or replace function own_changes(of_user uuid, since bigint)
returns setof block_states
language plpgsql stable
as $$
begin
    return query select s.* from block_states s where s.author = of_user and s.rev >= since;
    return query select s.* from mute_states s where s.author = of_user and s.rev >= since;
    return query select s.* from read_marker_states s where s.author = of_user and s.rev >= since;
    return query select s.* from notification_preference_states s where s.author = of_user and s.rev >= since;
    return query select s.* from own_changes_graph(of_user, since) s;
    return query select s.* from own_changes_composing(of_user, since) s;
    return query select s.* from own_changes_moderation(of_user, since) s;
end
$$;

create function commit_batch(
    acts smallint[], actors uuid[], ids uuid[], texts text[], if_revs bigint[],
    on_posts uuid[], parents uuid[], bios text[], handles text[], emails text[], hashes text[],
    deepest smallint, of_writer uuid, of_batch bigint, args text[]
)
returns table (
    -- Which command, from 1; null for entries of no command: what it brings others.
    ord bigint, verdict smallint,
    -- Done: its seq. Already so: the entity's.
    rev bigint,
    epoch bigint, at_ms bigint,
    -- The actor's profile.
    actor_rev bigint, actor_handle text, actor_name text,
    -- The entity, as far as the command does not tell it already. `post`: of a comment; of a deed's entity its id.
    author uuid, seq bigint, created_ms bigint, edited_ms bigint, text text,
    post uuid, parent uuid, depth smallint, bio text, role smallint,
    -- Of a post: what not every post has, and who may see it where that is not everybody.
    extra text, scope text,
    -- Of a deed: its entity as clients see it, and whether that is gone.
    body text, removed boolean,
    -- Of a deed: the kind of its entity (see `own_state`), and what that is on.
    told smallint, object uuid
)
language plpgsql volatile
-- Plans are made once per connection, perhaps while the tables are still empty: only plans that stay good may be chosen.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set enable_material = off
set enable_memoize = off
set jit = off
as $$
#variable_conflict use_column
declare
    head          bigint;
    life          bigint;
    now_ms        bigint;
    done          bigint;
    asked_again   boolean;
    head_then     bigint;
    rejoin        boolean;
    ords          bigint[] := '{}';
    verdicts      smallint[] := '{}';
    seqs          bigint[];
    actor_revs    bigint[];
    actor_handles text[];
    actor_names   text[];
    actor_roles   smallint[];
    standings     smallint[];
    verdict_then  smallint;
    next_entry    bigint;
    last_entry    bigint;
    has_users     boolean := acts && array[1, 2]::smallint[];
    has_follows   boolean := acts && array[3, 4]::smallint[];
    has_posts     boolean := acts && array[5, 6, 7]::smallint[];
    has_comments  boolean := acts && array[8, 9, 10]::smallint[];
    has_sessions  boolean := 11 = any(acts);
    has_deeds     boolean := acts[cardinality(acts)] >= 20;
    has_extras    boolean := cardinality(args) > 0 and acts && array[5, 6]::smallint[];
    -- Whether anybody may have to hear of it besides those whose feeds it is in.
    has_notes     boolean := has_extras or acts && array[3, 4, 6, 7, 8, 9, 10, 20, 21, 22, 23, 24, 25, 29]::smallint[];
    notes_after   bigint;
begin
    -- What follows must see everything committed before: each statement takes its own snapshot, after the lock is held.
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'commit_batch needs read committed' using errcode = 'invalid_transaction_state';
    end if;
    select h.seq into strict head from journal_head h for update;
    life := journal_epoch();
    now_ms := clock_ms();

    -- Has this very batch been decided? A later one of its writer's means that nobody waits for this one any more.
    select w.batch = of_batch, w.head, w.verdicts into asked_again, head_then, verdicts
      from writers w where w.writer = of_writer and w.batch >= of_batch;
    if not asked_again then
        raise exception 'a later batch has been committed' using errcode = 'invalid_parameter_value';
    end if;
    asked_again := found;

    -- A read marker is known by its feed's name.
    if 30 = any(acts) then
        ids := array(select case c.act when 30 then md5(c.arg::jsonb ->> 'feed')::uuid else c.id end
                       from unnest(acts, ids, args) with ordinality c (act, id, arg, ord) order by c.ord);
    end if;

    -- Who asks. Whoever is suspended has no rights over others.
    select array_agg(a.rev), array_agg(a.handle), array_agg(a.name), array_agg(a.role), array_agg(a.standing)
      into actor_revs, actor_handles, actor_names, actor_roles, standings
      from (select u.rev, u.handle, u.name, (case when u.standing = 0 then u.role else 0 end)::smallint as role, u.standing
              from unnest(actors) with ordinality c (actor, ord)
              left join users u on u.id = c.actor
             order by c.ord) a;

    -- Decide; or do not decide again.
    if asked_again then
        head := head_then;
        ords := array(select generate_series(1, cardinality(verdicts)));
    else
        verdicts := '{}';
        if has_users then
            select ords || d.of_ords, verdicts || d.of_verdicts into ords, verdicts
              from decide_users(acts, actors, texts, bios, if_revs, handles, emails, args) d;
        end if;
        if has_follows then
            select ords || d.of_ords, verdicts || d.of_verdicts into ords, verdicts
              from decide_follows(acts, actors, ids, actor_revs, now_ms) d;
        end if;
        if has_posts then
            select ords || d.of_ords, verdicts || d.of_verdicts into ords, verdicts
              from decide_posts(acts, actors, ids, texts, if_revs, args, actor_revs, actor_roles, now_ms) d;
        end if;
        if has_comments then
            select ords || d.of_ords, verdicts || d.of_verdicts into ords, verdicts
              from decide_comments(acts, actors, ids, texts, if_revs, on_posts, parents, args, actor_revs, actor_roles, deepest, now_ms) d;
        end if;
        if has_sessions then
            select ords || array_agg(d.ord), verdicts || array_agg(d.verdict) into ords, verdicts
              from (select c.ord,
                           (case when c.actor_rev is null then 2
                                 when c.id is null then
                                     case when exists (select from sessions l
                                                        where l.user_id = c.actor and l.revoked_ms is null)
                                          then 0 else 1 end
                                 when s.id is null then 3
                                 when s.revoked_ms is not null then 1
                                 when row_number() over (partition by c.id order by c.ord) > 1 then 1
                                 else 0 end)::smallint as verdict
                      from unnest(acts, actors, ids, actor_revs) with ordinality c (act, actor, id, actor_rev, ord)
                      left join sessions s on s.id = c.id and s.user_id = c.actor
                     where c.act = 11) d;
        end if;
    end if;

    -- Who is suspended may take back what they did, and end their log-ins.
    if not asked_again and exists (select from unnest(standings) s where s > 0) then
        verdicts := array(select case when standings[v.ord] > 0 and v.verdict <> 2
                                       and not exists (select from suspended_may s where s.act = acts[v.ord])
                                  then 12 else v.verdict end
                            from unnest(ords, verdicts) with ordinality v (ord, verdict, nth) order by v.nth);
    end if;

    -- Number what will be done, in the order of the commands.
    select array_agg(n.verdict), array_agg(case when n.verdict = 0 then head + n.nth end), max(n.nth),
           bool_or(n.verdict < 2 and not (n.verdict = 0 and acts[n.ord] = 5 and args[n.ord] is null))
      into verdicts, seqs, done, rejoin
      from (select v.ord, v.verdict, count(*) filter (where v.verdict = 0) over (order by v.ord) as nth
              from unnest(ords, verdicts) v (ord, verdict)
             order by v.ord) n;
    if not has_deeds and coalesce(cardinality(verdicts), 0) <> cardinality(acts) then
        raise exception 'unknown act' using errcode = 'invalid_parameter_value';
    end if;
    done := coalesce(done, 0);
    verdicts := coalesce(verdicts, '{}');
    if asked_again then
        -- What was done then is so already; told from the tables as they are now.
        verdicts := array_replace(verdicts, 0::smallint, 1::smallint);
        rejoin := true;
        done := 0;
    end if;

    -- Write.
    if done > 0 then
        if has_posts then
            insert into posts (id, author, text, seq, rev, created_ms)
            select c.id, c.actor, c.text, c.seq, c.seq, now_ms
              from unnest(acts, actors, ids, texts, seqs, args) c (act, actor, id, text, seq, arg)
             where c.act = 5 and c.seq is not null and c.arg is null;
            if has_extras then
                perform write_posts_with_extras(acts, actors, ids, texts, args, seqs, now_ms);
            end if;
            if acts && array[6, 7]::smallint[] then
                perform change_posts(acts, ids, texts, args, seqs, now_ms);
            end if;
        end if;
        if has_comments then
            perform write_comments(acts, actors, ids, texts, on_posts, parents, seqs, now_ms);
            perform count_comments(acts, ids, on_posts, seqs);
        end if;
        if has_users then
            perform write_users(acts, actors, texts, bios, handles, emails, hashes, args, seqs, now_ms);
        end if;
        if has_follows then
            perform write_follows(acts, actors, ids, seqs);
        end if;
        if has_sessions then
            update sessions s set revoked_ms = coalesce(s.revoked_ms, now_ms), rev = coalesce(s.rev, c.seq)
              from unnest(acts, actors, ids, seqs) c (act, actor, id, seq)
             where c.act = 11 and c.seq is not null and s.user_id = c.actor and s.id = coalesce(c.id, s.id)
               and s.revoked_ms is null;
        end if;
        insert into journal (seq, kind, subject, object, actor, at_ms)
        select c.seq, c.act,
               case when c.act between 5 and 10 then c.id else c.actor end,
               case when c.act in (3, 4, 11) then c.id end,
               c.actor, now_ms
          from unnest(acts, actors, ids, seqs) c (act, actor, id, seq)
         where c.seq is not null;
    end if;
    -- One after the other: each sees what those before it did, and may write several entries, of which the last is its own.
    if has_deeds and not asked_again then
        for nth in 1 .. cardinality(acts) loop
            continue when acts[nth] < 20;
            next_entry := head + done + 1;
            if actor_revs[nth] is null then
                verdict_then := 2;
            elsif standings[nth] > 0 and not exists (select from suspended_may s where s.act = acts[nth]) then
                verdict_then := 12;
            else
                select d.verdict, d.last into strict verdict_then, last_entry
                  from carry_out(acts[nth], next_entry, now_ms, actors[nth], ids[nth], args[nth]::jsonb) d;
            end if;
            verdicts[nth] := verdict_then;
            if verdict_then = 0 then
                seqs[nth] := last_entry;
                done := last_entry - head;
                insert into journal (seq, kind, subject, object, actor, at_ms)
                values (last_entry, acts[nth], coalesce(ids[nth], actors[nth]), null, actors[nth], now_ms);
            else
                seqs[nth] := null;
            end if;
        end loop;
    end if;
    if has_notes and done > 0 then
        notes_after := head + done;
        done := done + write_notes(acts, actors, ids, args, seqs, notes_after, now_ms);
    end if;
    if done > 0 then
        update journal_head h set seq = head + done;
    end if;

    -- Also where nothing was done: a lost statement that wakes up later must not do what its writer has heard to be refused.
    if not asked_again then
        insert into writers as w (writer, batch, head, verdicts, at_ms)
        values (of_writer, of_batch, head, verdicts, now_ms)
        on conflict (writer) do update
           set batch = excluded.batch, head = excluded.head, verdicts = excluded.verdicts, at_ms = excluded.at_ms;
    end if;

    -- Answer. New posts and refusals need no second look at the tables. Of what was done before and removed since,
    -- the command tells the text and `seqs` the rev.
    return query
    select c.ord, c.verdict, c.seq, life, now_ms, c.actor_rev, c.actor_handle, c.actor_name,
           c.actor, c.seq, now_ms, case when c.verdict = 17 then slow_until(c.actor, c.on_post) end, null::text,
           null::uuid, null::uuid, null::smallint, null::text, null::smallint, null::text, null::text, null::text, null::boolean,
           null::smallint, null::uuid
      from unnest(acts, actors, verdicts, seqs, actor_revs, actor_handles, actor_names, args, on_posts) with ordinality
           c (act, actor, verdict, seq, actor_rev, actor_handle, actor_name, arg, on_post, ord)
     where c.verdict > 1 or (c.verdict = 0 and c.act = 5 and c.arg is null);
    if rejoin and has_posts then
        return query
        -- A deed of the same batch may have changed it once more, by an entry of its own.
        select c.ord, c.verdict, case when c.verdict = 0 or p.removed and c.act <> 7 then c.seq else p.rev end, life, now_ms,
               c.actor_rev, c.actor_handle, c.actor_name,
               p.author, p.seq, p.created_ms, p.edited_ms, case when c.verdict = 1 then p.text end,
               null::uuid, null::uuid, null::smallint, null::text, null::smallint,
               p.extra::text, scope_of(p.audience, p.widest, p.mentioned, p.tags, p.tagged, p.of_post)::text, null::text, null::boolean,
           null::smallint, null::uuid
          from unnest(acts, ids, verdicts, seqs, actor_revs, actor_handles, actor_names, args) with ordinality
               c (act, id, verdict, seq, actor_rev, actor_handle, actor_name, arg, ord)
          join posts p on p.id = c.id
         where c.verdict < 2 and (c.act in (6, 7) or (c.act = 5 and (c.verdict = 1 or c.arg is not null)));
    end if;
    if has_comments then
        return query
        select c.ord, c.verdict, case when m.removed and c.act <> 10 then c.seq else m.rev end, life, now_ms,
               c.actor_rev, c.actor_handle, c.actor_name,
               m.author, m.seq, m.created_ms, m.edited_ms, case when c.verdict = 1 then m.text end,
               m.post, m.parent, m.depth, null::text, null::smallint, m.extra::text,
               (select scope_of(p.audience, p.widest, null, null, null, null)::text from posts p where p.id = m.post and p.audience <> 0), null::text, null::boolean,
           null::smallint, null::uuid
          from unnest(acts, ids, verdicts, seqs, actor_revs, actor_handles, actor_names) with ordinality
               c (act, id, verdict, seq, actor_rev, actor_handle, actor_name, ord)
          join comments m on m.id = c.id
         where c.verdict < 2 and c.act in (8, 9, 10);
    end if;
    if has_users then
        return query
        select c.ord, c.verdict, u.rev, life, now_ms, u.rev, u.handle, u.name,
               u.id, u.seq, u.created_ms, null::bigint, null::text,
               null::uuid, null::uuid, null::smallint, u.bio, u.role, u.extra::text, null::text, null::text, null::boolean,
           null::smallint, null::uuid
          from unnest(acts, actors, verdicts) with ordinality c (act, actor, verdict, ord)
          join users u on u.id = c.actor
         where c.verdict < 2 and c.act in (1, 2);
    end if;
    if has_follows or has_sessions then
        return query
        select c.ord, c.verdict,
               coalesce(c.seq, f.rev, s.rev,
                        (select max(l.rev) from sessions l where c.act = 11 and c.id is null and l.user_id = c.actor), 0),
               life, now_ms, null::bigint, null::text, null::text,
               c.actor, null::bigint, null::bigint, null::bigint, null::text,
               null::uuid, null::uuid, null::smallint, null::text, null::smallint, null::text, null::text, null::text, null::boolean,
           null::smallint, null::uuid
          from unnest(acts, actors, ids, verdicts, seqs) with ordinality c (act, actor, id, verdict, seq, ord)
          left join follows f on c.act in (3, 4) and f.follower = c.actor and f.followee = c.id
          left join sessions s on c.act = 11 and s.id = c.id
         where c.verdict < 2 and c.act in (3, 4, 11);
    end if;
    if has_deeds then
        return query
        select c.ord, c.verdict, coalesce(case c.verdict when 0 then c.seq end, s.rev, c.seq, 0), life, now_ms,
               s.author_rev, s.handle, s.name,
               coalesce(s.author, c.actor), s.seq, s.created_ms, s.edited_ms, s.text,
               s.id, s.parent, s.depth, s.bio, s.role,
               case when s.kind < 20 then s.extra end, s.scope, case when s.kind >= 20 then s.extra end, s.removed,
               s.kind, s.object
          from unnest(acts, actors, ids, verdicts, seqs) with ordinality c (act, actor, id, verdict, seq, ord)
          left join lateral own_state(c.act, c.actor, coalesce(c.id, c.actor)) s on true
         where c.verdict < 2 and c.act >= 20;
    end if;
    if notes_after < head + done then
        return query
        select null::bigint, 0::smallint, j.seq, life, now_ms, null::bigint, null::text, null::text,
               j.actor, null::bigint, null::bigint, null::bigint, null::text,
               s.id, null::uuid, null::smallint, null::text, null::smallint, null::text, null::text, s.extra, s.removed,
               s.kind, null::uuid
          from journal j
          join notification_states s on s.id = j.subject
         where j.seq > notes_after and j.seq <= head + done;
    end if;
end
$$;
