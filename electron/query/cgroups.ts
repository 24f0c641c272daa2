import type { CgroupInfo } from '../../shared/model.ts';
import { buildCgroupMap, type CgroupEvent, type CgroupLine, type CgroupMap } from '../derive/cgroups.ts';
import type { EventFormat } from '../parse/event-format.ts';
import { type TextReader, textReader } from '../parse/field-access.ts';
import { viewOf } from './payload.ts';
import type { Samples } from './samples.ts';
import type { Trace } from './trace.ts';

const kinds: Record<string, CgroupEvent['kind']> = {
  cgroup_mkdir: 'mkdir',
  cgroup_rmdir: 'rmdir',
  cgroup_rename: 'rename',
};

/** Names of the workspace's cgroups, from its `cgroup:*` events and the lines of its side files. */
export function findCgroups(trace: Trace, samples: Samples, lines: readonly CgroupLine[]): CgroupMap {
  const events: CgroupEvent[] = [];
  let idBytes = 8;
  for (const type of trace.eventTypes) {
    if (type.system !== 'cgroup') continue;
    // cgroup_attach_task and _transfer_tasks name the destination dst_id, dst_path.
    const prefix = type.fields.some(({ name }) => name === 'dst_id') ? 'dst_' : '';
    const field = (name: string) => type.fields.find((candidate) => candidate.name === `${prefix}${name}`);
    const id = field('id');
    if (id === undefined || field('path') === undefined) continue;
    idBytes = id.bytes;
    const root =
      type.fields.find(({ name }) => name === `${prefix}root`) ?? type.fields.find(({ name }) => name === 'root');
    const fields = { id: id.name, path: `${prefix}path`, root: root?.name };
    const found = keptOf(trace, type.type, fields) ?? samplesOf(samples, type.type, fields);
    for (const event of found) events.push({ ...event, kind: kinds[type.name] ?? 'seen' });
  }
  return buildCgroupMap({ events, idBytes, lines });
}

interface CgroupFields {
  id: string;
  path: string;
  root: string | undefined;
}

/** All events of a type, in the list's order, as indexing kept them; null where it did not. */
function keptOf(trace: Trace, type: number, fields: CgroupFields): Omit<CgroupEvent, 'kind'>[] | null {
  const found: Omit<CgroupEvent, 'kind'>[] = [];
  for (const stream of trace.streams) {
    const { kept, typeOfId, formatOfId, head } = stream.recording;
    if (kept === null) return null;
    const readers = new Map<number, Record<'root' | 'id' | 'path', TextReader>>();
    const readersOf = (id: number, format: EventFormat) => {
      const read = (name: string | undefined): TextReader => {
        const field = format.fields.find((candidate) => candidate.name === name);
        return field === undefined ? () => '' : textReader(field, head.abi);
      };
      const made = { root: read(fields.root), id: read(fields.id), path: read(fields.path) };
      readers.set(id, made);
      return made;
    };
    for (const { stream: stored, id, timeNs, payload } of kept) {
      const format = formatOfId.get(id);
      if (stored !== stream.stored || typeOfId[id] !== type || format === undefined) continue;
      const read = readers.get(id) ?? readersOf(id, format);
      const view = viewOf(payload);
      found.push({
        timeNs: timeNs + stream.offsetNs,
        root: fields.root === undefined ? 0 : Number(read.root(view, 0, payload.length)),
        id: read.id(view, 0, payload.length),
        path: read.path(view, 0, payload.length),
      });
    }
  }
  return found.sort((a, b) => a.timeNs - b.timeNs);
}

/** The same, asking the index and the recording. */
function samplesOf(samples: Samples, type: number, fields: CgroupFields): Omit<CgroupEvent, 'kind'>[] {
  const all = samples.ofType(type);
  const ids = samples.texts(type, fields.id);
  const paths = samples.texts(type, fields.path);
  const roots = fields.root === undefined ? null : samples.numbers(type, fields.root);
  return Array.from(all.time, (timeNs, i) => ({
    timeNs,
    root: roots === null ? 0 : (roots[i] as number),
    id: ids.values[ids.codes[i] as number] as string,
    path: paths.values[paths.codes[i] as number] as string,
  }));
}

/** The distinct cgroups of a map, by path then inode. */
export function listCgroups(map: CgroupMap): CgroupInfo[] {
  const seen = new Map<string, CgroupInfo>();
  for (const { ino, path } of map.entries) seen.set(`${ino} ${path}`, { ino, path });
  // Not by a collator, which takes longer to load than most indexes to open.
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...seen.values()].sort((a, b) => order(a.path, b.path) || a.ino.length - b.ino.length || order(a.ino, b.ino));
}
