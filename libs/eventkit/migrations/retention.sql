-- Retention: content goes, what it was and when stays.

-- Up to where nobody needs content any more: every reader has passed it, nothing there is parked, and it is sealed.
create or replace function retirable(readers text[]) returns bigint language sql stable as $$
    select least(
        (select min(c.position) from checkpoints c where c.name = any (readers)),
        (select min(p.position) - 1 from parked p),
        coalesce((select s.upto from seals s order by s.n desc limit 1), 0))
$$;

-- One page of the log, one transaction: blanks what is over and older than `r_before`, says so in one event a community, and moves
-- the class's checkpoint. Own streams go whole, at their last event; of heard ones each by itself. `r_ends`: one of these types has to be in
-- the stream, where any is named. Answers with where the page ended, how many rows it blanked (would blank, if `r_dry`).
create or replace function retire_page(
    r_name text, r_reader text, r_categories text[], r_ends text[], r_types text[],
    r_before timestamptz, r_after bigint, r_upto bigint, r_most int, r_dry boolean
) returns table (reached bigint, blanked bigint) language plpgsql as $$
declare
    streams text[];
    chosen bigint[];
    communities uuid[];
    ids uuid[];
    said text[];
begin
    perform pg_advisory_xact_lock(726004);
    reached := least(r_after + r_most, r_upto);
    select coalesce(min(e.position) - 1, reached) into reached from events e
     where e.position > r_after and e.position <= reached and e.recorded_at >= r_before;
    select array_agg(e.stream) into streams from events e
     where e.position > r_after and e.position <= reached and e.source is null and e.hash is null
       and split_part(e.stream, ':', 1) = any (r_categories)
       and e.version = (select l.version from events l where l.stream = e.stream order by l.version desc limit 1)
       and (cardinality(r_ends) = 0 or exists (select from events o where o.stream = e.stream and o.type = any (r_ends)));
    chosen := array(
        select e.position from events e where e.stream = any (streams) and e.hash is null
        union all
        select e.position from events e where e.position > r_after and e.position <= reached and e.hash is null
           and e.source is not null and e.type = any (r_types));
    blanked := cardinality(chosen);
    if r_dry then
        return next;
        return;
    end if;
    if blanked > 0 then
        select array_agg(g.community_id), array_agg(gen_random_uuid()), array_agg(g.said) into communities, ids, said from (
            select e.community_id, json_build_object(
                'name', r_name, 'types', array_agg(distinct e.type), 'first', min(e.position), 'upto', max(e.position),
                'count', count(*), 'before', to_char(r_before at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))::text as said
              from events e where e.position = any (chosen) group by e.community_id) g;
        update events e
           set hash = content_hash(e.data, e.meta), data = '{}', meta = format('{"retired":"%s"}', t.id)::json
          from unnest(communities, ids) t(community_id, id)
         where e.position = any (chosen) and e.community_id = t.community_id;
        if exists (select from append_batch(
                communities, array(select 'retention:' || c from unnest(communities) with ordinality u(c, i) order by i),
                array(select coalesce((select max(e.version) from events e where e.stream = 'retention:' || c), 0)
                        from unnest(communities) with ordinality u(c, i) order by i),
                array_fill(null::text, array[cardinality(ids)]), array_fill(null::text, array[cardinality(ids)]),
                array_fill(null::text, array[cardinality(ids)]), array_fill(null::text, array[cardinality(ids)]),
                array_fill('{}'::text, array[cardinality(ids)]),
                array(select generate_series(1, cardinality(ids))), ids, array_fill('retired'::text, array[cardinality(ids)]),
                array_fill(1, array[cardinality(ids)]), said, array_fill('{}'::text, array[cardinality(ids)]),
                '{}', '{}', '{}') where verdict <> 'ok') then
            raise exception 'retention of % met another writer', r_name;
        end if;
    end if;
    update checkpoints set position = reached, moved_at = clock_timestamp() where name = r_reader and position = r_after;
    if not found then
        raise exception 'retention of % runs elsewhere', r_name;
    end if;
    return next;
end $$;
