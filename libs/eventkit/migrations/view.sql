-- A view: thrown away when its shape or version is no longer what the code says, and then folded again by its reader.

do $do$ begin
    if to_regclass('$table') is not null and obj_description(to_regclass('$table')) is distinct from '$shape' then
        insert into superseded (view, shape) values ('$table', coalesce(obj_description(to_regclass('$table')), ''))
            on conflict do nothing;
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
        -- back at an older code: what came after it waits for its own migration again
        delete from superseded where view = '$table'
           and n >= (select s.n from superseded s where s.view = '$table' and s.shape = '$shape');
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

-- Takes what a fold did to its rows: those that are gone, those that are kept; planned once.

do $do$ declare
    columns text;
    same text;
    key text;
    rest text;
begin
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum),
           string_agg(format('t.%1$I = w.%1$I', a.attname), ' and ') filter (where a.attnum = any (i.indkey)),
           string_agg(quote_ident(a.attname), ', ') filter (where a.attnum = any (i.indkey)),
           string_agg(format('%1$I = excluded.%1$I', a.attname), ', ') filter (where a.attnum <> all (i.indkey))
      into columns, same, key, rest
      from pg_attribute a join pg_index i on i.indrelid = a.attrelid and i.indisprimary
     where a.attrelid = to_regclass('$table') and a.attnum > 0 and not a.attisdropped;
    execute format($f$
        create or replace function save_$table(json, json) returns void language plpgsql as $body$ begin
            if json_array_length($1) > 0 then
                delete from $table t using json_populate_recordset(null::$table, $1) w where %2$s;
            end if;
            if json_array_length($2) > 0 then
                insert into $table (%1$s) select %1$s from json_populate_recordset(null::$table, $2)
                on conflict (%3$s) do %4$s;
            end if;
        end $body$ $f$, columns, same, key, coalesce('update set ' || rest, 'nothing'));
end $do$;
