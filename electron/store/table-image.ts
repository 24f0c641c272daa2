import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { openPlain } from './database.ts';
import type { PlainColumn, SqlInput } from './sql-connection.ts';
import { cellBytes, RecordWriter, varintBytes, writeVarint } from './table-record.ts';

/**
 * Writes an SQLite file whose large tables are put together page by page, which is some ten times faster than INSERT through
 * a binding. SQLite itself makes the file, its schema and the small tables; this fills in the rest, in the format of
 * https://www.sqlite.org/fileformat2.html. Rows have ascending rowids, so that a table's b-tree grows at its end only:
 *
 *   leaf page      u8 13, u16 0, u16 cells, u16 start of the cells, u8 0, u16 place of each cell …
 *   cell           varint payload bytes, varint rowid, record (see table-record.ts), the rest of it in overflow pages
 *   interior page  u8 5, u16 0, u16 cells, u16 start of the cells, u8 0, u32 last child, u16 place of each cell …
 *   cell           u32 child, varint largest rowid in it
 *   overflow page  u32 next or 0, data
 *
 * Leaves are written one behind the other as they fill; the pages above them follow; the root is where SQLite put it.
 */
export class TableImage {
  #file: number;
  readonly #path: string;
  readonly #roots: Map<string, number>;
  readonly #columns = new Map<string, readonly PlainColumn[]>();
  /** INTEGER columns of each table that hold text. */
  readonly #texts = new Map<string, Set<string>>();
  /** Pages in the file so far. */
  #pages: number;

  /**
   * Makes the file at `path`, which must not exist: `small` tables with their rows, `large` ones empty. There is no journal: a
   * file that is not finished is to be removed.
   */
  constructor(
    path: string,
    small: Iterable<{ name: string; columns: readonly PlainColumn[]; rows: Iterable<SqlInput[]> }>,
    large: Iterable<{ name: string; columns: readonly PlainColumn[] }>,
    applicationId = 0,
  ) {
    this.#path = path;
    const database = openPlain(path);
    try {
      database.pragma(`page_size = ${PAGE_BYTES}`);
      database.pragma('journal_mode = OFF');
      database.pragma('synchronous = OFF');
      database.pragma(`application_id = ${applicationId}`);
      database.exec('BEGIN');
      const create = (name: string, columns: readonly PlainColumn[]): void => {
        database.exec(tableSql(name, columns));
        this.#columns.set(name, columns);
      };
      for (const { name, columns, rows } of small) {
        create(name, columns);
        const insert = database.prepare(`INSERT INTO ${quoted(name)} VALUES (${columns.map(() => '?')})`);
        for (const row of rows) insert.run(row);
      }
      for (const { name, columns } of large) create(name, columns);
      database.exec('COMMIT');
      const roots = database.prepare<[], { name: string; rootpage: number }>(
        'SELECT name, rootpage FROM sqlite_schema',
      );
      this.#roots = new Map(roots.all().map(({ name, rootpage }) => [name, rootpage]));
    } finally {
      database.close();
    }
    this.#file = openSync(path, 'r+');
    this.#pages = fstatSync(this.#file).size / PAGE_BYTES;
  }

  /** Fills a large table with rows until there is none (null). A row may be one array used again and again. Returns how many there were. */
  fill(name: string, next: () => SqlInput[] | null): number {
    const root = this.#roots.get(name);
    if (root === undefined) throw new RangeError(`there is no table ${name} in the image`);
    const leaves: Child[] = [];
    const record = new RecordWriter();
    const page = Buffer.alloc(PAGE_BYTES);
    let rowid = 0;
    let cells = 0;
    let start = PAGE_BYTES;
    const flush = (): void => {
      pageHeader(page, LEAF, cells, start);
      leaves.push({ page: this.#write(page), lastRowid: rowid });
      cells = 0;
      start = PAGE_BYTES;
    };
    for (let row = next(); row !== null; row = next()) {
      record.set(row);
      const local = localBytes(record.bytes);
      const bytes = cellBytes(record.bytes, rowid + 1) + local + (local < record.bytes ? 4 : 0);
      if (start - bytes < LEAF_HEADER + 2 * (cells + 1)) flush();
      rowid++;
      start -= bytes;
      const at = record.write(page, start, rowid, local);
      if (local < record.bytes) page.writeUInt32BE(this.#overflow(record.rest(local)), at);
      page.writeUInt16BE(start, LEAF_HEADER + 2 * cells++);
    }
    const texts = (this.#columns.get(name) ?? []).filter(({ type }, k) => type === 'INTEGER' && record.hadText(k));
    if (texts.length > 0) this.#texts.set(name, new Set(texts.map((column) => column.name)));
    if (leaves.length === 0) {
      // All of it fits into the root.
      pageHeader(page, LEAF, cells, start);
      this.#writeAt(root, page);
      return rowid;
    }
    if (cells > 0) flush();
    this.#grow(root, leaves);
    return rowid;
  }

  /** Ends without a complete file, unless it is. */
  close(): void {
    if (this.#file >= 0) closeSync(this.#file);
    this.#file = -1;
  }

  /** Completes the file. */
  finish(): void {
    // Bytes 28 to 31 of the file: its size in pages.
    const size = Buffer.alloc(4);
    size.writeUInt32BE(this.#pages);
    writeSync(this.#file, size, 0, 4, 28);
    this.close();
    if (this.#texts.size === 0) return;
    // SQLite would take text in an INTEGER column for damage: such columns have no type.
    const database = openPlain(this.#path).unsafeMode();
    database.pragma('journal_mode = OFF');
    database.pragma('writable_schema = ON');
    const declare = database.prepare('UPDATE sqlite_schema SET sql = ? WHERE name = ?');
    for (const [name, texts] of this.#texts) {
      const columns = (this.#columns.get(name) ?? []).map((column) =>
        texts.has(column.name) ? { ...column, type: '' as const } : column,
      );
      declare.run(tableSql(name, columns), name);
    }
    database.close();
  }

  /** Interior pages above the leaves, level by level, up to the root. */
  #grow(root: number, leaves: Child[]): void {
    let children = leaves;
    while (children.length > FAN_OUT) {
      const parents: Child[] = [];
      for (let from = 0; from < children.length; ) {
        const left = children.length - from;
        // A page has two children at least.
        const count = left === FAN_OUT + 1 ? FAN_OUT - 1 : Math.min(left, FAN_OUT);
        const group = children.slice(from, from + count);
        parents.push({ page: this.#write(interiorPage(group)), lastRowid: (group.at(-1) as Child).lastRowid });
        from += count;
      }
      children = parents;
    }
    this.#writeAt(root, interiorPage(children));
  }

  /** What of a record does not fit into its leaf; the number of the first page. */
  #overflow(rest: Buffer): number {
    const first = this.#pages + 1;
    const room = PAGE_BYTES - 4;
    for (let from = 0; from < rest.length; from += room) {
      const page = Buffer.alloc(PAGE_BYTES);
      if (from + room < rest.length) page.writeUInt32BE(this.#pages + 2, 0);
      rest.copy(page, 4, from, Math.min(rest.length, from + room));
      this.#write(page);
    }
    return first;
  }

  /** Writes the next page of the file; its number. */
  #write(page: Buffer): number {
    this.#writeAt(this.#pages + 1, page);
    return ++this.#pages;
  }

  #writeAt(number: number, page: Buffer): void {
    writeSync(this.#file, page, 0, PAGE_BYTES, (number - 1) * PAGE_BYTES);
  }
}

/** `application_id` of files that were materialized for other tools: "Rmrt". */
export const MATERIALIZED_ID = 0x526d7274;

const PAGE_BYTES = 16_384;
const LEAF = 13;
const INTERIOR = 5;
const LEAF_HEADER = 8;
const INTERIOR_HEADER = 12;
/** Children of an interior page: a place, a child and the longest varint each; the last child needs none of it. */
const FAN_OUT = Math.floor((PAGE_BYTES - INTERIOR_HEADER) / (2 + 4 + 9)) + 1;

/** A page of the tree with the largest rowid below it. */
interface Child {
  page: number;
  lastRowid: number;
}

/** How much of a record stays in its leaf: as section 1.6, "Cell payload overflow", has it for pages without reserve. */
function localBytes(bytes: number): number {
  const most = PAGE_BYTES - 35;
  if (bytes <= most) return bytes;
  const least = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23;
  const local = least + ((bytes - least) % (PAGE_BYTES - 4));
  return local <= most ? local : least;
}

function pageHeader(page: Buffer, type: number, cells: number, start: number): void {
  page[0] = type;
  page.writeUInt16BE(0, 1);
  page.writeUInt16BE(cells, 3);
  page.writeUInt16BE(start, 5);
  page[7] = 0;
}

function interiorPage(children: readonly Child[]): Buffer {
  const page = Buffer.alloc(PAGE_BYTES);
  let start = PAGE_BYTES;
  children.slice(0, -1).forEach(({ page: child, lastRowid }, i) => {
    start -= 4 + varintBytes(lastRowid);
    page.writeUInt32BE(child, start);
    writeVarint(page, start + 4, lastRowid);
    page.writeUInt16BE(start, INTERIOR_HEADER + 2 * i);
  });
  pageHeader(page, INTERIOR, children.length - 1, start);
  page.writeUInt32BE((children.at(-1) as Child).page, 8);
  return page;
}

const tableSql = (name: string, columns: readonly PlainColumn[]): string =>
  `CREATE TABLE ${quoted(name)} (${columns.map((column) => `${quoted(column.name)} ${column.type}`.trimEnd()).join(', ')})`;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
