-- Who may see and who may write the rows of a view; run again whenever the service's views change.

alter table $table enable row level security;
alter table $table force row level security;
drop policy if exists communities on $table;
create policy communities on $table for select to $service_read
    using (community_id = any(nullif(current_setting('lifang.communities', true), '')::uuid[]));
drop policy if exists log on $table;
create policy log on $table to $service_log using (true) with check (true);
grant select on $table to $service_read;
grant select, insert, update, delete, truncate on $table to $service_log;
