-- What depends on whose log it is.

grant usage on schema public to $service_log, $service_read;
alter role $service_log set statement_timeout = '60s';
alter role $service_read set statement_timeout = '5s';
alter role $service_log set idle_in_transaction_session_timeout = '30s';
alter role $service_read set idle_in_transaction_session_timeout = '30s';

grant select, insert, update, delete
    on log_state, events, claims, outcomes, checkpoints, published, marks, gaps, kept_aside, parked, damaged, keys
    to $service_log;

-- for own keys alone: of others', two may be heard after a restore
create unique index if not exists keys_of_a_subject on keys (community_id, subject, purpose, owner)
    where erased_at is null and owner = '$service';

create table if not exists migrated (one boolean primary key default true check (one), fingerprint text);
