-- What each role may do with projections and deliveries. The tables of generations are let by open_generation.

GRANT SELECT ON projections, generations, deliveries, lanes, remote_ids, bodies, attempts, leases, parked, rebuild_ranges,
                breakers, delivery_workers, start_failures
    TO daybook_append, daybook_project, daybook_deliver, daybook_audit, daybook_read;

-- Folding, and saying what is due. The API does it too: it folds groups again that stood aside.
GRANT EXECUTE ON FUNCTION make_generation, make_versions, make_found TO daybook_append, daybook_project;
GRANT INSERT, UPDATE ON projections, generations, leases TO daybook_append, daybook_project;
GRANT INSERT, UPDATE, DELETE ON deliveries, lanes, remote_ids, parked TO daybook_append, daybook_project;

-- Delivering, and keeping what was tried.
GRANT INSERT, UPDATE, DELETE ON deliveries, lanes, remote_ids, breakers, delivery_workers TO daybook_deliver;
GRANT INSERT, UPDATE ON bodies, attempts TO daybook_deliver;
GRANT UPDATE ON projections TO daybook_deliver;

-- Erasing what the journal holds of a person.
GRANT UPDATE ON attempts TO daybook_append;
GRANT DELETE ON bodies TO daybook_append;

-- Who could not start a channel says so.
GRANT INSERT, UPDATE ON start_failures TO daybook_project, daybook_deliver;
