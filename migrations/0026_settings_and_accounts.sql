-- Why: what somebody chooses once and means for everything after; and the end of an account.
--
-- An account ends in two steps. At once, by one deed: its log-ins, its name, its address and its password are gone, and its profile is a
-- tombstone that says so. Then, bit by bit, everything it wrote and every tie to others is taken back by ordinary commands in its own name, which
-- any node finds in `departing` and whichever comes first carries out: a crash loses nothing, and everybody hears of it as of any other change.
-- Verdicts besides those of 0023: 35 another password

alter table users
    -- Who may comment on one's posts where the post does not say: 0 everybody, 1 followers, 2 those whom the author follows, 3 nobody.
    add column comments smallint not null default 0,
    -- When the account was deleted.
    add column deleted_ms bigint,
    add constraint users_comments check (comments between 0 and 3);

-- What somebody has chosen; what is absent is the first of its kind.
create table settings (
    user_id uuid   not null,
    choices jsonb  not null,
    rev     bigint not null,
    constraint settings_pk primary key (user_id)
);

create view settings_states as
select 50::smallint as kind, c.user_id as id, c.rev, c.rev as seq, false as removed,
       c.user_id as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       (c.choices || jsonb_build_object('rev', c.rev))::text as extra, null::text as scope
  from settings c;

-- 50: what is absent stays.
create function act_settings(entry bigint, actor uuid, change jsonb, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
begin
    last := entry;
    insert into settings (user_id, choices, rev) values (actor, '{}', 0) on conflict on constraint settings_pk do nothing;
    update settings c set choices = c.choices || change, rev = entry
     where c.user_id = actor and (c.rev = 0 or c.choices || change <> c.choices);
    verdict := case when found then 0 else 1 end;
    update users u
       set comments = array_position(array['everyone', 'followers', 'followed', 'nobody'], change ->> 'comments') - 1
     where u.id = actor and verdict = 0 and change ? 'comments';
end
$$;

-- Handles of deleted accounts, until anybody may take them.
create table left_handles (
    handle  text   not null,
    free_ms bigint not null,
    constraint left_handles_pk primary key (handle)
);

-- The handle of a deleted account rests for a while, for people and for bots.
create function handle_is_taken(of_handle text) returns boolean
language sql stable
as $$
    select exists (select from users u where u.handle = of_handle)
        or exists (select from left_handles l where l.handle = of_handle and l.free_ms > clock_ms())
$$;
create index left_handles_due on left_handles (free_ms);

-- Deleted accounts of which something is still there.
create table departures (
    user_id uuid   not null,
    at_ms   bigint not null,
    constraint departures_pk primary key (user_id)
);

-- For what somebody wrote, and who stands to them.
create index comments_of_author on comments (author, seq) where not removed;
create index mutes_of on mutes (muted) where active;

-- Ends an account and those that go with it, from `entry` on. Returns the entry of its profile, the last, which is the caller's to write
-- into the journal.
create function erase_account(of_user uuid, entry bigint, now_ms bigint, rest_ms bigint) returns bigint
language plpgsql volatile
as $$
declare
    here  bigint := entry;
    whose uuid;
begin
    for whose in
        select u.id from accounts_with(of_user) a join users u on u.id = a
         where u.deleted_ms is null or u.id = of_user
         order by u.id = of_user, u.id
    loop
        update sessions s set revoked_ms = now_ms, rev = here where s.user_id = whose and s.revoked_ms is null;
        if found then
            insert into journal (seq, kind, subject, actor, at_ms) values (here, 11, whose, whose, now_ms);
            here := here + 1;
        end if;
        delete from accounts a where a.user_id = whose;
        insert into left_handles as l (handle, free_ms)
        select u.handle, now_ms + rest_ms from users u where u.id = whose and u.deleted_ms is null
            on conflict on constraint left_handles_pk do update set free_ms = excluded.free_ms;
        -- A handle that nobody can choose.
        update users u
           set handle = 'deleted-' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 16), name = '', bio = '',
               role = 0, standing = 2, extra = '{"deleted": true}', comments = 0, deleted_ms = now_ms, rev = here
         where u.id = whose;
        insert into departures (user_id, at_ms) values (whose, now_ms) on conflict on constraint departures_pk do nothing;
        if whose <> of_user then
            insert into journal (seq, kind, subject, actor, at_ms) values (here, 2, whose, whose, now_ms);
            here := here + 1;
        end if;
    end loop;
    return here;
end
$$;

-- 55: by somebody who has shown the password, over a log-in that still lives.
create function act_delete_account(
    entry bigint, now_ms bigint, actor uuid, args jsonb, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    last := entry;
    if not exists (select from sessions s
                    where s.id = (args ->> 'session')::uuid and s.user_id = actor and s.revoked_ms is null) then
        verdict := 2;
    elsif not exists (select from accounts a where a.user_id = actor and a.password_hash = args ->> 'checked') then
        verdict := 35;
    else
        verdict := 0;
        last := erase_account(actor, entry, now_ms, (args ->> 'rest_ms')::bigint);
    end if;
end
$$;

-- For operators. Returns the entry.
create function delete_account(of_handle text, rest_ms bigint) returns bigint
language plpgsql volatile
as $$
declare
    whose uuid;
    entry bigint;
begin
    select h.seq + 1 into strict entry from journal_head h for update;
    whose := user_called(of_handle);
    entry := erase_account(whose, entry, clock_ms(), rest_ms);
    insert into journal (seq, kind, subject, actor, at_ms) values (entry, 2, whose, whose, clock_ms());
    update journal_head h set seq = entry;
    return entry;
end
$$;

-- What deleted accounts have left behind that others see: commands, in their own name or of those who stand to them, by the numbers of the acts.
create function departing(most integer)
returns table (actor uuid, act smallint, thing uuid)
language sql stable
as $$
    select w.actor, w.act, w.thing
      from departures d
     cross join lateral (
           (select d.user_id, 7::smallint, p.id from posts p where p.author = d.user_id and not p.removed limit most)
           union all
           (select d.user_id, 10::smallint, m.id from comments m where m.author = d.user_id and not m.removed limit most)
           union all
           (select d.user_id, 4::smallint, f.followee from follows f where f.follower = d.user_id and f.active limit most)
           union all
           (select f.follower, 4::smallint, d.user_id from follows f where f.followee = d.user_id and f.active limit most)
           union all
           (select d.user_id, 4::smallint, q.asked from follow_requests q where q.asker = d.user_id and q.active limit most)
           union all
           (select q.asker, 4::smallint, d.user_id from follow_requests q where q.asked = d.user_id and q.active limit most)
           union all
           (select d.user_id, 25::smallint, r.post from reactions r where r.user_id = d.user_id and r.emoji is not null limit most)
           union all
           (select d.user_id, 21::smallint, k.blocked from blocks k where k.blocker = d.user_id and k.active limit most)
           union all
           (select k.blocker, 21::smallint, d.user_id from blocks k where k.blocked = d.user_id and k.active limit most)
           union all
           (select d.user_id, 23::smallint, m.muted from mutes m where m.muter = d.user_id and m.active limit most)
           union all
           (select m.muter, 23::smallint, d.user_id from mutes m where m.muted = d.user_id and m.active limit most)
           ) w (actor, act, thing)
     limit most
$$;

-- Deletes what nobody but a deleted account ever saw, at most `most` rows of each kind. Returns how many.
create function forget_own(of_user uuid, most integer) returns bigint
language plpgsql volatile
as $$
declare
    gone bigint;
    sum  bigint := 0;
begin
    delete from bookmarks b
     where (b.user_id, b.post) in (select o.user_id, o.post from bookmarks o where o.user_id = of_user limit most);
    get diagnostics gone = row_count;
    sum := sum + gone;
    delete from notifying_things b
     where (b.notification, b.actor, b.thing) in (
           select o.notification, o.actor, o.thing
             from notifications n join notifying_things o on o.notification = n.id where n.user_id = of_user limit most);
    get diagnostics gone = row_count;
    sum := sum + gone;
    delete from notifiers b
     where (b.notification, b.actor) in (
           select o.notification, o.actor from notifiers o where o.user_id = of_user limit most);
    get diagnostics gone = row_count;
    sum := sum + gone;
    delete from notifications n
     where n.id in (select o.id from notifications o where o.user_id = of_user limit most)
       and not exists (select from notifying_things b where b.notification = n.id)
       and not exists (select from notifiers b where b.notification = n.id);
    get diagnostics gone = row_count;
    sum := sum + gone;
    delete from read_markers m where m.user_id = of_user;
    delete from notification_reading r where r.user_id = of_user;
    delete from notification_preferences p where p.user_id = of_user;
    delete from settings c where c.user_id = of_user;
    delete from drafts d where d.user_id = of_user;
    delete from list_members m where m.owner = of_user;
    delete from lists l where l.owner = of_user;
    delete from filters f where f.owner = of_user;
    -- What moderators had hidden of theirs is gone with the rest.
    delete from hidden_comments h using comments m where m.id = h.comment and m.author = of_user;
    delete from exports e where e.user_id = of_user;
    delete from refresh_tokens t using sessions s where s.user_id = of_user and t.session = s.id;
    delete from sessions s where s.user_id = of_user and s.revoked_ms is not null;
    return sum;
end
$$;

-- Goes on with one deleted account of which nothing is left that others see. True while there may be more to do at once.
create function forget_departed(most integer) returns boolean
language plpgsql volatile
as $$
declare
    whose uuid;
begin
    select d.user_id into whose from departures d
     where not exists (select from departing(1) w where w.actor = d.user_id or w.thing = d.user_id)
     order by d.at_ms limit 1 for update skip locked;
    if whose is null then
        return false;
    end if;
    perform from journal_head h for update;
    if forget_own(whose, most) = 0 then
        delete from departures d where d.user_id = whose;
    end if;
    return true;
end
$$;

-- Handles that anybody may take again, at most `most`.
create function forget_left_handles(most integer) returns bigint
language plpgsql volatile
as $$
declare
    gone bigint;
begin
    delete from left_handles l
     where l.handle in (select o.handle from left_handles o where o.free_ms <= clock_ms() limit most);
    get diagnostics gone = row_count;
    return gone;
end
$$;

-- Choosing for oneself, and going, is no harm done.
insert into suspended_may (act) values (50), (55);
