import type { EncodedChunk } from './chunk-encoder.ts';
import type { Database } from './database.ts';
import type { StoredEvent } from './workspace-store.ts';

/** Chunks between two commits: enough to make a commit's cost vanish, few enough to bound what a kill redoes. */
const CHUNKS_PER_COMMIT = 64;

/** Writes one recording's index. `finish` or `abort` must be called; totals that were written may be written again. */
export class ImportWriter {
  readonly recording: number;
  readonly #db: Database;
  readonly #done: () => void;
  readonly #insertChunk;
  readonly #insertData;
  readonly #insertLost;
  readonly #insertKept;
  #chunks = 0;
  #lastChunk = 0;
  #dropLater: number | null = null;

  constructor(db: Database, recording: number, done: () => void) {
    this.#db = db;
    this.recording = recording;
    this.#done = done;
    this.#insertChunk = db.prepare(
      `INSERT INTO chunk (stream, cpu, first_index, count, from_ns, to_ns, base_position, flags, checksum, pids,
                          rare_below, rare_checksum, events)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertData = db.prepare('INSERT INTO chunk_data (chunk, rare, columns) VALUES (?, ?, ?)');
    this.#insertKept = db.prepare(
      'INSERT INTO kept_event (stream, cpu, event_index, time_ns, event, pid, payload) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#insertLost = db.prepare('INSERT INTO lost (stream, cpu, before_index, at_ns, count) VALUES (?, ?, ?, ?, ?)');
  }

  #begin(): void {
    if (!this.#db.inTransaction) this.#db.exec('BEGIN');
  }

  #commit(): void {
    if (this.#db.inTransaction) this.#db.exec('COMMIT');
  }

  addStream(stream: { buffer: number; name: string; clock: string; origin: string }): number {
    this.#begin();
    const { lastInsertRowid } = this.#db
      .prepare(
        'INSERT INTO stream (recording, buffer, name, clock, origin, from_ns, to_ns) VALUES (?, ?, ?, ?, ?, 0, 0)',
      )
      .run(this.recording, stream.buffer, stream.name, stream.clock, stream.origin);
    return Number(lastInsertRowid);
  }

  /** Returns the chunk's id. */
  addChunk(stream: number, cpu: number, firstIndex: number, basePosition: number, chunk: EncodedChunk): number {
    this.#begin();
    const { lastInsertRowid } = this.#insertChunk.run(
      stream,
      cpu,
      firstIndex,
      chunk.count,
      chunk.fromNs,
      chunk.toNs,
      basePosition + chunk.firstPosition,
      chunk.flags,
      chunk.checksum,
      chunk.pids,
      chunk.rare.below,
      chunk.rare.checksum,
      chunk.events,
    );
    this.#insertData.run(lastInsertRowid, chunk.rare.bytes, chunk.columns);
    this.#lastChunk = Number(lastInsertRowid);
    if (this.#dropLater !== null) this.dropChunk(this.#dropLater);
    if (++this.#chunks % CHUNKS_PER_COMMIT === 0) this.#commit();
    return this.#lastChunk;
  }

  /** Takes a chunk back: what it pointed at is not in the recording any more. */
  dropChunk(id: number): void {
    this.#begin();
    // The newest goes with the next one: SQLite would give its id again, by which caches know it.
    this.#dropLater = id === this.#lastChunk ? id : null;
    if (this.#dropLater !== null) return;
    this.#db.prepare('DELETE FROM chunk WHERE id = ?').run(id);
  }

  addLost(stream: number, cpu: number, lost: { beforeIndex: number; atNs: number; count: number }): void {
    this.#begin();
    this.#insertLost.run(stream, cpu, lost.beforeIndex, lost.atNs, lost.count);
  }

  addWarning(warning: { offset: number; section: string; message: string }): void {
    this.#begin();
    this.#db
      .prepare('INSERT INTO warning (recording, file_offset, section, message) VALUES (?, ?, ?, ?)')
      .run(this.recording, warning.offset, warning.section, warning.message);
  }

  addKept(stream: number, cpu: number, event: Omit<StoredEvent, 'stream' | 'cpu'>): void {
    this.#begin();
    this.#insertKept.run(stream, cpu, event.index, event.timeNs, event.id, event.pid, event.payload);
  }

  finishCpu(stream: number, cpu: number, events: number): void {
    this.#begin();
    this.#db
      .prepare('INSERT OR REPLACE INTO stream_cpu (stream, cpu, events) VALUES (?, ?, ?)')
      .run(stream, cpu, events);
  }

  finishStream(stream: number, fromNs: number, toNs: number, eventCounts: ReadonlyMap<number, number>): void {
    this.#begin();
    this.#db.prepare('UPDATE stream SET from_ns = ?, to_ns = ? WHERE id = ?').run(fromNs, toNs, stream);
    const insert = this.#db.prepare('INSERT OR REPLACE INTO event_count (stream, event, count) VALUES (?, ?, ?)');
    for (const [event, count] of eventCounts) insert.run(stream, event, count);
  }

  #countTasks(taskCounts: ReadonlyMap<number, number>): void {
    const insert = this.#db.prepare('INSERT OR REPLACE INTO task_count (recording, pid, events) VALUES (?, ?, ?)');
    for (const [pid, events] of taskCounts) insert.run(this.recording, pid, events);
  }

  /**
   * What is written so far can be read, by this connection alone: it keeps the transaction, so that to everybody else an
   * import is going on, and one whose process ends here is redone.
   */
  pause(taskCounts: ReadonlyMap<number, number>): void {
    this.#begin();
    this.#countTasks(taskCounts);
    this.#db.prepare('UPDATE recording SET indexed = 0 WHERE id = ?').run(this.recording);
  }

  /** `kept`: everything that is to be kept was. */
  finish(taskCounts: ReadonlyMap<number, number>, kept = false): void {
    this.#begin();
    this.#countTasks(taskCounts);
    const done = this.#db.prepare('UPDATE recording SET indexed = 1, kept = ? WHERE id = ?');
    done.run(kept ? 1 : 0, this.recording);
    this.#commit();
    this.#done();
  }

  /** Ends an import that was paused, without its result; what else was written meanwhile stays. */
  discard(): void {
    this.#begin();
    this.#db.prepare('DELETE FROM recording WHERE id = ?').run(this.recording);
    this.#commit();
    this.#done();
  }

  /**
   * Ends the import without its result. What cannot be removed now (the disk is full, the file is gone) counts as not
   * indexed and is removed at the next opening.
   */
  abort(): void {
    try {
      // A failed write may have ended the transaction already.
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      this.#db.prepare('DELETE FROM recording WHERE id = ?').run(this.recording);
      this.#done();
    } catch {
      // The reason for aborting is the error that counts.
    }
  }
}
