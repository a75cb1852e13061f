-- Keys that sign access tokens: every node must accept the tokens of every other, so the nodes share them here.
-- Only sealed private keys are kept: who can read the database cannot sign.

create table signing_keys (
    kid        text primary key,
    sealed     bytea not null,
    created_at timestamptz not null default clock_timestamp()
);

-- Keeps a key unless there is one younger than the given age: of nodes that want a new key at the same time, one gets its way.
-- A function, because what is decided after the wait for the lock must see what was committed during it.
create function keep_signing_key(new_kid text, new_sealed bytea, unless_younger_than_ms bigint) returns boolean
language plpgsql as $$
begin
    lock table signing_keys in share row exclusive mode;
    insert into signing_keys (kid, sealed)
    select new_kid, new_sealed
    where not exists (
        select from signing_keys
        where clock_timestamp() - created_at < unless_younger_than_ms * interval '1 millisecond'
    );
    return found;
end
$$;
