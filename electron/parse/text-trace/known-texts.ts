/**
 * Texts of events that are not, or not only, `field=value` lists: what their print formats (include/trace/events/*.h, and
 * libtraceevent's plugins where they print otherwise) write, read backward, so that fields have the names that a trace.dat
 * of the same event has.
 */
export interface KnownText {
  /** Fields whose `key=` is not their name: key → field. */
  renamed?: Readonly<Record<string, string>>;
  /** Tried in turn on the text behind the event's name; each named group is a field. */
  patterns?: readonly RegExp[];
  /** Fields that are no plain numbers or texts. */
  values?: Readonly<Record<string, ValueKind>>;
}

/**
 * How a value is written. `number`: decimal or 0x…; `fraction`: with a decimal point in some lines; `hex`: hexadecimal
 * without 0x; `octal`; `signed`: a number whose 64 bits are signed; `state`: a task's state as letters, read as the bits of
 * prev_state; `device`: `254,0` or `254:0`, read as the kernel's dev_t; `text`.
 */
export type ValueKind = 'number' | 'fraction' | 'hex' | 'octal' | 'signed' | 'state' | 'device' | 'text';

const DEVICE = String.raw`^(?<dev>\d+,\d+)`;
/** Requests have a size and a command before the sector, completions a command; then priorities, and who or with what error. */
const blockPatterns = [
  new RegExp(
    String.raw`${DEVICE} (?<rwbs>\S+) (?<bytes>\d+) \((?<cmd>.*)\) (?<sector>\d+) \+ (?<nr_sector>\d+) (?:\S+ )?\[(?<comm>.*)\]`,
  ),
  new RegExp(
    String.raw`${DEVICE} (?<rwbs>\S+) \((?<cmd>.*)\) (?<sector>\d+) \+ (?<nr_sector>\d+) (?:\S+ )?\[(?<error>-?\d+)\]`,
  ),
  new RegExp(
    String.raw`${DEVICE} (?<rwbs>\S+) (?<sector>\d+) \+ (?<nr_sector>\d+) <- \((?<old_dev>\d+,\d+)\) (?<old_sector>\d+)`,
  ),
  new RegExp(String.raw`${DEVICE} (?<rwbs>\S+) (?<sector>\d+) / (?<new_sector>\d+) \[(?<comm>.*)\]`),
];
const bioCompletion = new RegExp(
  String.raw`${DEVICE} (?<rwbs>\S+) (?<sector>\d+) \+ (?<nr_sector>\d+) \[(?<error>-?\d+)\]`,
);
const bioSubmission = new RegExp(
  String.raw`${DEVICE} (?<rwbs>\S+) (?<sector>\d+) \+ (?<nr_sector>\d+) \[(?<comm>.*)\]`,
);
const block: KnownText = {
  patterns: [...blockPatterns, bioSubmission, new RegExp(`${DEVICE} sector=`), /^\[(?<comm>.*)\](?: (?<nr_rq>\d+))?$/],
  values: { dev: 'device', old_dev: 'device' },
};

const wakeup: KnownText = { patterns: [/^(?<comm>.*):(?<pid>\d+) \[(?<prio>-?\d+)\](?:.*)? CPU:(?<target_cpu>\d+)/] };
const parent = { comm: 'parent_comm', pid: 'parent_pid' };
const dirtyState = {
  dirty: 'nr_dirty',
  writeback: 'nr_writeback',
  unstable: 'nr_unstable',
  bg_thresh: 'background_thresh',
  thresh: 'dirty_thresh',
  limit: 'dirty_limit',
  dirtied: 'nr_dirtied',
  written: 'nr_written',
};
const inode = { index: 'writeback_index', to_write: 'nr_to_write' };
const writebackPage = {
  towrt: 'nr_to_write',
  skip: 'pages_skipped',
  mode: 'sync_mode',
  kupd: 'for_kupdate',
  bgrd: 'for_background',
  reclm: 'for_reclaim',
  cyclic: 'range_cyclic',
  start: 'range_start',
  end: 'range_end',
};
const interference = {
  hw: 'hw_count',
  nmi: 'nmi_count',
  irq: 'irq_count',
  softirq: 'softirq_count',
  thread: 'thread_count',
};
const work: KnownText = { patterns: [/^work struct (?<work>\w+)(?:: function (?<function>\S+))?/] };
const graph: KnownText = {
  values: { duration: 'fraction' },
  patterns: [/(?<duration>[\d.]+) us +\|/, /\| *(?:\} \/\* )?(?<func>[\w.$]+)/],
};
const contextSwitch: KnownText = {
  patterns: [
    /(?<prev_pid>\d+): *(?<prev_prio>-?\d+):(?<prev_state>\S+) +(?:==>|\+) +\[(?<next_cpu>\d+)\] +(?<next_pid>\d+): *(?<next_prio>-?\d+):(?<next_state>\S+) (?<next_comm>.*)/,
    /^(?<prev_comm>\S.*)-(?<prev_pid>\d+) +=> +(?<next_comm>\S.*)-(?<next_pid>\d+) *$/,
  ],
  values: { prev_state: 'state', next_state: 'state' },
};

/** Tracepoints of writeback name the device first; works and inodes are told with the fields renamed. */
const device = /^bdi (?<name>.+?)(?:\[\d+\])?(?:: |$)/;
const writeback: KnownText = {
  patterns: [device, / sb_dev (?<sb_dev>\d+:\d+) /],
  values: { sb_dev: 'device' },
  renamed: { kupdate: 'for_kupdate', background: 'for_background', dirtied: 'dirtied_when', enqueue: 'moved' },
};

const known = new Map<string, KnownText>([
  [
    'sched_switch',
    {
      patterns: [
        /^(?<prev_comm>.*):(?<prev_pid>\d+) \[(?<prev_prio>-?\d+)\] (?<prev_state>\S+) ==> (?<next_comm>.*):(?<next_pid>\d+) \[(?<next_prio>-?\d+)\]/,
      ],
      values: { prev_state: 'state' },
    },
  ],
  ['sched_wakeup', wakeup],
  ['sched_wakeup_new', wakeup],
  ['sched_waking', wakeup],
  ['sched_process_fork', { renamed: parent }],
  ['balance_dirty_pages', { patterns: [/^bdi (?<bdi>.+?): /] }],
  ['bdi_dirty_ratelimit', { renamed: { awrite_bw: 'avg_write_bw' }, patterns: [/^bdi (?<bdi>.+?): /] }],
  ['global_dirty_state', { renamed: dirtyState }],
  ['writeback_single_inode', { patterns: [device], renamed: inode }],
  ['writeback_single_inode_start', { patterns: [device], renamed: inode }],
  ['wbc_writepage', { patterns: [device], renamed: writebackPage }],
  ['writeback_pages_written', { patterns: [/^(?<pages>-?\d+)$/] }],
  ['mm_vmscan_throttled', { renamed: { usect_delayed: 'usec_delayed' } }],
  ['sys_enter', { patterns: [/^NR (?<id>-?\d+)/] }],
  ['sys_exit', { patterns: [/^NR (?<id>-?\d+) = (?<ret>-?\w+)/], values: { ret: 'signed' } }],
  ['block_bio_complete', { ...block, patterns: [bioCompletion] }],
  ['workqueue_activate_work', work],
  ['workqueue_execute_start', work],
  ['workqueue_execute_end', work],
  ['osnoise', { renamed: interference }],
  ['function', { patterns: [/^ *(?<ip>[^\s(]+)(?:\(.*\))?(?: <-(?<parent_ip>\S+))?/] }],
  ['funcgraph_entry', graph],
  ['funcgraph_exit', graph],
  ['context_switch', contextSwitch],
  ['wakeup', contextSwitch],
]);
const syscallReturn: KnownText = {
  patterns: [/^(?:sys_\w+ -> )?(?<ret>0x[0-9a-f]+|-?\d+)$/],
  values: { ret: 'signed' },
};
/** What is known about an event's text; null where its text speaks for itself. */
export function knownText(system: string, name: string): KnownText | null {
  const own = known.get(name);
  if (own !== undefined) return own;
  if (system === 'block') return block;
  if (system === 'writeback') return writeback;
  return system === 'syscalls' && name.startsWith('sys_exit_') ? syscallReturn : null;
}
