-- Why: an operator may end an account, too, and it is written into the log of moderation as whatever else operators order.

create function delete_account_by_operator(of_handle text, rest_ms bigint) returns bigint
language plpgsql volatile
as $$
declare
    -- Afterwards nobody has the handle.
    whose uuid := user_called(of_handle);
begin
    perform from journal_head h for update;
    perform note_audit(clock_ms(), null, 'delete account', 'user', whose, null);
    return delete_account(of_handle, rest_ms);
end
$$;
