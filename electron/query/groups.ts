import { RemoraError } from '../../shared/errors.ts';
import type { EventTypeInfo } from '../../shared/model.ts';
import type { Samples } from './samples.ts';
import type { Trace } from './trace.ts';

/** One group of samples: what the legend says and what colours go by. */
export interface Group {
  label: string;
  key: string;
}

export interface GroupedSamples {
  /** Group of each sample: from 0 on, below `groups`. */
  codes: Uint32Array;
  groups: number;
  /** What the group with a code is called, of which `sample` is the first that counts. */
  group(code: number, sample: number): Group;
}

/** Field that names the cgroup of a writeback event: an inode number, or on 4.4 a path. */
export function cgroupFieldOf(type: EventTypeInfo): 'cgroup_ino' | 'cgroup' | null {
  const names = type.fields.map((field) => field.name);
  return names.includes('cgroup_ino') ? 'cgroup_ino' : names.includes('cgroup') ? 'cgroup' : null;
}

/** What events of a type are told apart by. */
export type Grouping = { by: 'all' | 'cpu' } | { by: 'task' | 'pid' } | { by: 'field' | 'cgroup'; field: string };

/** By one of the type's fields, or by `cpu`, `task`, `pid` or `cgroup`; empty: all are one group. Throws `bad-expression`. */
export function groupingOf(type: EventTypeInfo, by: string): Grouping {
  if (by === '') return { by: 'all' };
  const own = type.fields.some((field) => field.name === by);
  if (!own && by === 'cpu') return { by };
  if (!own && (by === 'task' || by === 'pid')) return { by };
  const cgroup = by === 'cgroup' ? cgroupFieldOf(type) : null;
  if (cgroup !== null) return { by: 'cgroup', field: cgroup };
  if (own) return { by: 'field', field: by };
  throw new RemoraError({
    code: 'bad-expression',
    message: `${type.system}:${type.name} has no field ${by} to group by: use one of its fields, cpu, task, pid or cgroup`,
    position: 0,
  });
}

/** Group of the events on a CPU. */
export const cpuGroup = (cpu: number): Group => ({ label: `CPU ${cpu}`, key: `cpu:${cpu}` });

/** Group of a task's events. */
export const taskGroup = (by: 'task' | 'pid', pid: number, comm: string): Group => ({
  label: by === 'pid' ? String(pid) : `${comm}-${pid}`,
  key: `task:${comm}:${pid}`,
});

/** Group of the events whose field says `value`. */
export function valueGroup(trace: Trace, grouping: Extract<Grouping, { field: string }>, value: string): Group {
  if (grouping.by === 'field') return { label: value, key: `${grouping.field}:${value}` };
  const label = trace.cgroupLabel(value);
  return { label, key: `cgroup:${label}` };
}

/** Groups the samples of a type; see groupingOf. */
export function groupSamples(trace: Trace, samples: Samples, type: EventTypeInfo, by: string): GroupedSamples {
  const all = samples.ofType(type.type);
  const grouping = groupingOf(type, by);
  switch (grouping.by) {
    case 'all':
      return { codes: new Uint32Array(all.n), groups: 1, group: () => ({ label: '', key: '' }) };
    case 'cpu':
      return coded(all.n, (i) => all.cpu[i] as number, cpuGroup);
    case 'task':
    case 'pid':
      return coded(
        all.n,
        (i) => all.pid[i] as number,
        (pid, i) =>
          taskGroup(grouping.by, pid, trace.streams[all.stream[i] as number]?.recording.commOf(pid) ?? '<...>'),
      );
    default: {
      const { codes, values } = samples.texts(type.type, grouping.field);
      const group = (code: number): Group => valueGroup(trace, grouping, values[code] as string);
      return { codes, groups: values.length, group };
    }
  }
}

function coded(n: number, numberOf: (i: number) => number, group: (value: number, i: number) => Group): GroupedSamples {
  const codes = new Uint32Array(n);
  let groups = 0;
  const known = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    const value = numberOf(i);
    let code = known.get(value);
    if (code === undefined) {
      code = groups++;
      known.set(value, code);
    }
    codes[i] = code;
  }
  return { codes, groups, group: (_, i) => group(numberOf(i), i) };
}
