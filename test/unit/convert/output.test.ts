import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { partition } from '../../../electron/export/convert-origin.ts';
import { StagedFile, StagedFolder } from '../../../electron/export/convert-output.ts';
import { holdsSameRecordings } from '../../../electron/export/parquet-folder.ts';
import { RemoraError } from '../../../shared/errors.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-output-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => Buffer.from(text);
const files = (path = folder): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .toSorted();

describe('a staged file', () => {
  test('is there under its name when it is complete, and replaces what was there', () => {
    const path = join(folder, 'out.csv');
    writeFileSync(path, 'before');
    const out = new StagedFile(path);
    out.write(bytes('a,b\n'));
    expect(readFileSync(path, 'utf8')).toBe('before');
    out.write(bytes('1,2\n'));
    out.commit();
    out.abandon();
    expect(files()).toEqual(['out.csv']);
    expect(readFileSync(path, 'utf8')).toBe('a,b\n1,2\n');
    expect(out.bytes).toBe(8);
  });

  test('leaves nothing when it is abandoned', () => {
    const out = new StagedFile(join(folder, 'out.csv'));
    out.write(bytes('half'));
    expect(files()).toHaveLength(1);
    out.abandon();
    expect(files()).toEqual([]);
  });

  test('says what cannot be written, and why', () => {
    writeFileSync(join(folder, 'plain'), '');
    const make = (): StagedFile => new StagedFile(join(folder, 'plain', 'out.csv'));
    expect(make).toThrow(RemoraError);
    expect(make).toThrow(/plain\/out\.csv cannot be written: .*ENOTDIR/);
    expect(() => new StagedFolder(join(folder, 'plain', 'out'))).toThrow(/plain\/out cannot be written: .*ENOTDIR/);
  });
});

describe('a staged folder', () => {
  test('has its files when all are complete; a reader’s patterns see none before', () => {
    const path = join(folder, 'fleet');
    const out = new StagedFolder(path);
    const file = out.file('events/host=a/x-111111111111.parquet');
    file.write(bytes('one'));
    out.file('streams/host=a/x-111111111111.parquet').write(bytes('two'));
    file.write(bytes('three'));
    expect(readdirSync(path).every((name) => name.startsWith('.'))).toBe(true);
    out.commit();
    expect(files(path)).toEqual(['events/host=a/x-111111111111.parquet', 'streams/host=a/x-111111111111.parquet']);
    expect(readFileSync(join(path, 'events/host=a/x-111111111111.parquet'), 'utf8')).toBe('onethree');
    out.abandon();
    expect(files(path)).toHaveLength(2);
  });

  test('that was not there is not there when it is abandoned; what was there stays', () => {
    new StagedFolder(join(folder, 'new', 'deep')).abandon();
    expect(readdirSync(folder)).toEqual([]);
    mkdirSync(join(folder, 'old'));
    const out = new StagedFolder(join(folder, 'old'));
    out.file('events/a.parquet').write(bytes('half'));
    out.abandon();
    expect(readdirSync(folder, { recursive: true })).toEqual(['old']);
  });

  test('a recording that is written again replaces its own files wherever they were, and no others', () => {
    const write = (...names: string[]): void => {
      const out = new StagedFolder(folder);
      for (const name of names) out.file(name).write(bytes(name));
      out.commit(holdsSameRecordings(out.files));
    };
    writeFileSync(join(folder, 'notes-111111111111.parquet'), 'not of the data set');
    write(
      'events/host=a/day=unknown/x-111111111111.parquet',
      'fields/host=a/day=unknown/event=e/s.x-111111111111.parquet',
    );
    write('events/host=a/day=unknown/y-222222222222.parquet');
    // Under another name, of another machine.
    write('events/host=b/day=unknown/z-111111111111.parquet');
    expect(files()).toEqual([
      'events/host=a/day=unknown/y-222222222222.parquet',
      'events/host=b/day=unknown/z-111111111111.parquet',
      'notes-111111111111.parquet',
    ]);
    // Folders that became empty are gone too.
    expect(readdirSync(folder).toSorted()).toEqual(['events', 'notes-111111111111.parquet']);
  });
});

test('partition values are escaped as Hive does it', () => {
  expect(partition('host', 'db-1.example_x')).toBe('host=db-1.example_x');
  expect(partition('host', '../a b/é')).toBe('host=..%2Fa%20b%2F%C3%A9');
  expect(partition('host', '')).toBe('host=unknown');
});
