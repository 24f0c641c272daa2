import type { CgroupInfo } from '../../shared/model.ts';

/**
 * Which cgroup an inode number means, and when. Sources: the `cgroup:*` events (include/trace/events/cgroup.h: root, id,
 * level, path) and the side file beside a recording (lines `ino path`, the paths below the folder that was walked).
 *
 * From 5.5 on, an event's `id` is the inode number; before, it is a number of its own (IDR). Inode numbers are used again after
 * rmdir, so a path holds from its mkdir to the next mkdir of the same inode: a removed cgroup still writes back what
 * it left behind.
 */

/** One event of the cgroup system, of one stream or all of them, in workspace time. */
export interface CgroupEvent {
  timeNs: number;
  /** `seen`: any other event with id and path (attach_task's destination, notify_populated, freeze …). */
  kind: 'mkdir' | 'rmdir' | 'rename' | 'seen';
  /** Hierarchy: 0 is cgroup v2, others are v1's, which have inode numbers of their own. */
  root: number;
  /** Decimal. */
  id: string;
  /** As the event has it: from the hierarchy's root, with a leading slash; after the change for a rename. */
  path: string;
}

/** A line of the side file. */
export interface CgroupLine {
  ino: string;
  /** Below the folder that was walked, without a leading slash; empty for that folder itself. */
  path: string;
}

/** A cgroup of the recording and the time in which its inode number means it. */
export interface CgroupEntry extends CgroupInfo {
  fromNs: number;
  toNs: number;
}

export interface CgroupMap {
  /** By inode and time. */
  entries: readonly CgroupEntry[];
  /** False where the events' ids turned out to be no inodes, so that only the side file counts. */
  idsAreInodes: boolean;
  /** The cgroup that an event's value means: an inode in decimal, or a path (4.4). The path is empty where it is not known. */
  at(value: string, timeNs: number): CgroupInfo;
}

/** How a cgroup is shown: its path, or its inode where no more is known. */
export const cgroupLabel = ({ ino, path }: CgroupInfo): string =>
  path !== '' ? path : ino === '' ? '/' : `inode ${ino}`;

/** Lines of a `.cgroups` file; `bad` are the numbers (from 1) of lines that are none. */
export function parseCgroupLines(text: string): { lines: CgroupLine[]; bad: number[] } {
  const lines: CgroupLine[] = [];
  const bad: number[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    // The path is all behind the one space, spaces included; a folder's name may end in one.
    const found = /^\s*(\d+)(?: (.*))?$/s.exec(line);
    if (found !== null) lines.push({ ino: BigInt(found[1]).toString(), path: trimSlashes(found[2] ?? '') });
    else if (line.trim() !== '' && !line.startsWith('#')) bad.push(i + 1);
  });
  return { lines, bad };
}

export interface CgroupSources {
  events?: readonly CgroupEvent[];
  /** Size of the events' `id` field: 8 from 5.5 on, 4 before. */
  idBytes?: number;
  lines?: readonly CgroupLine[];
}

export function buildCgroupMap({ events = [], idBytes = 8, lines = [] }: CgroupSources): CgroupMap {
  const ordered = [...events].sort((a, b) => a.timeNs - b.timeNs);
  const idsAreInodes = areInodes(ordered, idBytes, lines);
  const usable = idsAreInodes ? ordered : [];
  const base = baseOf(usable, lines);
  const entries = new Map<string, CgroupEntry[]>();
  // v2 comes last and so wins where a v1 hierarchy has the same inode number.
  for (const isV2 of [false, true]) {
    const found = lifetimes(
      usable.filter((event) => (event.root === 0) === isV2),
      base,
    );
    for (const [ino, list] of found) entries.set(ino, list);
  }
  for (const line of lines) addLine(entries, line);
  return {
    entries: [...entries.values()].flat(),
    idsAreInodes,
    at(value, timeNs) {
      if (!/^\d+$/.test(value)) return { ino: '', path: value === '' ? '/' : ownPath(value, base) };
      const known = entries.get(value)?.find(({ fromNs, toNs }) => fromNs <= timeNs && timeNs < toNs);
      if (known !== undefined) return { ino: value, path: known.path };
      return { ino: value, path: isRootInode(value) ? '/' : '' };
    },
  };
}

/** 1 is the root's inode, and "none" from 4.20 on; -1 as u32 is "none" before (no cgroup writeback: all is the root's). */
const isRootInode = (ino: string): boolean => ino === '0' || ino === '1' || ino === '4294967295';

const trimSlashes = (path: string): string => path.replace(/^\/+|\/+$/g, '');

/** Paths of a line and of an event that may name the same folder: the line's is the end of the event's. */
const mayBeSame = (linePath: string, eventPath: string): boolean =>
  linePath !== '' && (eventPath === `/${linePath}` || eventPath.endsWith(`/${linePath}`));

/**
 * Are the events' ids inode numbers? Where the side file names the same folders, it decides; else the width of the field,
 * which became 64 bits with the change.
 */
function areInodes(events: readonly CgroupEvent[], idBytes: number, lines: readonly CgroupLine[]): boolean {
  const pathOf = new Map(lines.map(({ ino, path }) => [ino, path]));
  let agree = 0;
  let differ = 0;
  for (const { id, path } of events) {
    const linePath = pathOf.get(id);
    if (linePath !== undefined && mayBeSame(linePath, path)) agree++;
    else if (lines.some((line) => mayBeSame(line.path, path))) differ++;
  }
  if (agree === 0 && differ === 0) return idBytes >= 8;
  return agree > 0 || idBytes >= 8;
}

/** The folder that the side file's paths are below, as the events call it: what most of the common folders say; `` is the root. */
function baseOf(events: readonly CgroupEvent[], lines: readonly CgroupLine[]): string {
  const pathOf = new Map(lines.map(({ ino, path }) => [ino, path]));
  const votes = new Map<string, number>();
  for (const { id, path } of events) {
    const linePath = pathOf.get(id);
    if (linePath === undefined || !mayBeSame(linePath, path)) continue;
    const base = path.slice(0, -linePath.length - 1);
    votes.set(base, (votes.get(base) ?? 0) + 1);
  }
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
}

/**
 * An event's path as the model wants it: below the root, or below the folder that the side file is about; `/` is that folder
 * itself. A path outside of it keeps its leading slash.
 */
function ownPath(path: string, base: string): string {
  const absolute = `/${trimSlashes(path)}`;
  if (absolute === base || (absolute === '/' && base === '')) return '/';
  return absolute.startsWith(`${base}/`) ? absolute.slice(base.length + 1) : absolute;
}

/** Follows the events in time: who had which inode from when to when. Entries of an inode are ascending. */
function lifetimes(events: readonly CgroupEvent[], base: string): Map<string, CgroupEntry[]> {
  const byIno = new Map<string, CgroupEntry[]>();
  /** Absolute path of every inode that has not been removed, for renames of folders above. */
  const live = new Map<string, string>();
  const begin = (ino: string, path: string, fromNs: number): void => {
    const list = byIno.get(ino) ?? [];
    const last = list[list.length - 1];
    const entry = { ino, path: ownPath(path, base), fromNs, toNs: Number.POSITIVE_INFINITY };
    byIno.set(ino, list);
    live.set(ino, path);
    if (last?.path === entry.path) return;
    if (last !== undefined) last.toNs = fromNs;
    list.push(entry);
  };
  for (const { kind, id, path, timeNs } of events) {
    const known = live.get(id);
    if (kind === 'rename' && known !== undefined && known !== path) {
      const below = `${known}/`;
      for (const [ino, old] of live) if (old.startsWith(below)) begin(ino, path + old.slice(known.length), timeNs);
    }
    // What is seen first was there before; what is made or renamed is there from now on.
    if (kind === 'mkdir' || kind === 'rename') begin(id, path, timeNs);
    else if (known !== path) begin(id, path, byIno.has(id) ? timeNs : Number.NEGATIVE_INFINITY);
    if (kind === 'rmdir') live.delete(id);
  }
  return byIno;
}

/**
 * Adds what the side file says: all of the time where no event tells of the inode; else the time before the first event,
 * unless one of them says the same.
 */
function addLine(entries: Map<string, CgroupEntry[]>, { ino, path }: CgroupLine): void {
  const own = path === '' ? '/' : path;
  const list = entries.get(ino) ?? [];
  if (list.some((entry) => entry.path === own)) return;
  const toNs = list[0]?.fromNs ?? Number.POSITIVE_INFINITY;
  if (toNs === Number.NEGATIVE_INFINITY) return;
  entries.set(ino, [{ ino, path: own, fromNs: Number.NEGATIVE_INFINITY, toNs }, ...list]);
}
