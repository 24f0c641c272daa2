import type { CgroupInfo } from '../../shared/model.ts';
import { buildCgroupMap, type CgroupEvent, type CgroupLine, type CgroupMap } from '../derive/cgroups.ts';
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
    const all = samples.ofType(type.type);
    const ids = samples.texts(type.type, id.name);
    const paths = samples.texts(type.type, `${prefix}path`);
    const rootField =
      type.fields.find(({ name }) => name === `${prefix}root`) ?? type.fields.find(({ name }) => name === 'root');
    const roots = rootField === undefined ? null : samples.numbers(type.type, rootField.name);
    for (let i = 0; i < all.n; i++) {
      events.push({
        timeNs: all.time[i] as number,
        kind: kinds[type.name] ?? 'seen',
        root: roots === null ? 0 : (roots[i] as number),
        id: ids.values[ids.codes[i] as number] as string,
        path: paths.values[paths.codes[i] as number] as string,
      });
    }
  }
  return buildCgroupMap({ events, idBytes, lines });
}

/** The distinct cgroups of a map, by path then inode. */
export function listCgroups(map: CgroupMap): CgroupInfo[] {
  const seen = new Map<string, CgroupInfo>();
  for (const { ino, path } of map.entries) seen.set(`${ino} ${path}`, { ino, path });
  return [...seen.values()].sort(
    (a, b) => a.path.localeCompare(b.path, 'en') || a.ino.localeCompare(b.ino, 'en', { numeric: true }),
  );
}
