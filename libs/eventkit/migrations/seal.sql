-- Seals: what was said stays as it was said, or it is found.

grant select, insert on seals to $service_log;

-- Of a row that retention has blanked this is kept in its place.
create or replace function content_hash(data json, meta json) returns bytea language sql stable as $$
    select sha256(convert_to(octet_length(data::text) || ':' || data::text || meta::text, 'UTF8'))
$$;

-- Over every column but `generation`, which `restored` numbers anew for what was not yet published. `lifang verify` computes
-- the same by code of its own.
create or replace function event_hash(e events) returns bytea language sql stable as $$
    select sha256(convert_to(json_build_array(
        e.position, e.community_id, e.stream, e.version, e.event_id, e.type, e.schema, e.source, e.source_generation,
        e.source_position, e.source_n, (extract(epoch from e.recorded_at) * 1000000)::bigint)::text, 'UTF8')
        || coalesce(e.hash, content_hash(e.data, e.meta)))
$$;

-- Seals what is committed and not yet sealed, at most so many rows. Positions are commit order, so whatever one snapshot
-- shows of them is a beginning without holes: that it is what was sealed follows from reading rows and end in one statement.
create or replace function seal_log(most int default 10000) returns setof seals language plpgsql as $$
declare
    last record;
begin
    perform pg_advisory_xact_lock(726003);
    select s.n, s.upto, s.root into last from seals s order by s.n desc limit 1;
    if not found then
        select 0::bigint as n, 0::bigint as upto, decode(repeat('00', 32), 'hex') as root into last;
    end if;
    return query
    insert into seals (n, upto, previous, hashes, root)
    select last.n + 1, found.upto, last.root, found.hashes, sha256(last.root || found.hashes)
      from (select max(e.position) as upto, count(*) as events, string_agg(event_hash(e), ''::bytea order by e.position) as hashes
              from events e where e.position > last.upto and e.position <= last.upto + most) found
     where found.events = found.upto - last.upto
    returning *;
end $$;
