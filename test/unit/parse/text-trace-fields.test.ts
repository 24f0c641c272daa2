import { describe, expect, test } from 'vitest';
import { bigintReader, numberReader, textReader } from '../../../electron/parse/field-access.ts';
import { decodeText, fieldValues } from '../../decode-text.ts';

const abi = { littleEndian: true, longBytes: 8 } as const;

/** A text of one event whose lines say the given things. */
function textOf(event: string, ...infos: string[]): string {
  return infos.map((info, i) => `            bash-7325    [000] d..2. 1.00000${i}: ${event}: ${info}\n`).join('');
}

function fieldsOf(event: string, ...infos: string[]): Record<string, string> {
  const format = decodeText(textOf(event, ...infos))?.head.formats.find(({ name }) => name === event);
  return Object.fromEntries((format?.fields ?? []).map(({ name, declaration }) => [name, declaration]));
}

function numbers(event: string, field: string, ...infos: string[]): number[] {
  const text = textOf(event, ...infos);
  const decoded = decodeText(text);
  if (decoded === null) throw new Error('not ftrace text');
  return fieldValues(decoded, text, event, field, (format) => numberReader(format, abi));
}

function texts(event: string, field: string, ...infos: string[]): string[] {
  const text = textOf(event, ...infos);
  const decoded = decodeText(text);
  if (decoded === null) throw new Error('not ftrace text');
  return fieldValues(decoded, text, event, field, (format) => textReader(format, abi));
}

describe('fields of key=value lists', () => {
  test('are all that any line has, numbers where every line has one', () => {
    expect(fieldsOf('foo', 'a=1 b=x', 'a=2 b=3 c=0x10', 'a=-3 b=4')).toEqual({ a: 'number', b: 'text', c: 'number' });
    expect(numbers('foo', 'c', 'a=1 b=x', 'a=2 b=3 c=0x10', 'a=-3 b=4')).toEqual([Number.NaN, 16, Number.NaN]);
    expect(numbers('foo', 'a', 'a=1', 'a=-3', 'a=2.5', 'a=0x1f', 'a=(nil)', 'a=  7', 'a=4096B')).toEqual([
      1, -3, 2.5, 31, 0, 7, 4096,
    ]);
    expect(texts('foo', 'b', 'a=1 b=x', 'a=2 b=3')).toEqual(['x', '3']);
  });

  test('a key is a word of its own: pause is not dirtied_pause', () => {
    expect(numbers('foo', 'pause', 'dirtied_pause=32 paused=0 pause=-4')).toEqual([-4]);
    expect(numbers('foo', 'bar', 'foo-bar=1 bar=2', 'xbar=3 bar=4')).toEqual([2, 4]);
  });

  test('a text reaches to the next key', () => {
    const lines = ['comm=npm exec vitest pid=12', 'comm=<...> pid=1', 'comm= pid=2', 'comm=a=b pid=3', 'comm=x'];
    expect(texts('foo', 'comm', ...lines)).toEqual(['npm exec vitest', '<...>', '', 'a=b', 'x']);
    expect(texts('foo', 'name', 'irq=1 name=virtio1-req.0, n=2', 'irq=1 name=a b; n=3')).toEqual([
      'virtio1-req.0',
      'a b',
    ]);
    expect(texts('foo', 'action', 'vec=1 [action=TIMER]', 'vec=1 [action=RCU]')).toEqual(['TIMER', 'RCU']);
    expect(texts('foo', 'str', '(1) str="a b=c, d" n=2', '(1) str="" n=2')).toEqual(['a b=c, d', '']);
  });

  test('numbers beyond 2^53 are exact as text', () => {
    const text = textOf('foo', 'dirty=18446744073709513951', 'dirty=1', 'dirty=-9223372036854775808');
    const decoded = decodeText(text);
    if (decoded === null) throw new Error('not ftrace text');
    expect(fieldValues(decoded, text, 'foo', 'dirty', (format) => bigintReader(format, abi))).toEqual([
      18_446_744_073_709_513_951n,
      1n,
      -9_223_372_036_854_775_808n,
    ]);
    expect(fieldValues(decoded, text, 'foo', 'dirty', (format) => textReader(format, abi))[0]).toBe(
      '18446744073709513951',
    );
  });

  test('hexadecimal without 0x, octal modes, devices', () => {
    expect(numbers('foo', 'ip', 'ip=ffffffff81001000 n=1', 'ip=0000000000001000 n=2')).toEqual([
      0xffffffff81001000, 0x1000,
    ]);
    expect(fieldsOf('foo', 'name=deadbeef', 'name=fade')).toEqual({ name: 'text' });
    expect(numbers('foo', 'mode', 'mode=0100644', 'mode=0100755')).toEqual([0o100644, 0o100755]);
    expect(numbers('foo', 'cpu', 'cpu=000', 'cpu=011')).toEqual([0, 11]);
    expect(numbers('foo', 'dev', 'dev=254:0 x=1', 'dev=7:1 x=1')).toEqual([254 * 2 ** 20, 7 * 2 ** 20 + 1]);
    expect(fieldsOf('foo', 'range=1:2')).toEqual({ range: 'text' });
  });

  test('numbers beyond all measure are no error', () => {
    const lines = ['n=99999999999999999999999.5', 'n=-0x5', 'n=0xffffffffffffffffffff', 'n=99999999999999999999999'];
    const text = textOf('foo', ...lines);
    const decoded = decodeText(text);
    if (decoded === null) throw new Error('not ftrace text');
    expect(fieldValues(decoded, text, 'foo', 'n', (format) => bigintReader(format, abi))).toEqual([
      null,
      null,
      0xffffffffffffffffffffn,
      99_999_999_999_999_999_999_999n,
    ]);
  });

  test('names are those of C', () => {
    expect(fieldsOf('foo', 'total-vm=90408kB a.b=1')).toEqual({ total_vm: 'number', a_b: 'number' });
  });
});

describe('fields without =', () => {
  test('words with a number behind them, where every line has them', () => {
    expect(fieldsOf('ext4_foo', 'dev 254,0 ino 12 pos 0 len 61', 'dev 254,0 ino 13 pos 5 len 6')).toEqual({
      dev: 'device number',
      ino: 'number',
      pos: 'number',
      len: 'number',
    });
    expect(numbers('ext4_foo', 'len', 'dev 254,0 ino 12 len 61', 'dev 254,0 ino 13 len 6')).toEqual([61, 6]);
    expect(fieldsOf('sys_enter_mmap', 'addr: 0x00000000, len: 0x00002000', 'addr: 0x7f, len: 0x1')).toEqual({
      addr: 'number',
      len: 'number',
    });
    expect(fieldsOf('foo', 'cpu 1 is up', 'is cpu down')).toEqual({});
  });
});

describe('texts that are known', () => {
  const kernel =
    'prev_comm=npm exec prev_pid=22 prev_prio=120 prev_state=R+ ==> next_comm=a b next_pid=33 next_prio=98';
  const report = 'npm exec:22 [120] S ==> kworker/u9:0:33 [98]';
  const raw = 'prev_comm=npm exec prev_pid=22 prev_prio=120 prev_state=1 next_comm=a b next_pid=33 next_prio=98';

  test('sched_switch of the kernel, of a report, and raw', () => {
    const lines = [kernel, report, raw];
    expect(texts('sched_switch', 'prev_comm', ...lines)).toEqual(['npm exec', 'npm exec', 'npm exec']);
    expect(texts('sched_switch', 'next_comm', ...lines)).toEqual(['a b', 'kworker/u9:0', 'a b']);
    expect(numbers('sched_switch', 'prev_pid', ...lines)).toEqual([22, 22, 22]);
    expect(numbers('sched_switch', 'next_pid', ...lines)).toEqual([33, 33, 33]);
    expect(numbers('sched_switch', 'next_prio', ...lines)).toEqual([98, 98, 98]);
    expect(numbers('sched_switch', 'prev_state', ...lines)).toEqual([256, 1, 1]);
    expect(numbers('sched_switch', 'prev_state', kernel.replace('R+', 'D|K'), kernel.replace('R+', 'I'))).toEqual([
      2, 128,
    ]);
  });

  test('sched_switch with the option fields', () => {
    const line =
      'prev_comm=bash prev_pid=0x5cc1 (23745) prev_prio=0x78 (120) prev_state=0x100 (256) next_comm=rcu_preempt next_pid=0xf (15) next_prio=0x78 (120)';
    expect(numbers('sched_switch', 'prev_pid', line)).toEqual([23745]);
    expect(numbers('sched_switch', 'prev_state', line)).toEqual([256]);
    expect(texts('sched_switch', 'next_comm', line)).toEqual(['rcu_preempt']);
  });

  test('balance_dirty_pages names its device before a colon', () => {
    const line =
      'bdi 8:0: limit=234545 setpoint=204851 dirty=18446744073709513951 bdi_setpoint=184364 pause=136 think=-7 cgroup=/';
    expect(
      texts('balance_dirty_pages', 'bdi', line, line.replace('8:0', '(unknown)'), line.replace('8:0', 'btrfs-1')),
    ).toEqual(['8:0', '(unknown)', 'btrfs-1']);
    expect(numbers('balance_dirty_pages', 'limit', line)).toEqual([234545]);
    expect(numbers('balance_dirty_pages', 'think', line)).toEqual([-7]);
    expect(texts('balance_dirty_pages', 'cgroup', line)).toEqual(['/']);
    expect(texts('balance_dirty_pages', 'bdi', line.replace('bdi 8:0: ', 'bdi=8:0 '))).toEqual(['8:0']);
  });

  test('fields have the names of the event’s format', () => {
    expect(
      Object.keys(
        fieldsOf('global_dirty_state', 'dirty=1 writeback=0 bg_thresh=10 thresh=20 limit=10 dirtied=5 written=4'),
      ),
    ).toEqual([
      'nr_dirty',
      'nr_writeback',
      'background_thresh',
      'dirty_thresh',
      'dirty_limit',
      'nr_dirtied',
      'nr_written',
    ]);
  });

  test('block requests, their completions, and system calls', () => {
    const issue = '254,0 WS 4096 () 170127568 + 8 be,0,4 [npm exec vitest]';
    expect(numbers('block_rq_issue', 'sector', issue)).toEqual([170127568]);
    expect(numbers('block_rq_issue', 'dev', issue)).toEqual([254 * 2 ** 20]);
    expect(texts('block_rq_issue', 'comm', issue)).toEqual(['npm exec vitest']);
    expect(
      numbers('block_rq_complete', 'error', '7,1 WM () 59456 + 32 0x2,0,4 [0]', '7,1 WM () 59456 + 32 [-5]'),
    ).toEqual([0, -5]);
    expect(numbers('sys_exit', 'ret', 'NR 1 = -110', 'NR 1 = 3')).toEqual([-110, 3]);
    expect(numbers('sys_exit_read', 'ret', '0xfffffffffffffffe', '0x340')).toEqual([-2, 0x340]);
  });
});
