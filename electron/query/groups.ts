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
  /** Group of each sample: index into `groups`. */
  codes: Uint32Array;
  groups: Group[];
}

/** Field that names the cgroup of a writeback event: an inode number, or on 4.4 a path. */
export function cgroupFieldOf(type: EventTypeInfo): 'cgroup_ino' | 'cgroup' | null {
  const names = type.fields.map((field) => field.name);
  return names.includes('cgroup_ino') ? 'cgroup_ino' : names.includes('cgroup') ? 'cgroup' : null;
}

/** Groups the samples of a type by one of its fields, or by `cpu`, `task`, `pid` or `cgroup`; empty: one group. */
export function groupSamples(trace: Trace, samples: Samples, type: EventTypeInfo, by: string): GroupedSamples {
  const all = samples.ofType(type.type);
  if (by === '') return { codes: new Uint32Array(all.n), groups: [{ label: '', key: '' }] };
  const own = type.fields.some((field) => field.name === by);
  if (!own && by === 'cpu') {
    return coded(
      all.n,
      (i) => all.cpu[i] as number,
      (cpu) => ({ label: `CPU ${cpu}`, key: `cpu:${cpu}` }),
    );
  }
  if (!own && (by === 'task' || by === 'pid')) {
    return coded(
      all.n,
      (i) => all.pid[i] as number,
      (pid, i) => {
        const comm = trace.streams[all.stream[i] as number]?.recording.commOf(pid) ?? '<...>';
        return { label: by === 'pid' ? String(pid) : `${comm}-${pid}`, key: `task:${comm}:${pid}` };
      },
    );
  }
  if (by === 'cgroup') {
    const field = cgroupFieldOf(type);
    if (field !== null) {
      const { codes, values } = samples.texts(type.type, field);
      return {
        codes,
        groups: values.map((value) => ({ label: trace.cgroupLabel(value), key: `cgroup:${trace.cgroupLabel(value)}` })),
      };
    }
  }
  if (own) {
    const { codes, values } = samples.texts(type.type, by);
    return { codes, groups: values.map((value) => ({ label: value, key: `${by}:${value}` })) };
  }
  throw new RemoraError({
    code: 'bad-expression',
    message: `${type.system}:${type.name} has no field ${by} to group by: use one of its fields, cpu, task, pid or cgroup`,
    position: 0,
  });
}

function coded(n: number, numberOf: (i: number) => number, group: (value: number, i: number) => Group): GroupedSamples {
  const codes = new Uint32Array(n);
  const groups: Group[] = [];
  const known = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    const value = numberOf(i);
    let code = known.get(value);
    if (code === undefined) {
      code = groups.push(group(value, i)) - 1;
      known.set(value, code);
    }
    codes[i] = code;
  }
  return { codes, groups };
}
