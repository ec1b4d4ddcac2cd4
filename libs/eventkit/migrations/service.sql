-- What depends on whose log it is.

-- (a role is the server's: whoever finds it as it should be leaves it, and so is in nobody's way who migrates a database beside this one;
-- who makes it at the same moment as somebody else is told so, and looks again)
do $do$
declare
    wanted record;
begin
    for wanted in select * from (values ('$service_log', '60s', '30s'), ('$service_read', '5s', '30s')) w(role, statement, idle) loop
        for attempt in 1 .. 10 loop
            begin
                if to_regrole(wanted.role) is null then
                    execute format('create role %I login', wanted.role);
                end if;
                if not exists (select from pg_roles where rolname = wanted.role and rolconfig @> array[
                        'statement_timeout=' || wanted.statement, 'idle_in_transaction_session_timeout=' || wanted.idle]) then
                    execute format('alter role %I set statement_timeout = %L', wanted.role, wanted.statement);
                    execute format('alter role %I set idle_in_transaction_session_timeout = %L', wanted.role, wanted.idle);
                end if;
                exit;
            exception when unique_violation or duplicate_object or internal_error then  -- the last: "tuple concurrently updated"
                if attempt = 10 then
                    raise;
                end if;
            end;
        end loop;
    end loop;
end $do$;
grant usage on schema public to $service_log, $service_read;

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

-- whatever order its writers come in, the row of a later version stands; `w_due` null: nothing is due
create or replace function write_timer(
    w_name text, w_stream text, w_community uuid, w_version int, w_due timestamptz, w_because uuid
) returns void language plpgsql as $$
begin
    if w_due is null then
        delete from timers t where t.name = w_name and t.stream = w_stream and t.version <= w_version;
    else
        insert into timers as t (name, stream, community_id, version, due_at, because)
        values (w_name, w_stream, w_community, w_version, w_due, w_because)
        on conflict (name, stream) do update
        set version = excluded.version, due_at = excluded.due_at, because = excluded.because
        where t.version <= excluded.version;
    end if;
end $$;

-- of each community at most `a_each`, so that none keeps another waiting
create or replace function due_soon(a_name text, a_until timestamptz, a_but text[], a_each int)
returns table (stream text, community_id uuid, due_at timestamptz) language sql stable as $$
    select soon.stream, soon.community_id, soon.due_at from (
        select *, row_number() over (partition by t.community_id order by t.due_at) as place
          from timers t where t.name = a_name and t.due_at < a_until and t.stream <> all (a_but)) soon
     where place <= a_each order by soon.due_at
$$;

grant select, insert, update, delete
    on timers, log_state, events, claims, outcomes, checkpoints, published, marks, gaps, kept_aside, parked, damaged, keys
    to $service_log;

-- for own keys alone: of others', two may be heard after a restore
create unique index if not exists keys_of_a_subject on keys (community_id, subject, purpose, owner)
    where erased_at is null and owner = '$service';

create or replace function live_key(a_community uuid, a_subject text, a_purpose text, a_owner text)
returns setof keys language sql stable as $$
    select * from keys where community_id = a_community and subject = a_subject and purpose = a_purpose and owner = a_owner
       and erased_at is null
$$;

-- the key, unless another of its subject was there first: whichever it is (none where that was erased at once)
create or replace function make_key(
    k_id uuid, k_community uuid, k_subject text, k_purpose text, k_owner text, k_kek text, k_wrapped bytea
) returns setof keys language plpgsql as $$
begin
    insert into keys (key_id, community_id, subject, purpose, owner, kek_id, wrapped)
    values (k_id, k_community, k_subject, k_purpose, k_owner, k_kek, k_wrapped) on conflict do nothing;
    return query select * from live_key(k_community, k_subject, k_purpose, k_owner);
end $$;

-- as the keys topic brings it, a tombstone without `wrapped`; what is erased stays so
create or replace function take_key(
    k_id uuid, k_community uuid, k_subject text, k_purpose text, k_owner text, k_kek text, k_wrapped bytea
) returns void language sql as $$
    insert into keys as k (key_id, community_id, subject, purpose, owner, kek_id, wrapped, erased_at)
    values (k_id, k_community, k_subject, k_purpose, k_owner, k_kek, k_wrapped, case when k_wrapped is null then clock_timestamp() end)
    on conflict (key_id) do update
       set kek_id = excluded.kek_id, wrapped = excluded.wrapped, erased_at = excluded.erased_at
     where k.erased_at is null and (k.owner = excluded.owner or excluded.wrapped is null)
$$;

-- one never seen is erased too, in case it comes late
create or replace function erase_key(k_id uuid) returns void language sql as $$
    insert into keys as k (key_id, community_id, subject, purpose, owner, kek_id, erased_at)
    values (k_id, '00000000-0000-0000-0000-000000000000', '', '', '', '', clock_timestamp())
    on conflict (key_id) do update set wrapped = null, erased_at = coalesce(k.erased_at, excluded.erased_at)
$$;

-- what the relay has told a community last, and where that lies (a code that does not say so yet leaves it as it was)
drop function if exists remember_told(uuid, int, int, bigint, int);
create or replace function remember_told(
    a_community uuid, a_partition int, a_generation int, a_position bigint, a_n int, a_offset bigint default 0
) returns void language sql as $$
    insert into published as p (community_id, partition, generation, position, n, "offset")
    values (a_community, a_partition, a_generation, a_position, a_n, a_offset)
    on conflict (community_id) do update set generation = excluded.generation, position = excluded.position, n = excluded.n,
        "offset" = greatest(p."offset", excluded."offset")
$$;


create or replace function keep_aside(a_topic text, a_partition int, a_offset bigint, a_reason text, a_headers json, a_body bytea)
returns void language sql as $$
    insert into kept_aside (topic, partition, "offset", reason, headers, body)
    values (a_topic, a_partition, a_offset, a_reason, a_headers, a_body) on conflict do nothing
$$;

-- what its code expects, as `migrate` has made it last; a reader's checkpoint is made once, where its subscription starts
create table if not exists migrated (one boolean primary key default true check (one), fingerprint text);
create or replace function has_migrated(a_names text[], a_starts text[], a_fingerprint text) returns void language plpgsql as $$
begin
    insert into checkpoints (name, position)
    select c.name, case c.start when 'beginning' then 0 else (select coalesce(max(e.position), 0) from events e) end
      from unnest(a_names, a_starts) c(name, start) on conflict do nothing;
    insert into migrated (fingerprint) values (a_fingerprint) on conflict (one) do update set fingerprint = excluded.fingerprint;
end $$;

-- the shapes that views have had, until a newer code came, in this order
create table if not exists superseded (n bigint generated always as identity, view text, shape text, primary key (view, shape));
grant select on superseded to $service_log;

-- which of these views `migrate` has not made yet for the code that has them so; an older one's code begins again beside a newer one's tables
create or replace function not_made(a_views text[], a_shapes text[]) returns text[] language sql stable as $$
    select array_agg(v.view order by v.view) from unnest(a_views, a_shapes) v(view, shape)
     where obj_description(to_regclass(v.view)) is distinct from v.shape
       and not exists (select from superseded s where s.view = v.view and s.shape = v.shape)
$$;

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

-- the same for those readers that the code has, and since when each thing that is stuck has been
create or replace function state_of(a_readers text[]) returns json language sql stable as $$
    select json_build_object(
        'generation', generation, 'position', last, 'parked', parked, 'damaged', damaged, 'gaps', gaps,
        'sealed_behind', (
            select json_build_object('events', last - s.upto, 'seconds', coalesce((
                       select greatest(0, round(extract(epoch from now() - e.recorded_at)))::bigint
                         from events e where e.position = s.upto + 1), 0))
              from (select coalesce((select upto from seals order by n desc limit 1), 0) as upto) s),
        -- whether a keeper holds the lease `seal` (`subscriptions.holding`) of this database
        'kept', exists (
            select from pg_locks where locktype = 'advisory' and objsubid = 1
               and database = (select d.oid from pg_database d where d.datname = current_database())
               and (classid::bigint << 32 | objid::bigint) = ('x' || left(encode(sha256('seal'), 'hex'), 16))::bit(64)::bigint),
        'lag', (select coalesce(json_object_agg(key, last - value::bigint), '{}') from json_each_text(checkpoints)
                 where key = any (a_readers)),
        'overdue', (select coalesce(sum(value::bigint), 0) from json_each_text(overdue) where key = any (a_readers)),
        'late', (select coalesce(json_object_agg(key, json_build_object('deadlines', value::bigint, 'since', (
                            select min(due_at) from timers t where t.name = key))), '{}')
                   from json_each_text(overdue) where key = any (a_readers)),
        'behind_since', (select coalesce(json_object_agg(key, (select recorded_at from events e where e.position = value::bigint + 1)), '{}')
                           from json_each_text(checkpoints) where key = any (a_readers) and value::bigint < last),
        'parked_since', (select min(since) from parked),
        'damage', (select coalesce(json_agg(d), '[]') from (
                       select view, community_id, position, since from damaged order by since limit 20) d),
        'kept_aside', (select json_build_object('records', count(*), 'latest', max(recorded_at)) from kept_aside))
      from state_of_the_log
$$;

-- Takes what follows the mark of its community and nothing else. Answers per record:
-- taken | known (at or below the mark) | repeated (its id is here already) | missing (something before it never came).
-- A batch in which all of it follows is taken whole, by one statement each for rows and marks; any other, record by record.
create or replace function hear_batch(
    r_topic text[], r_source text[], r_community uuid[],
    r_generation int[], r_position bigint[], r_n int[],
    r_previous_generation int[], r_previous_position bigint[], r_previous_n int[],
    r_id uuid[], r_type text[], r_schema int[], r_data text[], r_meta text[]
) returns text[]
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    base bigint;
    current_generation int;
    answers text[] := '{}';
    mark record;
    answer text;
begin
    perform pg_advisory_xact_lock(726001);
    select coalesce((select e.position from events e order by e.position desc limit 1), 0), (select s.generation from log_state s)
      into base, current_generation;
    if (select bool_and((pg, pp, pn) <= (coalesce(bg, 0), coalesce(bp, 0), coalesce(bn, 0))
                        and (g, p, n) > (coalesce(bg, 0), coalesce(bp, 0), coalesce(bn, 0)))
          from (select g, p, n, pg, pp, pn,
                       coalesce(lag(g) over same, (select m.generation from marks m where m.topic = t and m.community_id = c)) as bg,
                       coalesce(lag(p) over same, (select m.position from marks m where m.topic = t and m.community_id = c)) as bp,
                       coalesce(lag(n) over same, (select m.n from marks m where m.topic = t and m.community_id = c)) as bn
                  from unnest(r_topic, r_community, r_generation, r_position, r_n, r_previous_generation, r_previous_position, r_previous_n)
                       with ordinality u(t, c, g, p, n, pg, pp, pn, i)
                window same as (partition by t, c order by i)) chain)
       and cardinality(r_id) = (select count(distinct i) from unnest(r_id) i)
       and not exists (select from unnest(r_id) i where (select true from events e where e.event_id = i)) then
        insert into events (position, generation, community_id, event_id, type, schema, data, meta,
                            source, source_generation, source_position, source_n)
        select base + i, current_generation, c, id, type, schema, data::json, meta::json, source, g, p, n
          from unnest(r_community, r_id, r_type, r_schema, r_data, r_meta, r_source, r_generation, r_position, r_n)
               with ordinality u(c, id, type, schema, data, meta, source, g, p, n, i);
        insert into marks (topic, community_id, generation, position, n, log_position)
        select distinct on (t, c) t, c, g, p, n, base + i
          from unnest(r_topic, r_community, r_generation, r_position, r_n) with ordinality u(t, c, g, p, n, i)
         order by t, c, i desc
        on conflict (topic, community_id) do update
        set generation = excluded.generation, position = excluded.position, n = excluded.n, log_position = excluded.log_position;
        delete from gaps g using marks m
         where m.topic = g.topic and m.community_id = g.community_id
           and (g.upto_generation, g.upto_position, g.upto_n) <= (m.generation, m.position, m.n);
        perform pg_notify('log', (base + cardinality(r_id))::text);
        return array_fill('taken'::text, array[cardinality(r_id)]);
    end if;
    for i in 1 .. coalesce(cardinality(r_id), 0) loop
        select m.generation, m.position, m.n into mark from marks m
         where m.topic = r_topic[i] and m.community_id = r_community[i];
        if not found then
            select 0 as generation, 0::bigint as position, 0 as n into mark;
        end if;
        if (r_generation[i], r_position[i], r_n[i]) <= (mark.generation, mark.position, mark.n) then
            answer := 'known';
        elsif (r_previous_generation[i], r_previous_position[i], r_previous_n[i])
              > (mark.generation, mark.position, mark.n) then
            answer := 'missing';
            insert into gaps (topic, community_id, upto_generation, upto_position, upto_n)
            values (r_topic[i], r_community[i], r_previous_generation[i], r_previous_position[i], r_previous_n[i])
            on conflict (topic, community_id) do nothing;
        else
            answer := 'taken';
            if exists (select from events e where e.event_id = r_id[i]) then
                answer := 'repeated';
            else
                base := base + 1;
                insert into events (position, generation, community_id, event_id, type, schema, data, meta,
                                    source, source_generation, source_position, source_n)
                values (base, current_generation, r_community[i], r_id[i], r_type[i], r_schema[i],
                        r_data[i]::json, r_meta[i]::json, r_source[i], r_generation[i], r_position[i], r_n[i]);
            end if;
            insert into marks (topic, community_id, generation, position, n, log_position)
            values (r_topic[i], r_community[i], r_generation[i], r_position[i], r_n[i], base)
            on conflict (topic, community_id) do update
            set generation = excluded.generation, position = excluded.position, n = excluded.n,
                log_position = excluded.log_position;
            delete from gaps g where g.topic = r_topic[i] and g.community_id = r_community[i]
               and (g.upto_generation, g.upto_position, g.upto_n) <= (r_generation[i], r_position[i], r_n[i]);
        end if;
        answers := answers || answer;
    end loop;
    if 'taken' = any (answers) then
        perform pg_notify('log', base::text);
    end if;
    return answers;
end $$;

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
