-- A view: thrown away when its shape or version is no longer what the code says, and then folded again by its reader.

do $do$ begin
    if to_regclass('$table') is not null and obj_description(to_regclass('$table')) is distinct from '$shape' then
        drop table $table;
        delete from damaged where view = '$table';
        update checkpoints set position = 0 where name = '$table';
        -- what a rebuild has begun beside it is of no use any more
        drop table if exists $table_beside;
        delete from damaged where view = '$table_beside';
        delete from checkpoints where name = '$table_beside';
    end if;
    if to_regclass('$table') is null then
        $create;
        comment on table $table is '$shape';
    end if;
end $do$;

-- Who may see its rows and who may write them.

alter table $table enable row level security;
alter table $table force row level security;
drop policy if exists communities on $table;
create policy communities on $table for select to $service_read
    using (community_id = any(nullif(current_setting('lifang.communities', true), '')::uuid[]));
drop policy if exists log on $table;
create policy log on $table to $service_log using (true) with check (true);
grant select on $table to $service_read;
grant select, insert, update, delete, truncate on $table to $service_log;
