import { describe, expect, test } from 'vitest';
import { type DecodedText, decodeText } from '../../decode-text.ts';

const HEADER = `# tracer: nop
#
# entries-in-buffer/entries-written: 4/4   #P:2
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`;
const event = (time: string, text: string, cpu = 0): string =>
  `            bash-7325    [00${cpu}] d..2. ${time}: ${text}\n`;
const names = ({ events }: DecodedText): string[] => events.map(({ name }) => name);
const decode = (text: string | Uint8Array, batchBytes?: number): DecodedText => {
  const decoded = decodeText(text, batchBytes);
  if (decoded === null) throw new Error('not ftrace text');
  return decoded;
};

describe('lines that belong to the event above', () => {
  test('the frames of a stack', () => {
    const { events, survey } = decode(
      `${HEADER}${event('1.000001', '<stack trace>')} => ftrace_syscall_enter\n => do_syscall_64\n${event('1.000002', 'sched_waking: comm=a')}`,
    );
    expect(events.map(({ name, info }) => [name, info])).toEqual([
      ['kernel_stack', '<stack trace>\n => ftrace_syscall_enter\n => do_syscall_64'],
      ['sched_waking', 'comm=a'],
    ]);
    expect(survey.warnings).toEqual([]);
  });

  test('what was written into a marker, blank lines and lines with # included', () => {
    const marker = 'tracing_mark_write: three\n\n# lines\n: of them\n';
    const { events } = decode(`${HEADER}${event('1.000001', marker)}${event('1.000002', 'sched_waking: comm=a')}`);
    expect(events.map(({ info }) => info)).toEqual(['tracing_mark_write: three\n\n# lines\n: of them\n', 'comm=a']);
  });

  test('the rest of a string with a newline in it', () => {
    const { events } = decode(
      `${HEADER}${event('1.000001', 'libc_write: (1) str="line 1\nline 2" n=3')}${event('1.000002', 'libc_write: (1) str="a"')}`,
    );
    expect(events.map(({ info }) => info)).toEqual(['(1) str="line 1\nline 2" n=3', '(1) str="a"']);
  });

  test('a header ends a marker: the text of another trace follows', () => {
    const { events } = decode(
      `${HEADER}${event('1.000001', 'tracing_mark_write: a')}${HEADER}${event('1.000002', 'sched_waking: comm=a')}`,
    );
    expect(events.map(({ info }) => info)).toEqual(['tracing_mark_write: a', 'comm=a']);
  });

  test('the mark where a CPU begins, and lost events, are no part of a marker', () => {
    const { events, lost } = decode(
      `${HEADER}${event('1.000001', 'tracing_mark_write: a')}##### CPU 1 buffer started ####\nCPU:1 [LOST 12 EVENTS]\n${event('1.000002', 'foo: b', 1)}`,
    );
    expect(events.map(({ info }) => info)).toEqual(['tracing_mark_write: a', 'b']);
    expect(lost).toEqual([{ stream: '', cpu: 1, count: 12, before: 1 }]);
  });
});

describe('lines that are no event', () => {
  const text = `${HEADER}${event('1.000001', 'sched_waking: comm=a', 1)}what is this\n${event('1.000002', 'sched_waking: comm=b')}`;

  test('are kept where they stand, told, and counted', () => {
    const { events, survey } = decode(text);
    expect(events.map(({ name, info, cpu, ns, pid }) => ({ name, info, cpu, ns, pid }))).toEqual([
      { name: 'sched_waking', info: 'comm=a', cpu: 1, ns: 1_000_001_000n, pid: 7325 },
      { name: 'unparsed', info: 'what is this', cpu: 1, ns: 1_000_001_000n, pid: -1 },
      { name: 'sched_waking', info: 'comm=b', cpu: 0, ns: 1_000_002_000n, pid: 7325 },
    ]);
    expect(survey.warnings).toEqual([
      {
        file: 'built.txt',
        offset: text.indexOf('what'),
        section: 'text',
        message: 'no line of a trace, kept as it is: "what is this"',
      },
    ]);
  });

  test('many are told by their number', () => {
    const { survey } = decode(`${HEADER}${event('1.000001', 'sched_waking: comm=a')}${'no line\n'.repeat(500)}`);
    expect(survey.warnings.length).toBeLessThan(30);
    expect(survey.warnings.at(-1)?.message).toBe('500 lines in all are no lines of a trace');
  });

  test('one before the first event has its CPU and time', () => {
    const { events } = decode(`TRACE:\n${HEADER}capturing\n${event('1.000001', 'sched_waking: comm=a', 1)}`);
    expect(events.map(({ name, cpu, ns }) => [name, cpu, ns])).toEqual([
      ['unparsed', 1, 1_000_001_000n],
      ['sched_waking', 1, 1_000_001_000n],
    ]);
  });

  test('the kernel’s own losses are told', () => {
    const { survey } = decode(
      `# tracer: nop\n# entries-in-buffer/entries-written: 4/10   #P:2\n${event('1.000001', 'a: b')}`,
    );
    expect(survey.warnings.map(({ message }) => message)).toEqual([
      "6 of 10 events were overwritten in the kernel's buffer before this text was made",
    ]);
  });
});

describe('lost events', () => {
  test.each([
    ['CPU:1 [LOST 98 EVENTS]', { stream: '', cpu: 1, count: 98 }],
    ['CPU:1 [LOST EVENTS]', { stream: '', cpu: 1, count: -1 }],
    ['CPU:12 [98 EVENTS DROPPED]', { stream: '', cpu: 12, count: 98 }],
    ['CPU:1 [EVENTS DROPPED]', { stream: '', cpu: 1, count: -1 }],
    ['  wb: CPU:1 [4 EVENTS DROPPED]', { stream: 'wb', cpu: 1, count: 4 }],
  ])('%s', (line, expected) => {
    const { lost, survey } = decode(`${event('1.000001', 'a: b')}${line}\n${event('1.000002', 'a: b')}`);
    expect(lost).toEqual([{ ...expected, before: 1 }]);
    expect(survey.warnings).toEqual([]);
  });
});

describe('streams of a report', () => {
  test('are told by what stands before the comm', () => {
    const text =
      'cpus=2\n' +
      'sys:          load.sh-12357 [000] .....  2979.839350: sys_exit:             NR 1 = 1\n' +
      '              load.sh-12357 [000] d..2.  2979.839416: sched_switch:         a:1 [120] D ==> b:2 [0]\n' +
      ' wb: kworker/u9:0-x-99 [001] d..2.  2979.839417: wbc_writepage:        bdi 8:0: towrt=1\n';
    const { events } = decode(text);
    expect(events.map(({ stream, name, pid }) => [stream, name, pid])).toEqual([
      ['sys', 'sys_exit', 12357],
      ['', 'sched_switch', 12357],
      ['', 'wbc_writepage', 99],
    ]);
  });
});

test('a report with differences of time', () => {
  const text =
    'cpus=2\n' +
    '       trace-cmd-22421 [001]  4119.357075:          sched_process_exit:   comm=a\n' +
    '       trace-cmd-22421 [001]  4119.357245: (+170)   sched_stat_runtime:   comm=b\n';
  expect(decode(text).events.map(({ name, info }) => [name, info])).toEqual([
    ['sched_process_exit', 'comm=a'],
    ['sched_stat_runtime', 'comm=b'],
  ]);
});

describe('bytes as they come', () => {
  const whole = `${HEADER}${event('1.000001', 'tracing_mark_write: žluť\nkůň')}junk\n${event('1.000002', 'sched_waking: comm=a', 1)}CPU:1 [LOST 3 EVENTS]\n${event('1.000003', '<stack trace>', 1)} => a\n => b\n${event('1.000004', 'sched_waking: comm=b')}`;

  test('any size of batch gives the same', () => {
    const bytes = Buffer.from(whole);
    const longest = Math.max(...whole.split('\n').map((line) => Buffer.byteLength(line))) + 1;
    const expected = decode(bytes);
    for (let size = longest; size <= bytes.length + 1; size++) {
      const found = decode(bytes, size);
      expect(found.events, `batches of ${size}`).toEqual(expected.events);
      expect(found.lost).toEqual(expected.lost);
      expect(found.survey.warnings).toEqual(expected.survey.warnings);
    }
  });

  test('a text cut anywhere gives the events before the cut', () => {
    const bytes = Buffer.from(whole);
    const all = decode(bytes).events;
    for (let end = HEADER.length; end <= bytes.length; end++) {
      const { events, survey } = decode(bytes.subarray(0, end));
      const complete = all.filter(({ position, record }) => position + Buffer.byteLength(record) + 1 <= end);
      expect(names({ events } as DecodedText).slice(0, complete.length), `cut at ${end}`).toEqual(
        complete.map(({ name }) => name),
      );
      // The event that was cut, and what is left of a line.
      expect(events.length - complete.length).toBeLessThanOrEqual(2);
      const cut = survey.warnings.filter(({ message }) => message.includes('may be cut'));
      expect(cut.map(({ offset }) => offset)).toEqual(
        bytes[end - 1] === 0x0a ? [] : [bytes.lastIndexOf(0x0a, end - 1) + 1],
      );
    }
  });

  test('carriage returns are no part of a line', () => {
    const { events } = decode(whole.replaceAll('\n', '\r\n'));
    expect(events.map(({ name, info }) => [name, info.replaceAll('\r', '')])).toEqual(
      decode(whole).events.map(({ name, info }) => [name, info]),
    );
    expect(events.at(-1)?.info).toBe('comm=b');
  });

  test('a byte order mark is skipped', () => {
    expect(decode(`\ufeff${whole}`).events.length).toBe(decode(whole).events.length);
  });

  test('bytes that are no UTF-8 and binary lines neither stop nor hide anything', () => {
    const text = Buffer.concat([
      Buffer.from(`${HEADER}${event('1.000001', 'sched_waking: comm=a')}`),
      Buffer.from([0xff, 0x00, 0xfe, 0x80, 0x1b, 0x0a]),
      Buffer.from(event('1.000002', 'foo: bar')).map((byte) => (byte === 0x72 ? 0xe9 : byte)),
      Buffer.from(event('1.000003', 'sched_waking: comm=b')),
    ]);
    expect(names(decode(text))).toEqual(['sched_waking', 'unparsed', 'foo', 'sched_waking']);
  });

  test('a line longer than a batch is an event by its beginning, and told', () => {
    const long = event('1.000002', `foo: ${'x'.repeat(5000)}`);
    const { events, survey } = decode(`${HEADER}${event('1.000001', 'a: 1')}${long}${event('1.000003', 'b: 2')}`, 512);
    expect(names({ events } as DecodedText)).toEqual(['a', 'foo', 'b']);
    expect(survey.warnings.map(({ message }) => message)).toEqual([
      'a line of more than 512 bytes: the rest of it is left out',
    ]);
  });
});

describe('what is ftrace’s text', () => {
  test.each([
    ['a header alone', '# tracer: nop\n#\n'],
    ['a report without events', 'cpus=2\n'],
    ['an event without a header', event('1.000001', 'a: b')],
    ['published lines between remarks', `# a remark\n${event('1.000001', 'a: b')}# another\n`],
    ['an event among few other lines', `one\ntwo\n${event('1.000001', 'a: b')}`],
  ])('%s', (_what, text) => {
    expect(decodeText(text)).not.toBeNull();
  });

  test.each([
    ['nothing', ''],
    ['prose', 'Some text\nof several lines\n'],
    ['a remark', '# Title\n\nText.\n'],
    ['columns of numbers', '1 2 3 4\n5 6 7 8\n'],
    ['prose that quotes an event', `${'words and words\n'.repeat(20)}${event('1.000001', 'a: b')}`],
    ['bytes', '\u0000\u0001\u0002\n\u0003'],
  ])('not %s', (_what, text) => {
    expect(decodeText(text)).toBeNull();
  });
});

describe('function graphs', () => {
  const graph = `# tracer: function_graph
#
# CPU  DURATION                  FUNCTION CALLS
# |     |   |                     |   |   |   |
 0)               |  vfs_read() {
 0)   1.500 us    |    rw_verify_area();
 1)   2.000 us    |  vfs_open();
 0) + 10.000 us   |  }
 ------------------------------------------
 0)   cat-12       =>    bash-34  
 ------------------------------------------

 0)   0.250 us    |  vfs_close();
`;
  test('without a time column, times follow from durations and order', () => {
    const { events, survey } = decode(graph);
    expect(events.map(({ name, cpu, ns, pid }) => [name, cpu, ns, pid])).toEqual([
      ['funcgraph_entry', 0, 0n, -1],
      ['funcgraph_entry', 0, 0n, -1],
      ['funcgraph_entry', 1, 0n, -1],
      ['funcgraph_exit', 0, 10_000n, -1],
      ['context_switch', 0, 10_000n, -1],
      ['funcgraph_entry', 0, 10_000n, 34],
    ]);
    expect(survey.warnings.map(({ message }) => message)).toEqual([
      'the text has no time stamps: times are built from the durations of calls, the least that they allow',
    ]);
  });
});
