import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../../electron/store/database.ts';
import { migrations, SCHEMA_VERSION } from '../../../electron/store/schema.ts';
import { WorkspaceStore } from '../../../electron/store/workspace-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-migrations-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A workspace as version `version` left it, with a note and a view. */
function oldWorkspace(version: number): string {
  const path = join(folder, `v${version}.remora`);
  const db = new Database(path);
  for (const step of migrations.slice(0, version)) db.exec(step);
  db.exec(`INSERT INTO recording (path, identity, indexed) VALUES ('/r.dat', '1:2:3', 1);
    INSERT INTO annotation VALUES ('n', 'point', '5', '5', 'mine', 'note-1', '[]', 0);
    INSERT INTO view VALUES ('window', '{}')`);
  db.pragma(`application_id = ${0x526d7261}`);
  db.pragma(`user_version = ${version}`);
  db.close();
  return path;
}

it('a place that takes no folder is told, and what to do', () => {
  const file = join(folder, 'plain');
  writeFileSync(file, 'a file');
  const open = (): unknown => openDatabase(join(file, 'below', 'x.remora'));
  expect(open).toThrow(/x\.remora: the workspace cannot be written: keep it elsewhere/);
});

it('there is one step for every version', () => {
  expect(migrations.length).toBe(SCHEMA_VERSION);
});

it.each(Array.from({ length: SCHEMA_VERSION - 1 }, (_, i) => i + 1))(
  'version %i is brought up to date, with what the user added, after a copy',
  (version) => {
    const path = oldWorkspace(version);
    const store = new WorkspaceStore(path);
    expect(store.annotations().map(({ text }) => text)).toEqual(['mine']);
    expect(store.view('window')).toBe('{}');
    store.close();
    expect(existsSync(`${path}.v${version}.bak`)).toBe(true);
    const again = openDatabase(path);
    expect(again.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
    again.close();
  },
);

it('an index without checksums is built again', () => {
  const store = new WorkspaceStore(oldWorkspace(1));
  expect(store.recordings()).toEqual([]);
  store.close();
});
