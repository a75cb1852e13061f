-- Why: two things an operator does to the database directly, which the nodes must notice by themselves: restoring a backup, and
-- ending log-ins with a plain statement.

-- When this copy of the cluster's files came to be here, as far as that can be seen. A base backup that is simply started goes on
-- under the same system identifier *and the same timeline* (only recovery from an archive and promotion begin a new one), so the
-- epoch would not change. But a file's change time cannot be copied: no tool can set it. `PG_VERSION` is written once and never again;
-- `backup_label` is put aside as `backup_label.old` at the first start from a backup.
-- Seeing it needs a superuser, or `grant execute on function pg_stat_file(text, boolean) to …` for the schema's owner; without, this
-- is null, and begin_new_life() is left to the operator. Its owner's rights count, so that all roles see the same.
create function files_born() returns text
language plpgsql stable security definer
set search_path = pg_catalog
as $$
begin
    if not has_function_privilege('pg_stat_file(text, boolean)', 'execute') then
        return null;
    end if;
    return extract(epoch from (pg_stat_file('PG_VERSION', true)).change)::text || '/'
        || coalesce(extract(epoch from (pg_stat_file('backup_label.old', true)).change)::text, '-');
end
$$;

create or replace function journal_epoch() returns bigint
language sql stable
as $$
    select ('x' || encode(substr(sha256(
               h.life_word
               || convert_to(concat_ws('/',
                      s.system_identifier,
                      d.oid,
                      'journal_head'::regclass::oid,
                      substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
                      files_born()), 'UTF8')
           ), 1, 8), 'hex'))::bit(64)::bigint
      from journal_head h, pg_control_system() s, pg_database d
     where d.datname = current_database()
$$;

-- A new life of the journal, as after a restore that cannot be seen from inside (a snapshot of the whole disk): every client starts
-- afresh. For operators: select begin_new_life(). A node that finds the journal shorter than it has seen it names the life it means:
-- of several that do, one begins the new one.
create function begin_new_life(of_epoch bigint default null) returns bigint
language plpgsql volatile
as $$
begin
    perform from journal_head h for update;
    if of_epoch is null or of_epoch = journal_epoch() then
        update journal_head set life_word = sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    end if;
    return journal_epoch();
end
$$;

-- A log-in ended by a plain `update sessions set revoked_ms = …`, or deleted, is an entry of the journal as well: that is how the nodes
-- hear of it. commit_batch numbers its own, and forgetting deletes only what no token leads to any more: neither comes here.
-- It takes the journal's lock until its transaction ends: end it soon.
create function journal_log_out() returns trigger
language plpgsql
as $$
declare
    entry bigint;
begin
    update journal_head h set seq = h.seq + 1 returning h.seq into strict entry;
    insert into journal (seq, kind, subject, object, actor, at_ms)
    values (entry, 11, old.user_id, old.id, old.user_id, clock_ms());
    if tg_op = 'DELETE' then
        return old;
    end if;
    new.rev := entry;
    return new;
end
$$;

create trigger sessions_revoked_by_hand before update of revoked_ms on sessions
for each row when (old.revoked_ms is null and new.revoked_ms is not null and new.rev is null)
execute function journal_log_out();

create function has_refresh_tokens(of_session uuid) returns boolean
language sql stable
as $$ select exists (select from refresh_tokens t where t.session = of_session) $$;

create trigger sessions_deleted_by_hand before delete on sessions
for each row when (old.revoked_ms is null and has_refresh_tokens(old.id))
execute function journal_log_out();
