/**
 * The workspace schema: what is relational. Bulk data is blobs in `chunk_data` (see chunk-codec.ts, rare-events.ts). Versions are recorded in
 * `PRAGMA user_version`; CHANGELOG lists them.
 *
 * Times named `_ns` are relative to the stream's origin (REAL, integral); absolute times are decimal TEXT, as SQLite's
 * integers are signed 64-bit and clocks are not.
 */
export const SCHEMA_VERSION = 4;

/** `migrations[n]` turns version n into n + 1; version 0 is an empty database. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE recording (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    identity TEXT NOT NULL,       -- size, mtime and a hash of head and tail
    indexed INTEGER NOT NULL      -- 0 while the import runs: such an index is redone
  );
  CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    recording INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
    buffer INTEGER NOT NULL,      -- place among the recording's buffers
    name TEXT NOT NULL,
    clock TEXT NOT NULL,
    origin TEXT NOT NULL,         -- absolute time of the first event
    from_ns REAL NOT NULL,
    to_ns REAL NOT NULL
  );
  CREATE TABLE stream_cpu (
    stream INTEGER NOT NULL REFERENCES stream(id) ON DELETE CASCADE,
    cpu INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (stream, cpu)
  ) WITHOUT ROWID;
  CREATE TABLE event_count (
    stream INTEGER NOT NULL REFERENCES stream(id) ON DELETE CASCADE,
    event INTEGER NOT NULL,       -- the kernel's id in this recording
    count INTEGER NOT NULL,
    PRIMARY KEY (stream, event)
  ) WITHOUT ROWID;
  CREATE TABLE task_count (
    recording INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
    pid INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (recording, pid)
  ) WITHOUT ROWID;
  CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES stream(id) ON DELETE CASCADE,
    cpu INTEGER NOT NULL,
    first_index INTEGER NOT NULL, -- index of its first event among the CPU's
    count INTEGER NOT NULL,
    from_ns REAL NOT NULL,        -- smallest and largest time in it
    to_ns REAL NOT NULL,
    base_position REAL NOT NULL,  -- in the CPU's unpacked data; positions are relative to it
    flags INTEGER NOT NULL,       -- encodings of the columns
    events BLOB NOT NULL,         -- dictionary: u32 id, u32 count
    pids BLOB NOT NULL,           -- dictionary: i32; empty where pids are stored plainly
    time BLOB NOT NULL,
    event BLOB NOT NULL,
    pid BLOB NOT NULL,
    position BLOB NOT NULL
  );
  CREATE INDEX chunk_place ON chunk (stream, cpu, first_index);
  CREATE TABLE lost (
    stream INTEGER NOT NULL REFERENCES stream(id) ON DELETE CASCADE,
    cpu INTEGER NOT NULL,
    before_index INTEGER NOT NULL,
    at_ns REAL NOT NULL,
    count INTEGER NOT NULL        -- -1: the kernel did not say
  );
  CREATE TABLE warning (
    recording INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
    file_offset REAL NOT NULL,
    section TEXT NOT NULL,
    message TEXT NOT NULL
  );
  CREATE TABLE annotation (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    from_abs TEXT NOT NULL,
    to_abs TEXT NOT NULL,
    text TEXT NOT NULL,
    color TEXT NOT NULL,
    tags TEXT NOT NULL,           -- JSON array
    modified_ms INTEGER NOT NULL
  );
  CREATE TABLE view (
    name TEXT PRIMARY KEY,
    json TEXT NOT NULL
  );
  `,
  // Chunks carry a checksum of their blobs, as SQLite has none. Indexes without one are built again.
  `
  DELETE FROM recording;
  ALTER TABLE chunk ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
  `,
  // A chunk's columns are one blob. What every opening asks for is kept: see engine/kept-events.ts.
  `
  DELETE FROM recording;
  DROP TABLE chunk;
  CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES stream(id) ON DELETE CASCADE,
    cpu INTEGER NOT NULL,
    first_index INTEGER NOT NULL, -- index of its first event among the CPU's
    count INTEGER NOT NULL,
    from_ns REAL NOT NULL,        -- smallest and largest time in it
    to_ns REAL NOT NULL,
    base_position REAL NOT NULL,  -- in the CPU's unpacked data; positions are relative to it
    flags INTEGER NOT NULL,       -- forms of the columns
    checksum INTEGER NOT NULL,    -- over both blobs
    pids INTEGER NOT NULL,        -- entries of the dictionary of pids
    events BLOB NOT NULL,         -- dictionary: u32 id, u32 count
    columns BLOB NOT NULL
  );
  CREATE INDEX chunk_place ON chunk (stream, cpu, first_index);
  ALTER TABLE recording ADD COLUMN kept INTEGER NOT NULL DEFAULT 0; -- 1: the next table is complete
  CREATE TABLE kept_event (
    stream INTEGER NOT NULL REFERENCES stream(id) ON DELETE CASCADE,
    cpu INTEGER NOT NULL,
    event_index INTEGER NOT NULL,
    time_ns REAL NOT NULL,
    event INTEGER NOT NULL,       -- the kernel's id in this recording
    pid INTEGER NOT NULL,
    payload BLOB NOT NULL
  );
  CREATE INDEX kept_place ON kept_event (stream);
  `,
  // The directory of chunks is read at every opening: their data lies apart. Events of rare kinds are kept a second time.
  `
  DELETE FROM recording;
  DROP TABLE chunk;
  CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES stream(id) ON DELETE CASCADE,
    cpu INTEGER NOT NULL,
    first_index INTEGER NOT NULL, -- index of its first event among the CPU's
    count INTEGER NOT NULL,
    from_ns REAL NOT NULL,        -- smallest and largest time in it
    to_ns REAL NOT NULL,
    base_position REAL NOT NULL,  -- in the CPU's unpacked data; positions are relative to it
    flags INTEGER NOT NULL,       -- forms of the columns
    checksum INTEGER NOT NULL,    -- over dictionary and columns
    pids INTEGER NOT NULL,        -- entries of the dictionary of pids
    rare_below INTEGER NOT NULL,  -- kinds with at most this many events in the chunk are in \`rare\`, too
    rare_checksum INTEGER NOT NULL, -- over dictionary and rare events; 0 where there are none
    events BLOB NOT NULL          -- dictionary: u32 id, u32 count
  );
  CREATE INDEX chunk_place ON chunk (stream, cpu, first_index);
  CREATE TABLE chunk_data (
    chunk INTEGER PRIMARY KEY REFERENCES chunk(id) ON DELETE CASCADE,
    rare BLOB NOT NULL,           -- before the columns: what is behind a blob is found by reading it
    columns BLOB NOT NULL
  );
  `,
];
