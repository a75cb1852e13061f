-- Why: a writer that has lost the answer to a batch asks it again, and must hear what was decided then. Deciding afresh did a change
-- twice, or refused what had been done, where somebody else had changed or deleted the same thing in between.
--
-- So the last batch of each writer is kept, in the transaction that writes it. One is enough: a writer has one batch in flight.
-- `commit_batch` is that of 0003 but for `of_writer`, `of_batch` and what is done with them; its acts and verdicts are told there.
-- And it may no longer read a whole table into memory to look for a few rows in it, which is a good plan only while the table is small: made by a
-- connection that began then, it took 230 ms for each batch, soon after (70,000 posts a second became 1,400).

create table writers (
    -- One life of a node's journal.
    writer   uuid       not null,
    -- Its last batch; asked again, a batch has the number it had.
    batch    bigint     not null,
    -- The journal's head before it: what was done has the numbers after it, in the order of the commands.
    head     bigint     not null,
    verdicts smallint[] not null,
    at_ms    bigint     not null,
    constraint writers_pk primary key (writer)
)
-- Every commit changes its writer's row, of about 1 KB at most: room on its page keeps each change heap-only.
with (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

drop function commit_batch(
    smallint[], uuid[], uuid[], text[], bigint[], uuid[], uuid[], text[], text[], text[], text[], smallint);

create function commit_batch(
    acts smallint[], actors uuid[], ids uuid[], texts text[], if_revs bigint[],
    on_posts uuid[], parents uuid[], bios text[], handles text[], emails text[], hashes text[],
    deepest smallint, of_writer uuid, of_batch bigint
)
returns table (
    -- Which command, from 1.
    ord bigint, verdict smallint,
    -- Done: its seq. Already so: the entity's.
    rev bigint,
    epoch bigint, at_ms bigint,
    -- The actor's profile.
    actor_rev bigint, actor_handle text, actor_name text,
    -- The entity, as far as the command does not tell it already.
    author uuid, seq bigint, created_ms bigint, edited_ms bigint, text text,
    post uuid, parent uuid, depth smallint, bio text, role smallint
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
    has_users     boolean := acts && array[1, 2]::smallint[];
    has_follows   boolean := acts && array[3, 4]::smallint[];
    has_posts     boolean := acts && array[5, 6, 7]::smallint[];
    has_comments  boolean := acts && array[8, 9, 10]::smallint[];
    has_sessions  boolean := 11 = any(acts);
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

    -- Who asks.
    select array_agg(a.rev), array_agg(a.handle), array_agg(a.name), array_agg(a.role)
      into actor_revs, actor_handles, actor_names, actor_roles
      from (select u.rev, u.handle, u.name, u.role
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
              from decide_users(acts, actors, texts, bios, if_revs, handles, emails) d;
        end if;
        if has_follows then
            select ords || array_agg(d.ord), verdicts || array_agg(d.verdict) into ords, verdicts
              from (select c.ord,
                           (case when c.actor_rev is null then 2
                                 when c.id = c.actor then 10
                                 when u.id is null then case c.act when 3 then 3 else 1 end
                                 -- As the command before it in this batch left the pair, or as it is stored.
                                 when (c.act = 3) = coalesce(
                                          lag(c.act = 3) over (partition by c.actor, c.id order by c.ord), f.active, false)
                                 then 1
                                 else 0 end)::smallint as verdict
                      from unnest(acts, actors, ids, actor_revs) with ordinality c (act, actor, id, actor_rev, ord)
                      left join users u on u.id = c.id
                      left join follows f on f.follower = c.actor and f.followee = c.id
                     where c.act in (3, 4)) d;
        end if;
        if has_posts then
            select ords || array_agg(d.ord), verdicts || array_agg(d.verdict) into ords, verdicts
              from (select c.ord,
                           (case when c.actor_rev is null then 2
                                 when c.act = 5 then
                                     case when p.id is null then 0
                                          when p.author <> c.actor then 5
                                          when p.removed then 3
                                          when p.text = c.text then 1
                                          when p.first_digest = sha256(convert_to(c.text, 'UTF8')) then 1
                                          else 5 end
                                 when p.id is null then 3
                                 when p.author = c.actor or (c.act = 7 and c.actor_role = 1) then
                                     case when p.removed then case c.act when 7 then 1 else 3 end
                                          when c.act = 7 then 0
                                          when p.text = c.text then 1
                                          when c.if_rev <> p.rev then 8
                                          else 0 end
                                 when p.removed then 3
                                 else 4 end)::smallint as verdict
                      from unnest(acts, actors, ids, texts, if_revs, actor_revs, actor_roles) with ordinality
                           c (act, actor, id, text, if_rev, actor_rev, actor_role, ord)
                      left join posts p on p.id = c.id
                     where c.act in (5, 6, 7)) d;
        end if;
        if has_comments then
            select ords || array_agg(d.ord), verdicts || array_agg(d.verdict) into ords, verdicts
              from (select c.ord,
                           (case when c.actor_rev is null then 2
                                 when c.act = 8 then
                                     case when p.id is null or p.removed then 3
                                          when m.id is not null then
                                              case when m.author <> c.actor then 5
                                                   when m.removed then 3
                                                   when m.post <> c.post or m.parent is distinct from c.parent then 5
                                                   when m.text = c.text then 1
                                                   when m.first_digest = sha256(convert_to(c.text, 'UTF8')) then 1
                                                   else 5 end
                                          when c.parent is null then 0
                                          when a.id is null or a.post <> c.post or a.removed then 3
                                          when a.depth >= deepest then 9
                                          else 0 end
                                 when m.id is null then 3
                                 when m.author = c.actor or (c.act = 10 and c.actor_role = 1) then
                                     case when m.removed then case c.act when 10 then 1 else 3 end
                                          when c.act = 10 then 0
                                          when m.text = c.text then 1
                                          when c.if_rev <> m.rev then 8
                                          else 0 end
                                 when m.removed then 3
                                 else 4 end)::smallint as verdict
                      from unnest(acts, actors, ids, texts, if_revs, on_posts, parents, actor_revs, actor_roles) with ordinality
                           c (act, actor, id, text, if_rev, post, parent, actor_rev, actor_role, ord)
                      left join comments m on m.id = c.id
                      left join posts p on p.id = c.post
                      left join comments a on a.id = c.parent
                     where c.act in (8, 9, 10)) d;
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

    -- Number what will be done, in the order of the commands.
    select array_agg(n.verdict), array_agg(case when n.verdict = 0 then head + n.nth end), max(n.nth),
           bool_or(n.verdict < 2 and not (n.verdict = 0 and acts[n.ord] = 5))
      into verdicts, seqs, done, rejoin
      from (select v.ord, v.verdict, count(*) filter (where v.verdict = 0) over (order by v.ord) as nth
              from unnest(ords, verdicts) v (ord, verdict)
             order by v.ord) n;
    if cardinality(verdicts) <> cardinality(acts) then
        raise exception 'unknown act' using errcode = 'invalid_parameter_value';
    end if;
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
              from unnest(acts, actors, ids, texts, seqs) c (act, actor, id, text, seq)
             where c.act = 5 and c.seq is not null;
            if acts && array[6, 7]::smallint[] then
                perform change_posts(acts, ids, texts, seqs, now_ms);
            end if;
        end if;
        if has_comments then
            perform write_comments(acts, actors, ids, texts, on_posts, parents, seqs, now_ms);
        end if;
        if has_users then
            perform write_users(acts, actors, texts, bios, handles, emails, hashes, seqs, now_ms);
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
           c.actor, c.seq, now_ms, null::bigint, null::text,
           null::uuid, null::uuid, null::smallint, null::text, null::smallint
      from unnest(acts, actors, verdicts, seqs, actor_revs, actor_handles, actor_names) with ordinality
           c (act, actor, verdict, seq, actor_rev, actor_handle, actor_name, ord)
     where c.verdict > 1 or (c.verdict = 0 and c.act = 5);
    if rejoin and has_posts then
        return query
        select c.ord, c.verdict, case when p.removed and c.act <> 7 then c.seq else p.rev end, life, now_ms,
               c.actor_rev, c.actor_handle, c.actor_name,
               p.author, p.seq, p.created_ms, p.edited_ms, case when c.verdict = 1 then p.text end,
               null::uuid, null::uuid, null::smallint, null::text, null::smallint
          from unnest(acts, ids, verdicts, seqs, actor_revs, actor_handles, actor_names) with ordinality
               c (act, id, verdict, seq, actor_rev, actor_handle, actor_name, ord)
          join posts p on p.id = c.id
         where c.verdict < 2 and (c.act in (6, 7) or (c.act = 5 and c.verdict = 1));
    end if;
    if has_comments then
        return query
        select c.ord, c.verdict, case when m.removed and c.act <> 10 then c.seq else m.rev end, life, now_ms,
               c.actor_rev, c.actor_handle, c.actor_name,
               m.author, m.seq, m.created_ms, m.edited_ms, case when c.verdict = 1 then m.text end,
               m.post, m.parent, m.depth, null::text, null::smallint
          from unnest(acts, ids, verdicts, seqs, actor_revs, actor_handles, actor_names) with ordinality
               c (act, id, verdict, seq, actor_rev, actor_handle, actor_name, ord)
          join comments m on m.id = c.id
         where c.verdict < 2 and c.act in (8, 9, 10);
    end if;
    if has_users then
        return query
        select c.ord, c.verdict, u.rev, life, now_ms, u.rev, u.handle, u.name,
               u.id, u.seq, u.created_ms, null::bigint, null::text,
               null::uuid, null::uuid, null::smallint, u.bio, u.role
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
               null::uuid, null::uuid, null::smallint, null::text, null::smallint
          from unnest(acts, actors, ids, verdicts, seqs) with ordinality c (act, actor, id, verdict, seq, ord)
          left join follows f on c.act in (3, 4) and f.follower = c.actor and f.followee = c.id
          left join sessions s on c.act = 11 and s.id = c.id
         where c.verdict < 2 and c.act in (3, 4, 11);
    end if;
end
$$;
