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
