/**
 * Which unit a field of an event has. The kernel's format text does not say, so this is knowledge about the events: a table
 * for those Remora is made for, and rules on names and C types that hold across the kernel. When in doubt: none.
 * Sources: include/trace/events/{writeback,vmscan,block,sched,kmem,…}.h, mm/page-writeback.c, kernel/trace/trace_entries.h.
 */

type FieldUnits = Record<string, string>;

const fields = (unit: string, names: string): FieldUnits =>
  Object.fromEntries(names.split(/\s+/).map((name) => [name, unit]));

/** balance_dirty_pages() computes pauses in jiffies and reports ms; ratelimits are stored in pages/s and reported in KiB/s (KBps()). */
const balanceDirtyPages: FieldUnits = {
  ...fields('pages', 'limit setpoint dirty wb_setpoint wb_dirty bdi_setpoint bdi_dirty dirtied dirtied_pause'),
  ...fields('KiB/s', 'dirty_ratelimit task_ratelimit'),
  ...fields('ms', 'paused pause period think'),
};
const globalDirtyState = fields(
  'pages',
  'nr_dirty nr_writeback nr_unstable background_thresh dirty_thresh dirty_limit nr_dirtied nr_written',
);
const dirtyRatelimit = fields(
  'KiB/s',
  'write_bw avg_write_bw dirty_rate dirty_ratelimit task_ratelimit balanced_dirty_ratelimit',
);
const congestionWait = fields('µs', 'usec_timeout usec_delayed');
const shrinkSlab = fields(
  'count',
  'nr_objects_to_shrink cache_items delta total_scan unused_scan new_scan retval pgs_scanned lru_pgs',
);

/** By `system:event`, an exact name. */
const byEvent: Record<string, FieldUnits> = {
  'writeback:balance_dirty_pages': balanceDirtyPages,
  'writeback:global_dirty_state': globalDirtyState,
  'writeback:bdi_dirty_ratelimit': dirtyRatelimit,
  'writeback:writeback_congestion_wait': congestionWait,
  'writeback:writeback_wait_iff_congested': congestionWait,
  'writeback:writeback_queue_io': { age: 'ms', older: 'jiffies', moved: 'count' },
  'writeback:inode_switch_wbs_queue': { count: 'count' },
  'vmscan:mm_vmscan_throttled': congestionWait,
  'vmscan:mm_shrink_slab_start': shrinkSlab,
  'vmscan:mm_shrink_slab_end': shrinkSlab,
  'vmscan:mm_vmscan_inactive_list_is_low': fields('pages', 'total_inactive inactive total_active active'),
  'sched:sched_stat_runtime': { runtime: 'ns', vruntime: 'ns' },
  'sched:sched_stat_wait': { delay: 'ns' },
  'sched:sched_stat_sleep': { delay: 'ns' },
  'sched:sched_stat_iowait': { delay: 'ns' },
  'sched:sched_stat_blocked': { delay: 'ns' },
  'kmem:rss_stat': { size: 'B' },
  'ftrace:funcgraph_exit': { calltime: 'ns', rettime: 'ns', overrun: 'count' },
  'ftrace:osnoise': { noise: 'ns', runtime: 'ns', max_sample: 'ns' },
  'ftrace:timerlat': { timer_latency: 'ns' },
  // trace_hwlat.c measures in ns and reports µs.
  'ftrace:hwlat': { duration: 'µs', outer_duration: 'µs', nmi_total_ts: 'ns' },
  'timer:hrtimer_start': { expires: 'ns', softexpires: 'ns' },
  'timer:hrtimer_expire_entry': { now: 'ns' },
  'timer:timer_start': { expires: 'jiffies' },
  'timer:timer_expire_entry': { now: 'jiffies', baseclk: 'jiffies' },
  'power:cpu_frequency': { state: 'kHz' },
  'power:cpu_frequency_limits': { min_freq: 'kHz', max_freq: 'kHz' },
  'oom:mark_victim': fields('KiB', 'total_vm anon_rss file_rss shmem_rss pgtables'),
};

/** By system, for fields that mean the same in all its events. */
const bySystem: Record<string, FieldUnits> = {
  writeback: {
    ...fields('pages', 'nr_pages pages nr_to_write pages_skipped wrote'),
    dirtied_when: 'jiffies',
    range_start: 'B',
    range_end: 'B',
  },
  vmscan: fields(
    'pages',
    'nr_reclaimed nr_requested nr_scanned nr_skipped nr_taken nr_dirty nr_writeback nr_congested nr_immediate ' +
      'nr_activate nr_activate0 nr_activate1 nr_activate_anon nr_activate_file nr_ref_keep nr_unmap_fail nr_active ' +
      'nr_deactivated nr_rotated nr_referenced nr_demoted',
  ),
  block: { ...fields('sectors', 'nr_sector nr_sectors sector old_sector new_sector'), bytes: 'B', size: 'B' },
  compaction: fields('pages', 'nr_scanned nr_taken nr_migrated nr_failed'),
  migrate: fields('pages', 'succeeded failed'),
  kmem: fields('B', 'bytes_req bytes_alloc'),
  net: fields('B', 'len data_len truesize gso_size'),
};

/** Rules on names, first match wins; for integers only. */
const nameRules: [RegExp, string][] = [
  [/^(?:pid|user|mnt|net|ipc|uts|cgroup)_ns$/, ''], // namespaces
  [/(?:^|_)(?:ns|nsecs?|nanoseconds)$|^nsecs?_/, 'ns'],
  [/(?:^|_)(?:us|usecs?|microseconds)$|^usecs?_/, 'µs'],
  [/(?:^|_)(?:ms|msecs?|milliseconds)$|^msecs?_/, 'ms'],
  [/(?:^|_)jiffies$/, 'jiffies'],
  [/(?:^|_)bytes$|^(?:nr_)?bytes_/, 'B'],
  [/_(?:kb|kib)$/, 'KiB'],
  [/(?:^|_)(?:nr_pages|npages|pages|nrpages)$|^pages_/, 'pages'],
  [/^nr_sectors?$|^sectors$/, 'sectors'],
  [/_khz$/, 'kHz'],
  [/_mhz$/, 'MHz'],
  [/_hz$/, 'Hz'],
  [/^nr_/, 'count'],
];

/** What C types say: `loff_t` is a file position and `ktime_t` ns; a `size_t` with one of these names is a length. */
const lengthNames = new Set(['count', 'len', 'size', 'length', 'nbytes', 'bytes']);

/** Names come from recordings: `constructor` must not find what every object has. */
const own = <T>(record: Record<string, T> | undefined, key: string): T | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;

/**
 * Key of the unit (shared/units.ts) of a field's value, empty where it is a bare number, an identifier or no number.
 * `declaration` is the C type as the format text has it; arrays, strings and pointers have no unit.
 */
export function fieldUnit(system: string, event: string, field: string, declaration: string): string {
  if (/[*[]/.test(declaration) || /^(?:struct|union|const char|bool)\b/.test(declaration)) return '';
  if (field.startsWith('common_')) return '';
  const known = own(own(byEvent, `${system}:${event}`), field) ?? own(own(bySystem, system), field);
  if (known !== undefined) return known;
  for (const [pattern, unit] of nameRules) if (pattern.test(field)) return unit;
  if (/\bktime_t$/.test(declaration)) return 'ns';
  if (/\bloff_t$/.test(declaration)) return 'B';
  if (/\bsize_t$/.test(declaration) && lengthNames.has(field)) return 'B';
  return '';
}
