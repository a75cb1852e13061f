-- Why: what somebody has not published yet, on all their devices, and what is published by itself at its time; and a copy of all that is theirs.
--
-- A draft is one user's own: told on `me` alone. Its id is that of the post it becomes, which makes publishing safe to repeat: whoever looks first
-- claims the draft (53), which nobody can change from then on; the post is created by the ordinary command with that id (5); and the draft goes,
-- or says why it could not be published (54). Whoever dies in between is followed by whoever looks next. Only the database's clock counts.
-- Verdicts besides those of 0026: 25 no such time

create table drafts (
    user_id    uuid     not null,
    -- Of the post as well.
    id         uuid     not null,
    -- As clients see it; null: a tombstone.
    content    jsonb,
    -- When it is published by itself.
    publish_ms bigint,
    -- 0 it waits, 1 it is being published, 2 it could not be.
    state      smallint not null default 0,
    -- Why not: the code of the refusal.
    failed     text,
    changed_ms bigint   not null,
    rev        bigint   not null,
    constraint drafts_pk primary key (user_id, id),
    constraint drafts_state check (state between 0 and 2 and (state = 2) = (failed is not null)),
    constraint drafts_tombstone_is_empty check (content is not null or publish_ms is null and state = 0)
);
-- Catch-up of `me`, and one's drafts, the last changed first.
create index drafts_changed on drafts (user_id, rev);
create index drafts_due on drafts (publish_ms) where publish_ms is not null and state < 2;
create index drafts_tombstones on drafts (rev) where content is null;

create view draft_states as
select 51::smallint as kind, d.id, d.rev, d.rev as seq, d.content is null as removed,
       d.user_id as author, null::bigint as author_rev, null::text as handle, null::text as name,
       null::text as text, null::bigint as created_ms, null::bigint as edited_ms,
       null::uuid as object, null::uuid as parent, null::smallint as depth, null::text as bio, null::smallint as role,
       case when d.content is null then jsonb_build_object('id', d.id, 'rev', d.rev)
            else d.content || jsonb_strip_nulls(jsonb_build_object(
                     'id', d.id, 'rev', d.rev, 'changed_at', d.changed_ms, 'publish_at', d.publish_ms,
                     'publishing', case d.state when 1 then true end, 'failed', d.failed)) end::text as extra,
       null::text as scope
  from drafts d;

-- 51: put in whole.
create function act_put_draft(
    entry bigint, now_ms bigint, actor uuid, thing uuid, args jsonb, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
declare
    had drafts;
    at  bigint := (args ->> 'publish_at')::bigint;
begin
    last := entry;
    select d.* into had from drafts d where d.user_id = actor and d.id = thing;
    if had.state = 1 then
        verdict := 20;
    elsif had.content = args -> 'content' and had.publish_ms is not distinct from at then
        verdict := 1;
    elsif exists (select from posts p where p.id = thing) then
        verdict := 5;
    elsif (args ->> 'if_rev')::bigint <> had.rev then
        verdict := 8;
    elsif at <= now_ms or at > now_ms + (args ->> 'ahead_ms')::bigint then
        verdict := 25;
    elsif had.content is null
          and (select count(*) from drafts d where d.user_id = actor and d.content is not null) >= (args ->> 'most')::bigint
    then
        verdict := 19;
    else
        verdict := 0;
        insert into drafts (user_id, id, content, publish_ms, changed_ms, rev)
        values (actor, thing, args -> 'content', at, now_ms, entry)
            on conflict on constraint drafts_pk do update
           set content = excluded.content, publish_ms = excluded.publish_ms, state = 0, failed = null,
               changed_ms = excluded.changed_ms, rev = excluded.rev;
    end if;
end
$$;

-- Nothing of it is left but that it was there.
create function end_draft(of_user uuid, which uuid, entry bigint) returns void
language sql volatile
as $$
    update drafts d set content = null, publish_ms = null, state = 0, failed = null, rev = entry
     where d.user_id = of_user and d.id = which
$$;

-- 52
create function act_delete_draft(entry bigint, actor uuid, thing uuid, out verdict smallint, out last bigint)
language plpgsql volatile
as $$
declare
    had drafts;
begin
    last := entry;
    select d.* into had from drafts d where d.user_id = actor and d.id = thing;
    if had.state = 1 then
        verdict := 20;
    elsif had.content is null then
        verdict := 1;
    else
        verdict := 0;
        perform end_draft(actor, thing, entry);
    end if;
end
$$;

-- 53: its time has come. From here on it stays as it is.
create function act_claim_draft(
    entry bigint, now_ms bigint, actor uuid, thing uuid, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
declare
    had drafts;
begin
    last := entry;
    select d.* into had from drafts d where d.user_id = actor and d.id = thing;
    if had.state = 1 then
        verdict := 1;
    elsif had.content is null or had.state = 2 or coalesce(had.publish_ms > now_ms, true) then
        verdict := 3;
    else
        verdict := 0;
        update drafts d set state = 1, rev = entry where d.user_id = actor and d.id = thing;
    end if;
end
$$;

-- 54: the post is there, or it was refused for good.
create function act_finish_draft(
    entry bigint, actor uuid, thing uuid, why text, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    last := entry;
    verdict := 1;
    if not exists (select from drafts d where d.user_id = actor and d.id = thing and d.state = 1) then
        return;
    end if;
    -- Also one that has been deleted since.
    if exists (select from posts p where p.id = thing and p.author = actor) then
        verdict := 0;
        perform end_draft(actor, thing, entry);
    elsif why is not null then
        verdict := 0;
        update drafts d set state = 2, failed = why, rev = entry where d.user_id = actor and d.id = thing;
    end if;
end
$$;

create function carry_out_composing(
    act smallint, entry bigint, now_ms bigint, actor uuid, thing uuid, args jsonb, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
begin
    case act
        when 50 then select d.verdict, d.last into verdict, last from act_settings(entry, actor, args) d;
        when 51 then select d.verdict, d.last into verdict, last from act_put_draft(entry, now_ms, actor, thing, args) d;
        when 52 then select d.verdict, d.last into verdict, last from act_delete_draft(entry, actor, thing) d;
        when 53 then select d.verdict, d.last into verdict, last from act_claim_draft(entry, now_ms, actor, thing) d;
        when 54 then
            select d.verdict, d.last into verdict, last from act_finish_draft(entry, actor, thing, args ->> 'failed') d;
        when 55 then select d.verdict, d.last into verdict, last from act_delete_account(entry, now_ms, actor, args) d;
        else raise exception 'unknown act' using errcode = 'invalid_parameter_value';
    end case;
end
$$;

create function own_state_composing(act smallint, actor uuid, thing uuid)
returns setof block_states
language plpgsql stable
as $$
begin
    case
        when act = 50 then return query select s.* from settings_states s where s.author = actor;
        when act between 51 and 54 then return query select s.* from draft_states s where s.author = actor and s.id = thing;
        -- Told as the profile.
        when act = 55 then return query select s.* from user_states s where s.id = actor;
        else return;
    end case;
end
$$;

-- Drafts are not in the snapshot of `me` (since 0): their texts are asked for by pages.
create function own_changes_composing(of_user uuid, since bigint)
returns setof block_states
language plpgsql stable
as $$
begin
    return query select s.* from settings_states s where s.author = of_user and s.rev >= since;
    if since > 0 then
        return query select s.* from draft_states s where s.author = of_user and s.rev >= since;
    end if;
end
$$;

-- Tombstones below the floor, at most `most`: as forget_ended_follows.
create function forget_ended_drafts(below bigint, most integer) returns bigint
language plpgsql volatile
as $$
declare
    gone bigint;
begin
    perform from journal_head h for update;
    with old as materialized (select d.user_id, d.id from drafts d where d.content is null and d.rev < below limit most)
    delete from drafts d using old where d.user_id = old.user_id and d.id = old.id;
    get diagnostics gone = row_count;
    return gone;
end
$$;

insert into suspended_may (act) values (51), (52), (53), (54);

-- A copy of everything that is somebody's, asked for by pages.

-- Its sections, and the question for a page of each: $1 whose, $2 the key of the last row before the page ('' for the first), $3 how many rows at
-- most; each row its key and what it says. Who adds a table of somebody's own adds its section. Must never name an address but one's own.
create table exported (
    place    integer generated always as identity,
    section  text not null,
    question text not null,
    constraint exported_pk primary key (place),
    constraint exported_section unique (section)
);

insert into exported (section, question) values
('account', $$
    select a.user_id::text, jsonb_build_object('email', a.email, 'created_at', u.created_ms)
      from accounts a join users u on u.id = a.user_id where a.user_id = $1 and $2 = '' limit $3 $$),
('profile', $$
    select u.id::text, jsonb_build_object('id', u.id, 'handle', u.handle, 'name', u.name, 'bio', u.bio) || coalesce(u.extra, '{}')
      from users u where u.id = $1 and $2 = '' limit $3 $$),
('settings', $$
    select c.user_id::text, c.choices from settings c where c.user_id = $1 and $2 = '' limit $3 $$),
('notify_preferences', $$
    select p.user_id::text, p.choices from notification_preferences p where p.user_id = $1 and $2 = '' limit $3 $$),
('posts', $$
    select p.seq::text, jsonb_strip_nulls(jsonb_build_object(
               'id', p.id, 'text', p.text, 'created_at', p.created_ms, 'edited_at', p.edited_ms,
               'versions', (select jsonb_agg(jsonb_build_object('text', v.text, 'at', v.at_ms) order by v.rev)
                              from post_versions v where v.post = p.id))) || coalesce(p.extra, '{}')
      from posts p where p.author = $1 and not p.removed and p.seq > coalesce(nullif($2, ''), '0')::bigint
     order by p.seq limit $3 $$),
('drafts', $$
    select d.rev::text, d.content || jsonb_strip_nulls(jsonb_build_object('id', d.id, 'changed_at', d.changed_ms, 'publish_at', d.publish_ms))
      from drafts d where d.user_id = $1 and d.content is not null and d.rev > coalesce(nullif($2, ''), '0')::bigint
     order by d.rev limit $3 $$),
('comments', $$
    select m.seq::text, jsonb_strip_nulls(jsonb_build_object(
               'id', m.id, 'post', m.post, 'parent', m.parent, 'text', m.text, 'created_at', m.created_ms, 'edited_at', m.edited_ms))
      from comments m where m.author = $1 and not m.removed and m.seq > coalesce(nullif($2, ''), '0')::bigint
     order by m.seq limit $3 $$),
('follows', $$
    select f.followee::text, jsonb_build_object('id', u.id, 'handle', u.handle)
      from follows f join users u on u.id = f.followee
     where f.follower = $1 and f.active and f.followee > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by f.followee limit $3 $$),
('followers', $$
    select f.follower::text, jsonb_build_object('id', u.id, 'handle', u.handle)
      from follows f join users u on u.id = f.follower
     where f.followee = $1 and f.active and f.follower > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by f.follower limit $3 $$),
('blocks', $$
    select k.blocked::text, jsonb_build_object('id', u.id, 'handle', u.handle)
      from blocks k join users u on u.id = k.blocked
     where k.blocker = $1 and k.active and k.blocked > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by k.blocked limit $3 $$),
('mutes', $$
    select m.muted::text, jsonb_strip_nulls(jsonb_build_object('id', u.id, 'handle', u.handle, 'until', m.until_ms))
      from mutes m join users u on u.id = m.muted
     where m.muter = $1 and m.active and m.muted > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by m.muted limit $3 $$),
('follow_requests', $$
    select q.asked::text, jsonb_build_object('id', u.id, 'handle', u.handle)
      from follow_requests q join users u on u.id = q.asked
     where q.asker = $1 and q.active and q.asked > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by q.asked limit $3 $$),
('lists', $$
    select l.id::text, jsonb_build_object('id', l.id, 'name', l.name, 'members', (
               select coalesce(jsonb_agg(u.handle order by u.handle), '[]')
                 from list_members m join users u on u.id = m.member where m.list = l.id and m.active))
      from lists l
     where l.owner = $1 and not l.removed and l.id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by l.id limit $3 $$),
('filters', $$
    select f.id::text, jsonb_strip_nulls(jsonb_build_object('phrase', f.phrase, 'whole_word', f.whole_word, 'until', f.until_ms))
      from filters f
     where f.owner = $1 and not f.removed and f.id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by f.id limit $3 $$),
('reactions', $$
    select r.post::text, jsonb_build_object('post', r.post, 'emoji', (emoji_words())[r.emoji])
      from reactions r
     where r.user_id = $1 and r.emoji is not null and r.post > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by r.post limit $3 $$),
('bookmarks', $$
    select b.post::text, jsonb_build_object('post', b.post)
      from bookmarks b
     where b.user_id = $1 and b.active and b.post > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by b.post limit $3 $$),
('notifications', $$
    select s.seq::text, s.extra::jsonb - array['rev', 'seq', 'unread']
      from notification_states s
     where s.author = $1 and not s.removed and s.seq > coalesce(nullif($2, ''), '0')::bigint
     order by s.seq limit $3 $$),
('read_markers', $$
    select m.id::text, jsonb_build_object('feed', m.feed, 'seq', m.seq)
      from read_markers m
     where m.user_id = $1 and not m.removed and m.id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by m.id limit $3 $$),
('sessions', $$
    select s.id::text, jsonb_strip_nulls(jsonb_build_object(
               'id', s.id, 'device', s.device, 'client', s.client, 'created_at', s.opened_ms, 'seen_at', s.seen_ms,
               'ended_at', s.revoked_ms))
      from sessions s
     where s.user_id = $1 and s.id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by s.id limit $3 $$),
('pictures', $$
    select m.id::text, jsonb_build_object('id', m.id, 'kind', (array['avatar', 'image'])[m.kind + 1], 'created_at', m.created_ms,
                                          'url', '/media/' || m.id || '/full')
      from media m
     where m.owner = $1 and m.state = 1 and m.id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by m.id limit $3 $$);

-- A page of a section.
create function export_page(of_user uuid, of_section text, after text, most integer)
returns table (key text, body text)
language plpgsql stable
as $$
declare
    question text;
begin
    select e.question into strict question from exported e where e.section = of_section;
    return query execute format('select p.k, p.b::text from (%s) p (k, b)', question) using of_user, after, most;
end
$$;

-- When somebody has asked for a copy lately.
create table exports (
    user_id uuid   not null,
    at_ms   bigint not null
);
create index exports_of on exports (user_id, at_ms);

-- Whether somebody may have a copy now. 0 yes, 1 the log-in that asks has ended, 2 they had `most` of them within a day.
create function wish_export(of_user uuid, of_session uuid, most integer) returns smallint
language plpgsql volatile
as $$
begin
    perform from accounts a where a.user_id = of_user for update;
    if not exists (select from sessions s where s.id = of_session and s.user_id = of_user and s.revoked_ms is null) then
        return 1;
    end if;
    delete from exports e where e.user_id = of_user and e.at_ms <= clock_ms() - 24 * 60 * 60 * 1000;
    if (select count(*) from exports e where e.user_id = of_user) >= most then
        return 2;
    end if;
    insert into exports (user_id, at_ms) values (of_user, clock_ms());
    return 0;
end
$$;
