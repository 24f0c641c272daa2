import type { TraceWarning } from '../../shared/errors.ts';
import { type Chunk, type ChunkBlobs, decodeChunk, decodeEventCounts, isOrdered } from './chunk-codec.ts';
import { type ChunkSelection, type SelectionSpace, selectEvents } from './chunk-selection.ts';
import { type Database, isCorrupt, markDamaged, openDatabase, openForReading, translate } from './database.ts';
import { ImportWriter } from './import-writer.ts';
import { type RareBlobs, selectRare } from './rare-events.ts';

/** A recording as the workspace knows it. */
export interface StoredRecording {
  id: number;
  path: string;
  identity: string;
  indexed: number;
  /** 1: `keptEvents` has all that there are. */
  kept: number;
}

/** An event that indexing kept, with its payload as it lies in the recording. */
export interface StoredEvent {
  stream: number;
  cpu: number;
  /** Position among the CPU's events. */
  index: number;
  /** Relative to the stream's origin. */
  timeNs: number;
  /** Kernel's event id. */
  id: number;
  pid: number;
  payload: Uint8Array;
}

export interface StoredStream {
  id: number;
  recording: number;
  /** Place among the recording's buffers. */
  buffer: number;
  name: string;
  clock: string;
  /** Absolute time of the first event, decimal. */
  origin: string;
  fromNs: number;
  toNs: number;
  cpus: { cpu: number; events: number }[];
  eventCounts: Map<number, number>;
}

/** One row of the chunk directory: everything but the columns. */
export interface ChunkInfo {
  id: number;
  stream: number;
  cpu: number;
  firstIndex: number;
  count: number;
  fromNs: number;
  toNs: number;
  basePosition: number;
  /** Its times never decrease, and none is below `floorNs`. */
  ordered: boolean;
  /** Largest time of the CPU's earlier chunks: what the list's order may not go below. */
  floorNs: number;
  /** Kernel ids that occur, with counts: [id, count, id, count, …]. */
  events: Uint32Array;
  /** Kinds with at most this many events in the chunk are found without its columns; see rare-events.ts. */
  rareBelow: number;
}

export interface StoredLost {
  stream: number;
  cpu: number;
  beforeIndex: number;
  atNs: number;
  count: number;
}

/** An annotation with absolute times, as it is kept and exported. */
export interface StoredAnnotation {
  id: string;
  kind: 'point' | 'range';
  fromAbs: string;
  toAbs: string;
  text: string;
  color: string;
  tags: string[];
}

/** Typed access to one workspace file. Synchronous; one owner; throws RemoraError `workspace`. */
export class WorkspaceStore {
  readonly path: string;
  readonly #db: Database;
  readonly #readChunk;
  readonly #readRare;

  /** Opens or creates; empty path: private and gone with the connection. `readOnly`: it exists, and stays as it is. */
  constructor(path: string, readOnly = false) {
    this.path = path;
    this.#db = readOnly ? openForReading(path) : openDatabase(path);
    this.#readChunk = this.#db.prepare<[number], ChunkBlobs>(
      `SELECT count, from_ns, flags, checksum, pids, events, columns FROM chunk JOIN chunk_data ON chunk_data.chunk = chunk.id
       WHERE chunk.id = ?`,
    );
    this.#readRare = this.#db.prepare<[number], RareBlobs>(
      'SELECT rare, rare_checksum FROM chunk JOIN chunk_data ON chunk_data.chunk = chunk.id WHERE chunk.id = ?',
    );
  }

  /** Runs `body`; damage is noted beside the file, so that the next opening builds the index again. */
  #guard<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      const translated = translate(this.path, error);
      if (isCorrupt(translated) && this.path !== '') markDamaged(this.path);
      throw translated;
    }
  }

  /** Writes the workspace as it is into a new file. */
  copyTo(path: string): void {
    this.#guard(() => {
      this.#db.prepare('VACUUM INTO ?').run(path);
    });
  }

  close(): void {
    if (this.#db.open) this.#db.close();
  }

  // ---- recordings and their import ------------------------------------------------------------------------------

  recordings(): StoredRecording[] {
    return this.#db.prepare<[], StoredRecording>('SELECT * FROM recording ORDER BY id').all();
  }

  /** Forgets the index of a recording; annotations and views stay. */
  dropRecording(id: number): void {
    this.#guard(() => {
      this.#db.prepare('DELETE FROM recording WHERE id = ?').run(id);
    });
  }

  /** The recording is complete: this is what it is known by from now on. */
  identifyRecording(id: number, identity: string): void {
    this.#db.prepare('UPDATE recording SET identity = ? WHERE id = ?').run(identity, id);
  }

  /** The recording was found at another path. */
  moveRecording(id: number, path: string): void {
    this.#db.prepare('UPDATE recording SET path = ? WHERE id = ?').run(path, id);
  }

  /**
   * Starts an import. Until `ImportWriter.finish`, the recording counts as not indexed, so that one that is killed is
   * redone. Bulk writes go through a rollback journal, which holds little for appended pages, where a write-ahead log
   * would write everything twice.
   */
  beginImport(path: string, identity: string): ImportWriter {
    return this.#guard(() => {
      // Beside an import that is paused, whose transaction goes on, everything is set already.
      if (this.path !== '' && !this.#db.inTransaction) {
        this.#db.pragma('journal_mode = DELETE');
        // A lost write can only lose an index that would be redone; the annotations' file is written before.
        this.#db.pragma('synchronous = OFF');
      }
      const { lastInsertRowid } = this.#db
        .prepare('INSERT INTO recording (path, identity, indexed) VALUES (?, ?, 0)')
        .run(path, identity);
      return new ImportWriter(this.#db, Number(lastInsertRowid), () => {
        if (this.path === '' || this.#db.inTransaction) return;
        // In this order: the other way round SQLite waits for the disk to have all of the index.
        this.#db.pragma('journal_mode = WAL');
        this.#db.pragma('synchronous = NORMAL');
      });
    });
  }

  // ---- the index -----------------------------------------------------------------------------------------------

  streams(recording: number): StoredStream[] {
    const streams = this.#db
      .prepare<[number], Omit<StoredStream, 'cpus' | 'eventCounts'>>(
        `SELECT id, recording, buffer, name, clock, origin, from_ns AS fromNs, to_ns AS toNs
         FROM stream WHERE recording = ? ORDER BY buffer`,
      )
      .all(recording);
    const cpus = this.#db.prepare<[number], { cpu: number; events: number }>(
      'SELECT cpu, events FROM stream_cpu WHERE stream = ? ORDER BY cpu',
    );
    const counts = this.#db.prepare<[number], { event: number; count: number }>(
      'SELECT event, count FROM event_count WHERE stream = ? ORDER BY event',
    );
    return streams.map((stream) => ({
      ...stream,
      cpus: cpus.all(stream.id),
      eventCounts: new Map(counts.all(stream.id).map(({ event, count }) => [event, count])),
    }));
  }

  taskCounts(recording: number): { pid: number; events: number }[] {
    return this.#db
      .prepare<[number], { pid: number; events: number }>(
        'SELECT pid, events FROM task_count WHERE recording = ? ORDER BY pid',
      )
      .all(recording);
  }

  /** What indexing a recording kept, by stream, then in the order it was written. */
  keptEvents(recording: number): StoredEvent[] {
    return this.#db
      .prepare<[number], StoredEvent>(
        `SELECT k.stream, cpu, event_index AS "index", time_ns AS timeNs, event AS id, pid, payload
         FROM kept_event k JOIN stream s ON s.id = k.stream WHERE s.recording = ? ORDER BY s.buffer, k.rowid`,
      )
      .all(recording);
  }

  /** Chunks of one CPU in the buffer's order. */
  chunkDirectory(stream: number, cpu: number): ChunkInfo[] {
    const rows = this.#db
      .prepare<
        [number, number],
        Omit<ChunkInfo, 'floorNs' | 'ordered' | 'events'> & { events: Uint8Array; flags: number }
      >(
        `SELECT id, flags, stream, cpu, first_index AS firstIndex, count, from_ns AS fromNs, to_ns AS toNs,
                base_position AS basePosition, events, rare_below AS rareBelow
         FROM chunk WHERE stream = ? AND cpu = ? ORDER BY first_index`,
      )
      .all(stream, cpu);
    let floorNs = Number.NEGATIVE_INFINITY;
    return rows.map(({ flags, ...row }) => {
      const ordered = isOrdered(flags) && floorNs <= row.fromNs;
      const info = { ...row, ordered, floorNs, events: decodeEventCounts(row.events) };
      floorNs = Math.max(floorNs, row.toNs);
      return info;
    });
  }

  /** Columns of one chunk, decoded; the caller caches. */
  chunk(info: ChunkInfo): Chunk {
    return this.#guard(() => {
      const blobs = this.#readChunk.get(info.id);
      if (blobs === undefined) throw new RangeError(`chunk ${info.id} is missing`);
      const chunk = decodeChunk(blobs);
      giveBack(blobs.columns);
      if (info.floorNs <= info.fromNs) return chunk;
      const sortTime = chunk.sortTime.slice();
      for (let i = 0; i < chunk.count; i++) sortTime[i] = Math.max(sortTime[i] as number, info.floorNs);
      return { ...chunk, ordered: false, sortTime };
    });
  }

  /** The events of one kind of a chunk, without decoding the others; see selectEvents. */
  select(info: ChunkInfo, id: number, space?: SelectionSpace): ChunkSelection {
    return this.#guard(() => {
      const place = info.events.findIndex((value, i) => i % 2 === 0 && value === id);
      if (place >= 0 && (info.events[place + 1] as number) <= info.rareBelow) {
        const rare = this.#readRare.get(info.id);
        if (rare === undefined) throw new RangeError(`chunk ${info.id} is missing`);
        return selectRare(rare, info.events, info.rareBelow, place);
      }
      const blobs = this.#readChunk.get(info.id);
      if (blobs === undefined) throw new RangeError(`chunk ${info.id} is missing`);
      const found = selectEvents(blobs, id, place < 0 ? 0 : (info.events[place + 1] as number), space);
      giveBack(blobs.columns);
      return found;
    });
  }

  lost(stream: number): StoredLost[] {
    return this.#db
      .prepare<[number], StoredLost>(
        'SELECT stream, cpu, before_index AS beforeIndex, at_ns AS atNs, count FROM lost WHERE stream = ? ORDER BY cpu, before_index',
      )
      .all(stream);
  }

  warnings(recording: number, file: string): TraceWarning[] {
    return this.#db
      .prepare<[number], Omit<TraceWarning, 'file'>>(
        'SELECT file_offset AS "offset", section, message FROM warning WHERE recording = ? ORDER BY rowid',
      )
      .all(recording)
      .map((warning) => ({ file, ...warning }));
  }

  // ---- what the user adds ----------------------------------------------------------------------------------------

  annotations(): StoredAnnotation[] {
    return this.#db
      .prepare<[], Omit<StoredAnnotation, 'tags'> & { tags: string }>(
        'SELECT id, kind, from_abs AS fromAbs, to_abs AS toAbs, text, color, tags FROM annotation ORDER BY length(from_abs), from_abs, id',
      )
      .all()
      .map((row) => ({ ...row, tags: JSON.parse(row.tags) as string[] }));
  }

  putAnnotation(annotation: StoredAnnotation): void {
    this.#guard(() => {
      this.#db
        .prepare(
          `INSERT OR REPLACE INTO annotation (id, kind, from_abs, to_abs, text, color, tags, modified_ms)
           VALUES (@id, @kind, @fromAbs, @toAbs, @text, @color, @tags, @now)`,
        )
        .run({ ...annotation, tags: JSON.stringify(annotation.tags), now: Date.now() });
    });
  }

  deleteAnnotation(id: string): void {
    this.#guard(() => {
      this.#db.prepare('DELETE FROM annotation WHERE id = ?').run(id);
    });
  }

  view(name: string): string {
    return this.#db.prepare<[string], { json: string }>('SELECT json FROM view WHERE name = ?').get(name)?.json ?? '';
  }

  putView(name: string, json: string): void {
    this.#guard(() => {
      this.#db.prepare('INSERT OR REPLACE INTO view (name, json) VALUES (?, ?)').run(name, json);
    });
  }
}

/**
 * Frees the memory of a blob that was decoded into memory of its own, of which nothing is left to be used: the next blob then gets the same, where the garbage
 * collector would free it dozens of blobs later, and each of them would be fresh memory.
 */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  // One that lies in memory with others is not ours to free.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
