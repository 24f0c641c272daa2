import * as z from 'zod';
import type { CaptureOptions, CaptureSettings } from '../../shared/capture.ts';
import { parseFilter } from '../../shared/filter/parse.ts';
import type { TextError } from '../../shared/typed-text.ts';

/** What the attach dialog holds while it is filled in, and what profiles keep. Pure: the settings for the engine are made of it. */
export const captureFormSchema = z.object({
  /** Empty: this machine. */
  host: z.string().default(''),
  /** Events as `system:name`. */
  events: z.array(z.string()),
  /** Condition by pattern, see `choicesOf`. */
  filters: z.record(z.string(), z.string()),
  path: z.string(),
  /** Null: what suits the machine. */
  bufferKiB: z.number().nullable(),
  /** Empty: the kernel's own choice. */
  clock: z.string(),
  /** `0-3,6`; empty: all. */
  cpus: z.string(),
  whose: z.enum(['all', 'process', 'cgroup']),
  pids: z.string(),
  /** Path below the cgroup root. */
  cgroup: z.string(),
  stacks: z.boolean(),
  counters: z.boolean(),
  stop: z.enum(['hand', 'time', 'size', 'keepTime', 'keepSize']),
  /** Of seconds or MiB, as `stop` says. */
  amount: z.string(),
});
export type CaptureForm = z.infer<typeof captureFormSchema>;

export const emptyForm: CaptureForm = {
  host: '',
  events: [],
  filters: {},
  path: '',
  bufferKiB: null,
  clock: '',
  cpus: '',
  whose: 'all',
  pids: '',
  cgroup: '',
  stacks: false,
  counters: false,
  stop: 'hand',
  amount: '60',
};

/** One line of what is captured: a whole system, or an event. */
export interface Choice {
  /** As the engine takes it: `sched:sched_switch`, or `block` for all of a system. */
  pattern: string;
  events: number;
}

/** Systems with fewer events than this are listed by event: their filters differ. */
const WHOLE_SYSTEM = 4;

/** What is chosen, line by line: systems of which everything is chosen are one line. */
export function choicesOf(events: readonly string[], systems: CaptureOptions['systems']): Choice[] {
  const chosen = new Set(events);
  return systems.flatMap(({ name: system, events: all }): Choice[] => {
    const own = all.filter((name) => chosen.has(`${system}:${name}`));
    if (own.length === all.length && own.length >= WHOLE_SYSTEM) return [{ pattern: system, events: own.length }];
    return own.map((name) => ({ pattern: `${system}:${name}`, events: 1 }));
  });
}

/** Where a form is not complete, and why. */
export interface FormProblem {
  field: 'events' | 'filter' | 'path' | 'cpus' | 'pids' | 'cgroup' | 'amount';
  message: string;
  /** Of a filter. */
  pattern?: string;
}

export type FormResult = { ok: true; settings: CaptureSettings } | { ok: false; problem: FormProblem };

export function settingsOf(form: CaptureForm, options: CaptureOptions): FormResult {
  const refuse = (field: FormProblem['field'], message: string, pattern?: string): FormResult => ({
    ok: false,
    problem: { field, message, ...(pattern === undefined ? {} : { pattern }) },
  });
  const choices = choicesOf(form.events, options.systems);
  if (choices.length === 0) return refuse('events', 'Choose what you want to see, or events from the list.');
  for (const { pattern } of choices) {
    const error = filterError(form.filters[pattern] ?? '');
    if (error !== null) return refuse('filter', `The filter of ${pattern}: ${error.message}`, pattern);
  }
  if (!form.path.startsWith('/')) return refuse('path', 'The recording needs a path that begins with /.');
  const cpus = cpuList(form.cpus, options.cpus);
  if (typeof cpus === 'string') return refuse('cpus', cpus);
  const pids = form.whose === 'process' ? pidList(form.pids) : undefined;
  if (pids?.length === 0) return refuse('pids', 'Give the number of a process, or several with commas.');
  if (form.whose === 'cgroup' && form.cgroup.trim() === '') return refuse('cgroup', 'Choose a cgroup.');
  const limit = limitOf(form);
  if (limit === null) return refuse('amount', 'Give the limit as a number above 0.');
  const folder = options.cgroupRoot.replace(/\/+$/, '');
  return {
    ok: true,
    settings: {
      ...(form.host === '' ? {} : { host: form.host }),
      path: form.path.trim(),
      events: choices.map(({ pattern }) => {
        const filter = (form.filters[pattern] ?? '').trim();
        return filter === '' ? { pattern } : { pattern, filter };
      }),
      ...(form.clock === '' ? {} : { clock: form.clock }),
      ...(form.bufferKiB === null ? {} : { bufferKiB: form.bufferKiB }),
      ...(cpus === undefined ? {} : { cpus }),
      ...(pids === undefined ? {} : { pids }),
      ...(form.whose === 'cgroup' ? { cgroup: `${folder}/${form.cgroup.trim().replace(/^\/+/, '')}` } : {}),
      ...(form.stacks ? { stacks: true } : {}),
      ...(form.counters ? { countersMs: 1000 } : {}),
      ...limit,
    },
  };
}

/** What does not parse of a filter. The kernel may know more than the language: what it says comes from the engine. */
export function filterError(filter: string): TextError | null {
  if (filter.trim() === '') return null;
  const parsed = parseFilter(filter);
  return parsed.ok ? null : parsed.error;
}

const MIB = 2 ** 20;

/** Null where the amount is no number. */
export function limitOf({ stop, amount }: Pick<CaptureForm, 'stop' | 'amount'>): Partial<CaptureSettings> | null {
  if (stop === 'hand') return {};
  const value = Number(amount.trim());
  if (!(value > 0 && Number.isFinite(value))) return null;
  const bytes = Math.max(1, Math.round(value * MIB));
  switch (stop) {
    case 'time':
      return { durationMs: value * 1000 };
    case 'size':
      return { maxBytes: bytes };
    case 'keepTime':
      return { keep: { ms: value * 1000 } };
    case 'keepSize':
      return { keep: { bytes } };
  }
}

/** Undefined: all. A string says what is wrong. */
export function cpuList(text: string, known: readonly number[]): number[] | undefined | string {
  if (text.trim() === '') return undefined;
  const cpus = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    if (match === null) return 'CPUs are written like 0-3,6.';
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > 8191) return 'CPUs are written like 0-3,6.';
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  const missing = [...cpus].filter((cpu) => !known.includes(cpu));
  if (missing.length > 0) return `This machine has no CPU ${missing[0]}.`;
  return [...cpus].sort((a, b) => a - b);
}

function pidList(text: string): number[] {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  return parts.every((part) => /^\d+$/.test(part) && Number(part) > 0) ? parts.map(Number) : [];
}

/** Adds or takes away events; the list stays in the order of the machine's. */
export function withEvents(
  form: CaptureForm,
  events: readonly string[],
  on: boolean,
  systems: CaptureOptions['systems'],
): CaptureForm {
  const chosen = new Set(form.events);
  for (const event of events) {
    if (on) chosen.add(event);
    else chosen.delete(event);
  }
  const ordered = systems.flatMap(({ name: system, events: all }) =>
    all.map((name) => `${system}:${name}`).filter((event) => chosen.has(event)),
  );
  return { ...form, events: ordered };
}

/** A kept form for the machine at hand: events that it does not have are left out, and counted. */
export function fitForm(form: CaptureForm, options: CaptureOptions): { form: CaptureForm; missing: number } {
  const fitted = withEvents(form, [], true, options.systems);
  const clock = options.clocks.all.includes(form.clock) ? form.clock : '';
  const path = form.path === '' ? options.path : form.path;
  return { form: { ...fitted, clock, path }, missing: form.events.length - fitted.events.length };
}
