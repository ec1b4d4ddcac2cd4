-- One call, one transaction: every command is stored whole or not at all, and never harms its neighbours.
-- The caller admits one command per stream, key and claim. `k_value` null releases what the stream holds of a scope.
-- Answers per command: ok | version | replayed | claimed | stored (its event ids are there already) with its last position.
-- Planned once and for all: planning costs more than all the rest. So that a plan made on empty tables stays right when
-- they are large, every look-up in a table is a scalar sub-query, which can only become a probe of its index.
-- What every command needs is asked in one statement; what few need, in loops that seldom turn. `c_outcome`: a JSON object
-- in msgspec's writing; its position is written behind it as text (through jsonb it cost as much as the insert).
create or replace function append_batch(
    c_community uuid[], c_stream text[], c_expected int[],
    c_principal text[], c_route text[], c_key text[], c_body text[], c_outcome text[],
    e_command int[], e_id uuid[], e_type text[], e_schema int[], e_data text[], e_meta text[],
    k_command int[], k_scope text[], k_value text[]
) returns table (command int, verdict text, last_position bigint, stored_body text, stored_outcome text)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    base bigint;
    there bigint;
    some_are_stored boolean;
    current_generation int;
    verdicts text[];
    positions bigint[];
    versions int[];
    lasts bigint[];
begin
    perform pg_advisory_xact_lock(726001);
    -- a new statement sees what was committed while we waited for the lock
    select array(select case
        when c_key[c] is not null and (
            select true from outcomes o where o.community_id = c_community[c] and o.principal = c_principal[c]
                                          and o.route = c_route[c] and o.key = c_key[c]) then 'replayed'
        when c_expected[c] <> coalesce((
            select s.version from events s where s.stream = c_stream[c] order by s.version desc limit 1), 0) then 'version'
        else 'ok' end from generate_subscripts(c_stream, 1) c),
        coalesce((select s.position from events s order by s.position desc limit 1), 0), (select s.generation from log_state s),
        (select true from events s where s.event_id = any (e_id) limit 1)
      into verdicts, base, current_generation, some_are_stored;
    if some_are_stored then
        for n in 1 .. cardinality(e_id) loop
            there := (select s.position from events s where s.event_id = e_id[n]);
            if there is not null then
                verdicts[e_command[n]] := 'stored';
                lasts[e_command[n]] := greatest(lasts[e_command[n]], there);
            end if;
        end loop;
    end if;
    for n in 1 .. cardinality(k_scope) loop
        if verdicts[k_command[n]] = 'ok' and c_stream[k_command[n]] <> (
                select t.stream from claims t where t.community_id = c_community[k_command[n]]
                                                and t.scope = k_scope[n] and t.value = k_value[n]) then
            verdicts[k_command[n]] := 'claimed';
        end if;
    end loop;

    for n in 1 .. cardinality(e_id) loop
        command := e_command[n];
        if verdicts[command] = 'ok' then
            base := base + 1;
            positions[n] := base;
            versions[n] := case when e_command[n - 1] = command then versions[n - 1] else c_expected[command] end + 1;
            lasts[command] := base;
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
           (left(c_outcome[c], -1) || case c_outcome[c] when '{}' then '' else ',' end
               || '"position":' || coalesce(lasts[c], 0) || '}')::json
      from generate_subscripts(c_stream, 1) c where c_key[c] is not null and verdicts[c] = 'ok';
    if cardinality(e_id) > 0 then
        perform pg_notify('log', base::text);
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
