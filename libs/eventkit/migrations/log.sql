-- The tables of one service's log. Owned by <service>_owner, written by <service>_log only.

create table log_state (
    one boolean primary key default true check (one),
    generation int not null default 1
);
insert into log_state default values;

create table events (
    position bigint primary key,
    generation int not null,
    community_id uuid not null,
    stream text,
    version int,
    event_id uuid not null unique,
    type text not null,
    schema int not null,
    data json not null,
    meta json not null,
    source text,
    source_generation int,
    source_position bigint,
    source_n int,
    recorded_at timestamptz not null default clock_timestamp(),
    unique (stream, version)
);
create index events_by_community on events (community_id, position);
create index events_by_source on events (source, community_id, source_generation, source_position, source_n)
    where source is not null;

create table claims (
    community_id uuid not null,
    scope text not null,
    value text not null,
    stream text not null,
    primary key (community_id, scope, value)
);
create index claims_by_stream on claims (stream, scope);

create table outcomes (
    community_id uuid not null,
    principal text not null,
    route text not null,
    key text not null,
    body_hash text not null,
    outcome json not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (community_id, principal, route, key)
);
create index outcomes_by_age on outcomes (recorded_at);

create table checkpoints (
    name text primary key,
    position bigint not null,
    moved_at timestamptz not null default clock_timestamp()
);

-- what the relay has told each community so far
create table published (
    community_id uuid primary key,
    partition int not null,
    generation int not null,
    position bigint not null,
    n int not null
);

-- what this service has heard of each community of each topic
create table marks (
    topic text not null,
    community_id uuid not null,
    generation int not null,
    position bigint not null,
    n int not null,
    log_position bigint not null,
    primary key (topic, community_id)
);

-- a range that a topic did not bring: after the mark, up to and with `upto`
create table gaps (
    topic text not null,
    community_id uuid not null,
    upto_generation int not null,
    upto_position bigint not null,
    upto_n int not null,
    since timestamptz not null default clock_timestamp(),
    primary key (topic, community_id)
);

create table kept_aside (
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    reason text not null,
    headers json not null,
    body bytea,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (topic, partition, "offset")
);

create table parked (
    subscription text not null,
    key text not null,
    position bigint not null,
    event_id uuid not null,
    community_id uuid not null,
    reason text not null,
    since timestamptz not null default clock_timestamp(),
    primary key (subscription, position)
);
create index parked_by_key on parked (subscription, key, position);

create table damaged (
    view text not null,
    community_id uuid not null,
    position bigint not null,
    reason text not null,
    since timestamptz not null default clock_timestamp(),
    primary key (view, community_id)
);

create table keys (
    key_id uuid primary key,
    community_id uuid not null,
    subject text not null,
    purpose text not null,
    owner text not null,
    kek_id text not null,
    wrapped bytea,
    announced_at timestamptz,
    erased_at timestamptz,
    recorded_at timestamptz not null default clock_timestamp()
);


-- One call, one transaction: every command is stored whole or not at all, and never harms its neighbours.
-- The caller admits one command per stream, key and claim. `k_value` null releases what the stream holds of a scope.
-- Answers per command: ok | version | replayed | claimed | stored (its event ids are there already) with its last position.
-- Planned once and for all: planning costs more than all the rest. So that a plan made on empty tables stays right when
-- they are large, every look-up in a table is a scalar sub-query, which can only become a probe of its index.
create function append_batch(
    c_community uuid[], c_stream text[], c_expected int[],
    c_principal text[], c_route text[], c_key text[], c_body text[], c_outcome text[],
    e_command int[], e_id uuid[], e_type text[], e_schema int[], e_data text[], e_meta text[],
    k_command int[], k_scope text[], k_value text[]
) returns table (command int, verdict text, last_position bigint, stored_body text, stored_outcome text)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    base bigint;
    current_generation int;
    verdicts text[];
    positions bigint[];
    versions int[];
    lasts bigint[];
begin
    perform pg_advisory_xact_lock(726001);
    -- a new statement sees what was committed while we waited for the lock
    select array_agg(case
        when (select true from events s where s.event_id = any (e_id) limit 1) and c.i in (
            select e_command[n] from generate_subscripts(e_id, 1) n
             where (select true from events s where s.event_id = e_id[n])) then 'stored'
        when c_key[c.i] is not null and (
            select true from outcomes o where o.community_id = c_community[c.i] and o.principal = c_principal[c.i]
                                          and o.route = c_route[c.i] and o.key = c_key[c.i]) then 'replayed'
        when c_expected[c.i] <> coalesce((
            select s.version from events s where s.stream = c_stream[c.i] order by s.version desc limit 1), 0) then 'version'
        when cardinality(k_scope) > 0 and c.i in (
            select k_command[n] from generate_subscripts(k_scope, 1) n where c_stream[k_command[n]] <> (
                select t.stream from claims t where t.community_id = c_community[k_command[n]]
                                                and t.scope = k_scope[n] and t.value = k_value[n])) then 'claimed'
        else 'ok' end order by c.i),
        coalesce((select s.position from events s order by s.position desc limit 1), 0), (select s.generation from log_state s)
      into verdicts, base, current_generation
      from generate_subscripts(c_stream, 1) c(i);

    for n in 1 .. cardinality(e_id) loop
        command := e_command[n];
        if verdicts[command] = 'ok' then
            base := base + 1;
            positions[n] := base;
            versions[n] := case when e_command[n - 1] = command then versions[n - 1] else c_expected[command] end + 1;
            lasts[command] := base;
        elsif verdicts[command] = 'stored' then
            lasts[command] := greatest(lasts[command], (select s.position from events s where s.event_id = e_id[n]));
        end if;
    end loop;
    insert into events (position, generation, community_id, stream, version, event_id, type, schema, data, meta)
    select positions[n], current_generation, c_community[e_command[n]], c_stream[e_command[n]], versions[n],
           e_id[n], e_type[n], e_schema[n], e_data[n]::json, e_meta[n]::json
      from generate_subscripts(e_id, 1) n where positions[n] is not null;

    for n in 1 .. cardinality(k_scope) loop
        if k_value[n] is null and verdicts[k_command[n]] = 'ok' then
            delete from claims t where t.stream = c_stream[k_command[n]] and t.scope = k_scope[n];
        end if;
    end loop;
    if cardinality(k_scope) > 0 then
        insert into claims (community_id, scope, value, stream)
        select distinct c_community[k_command[n]], k_scope[n], k_value[n], c_stream[k_command[n]]
          from generate_subscripts(k_scope, 1) n
         where k_value[n] is not null and verdicts[k_command[n]] = 'ok' and (
               select true from claims t where t.community_id = c_community[k_command[n]]
                                           and t.scope = k_scope[n] and t.value = k_value[n]) is null;
    end if;

    insert into outcomes (community_id, principal, route, key, body_hash, outcome)
    select c_community[c], c_principal[c], c_route[c], c_key[c], c_body[c],
           jsonb_set(c_outcome[c]::jsonb, '{position}', to_jsonb(coalesce(lasts[c], 0)))::json
      from generate_subscripts(c_stream, 1) c where c_key[c] is not null and verdicts[c] = 'ok';
    if cardinality(e_id) > 0 then
        perform pg_notify('log', '');
    end if;

    for c in 1 .. cardinality(c_stream) loop
        command := c;
        verdict := verdicts[c];
        last_position := coalesce(lasts[c], 0);
        stored_body := null;
        stored_outcome := null;
        if verdict in ('replayed', 'stored') then
            select o.body_hash, o.outcome::text into stored_body, stored_outcome from outcomes o
             where o.community_id = c_community[c] and o.principal = c_principal[c] and o.route = c_route[c] and o.key = c_key[c];
        end if;
        return next;
    end loop;
end $$;
