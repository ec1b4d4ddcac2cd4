-- What depends on whose log it is.

do $do$ begin
    if to_regrole('$service_log') is null then
        create role $service_log login;
    end if;
    if to_regrole('$service_read') is null then
        create role $service_read login;
    end if;
end $do$;
grant usage on schema public to $service_log, $service_read;
alter role $service_log set statement_timeout = '60s';
alter role $service_read set statement_timeout = '5s';
alter role $service_log set idle_in_transaction_session_timeout = '30s';
alter role $service_read set idle_in_transaction_session_timeout = '30s';

-- what is due, folded from the log by timers
create table if not exists timers (
    name text not null,
    stream text not null,
    community_id uuid not null,
    version integer not null,
    due_at timestamptz not null,
    because uuid not null,
    primary key (name, stream)
);
create index if not exists timers_by_due on timers (name, due_at);

grant select, insert, update, delete
    on timers, log_state, events, claims, outcomes, checkpoints, published, marks, gaps, kept_aside, parked, damaged, keys
    to $service_log;

-- for own keys alone: of others', two may be heard after a restore
create unique index if not exists keys_of_a_subject on keys (community_id, subject, purpose, owner)
    where erased_at is null and owner = '$service';

-- what `status` tells, in one row
create or replace view state_of_the_log as select
    (select coalesce(max(position), 0) from events) as last,
    (select generation from log_state) as generation,
    (select count(*) from parked) as parked,
    (select count(*) from damaged) as damaged,
    (select coalesce(json_agg(json_build_object(
        'topic', topic, 'community_id', community_id,
        'after', (select m.generation || '.' || m.position || '.' || m.n from marks m
                   where m.topic = g.topic and m.community_id = g.community_id),
        'upto', upto_generation || '.' || upto_position || '.' || upto_n, 'since', since)), '[]') from gaps g) as gaps,
    (select coalesce(json_object_agg(name, position), '{}') from checkpoints) as checkpoints,
    (select coalesce(json_object_agg(name, late), '{}') from (
        select name, count(*) as late from timers where due_at < now() - interval '5 seconds' group by name) t) as overdue;
grant select on state_of_the_log to $service_log;

-- the last position that was recorded by then, found by halves: positions are not ordered by a clock, but it hardly ever steps back
create or replace function position_at(moment timestamptz) returns bigint language plpgsql stable as $$
declare
    low bigint := 0;
    high bigint := (select coalesce(max(position), 0) from events);
    middle bigint;
begin
    while low < high loop
        middle := (low + high + 1) / 2;
        if (select recorded_at from events where position = middle) <= moment then
            low := middle;
        else
            high := middle - 1;
        end if;
    end loop;
    return low;
end $$;
