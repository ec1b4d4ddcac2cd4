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

grant select, insert, update on restores to $service_log;

-- Answers whether the event need not be tried: it waits, or a person has said that it is to be skipped. Nobody waits behind others
-- that were tried again with success meanwhile, whose last delete is waited for.
create or replace function park(a_subscription text, a_key text, a_position bigint, a_event uuid, a_community uuid, a_reason text)
returns boolean language plpgsql as $$
begin
    if a_reason = 'behind another' then
        perform from parked where subscription = a_subscription and key = a_key order by position for update;
        if not found then
            return false;
        end if;
    elsif exists (select from events where stream = 'skipped.' || a_subscription || ':' || a_event) then
        return true;
    end if;
    insert into parked (subscription, key, position, event_id, community_id, reason)
    values (a_subscription, a_key, a_position, a_event, a_community, a_reason) on conflict do nothing;
    return true;
end $$;

-- What stands in this log as if it had seen more than the log's end: it is set back, and counted. Marks go back to what the log
-- has of their topic: what comes twice is known by its id.
create or replace function settle_at_the_end(p_end bigint, p_topics text[], p_sources text[]) returns json
language plpgsql as $$
declare
    ahead record;
    parked_ones bigint;
    damaged_ones bigint;
    outcomes_ones bigint;
    marks_ones bigint := 0;
begin
    delete from parked where position > p_end;
    get diagnostics parked_ones = row_count;
    delete from damaged where position > p_end;
    get diagnostics damaged_ones = row_count;
    delete from outcomes where (outcome ->> 'position')::bigint > p_end;
    get diagnostics outcomes_ones = row_count;
    delete from gaps;
    for ahead in delete from marks where log_position > p_end
        returning topic, community_id, p_sources[array_position(p_topics, topic)] as source
    loop
        marks_ones := marks_ones + 1;
        insert into marks (topic, community_id, generation, position, n, log_position)
        select ahead.topic, ahead.community_id, e.source_generation, e.source_position, e.source_n, e.position from events e
         where e.source = ahead.source and e.community_id = ahead.community_id
         order by e.source_generation desc, e.source_position desc, e.source_n desc limit 1;
    end loop;
    return json_build_object('parked', parked_ones, 'damaged', damaged_ones, 'outcomes', outcomes_ones, 'marks', marks_ones);
end $$;
