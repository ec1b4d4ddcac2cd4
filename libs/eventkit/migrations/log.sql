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
begin
    perform pg_advisory_xact_lock(726001);
    -- a new statement sees what was committed while we waited for the lock
    select array_agg(case
        when c.i in (select n.command from unnest(e_command, e_id) n(command, id)
                      where (select true from events s where s.event_id = n.id)) then 'stored'
        when c.key is not null and (select true from outcomes o where o.community_id = c.community and o.principal = c.principal
                                                                  and o.route = c.route and o.key = c.key) then 'replayed'
        when c.expected <> coalesce((select max(s.version) from events s where s.stream = c.stream), 0) then 'version'
        when c.i in (select k.command from unnest(k_command, k_scope, k_value) k(command, scope, value)
                      where c_stream[k.command] <> (select t.stream from claims t where t.community_id = c_community[k.command]
                                                       and t.scope = k.scope and t.value = k.value)) then 'claimed'
        else 'ok' end order by c.i),
        (select coalesce(max(s.position), 0) from events s), (select s.generation from log_state s)
      into verdicts, base, current_generation
      from unnest(c_community, c_stream, c_expected, c_principal, c_route, c_key)
           with ordinality c(community, stream, expected, principal, route, key, i);

    if cardinality(k_command) > 0 then
        for n in 1 .. cardinality(k_command) loop
            if k_value[n] is null and verdicts[k_command[n]] = 'ok' then
                delete from claims t where t.stream = c_stream[k_command[n]] and t.scope = k_scope[n];
            end if;
        end loop;
        insert into claims (community_id, scope, value, stream)
        select distinct c_community[k.command], k.scope, k.value, c_stream[k.command]
          from unnest(k_command, k_scope, k_value) k(command, scope, value)
         where k.value is not null and verdicts[k.command] = 'ok'
           and (select true from claims t where t.community_id = c_community[k.command]
                                            and t.scope = k.scope and t.value = k.value) is null;
    end if;
    if cardinality(e_id) > 0 then
        perform pg_notify('log', '');
    end if;

    return query
    with numbered as materialized (
        select e.*, base + row_number() over (order by e.ord) as position
          from unnest(e_command, e_id, e_type, e_schema, e_data, e_meta)
               with ordinality e(command, id, type, schema, data, meta, ord)
         where verdicts[e.command] = 'ok'
    ), told as (
        insert into events (position, generation, community_id, stream, version, event_id, type, schema, data, meta)
        select n.position, current_generation, c_community[n.command], c_stream[n.command],
               c_expected[n.command] + 1 + n.ord - array_position(e_command, n.command),
               n.id, n.type, n.schema, n.data::json, n.meta::json
          from numbered n
    ), commands as materialized (
        select c.*, verdicts[c.i] as verdict, verdicts[c.i] in ('replayed', 'stored') as known, coalesce(l.position, case
                   when verdicts[c.i] = 'stored' then (
                        select max((select s.position from events s where s.event_id = n.id))
                          from unnest(e_command, e_id) n(command, id) where n.command = c.i) end, 0) as position
          from unnest(c_community, c_principal, c_route, c_key, c_body, c_outcome)
               with ordinality c(community, principal, route, key, body, outcome, i)
          left join (select n.command, max(n.position) as position from numbered n group by n.command) l on l.command = c.i
    ), kept as (
        insert into outcomes (community_id, principal, route, key, body_hash, outcome)
        select c.community, c.principal, c.route, c.key, c.body,
               jsonb_set(c.outcome::jsonb, '{position}', to_jsonb(c.position))::json
          from commands c
         where c.key is not null and c.verdict = 'ok'
    )
    select c.i::int, c.verdict, c.position,
           case when c.known then (
                select o.body_hash from outcomes o where o.community_id = c.community and o.principal = c.principal
                                                     and o.route = c.route and o.key = c.key) end,
           case when c.known then (
                select o.outcome::text from outcomes o where o.community_id = c.community and o.principal = c.principal
                                                         and o.route = c.route and o.key = c.key) end
      from commands c order by c.i;
end $$;

-- Takes what follows the mark of its community and nothing else. Answers per record:
-- taken | known (at or below the mark) | repeated (its id is here already) | missing (something before it never came).
create function hear_batch(
    r_topic text[], r_source text[], r_community uuid[],
    r_generation int[], r_position bigint[], r_n int[],
    r_previous_generation int[], r_previous_position bigint[], r_previous_n int[],
    r_id uuid[], r_type text[], r_schema int[], r_data text[], r_meta text[]
) returns text[]
language plpgsql as $$
declare
    base bigint;
    current_generation int;
    answers text[] := '{}';
    mark record;
    answer text;
begin
    perform pg_advisory_xact_lock(726001);
    select coalesce(max(e.position), 0), (select s.generation from log_state s)
      into base, current_generation from events e;
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
        perform pg_notify('log', '');
    end if;
    return answers;
end $$;
