-- Why: what log-in needs, apart from everything that is shown to others.

create table accounts (
    user_id       uuid not null,
    -- Normalised by the caller.
    email         text not null,
    password_hash text not null,
    constraint accounts_pk primary key (user_id),
    constraint accounts_user foreign key (user_id) references users (id),
    constraint accounts_email_key unique (email)
);

create table sessions (
    id         uuid   not null,
    user_id    uuid   not null,
    opened_ms  bigint not null,
    revoked_ms bigint,
    -- The entry that ended it.
    rev        bigint,
    constraint sessions_pk primary key (id),
    constraint sessions_user foreign key (user_id) references users (id),
    constraint sessions_revoked check ((revoked_ms is null) = (rev is null))
);
create index sessions_of_user on sessions (user_id);
-- For forgetting.
create index sessions_by_age on sessions (opened_ms);

create table refresh_tokens (
    -- SHA-256 of the token; the token itself is never stored.
    hash       bytea  not null,
    session    uuid   not null,
    expires_ms bigint not null,
    -- When it was traded, and for which token. A token counts as used once it has been traded itself.
    rotated_ms bigint,
    successor  bytea,
    constraint refresh_tokens_pk primary key (hash),
    constraint refresh_tokens_session foreign key (session) references sessions (id) on delete cascade,
    constraint refresh_tokens_hash check (length(hash) = 32),
    constraint refresh_tokens_rotated check ((rotated_ms is null) = (successor is null))
);
create index refresh_tokens_of_session on refresh_tokens (session);
create index refresh_tokens_expiry on refresh_tokens (expires_ms);

-- Trades a token, exactly once however many ask at the same time: the row lock lets one through, the others find it rotated.
-- verdict: 0 rotated, 1 repeated, 2 reused, 3 refused.
create function rotate_token(old_hash bytea, new_hash bytea, life_ms bigint, grace_ms bigint)
returns table (verdict smallint, user_id uuid, session uuid)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    old    refresh_tokens;
    owner  sessions;
    now_ms bigint;
    unused boolean;
begin
    select t.* into old from refresh_tokens t where t.hash = old_hash for update;
    now_ms := clock_ms();
    if found then
        select s.* into owner from sessions s where s.id = old.session;
    end if;
    if old.hash is null or old.expires_ms <= now_ms or owner.revoked_ms is not null then
        return query select 3::smallint, null::uuid, null::uuid;
    elsif old.rotated_ms is null then
        insert into refresh_tokens (hash, session, expires_ms) values (new_hash, old.session, now_ms + life_ms);
        update refresh_tokens t set rotated_ms = now_ms, successor = new_hash where t.hash = old_hash;
        return query select 0::smallint, owner.user_id, owner.id;
    else
        select t.rotated_ms is null into unused from refresh_tokens t where t.hash = old.successor;
        if old.successor = new_hash and coalesce(unused, false) and now_ms - old.rotated_ms <= grace_ms then
            return query select 1::smallint, owner.user_id, owner.id;
        else
            return query select 2::smallint, owner.user_id, owner.id;
        end if;
    end if;
end
$$;
