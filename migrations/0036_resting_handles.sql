-- Why: the handle of a deleted account rests for a while, for people and for bots; and a copy of what is somebody's holds their reports.

create function handle_is_taken(of_handle text) returns boolean
language sql stable
as $$
    select exists (select from users u where u.handle = of_handle)
        or exists (select from left_handles l where l.handle = of_handle and l.free_ms > clock_ms())
$$;

-- As that of 0032, but for resting handles.
create or replace function decide_users(
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

-- As that of 0032, but for resting handles.
create or replace function act_bot_create(
    entry bigint, now_ms bigint, actor uuid, bot uuid, of_handle text, of_name text, most integer, out verdict smallint, out last bigint
)
language plpgsql volatile
as $$
declare
    known users;
begin
    select u.* into known from users u where u.id = bot;
    verdict := case
        when known.id is not null then
            case when known.extra -> 'bot' ->> 'owner' = actor::text and known.handle = of_handle then 1 else 5 end
        -- Nobody makes a crowd of them by making one of them make more.
        when exists (select from users u where u.id = actor and u.extra ? 'bot') then 4
        when (select count(*) from bots_of(actor)) >= most then 19
        when handle_is_taken(of_handle) then 6
        else 0 end;
    last := entry;
    if verdict = 0 then
        insert into users (id, handle, name, seq, rev, created_ms, extra)
        values (bot, of_handle, of_name, entry, entry, now_ms, jsonb_build_object('bot', jsonb_build_object('owner', actor)));
    end if;
end
$$;

-- What somebody has reported is theirs, too; who else did is not.
insert into exported (section, question) values
('reports', $$
    select r.id::text, jsonb_strip_nulls(jsonb_build_object('id', r.id, 'thing', r.thing, 'reason', r.reason, 'note', r.note, 'at', r.at_ms))
      from reports r
     where r.reporter = $1 and r.id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')
     order by r.id limit $3 $$);
