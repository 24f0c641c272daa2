import { describe, expect, test } from 'vitest';
import { newTextBody, readBody } from '../../../electron/parse/text-trace/body.ts';
import { ALL_FORMS, readLine } from '../../../electron/parse/text-trace/forms.ts';
import { newTraceLine } from '../../../electron/parse/text-trace/line.ts';

interface Expected {
  form: string;
  comm: string;
  pid: number;
  tgid?: number;
  cpu: number;
  flags: string;
  ns: bigint;
  time?: string;
  stream?: string;
  /** How the event's name follows, and where it stands as it is, the name. */
  name: string;
  info: string;
}

function parse(text: string, infoColumn = 0): Expected | null {
  // Something follows every line of a file: nothing may be read of it.
  const bytes = Buffer.from(`${text}\n-1 [000] 9.9: x: y`, 'utf8');
  const to = Buffer.byteLength(text);
  const line = newTraceLine();
  if (!readLine(bytes, 0, to, ALL_FORMS, line)) return null;
  const body = newTextBody();
  readBody(bytes, line, infoColumn, body);
  const piece = (from: number, end: number): string => bytes.subarray(from, end).toString('utf8');
  const own = body.naming === 'fixed' ? body.fixed : piece(body.nameFrom, body.nameTo);
  return {
    form: line.form,
    comm: piece(line.commFrom, line.commTo),
    pid: line.pid,
    ...(line.tgid >= 0 ? { tgid: line.tgid } : {}),
    cpu: line.cpu,
    flags: piece(line.flagsFrom, line.flagsTo),
    ns: BigInt(line.seconds) * 1_000_000_000n + BigInt(line.nanoseconds),
    ...(line.time === 'seconds' ? {} : { time: line.time }),
    ...(line.streamTo > line.streamFrom ? { stream: piece(line.streamFrom, line.streamTo) } : {}),
    name:
      body.naming === 'as-is' || body.naming === 'fixed'
        ? own
        : `${body.naming} ${body.naming === 'tracer' ? '' : own}`.trim(),
    info: piece(body.infoFrom, body.infoTo),
  };
}

describe('the default form', () => {
  const base = {
    form: 'default',
    cpu: 1,
    flags: 'd..2.',
    ns: 5_409_161_834_000n,
    name: 'sched_waking',
    info: 'comm=a pid=1',
  };
  const rest = '[001] d..2.  5409.161834: sched_waking: comm=a pid=1';

  test.each<[string, string, Partial<Expected>]>([
    ['of the kernel', `            bash-7325    ${rest}`, { comm: 'bash', pid: 7325 }],
    ['with a tgid', `            bash-7325    (   7320) ${rest}`, { comm: 'bash', pid: 7325, tgid: 7320 }],
    ['with a tgid that is not known', `            bash-7325    (-----) ${rest}`, { comm: 'bash', pid: 7325 }],
    [
      'with the tgid behind the CPU',
      '            bash-7325  [001] ( 7320) d..2.  5409.161834: sched_waking: comm=a pid=1',
      { comm: 'bash', pid: 7325, tgid: 7320 },
    ],
    ['a comm with a dash and digits', `     ksoftirqd-1-7325    ${rest}`, { comm: 'ksoftirqd-1', pid: 7325 }],
    ['a comm with spaces', ` npm exec vitest-7325    ${rest}`, { comm: 'npm exec vitest', pid: 7325 }],
    ['a comm that looks like the rest', ` x-12 [003] 7.1:-7325    ${rest}`, { comm: 'x-12 [003] 7.1:', pid: 7325 }],
    ['a comm of brackets', `        (sd-pam)-7325    ${rest}`, { comm: '(sd-pam)', pid: 7325 }],
    ['a comm of 16 bytes', `a-very-long-comm-7325    ${rest}`, { comm: 'a-very-long-comm', pid: 7325 }],
    ['a forgotten comm', `           <...>-7325    ${rest}`, { comm: '<...>', pid: 7325 }],
    ['the idle task', `          <idle>-0       ${rest}`, { comm: '<idle>', pid: 0 }],
    ['a comm that was not padded', `dd-7325  ${rest}`, { comm: 'dd', pid: 7325 }],
    ['a long pid', `             fio-4194303 ${rest}`, { comm: 'fio', pid: 4194303 }],
    ['a comm in UTF-8', `         žluťou-7325    ${rest}`, { comm: 'žluťou', pid: 7325 }],
  ])('%s', (_what, line, expected) => {
    expect(parse(line)).toEqual({ ...base, ...expected });
  });

  test.each<[string, string, Partial<Expected>]>([
    ['none', '            bash-7325  [001]  5409.161834: sched_waking: comm=a pid=1', { flags: '' }],
    ['four', '            bash-7325  [001] d..2  5409.161834: sched_waking: comm=a pid=1', { flags: 'd..2' }],
    ['seven', '            bash-7325  [001] dNLh210  5409.161834: sched_waking: comm=a pid=1', { flags: 'dNLh210' }],
    ['as a number', '            bash-7325  [001]-0x25  5409.161834: sched_waking: comm=a pid=1', { flags: '-0x25' }],
  ])('flags: %s', (_what, line, expected) => {
    expect(parse(line)).toEqual({ ...base, comm: 'bash', pid: 7325, ...expected });
  });

  test.each<[string, string, Partial<Expected>]>([
    ['ns', '            bash-7325  [001] d..2. 5409.161834567: sched_waking: comm=a pid=1', { ns: 5_409_161_834_567n }],
    [
      'the wall clock',
      '            bash-7325  [001] d..2. 1795239668.951806: sched_waking: comm=a pid=1',
      { ns: 1_795_239_668_951_806_000n },
    ],
    [
      'a count',
      '            bash-7325  [001] d..2.           42: sched_waking: comm=a pid=1',
      { ns: 42n, time: 'count' },
    ],
    [
      'a count that the flags touch',
      '            bash-7325  [001] d..2.2993423147485: sched_waking: comm=a pid=1',
      { ns: 2_993_423_147_485n, time: 'count' },
    ],
    [
      'a count that the bracket touches',
      '            bash-7325  [001]2993423147485: sched_waking: comm=a pid=1',
      { ns: 2_993_423_147_485n, time: 'count', flags: '' },
    ],
    [
      '64 bits',
      '            bash-7325  [001] d..2. 18446744073709551615: sched_waking: comm=a pid=1',
      { ns: 18_446_744_073_709_551_615n, time: 'count' },
    ],
  ])('time: %s', (_what, line, expected) => {
    expect(parse(line)).toEqual({ ...base, comm: 'bash', pid: 7325, ...expected });
  });

  test('of a report: the name is padded, the stream stands before', () => {
    const line = 'sys:          load.sh-12357 [000] .....  2979.839350: sys_exit:             NR 1 = 1';
    expect(parse(line, 22)).toEqual({
      form: 'default',
      comm: 'load.sh',
      pid: 12357,
      cpu: 0,
      flags: '.....',
      ns: 2_979_839_350_000n,
      stream: 'sys',
      name: 'sys_exit',
      info: 'NR 1 = 1',
    });
    expect(parse('       trace-cmd-22421 [001]  4119.357245: (+170)   sched_stat_runtime:   comm=a', 22)).toMatchObject(
      { name: 'sched_stat_runtime', info: 'comm=a' },
    );
    // What is behind the column is the event's own, indentation too.
    expect(parse('       trace-cmd-22421 [001]  4119.357245: function:                ext4_getblk', 22)).toMatchObject({
      name: 'function',
      info: '   ext4_getblk',
    });
  });

  test.each([
    '',
    'CPU:1 [LOST 975 EVENTS]',
    ' => do_syscall_64',
    '[UNKNOWN EVENT][UNKNOWN EVENT][UNKNOWN EVENT] (NULL):               [UNKNOWN EVENT]',
    '            bash-7325    [001] d..2.  5409.161834',
    '            bash-7325    [001] d..2.  5409.',
    '            bash-7325    [001',
    '            bash-',
    '            bash-7325    [999999] d..2.  5409.161834: x: y',
    '            bash-12345678901 [001] d..2.  5409.161834: x: y',
    '            bash-7325    [001]-0x12993423147485: sched_waking: comm=a',
    'a line of words - 12 of them [or so] 1.5: more',
  ])('not %j', (line) => {
    expect(parse(line)).toBeNull();
  });
});

describe('the latency form', () => {
  const base = {
    form: 'latency',
    comm: 'trace-cm',
    pid: 22421,
    cpu: 1,
    flags: 'd..2.',
    ns: 36_507_000n,
    name: 'sched_switch',
    info: 'a=1',
  };
  test.each<[string, string, Partial<Expected>]>([
    ['of the kernel', 'trace-cm-22421     1d..2. 36507us : sched_switch: a=1', {}],
    ['a mark', 'trace-cm-22421     1d..2. 36507us!: sched_switch: a=1', {}],
    ['a comm of eight with a dash', 'a-1 b-2 -22421     1d..2. 36507us!: sched_switch: a=1', { comm: 'a-1 b-2 ' }],
    [
      'an older one',
      '  <idle>-0     0d.s3    1us+: sched_switch: a=1',
      { comm: '<idle>', pid: 0, cpu: 0, flags: 'd.s3', ns: 1000n },
    ],
    ['of a clock that is not in ns', 'trace-cm-22421     1d..2.   42 : sched_switch: a=1', { ns: 42n, time: 'count' }],
    ['of a report', 'trace-cm-22421   1d..2.  4119.357245: sched_switch: a=1', { ns: 4_119_357_245_000n }],
    ['in the kernel’s log', '[  215.943102] trace-cm-22421     1d..2. 36507us : sched_switch: a=1', {}],
    [
      'seven flags',
      '    bash-221       0dNLh410 3069us!: sched_switch: a=1',
      { comm: 'bash', pid: 221, cpu: 0, flags: 'dNLh410', ns: 3_069_000n },
    ],
  ])('%s', (_what, line, expected) => {
    expect(parse(line)).toEqual({ ...base, ...expected });
  });
});

describe('the rare forms', () => {
  test.each<[string, Partial<Expected>]>([
    [
      ' 1) ! 100.598 us  |  vfs_open();',
      { form: 'graph', cpu: 1, pid: -1, time: 'none', name: 'funcgraph_entry', info: '! 100.598 us  |  vfs_open();' },
    ],
    [' 1)               |  vfs_fstatat() {', { form: 'graph', cpu: 1, name: 'funcgraph_entry' }],
    [' 0)   1.102 us    |                    } /* inat */', { form: 'graph', cpu: 0, name: 'funcgraph_exit' }],
    [
      '  192.918503 |   1)   1.102 us    |   }',
      { form: 'graph', cpu: 1, ns: 192_918_503_000n, name: 'funcgraph_exit' },
    ],
    [
      ' 1)   run.sh-169   |   6.061 us    |          }',
      { form: 'graph', comm: 'run.sh', pid: 169, name: 'funcgraph_exit' },
    ],
    [' 1)  ...1. | + 24.636 us   |  vfs_open();', { form: 'graph', flags: '...1.', name: 'funcgraph_entry' }],
    [
      ' 0)               |  /* sched_switch: prev_comm=a prev_pid=1 */',
      { form: 'graph', name: 'sched_switch', info: 'prev_comm=a prev_pid=1' },
    ],
    [' 0)   cat-12       =>    bash-34  ', { form: 'graph', cpu: 0, name: 'context_switch' }],
    [' 0)   ==========> |', { form: 'graph', name: 'funcgraph_interrupt' }],
    [
      '            bash   22667   0 0 00000000 00000005 [e52c2d92] 15.256ms (+0.098ms): foo: a=1',
      { form: 'verbose', comm: 'bash', pid: 22667, cpu: 0, ns: 3_844_877_714_000n, name: 'foo', info: 'a=1' },
    ],
    [
      '22421 1 4119357074608 type: 369',
      { form: 'raw', pid: 22421, cpu: 1, ns: 4_119_357_074_608n, time: 'count', name: 'number 369' },
    ],
    [
      '00005795 00000001 000003bf1cd0acb0 type: 369',
      { form: 'hex', pid: 22421, cpu: 1, ns: 4_119_357_074_608n, name: 'number 369' },
    ],
  ])('%s', (line, expected) => {
    expect(parse(line)).toMatchObject(expected);
  });
});

describe('what an event is', () => {
  const head = '            bash-7325    [001] d..2.  5409.161834: ';
  test.each<[string, string, string]>([
    ['tracing_mark_write: B|1|a', 'print', 'tracing_mark_write: B|1|a'],
    ['0: B|1|a', 'print', '0: B|1|a'],
    ['foo.isra.0: hello', 'foo.isra.0', 'hello'],
    ['vfs_read <-ksys_read', 'function', 'vfs_read <-ksys_read'],
    ['vfs_read(file=0x1, n=2) <-ksys_read', 'function', 'vfs_read(file=0x1, n=2) <-ksys_read'],
    ['<stack trace>', 'kernel_stack', '<stack trace>'],
    ['<user stack trace>', 'user_stack', '<user stack trace>'],
    [
      'sys_openat(dfd: 0xffffff9c, filename: 0x1)',
      'syscall-entry sys_openat',
      'sys_openat(dfd: 0xffffff9c, filename: 0x1)',
    ],
    ['sys_openat -> 0x3', 'syscall-exit sys_openat', 'sys_openat -> 0x3'],
    ['     319:120:R   + [000]      22: 98:R rcuc/0', 'wakeup', '     319:120:R   + [000]      22: 98:R rcuc/0'],
    [
      '     319:120:R ==> [000]      22: 98:R rcuc/0',
      'context_switch',
      '     319:120:R ==> [000]      22: 98:R rcuc/0',
    ],
    ['# 1 buf: de ad', 'raw_data', '# 1 buf: de ad'],
    ['  7,0    Q  RM 15766 + 2 [dd]', 'tracer', '  7,0    Q  RM 15766 + 2 [dd]'],
    ['#1     context    irq timer_latency    109678 ns', 'tracer', '#1     context    irq timer_latency    109678 ns'],
    ['sys_enter_getpid:', 'sys_enter_getpid', ''],
  ])('%s', (body, name, info) => {
    expect(parse(head + body)).toMatchObject({ name, info });
  });
});
