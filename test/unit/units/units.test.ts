import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allUnits,
  conversionFactor,
  convert,
  dimensionOf,
  fieldUnit,
  findUnit,
  formatNumber,
  formatReadable,
  formatValue,
  ratePerSecond,
  readableUnit,
  unitsOfSameDimension,
} from '../../../shared/units.ts';

const page4k = { memoryPageBytes: 4096 };

describe('conversion', () => {
  it('uses the page size of the traced machine', () => {
    expect(convert(256, 'pages', 'MiB', page4k)).toBe(1);
    expect(convert(256, 'pages', 'MiB', { memoryPageBytes: 65536 })).toBe(16);
    expect(convert(1, 'pages/s', 'KiB/s', page4k)).toBe(4);
  });
  it('knows a sector as 512 bytes', () => expect(convert(2048, 'sectors', 'MiB', page4k)).toBe(1));
  it('tells decimal from binary multiples', () => {
    expect(convert(1, 'MB', 'B', page4k)).toBe(1e6);
    expect(convert(1, 'MiB', 'B', page4k)).toBe(1048576);
  });
  it('converts time and ratios', () => {
    expect(convert(1500, 'µs', 'ms', page4k)).toBe(1.5);
    expect(convert(0.25, 'ratio', '%', page4k)).toBe(25);
  });
  it('refuses another dimension and says what is possible', () => {
    expect(() => convert(1, 'ms', 'pages', page4k)).toThrow(/ms cannot be shown in pages; possible: ns, µs/);
    expect(() => convert(1, '', 'pages', page4k)).toThrow(/bare number/);
    expect(() => convert(1, 'jiffies', 'ms', page4k)).toThrow(/possible: jiffies/);
  });
  it('passes a unit it does not know through unchanged', () => {
    expect(convert(7, '', '', page4k)).toBe(7);
    expect(convert(7, 'widgets', 'widgets', page4k)).toBe(7);
  });
  it('comes back to where it started, for any two units of a dimension', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...allUnits),
        fc.nat(),
        fc.double({ noNaN: true, min: -1e12, max: 1e12 }),
        (from, pick, value) => {
          const others = unitsOfSameDimension(from);
          const to = others[pick % others.length];
          expect(dimensionOf(to)).toBe(dimensionOf(from));
          const there = value * conversionFactor(from, to, page4k);
          expect(convert(there, to, from, page4k)).toBeCloseTo(value, 3);
        },
      ),
    );
  });
});

describe('names', () => {
  it.each([
    ['us', 'µs'],
    ['\u03bcs', 'µs'],
    ['mib', 'MiB'],
    ['MIB/S', 'MiB/s'],
    ['KiBps', 'KiB/s'],
    ['page', 'pages'],
    [' ms ', 'ms'],
    ['percent', '%'],
  ])('finds %j as %s', (text, unit) => expect(findUnit(text)).toBe(unit));
  it('finds nothing else', () => {
    for (const text of ['', 'furlong', 'constructor', '__proto__']) expect(findUnit(text)).toBeNull();
    expect(dimensionOf('toString')).toBeNull();
  });
  it('offers the units of the same dimension, itself included', () => {
    expect(unitsOfSameDimension('pages')).toContain('MiB');
    expect(unitsOfSameDimension('pages')).toContain('pages');
    expect(unitsOfSameDimension('pages')).not.toContain('MiB/s');
    expect(unitsOfSameDimension('')).toEqual([]);
  });
  it('names the unit of a rate', () => {
    expect(ratePerSecond('pages')).toBe('pages/s');
    expect(ratePerSecond('count')).toBe('1/s');
    expect(ratePerSecond('ms')).toBe('');
    expect(ratePerSecond('')).toBe('');
  });
});

describe('text', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [19869, '19869'],
    [1048576, '1048576'],
    [9007199254740991, '9007199254740991'],
    [-4294824915, '-4294824915'],
    [1.0742, '1.074'],
    [0.5, '0.5'],
    [20318.4, '20318'],
    [-Math.PI, '-3.142'],
    [0.00025, '0.00025'],
    [0.0000025, '2.5e-6'],
    [18446744073709552000, '18.45e18'],
    [Number.POSITIVE_INFINITY, '∞'],
    [Number.NaN, 'NaN'],
  ])('%d prints as %s', (value, text) => expect(formatNumber(value)).toBe(text));
  it('groups thousands only when asked', () => {
    expect(formatNumber(1234567, { grouping: true })).toBe('1,234,567');
    expect(formatNumber(1234.5, { grouping: true, significant: 5 })).toBe('1,234.5');
  });
  it('keeps integers exact and other numbers close', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(Number(formatNumber(value))).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e300, max: 1e300 }), (value) => {
        expect(Math.abs(Number(formatNumber(value)) - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-3);
      }),
    );
  });
  it('adds the unit, except to counts and ratios', () => {
    expect(formatValue(19869, 'pages')).toBe('19869 pages');
    expect(formatValue(0.5, 'ratio')).toBe('0.5');
    expect(formatValue(50, '%')).toBe('50 %');
    expect(formatValue(12, '')).toBe('12');
  });
  it('scales to the unit that reads best', () => {
    expect(formatReadable(40_800_000, 'ns')).toBe('40.8 ms');
    expect(formatReadable(102400, 'KiB/s')).toBe('100 MiB/s');
    expect(formatReadable(1024, 'B')).toBe('1 KiB');
    expect(formatReadable(999_999, 'ns')).toBe('1000 µs');
    expect(formatReadable(1_000_000, 'ns')).toBe('1 ms');
    expect(formatReadable(3, 'GiB')).toBe('3 GiB');
    expect(formatReadable(0, 'KiB')).toBe('0 KiB');
    expect(formatReadable(19869, 'pages')).toBe('19869 pages');
    expect(readableUnit(0.25, 'ns')).toBe('ns');
  });
});

describe('fieldUnit', () => {
  it.each([
    ['writeback', 'balance_dirty_pages', 'limit', 'unsigned long', 'pages'],
    ['writeback', 'balance_dirty_pages', 'bdi_setpoint', 'unsigned long', 'pages'],
    ['writeback', 'balance_dirty_pages', 'wb_dirty', 'unsigned long', 'pages'],
    ['writeback', 'balance_dirty_pages', 'task_ratelimit', 'unsigned long', 'KiB/s'],
    ['writeback', 'balance_dirty_pages', 'pause', 'long', 'ms'],
    ['writeback', 'balance_dirty_pages', 'cgroup_ino', 'ino_t', ''],
    ['writeback', 'balance_dirty_pages', 'bdi', 'char[32]', ''],
    ['writeback', 'balance_dirty_pages', 'common_pid', 'int', ''],
    ['writeback', 'global_dirty_state', 'nr_unstable', 'unsigned long', 'pages'],
    ['writeback', 'bdi_dirty_ratelimit', 'write_bw', 'unsigned long', 'KiB/s'],
    ['writeback', 'writeback_written', 'nr_pages', 'long', 'pages'],
    ['vmscan', 'mm_vmscan_direct_reclaim_end', 'nr_reclaimed', 'unsigned long', 'pages'],
    ['vmscan', 'mm_vmscan_throttled', 'usec_delayed', 'int', 'µs'],
    ['vmscan', 'mm_vmscan_kswapd_wake', 'nid', 'int', ''],
    ['block', 'block_rq_issue', 'bytes', 'unsigned int', 'B'],
    ['block', 'block_rq_issue', 'nr_sector', 'unsigned int', 'sectors'],
    ['sched', 'sched_stat_runtime', 'runtime', 'u64', 'ns'],
    ['sched', 'sched_stat_iowait', 'delay', 'u64', 'ns'],
    ['sched', 'sched_switch', 'prev_state', 'long', ''],
    ['syscalls', 'sys_enter_write', 'count', 'size_t', 'B'],
    ['syscalls', 'sys_enter_write', 'buf', 'const char *', ''],
    ['ext4', 'ext4_da_write_begin', 'pos', 'loff_t', 'B'],
    ['mydrv', 'my_event', 'latency_ns', 'u64', 'ns'],
    ['mydrv', 'my_event', 'wait_us', 'u32', 'µs'],
    ['mydrv', 'my_event', 'rx_bytes', 'u32', 'B'],
    ['mydrv', 'my_event', 'nr_items', 'u32', 'count'],
    ['mydrv', 'my_event', 'status', 'int', ''],
    ['mydrv', 'my_event', 'pid_ns', 'unsigned int', ''],
    ['mydrv', 'my_event', 'hist_ns', 'u64[8]', ''],
    ['mydrv', 'constructor', 'toString', 'u64', ''],
    ['writeback', 'balance_dirty_pages', 'toString', 'u64', ''],
    ['constructor', 'event', 'name', 'u64', ''],
  ])('%s:%s.%s', (system, event, field, declaration, unit) =>
    expect(fieldUnit(system, event, field, declaration)).toBe(unit),
  );
});
