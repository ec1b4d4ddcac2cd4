-- Each time that this log was put back from a backup. `finding` is what `lifang restored` found; until it was run, nothing is published.

create table restores (
    n int generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    backup json not null,
    finding json
);
