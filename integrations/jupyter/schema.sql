-- The history of a stack as views for DuckDB: deliveries, events, incidents, incidents_now.
--
--   SET VARIABLE history = './history';
--   .read schema.sql
--
-- The folder holds history/{kind}/day=YYYY-MM-DD/{kind}.ndjson.gz, one file for each kind and day (UTC). The columns and their types are
-- written down here and never guessed from the data: an id of digits stays text, and a column that an older file does not have is null.
-- Times are UTC. `day` is the day of the file.

-- Stops with a message if the folder, or one kind, has no files.
SELECT CASE
  WHEN getvariable('history') IS NULL
    THEN error('The variable `history` is not set. Set it to your copy of the history first: SET VARIABLE history = ''./history'';')
  WHEN count(found.file) = 0
    THEN error('There are no files of ' || kind || ' in the folder "' || getvariable('history') || '". It should hold '
      || kind || '/day=YYYY-MM-DD/' || kind || '.ndjson.gz. Check the path, and copy the history with `tableau-webhooks history download` or `aws s3 sync`.')
  ELSE count(found.file) END AS files, kind
FROM (VALUES ('deliveries'), ('events'), ('incidents')) AS kinds(kind)
LEFT JOIN glob(coalesce(getvariable('history'), '') || '/*/day=*/*.ndjson.gz') AS found
  ON contains(replace(found.file, '\', '/'), '/' || kind || '/day=')
GROUP BY kind ORDER BY kind;

-- One row for each workflow and event: what the workflow did about the event. The newest row, if two days have one.
CREATE OR REPLACE VIEW deliveries AS
FROM read_json(
  getvariable('history') || '/deliveries/day=*/deliveries.ndjson.gz',
  format = 'newline_delimited', compression = 'gzip', hive_partitioning = true, hive_types = {'day': DATE},
  columns = {
    event_id: 'VARCHAR', workflow: 'VARCHAR', event_name: 'VARCHAR', site_luid: 'VARCHAR', object_luid: 'VARCHAR',
    happened_at: 'TIMESTAMP', first_seen_at: 'TIMESTAMP', updated_at: 'TIMESTAMP', outcome: 'VARCHAR', reason: 'VARCHAR',
    attempts: 'BIGINT', cause: 'VARCHAR', done_at: 'TIMESTAMP', seconds_to_done: 'DOUBLE', effects: 'VARCHAR',
    attempts_json: 'VARCHAR'
  }
)
QUALIFY row_number() OVER (PARTITION BY workflow, event_id ORDER BY day DESC, updated_at DESC) = 1;

-- One row for each event. An event may have a row in two days, if a workflow was far behind: the first one counts.
CREATE OR REPLACE VIEW events AS
FROM read_json(
  getvariable('history') || '/events/day=*/events.ndjson.gz',
  format = 'newline_delimited', compression = 'gzip', hive_partitioning = true, hive_types = {'day': DATE},
  columns = {
    event_id: 'VARCHAR', event_name: 'VARCHAR', site_luid: 'VARCHAR', object_kind: 'VARCHAR', object_luid: 'VARCHAR',
    object_name: 'VARCHAR', happened_at: 'TIMESTAMP', received_at: 'TIMESTAMP', cause: 'VARCHAR', payload: 'VARCHAR'
  }
)
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY received_at) = 1;

-- Every row of every day: an incident of three days has two rows with the state `open` and one with `resolved`.
CREATE OR REPLACE VIEW incidents AS
FROM read_json(
  getvariable('history') || '/incidents/day=*/incidents.ndjson.gz',
  format = 'newline_delimited', compression = 'gzip', hive_partitioning = true, hive_types = {'day': DATE},
  columns = {
    incident_id: 'VARCHAR', state: 'VARCHAR', site_luid: 'VARCHAR', object_kind: 'VARCHAR', object_luid: 'VARCHAR',
    object_name: 'VARCHAR', opened_at: 'TIMESTAMP', last_failed_at: 'TIMESTAMP', ended_at: 'TIMESTAMP', how_ended: 'VARCHAR',
    failures: 'BIGINT', lasted_seconds: 'BIGINT', incidents_within_a_day: 'BIGINT', cause: 'VARCHAR', owner_name: 'VARCHAR',
    owner_email: 'VARCHAR'
  }
);

-- One row for each incident: the newest.
CREATE OR REPLACE VIEW incidents_now AS
FROM incidents
QUALIFY row_number() OVER (PARTITION BY incident_id ORDER BY day DESC, state DESC) = 1;
