import { describe, expect, test } from 'vitest';
import { Printer } from '../../../electron/parse/print-format/printer.ts';
import { PrintRecord } from '../../../electron/parse/print-format/record.ts';
import { TextSink } from '../../../electron/parse/print-format/text-sink.ts';
import type { TraceAbi } from '../../../electron/parse/recording.ts';
import { eventFormat, type FieldSpec, headOf, infoOf, lateText, payload } from './print-record.ts';

const KALLSYMS = 'ffffffff81000100 T do_work\nffffffff81000200 T called\nffffffff81000300 T last\n';

/** What an event of this format prints, from a record with these parts behind its common fields. */
function printed(
  name: string,
  fields: FieldSpec[],
  parts: Parameters<typeof payload>[2][],
  printFmt = '"pretty"',
  head: Parameters<typeof headOf>[1] = {},
): string {
  const [system, event] = name.split(':');
  return infoOf(
    headOf([eventFormat(system, event, 77, fields, printFmt)], { kallsyms: lateText(KALLSYMS), ...head }),
    payload(77, 1, ...parts),
  );
}

describe('sched', () => {
  const SWITCH: FieldSpec[] = [
    ['char prev_comm[16]', 8, 16],
    ['pid_t prev_pid', 24, 4, 1],
    ['int prev_prio', 28, 4, 1],
    ['long prev_state', 32, 8, 1],
    ['char next_comm[16]', 40, 16],
    ['pid_t next_pid', 56, 4, 1],
    ['int next_prio', 60, 4, 1],
  ];
  const STATES = '{ 1, "S" }, { 2, "D" }, { 0x10, "X" }, { 0x80, "I" }';
  const FMT = `"%s", REC->prev_state ? __print_flags(REC->prev_state, "|", ${STATES}) : "R"`;
  const record = (state: bigint): Parameters<typeof payload>[2][] => [
    'bash\0'.padEnd(16, '\0'),
    { u32: 12 },
    { u32: 120 },
    { u64: state },
    'swapper/0'.padEnd(16, '\0'),
    { u32: 0 },
    { u32: 120 },
  ];
  test.each([
    [0n, 'R'],
    [1n, 'S'],
    [3n, 'S|D'],
    [0x100n, 'R'],
  ])('sched_switch, state %i: letters up to the first bit that has no name', (state, letters) => {
    expect(printed('sched:sched_switch', SWITCH, record(state), FMT)).toBe(
      `bash:12 [120] ${letters} ==> swapper/0:0 [120]`,
    );
  });
  test('a print format without states: the usual ones', () => {
    expect(printed('sched:sched_switch', SWITCH, record(0x80n))).toContain('[120] I ==>');
  });
  test('sched_wakeup, old and new', () => {
    const fields: FieldSpec[] = [
      ['char comm[16]', 8, 16],
      ['pid_t pid', 24, 4, 1],
      ['int prio', 28, 4, 1],
      ['int target_cpu', 32, 4, 1],
    ];
    const parts = ['kworker/0:1'.padEnd(16, '\0'), { u32: 17 }, { u32: 120 }, { u32: 3 }];
    expect(printed('sched:sched_wakeup', fields, parts)).toBe('kworker/0:1:17 [120] CPU:003');
    const old: FieldSpec[] = [...fields.slice(0, 3), ['int success', 32, 4, 1], ['int target_cpu', 36, 4, 1]];
    expect(printed('sched:sched_wakeup_new', old, [...parts.slice(0, 3), { u32: 1 }, { u32: 12 }])).toBe(
      'kworker/0:1:17 [120] success=1 CPU:012',
    );
  });
  test('an event that lacks its fields says so, and its print format follows', () => {
    expect(printed('sched:sched_switch', [], [])).toBe('<CANT FIND FIELD prev_pid>!pretty');
  });
});

describe("other kernel events' own text", () => {
  test('kmem: where it was called from, in front', () => {
    expect(printed('kmem:kfree', [['unsigned long call_site', 8, 8]], [{ u64: 0xffffffff81000123n }])).toBe(
      '(do_work+0x23) pretty',
    );
    expect(printed('kmem:kfree', [['unsigned long call_site', 8, 8]], [{ u64: 5n }])).toBe('pretty');
  });
  test('hrtimer_start: the distance to the function is counted backwards', () => {
    const fields: FieldSpec[] = [
      ['void * hrtimer', 8, 8],
      ['void * function', 16, 8],
      ['s64 expires', 24, 8, 1],
      ['s64 softexpires', 32, 8, 1],
    ];
    const parts = [{ u64: 0xff10n }, { u64: 0xffffffff81000201n }, { u64: 1000n }, { u64: 900n }];
    expect(printed('timer:hrtimer_start', fields, parts)).toBe(
      'hrtimer=0xff10 function=called/0xffffffffffffffff expires=1000 softexpires=900',
    );
  });
  test('tlb_flush', () => {
    const fields: FieldSpec[] = [
      ['int reason', 8, 4, 1],
      ['unsigned long pages', 16, 8],
    ];
    expect(printed('tlb:tlb_flush', fields, [{ u32: 1 }, { u32: 0 }, { u64: -1n }])).toBe(
      'pages=-1 reason=remote shootdown (1)',
    );
  });
  test('futex: the operation and the arguments that it has', () => {
    const fields: FieldSpec[] = ['uaddr', 'op', 'val', 'utime', 'uaddr2', 'val3'].map((name, i) => [
      `u64 ${name}`,
      8 + 8 * i,
      8,
    ]);
    const values = (op: bigint): { u64: bigint }[] => [0x1000n, op, 1n, 0n, 0x2000n, 3n].map((u64) => ({ u64 }));
    expect(printed('syscalls:sys_enter_futex', fields, values(0x81n))).toBe(
      'op=FUTEX_WAKE|FUTEX_PRIVATE_FLAG uaddr=0x00001000 val=1',
    );
    expect(printed('syscalls:sys_enter_futex', fields, values(0x109n))).toBe(
      'op=FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME uaddr=0x00001000 val=0x00000001 utime=0x00000000 val3=0x00000003',
    );
    expect(printed('syscalls:sys_enter_futex', fields, values(99n))).toBe('pretty');
  });
  test('kvm_exit and kvm_entry', () => {
    const fields: FieldSpec[] = [
      ['unsigned int exit_reason', 8, 4],
      ['u32 isa', 12, 4],
      ['unsigned long guest_rip', 16, 8],
      ['u64 info1', 24, 8],
      ['u64 info2', 32, 8],
    ];
    const parts = (reason: number, isa: number): Parameters<typeof payload>[2][] => [
      { u32: reason },
      { u32: isa },
      { u64: 0xabcn },
      { u64: 1n },
      { u64: 0n },
    ];
    expect(printed('kvm:kvm_exit', fields, parts(12, 1))).toBe('reason HLT rip 0xabc info 1 0');
    expect(printed('kvm:kvm_exit', fields, parts(0x78, 2))).toBe('reason EXIT_HLT rip 0xabc info 1 0');
    expect(printed('kvm:kvm_exit', fields, parts(999, 1))).toBe('reason UNKNOWN (999) rip 0xabc info 1 0');
    expect(
      printed(
        'kvm:kvm_entry',
        [
          ['unsigned int vcpu_id', 8, 4],
          ['u64 rip', 16, 8],
        ],
        [{ u32: 2 }, { u32: 0 }, { u64: 16n }],
      ),
    ).toBe(' vcpu 2 rip 0x10');
  });
  test('kvm_mmu_sync_page: the NUL behind the role ends the text', () => {
    const fields: FieldSpec[] = [
      ['__u32 role', 8, 4],
      ['__u32 root_count', 12, 4],
      ['bool unsync', 16, 1],
    ];
    const role = 4 | (1 << 4) | (1 << 7) | (3 << 8) | (1 << 12);
    expect(printed('kvmmmu:kvm_mmu_sync_page', fields, [{ u32: role }, { u32: 1 }, [1]])).toBe(
      '4 q0 direct w-x pae nxe !wp root 1 unsync',
    );
  });
  test('mac80211:drv_bss_info_changed, over lines', () => {
    const fields: FieldSpec[] = [
      ['char wiphy_name[8]', 8, 8],
      ['__data_loc char[] vif_name', 16, 4],
      ['u32 vif_type', 20, 4],
      ['bool assoc', 24, 1],
      ['u16 aid', 26, 2],
    ];
    const parts = ['phy0\0\0\0\0', { u32: (6 << 16) | 28 }, { u32: 2 }, [1, 0], { u16: 5 }, 'wlan0\0'];
    expect(printed('mac80211:drv_bss_info_changed', fields, parts)).toMatch(
      /^phy0 vif:wlan0\(2\)\n {65}assoc:1 aid:5 {5}\n/,
    );
  });
});

describe('ftrace', () => {
  test('kernel_stack: up to an address of all ones', () => {
    const parts = [{ u32: 3 }, { u32: 0 }, ...[0xffffffff81000150n, 0x10n, -1n, 0x20n].map((u64) => ({ u64 }))];
    const fields: FieldSpec[] = [
      ['int size', 8, 4, 1],
      ['unsigned long caller[8]', 16, 64],
    ];
    expect(printed('ftrace:kernel_stack', fields, parts)).toBe('<stack trace >\n=> do_work (ffffffff81000150)\n=> 10');
  });
  test('raw_data', () => {
    const fields: FieldSpec[] = [
      ['unsigned int id', 8, 4],
      ['char buf[]', 12, 0],
    ];
    expect(printed('ftrace:raw_data', fields, [{ u32: 26 }, 'raw\0'])).toBe('# 1a 72 61 77 00');
  });
  test('old ftrace formats name no arguments: the fields in order', () => {
    expect(
      printed(
        'ftrace:wakeup',
        [
          ['u32 a', 8, 4],
          ['u32 b', 12, 4],
        ],
        [{ u32: 1 }, { u32: 2 }],
        '"%u then %u"',
      ),
    ).toBe('1 then 2');
  });
  test('the block tracer has no format in recordings', () => {
    const userStack = eventFormat('ftrace', 'user_stack', 12, [], '"x"');
    const printer = new Printer(headOf([userStack]));
    const view = payload(13, 1, new Array(24).fill(0), { u32: 4321 }, new Array(16).fill(0));
    expect(printer.info(13, view, 0, view.byteLength)).toBe('4321');
  });

  describe('function', () => {
    const fields: FieldSpec[] = [
      ['unsigned long ip', 8, 8],
      ['unsigned long parent_ip', 16, 8],
    ];
    const printer = new Printer(
      headOf([eventFormat('ftrace', 'function', 1, fields, '"x"')], { kallsyms: lateText(KALLSYMS) }),
    );
    const print = (cpu: number, ip: bigint, parent: bigint): string => {
      const view = payload(1, 1, { u64: ip }, { u64: parent });
      const record = new PrintRecord();
      record.set(view, 0, view.byteLength);
      record.cpu = cpu;
      const out = new TextSink();
      printer.event(1)?.pretty(record, out);
      return out.latin1();
    };
    test('in order, indented by the caller that was seen before on that CPU', () => {
      expect(print(0, 0xffffffff81000100n, 0xffffffff81000300n)).toBe('do_work');
      expect(print(0, 0xffffffff81000200n, 0xffffffff81000110n)).toBe('   called');
      expect(print(1, 0xffffffff81000200n, 0xffffffff81000110n)).toBe('called');
      expect(print(0, 0x5n, 0xffffffff81000210n)).toBe('      0x5');
    });
    test('alone, without', () => {
      const view = payload(1, 1, { u64: 0xffffffff81000200n }, { u64: 0xffffffff81000110n });
      expect(printer.info(1, view, 0, view.byteLength)).toBe('called');
    });
  });

  describe('trace_printk', () => {
    const fields = (long: number): FieldSpec[] => [
      ['unsigned long ip', 8, long],
      ['const char * fmt', 8 + long, long],
      ['u32 buf[]', 8 + 2 * long, 0],
    ];
    const FORMATS = ['0x1000 : "n=%d long=%ld s=%s p=%pS\\n"', '0x2000 : "%*d|%.2s|%%|%llx"', '0x3000 : "%d %d"'].join(
      '\n',
    );
    const bprint = (fmt: bigint, ...parts: Parameters<typeof payload>[2][]): string =>
      printed(
        'ftrace:bprint',
        fields(8),
        [{ u64: 0xffffffff81000105n }, { u64: fmt }, ...parts],
        '"%ps: %s", (void *)REC->ip, REC->fmt',
        {
          printkFormats: FORMATS,
        },
      );
    test('numbers on 4-byte boundaries, strings in place', () => {
      expect(bprint(0x1000n, { u32: -7 }, { u64: 1n << 40n }, 'abc\0', { u64: 0xffffffff81000204n })).toBe(
        'do_work: n=-7 long=1099511627776 s=abc p=called+0x4',
      );
      expect(bprint(0x2000n, { u32: 4 }, { u32: 7 }, 'abc\0', { u64: 0x1234_5678_9abcn })).toBe(
        'do_work:    7|ab|%|123456789abc',
      );
    });
    test('an unknown format, and too few arguments', () => {
      expect(bprint(0x9n, { u32: 1 })).toBe('do_work: (NO FORMAT FOUND at 9)');
      expect(bprint(0x3000n, { u32: 1 })).toBe('do_work: 1 d');
    });
    test('a 32-bit machine', () => {
      const abi: TraceAbi = { littleEndian: true, longBytes: 4 };
      const format = eventFormat('ftrace', 'bprint', 6, fields(4), '"%ps: %s", REC->ip, REC->fmt', abi);
      const head = headOf([format], {
        abi,
        printkFormats: '0x1000 : "long=%ld\\n"',
        kallsyms: lateText('00000100 T start\n00000200 T end\n'),
      });
      expect(infoOf(head, payload(6, 1, { u32: 0x104 }, { u32: 0x1000 }, { u32: 5 }))).toBe('start: long=5');
    });
  });
});

describe('latency flags', () => {
  const printer = new Printer(headOf([eventFormat('test', 'event', 500, [], '"x"')]));
  test.each([
    [0x00, 0x00, '.....'],
    [0x01, 0x02, 'd..2.'],
    [0x02, 0x10, 'X...1'],
    [0x04 | 0x08, 0x00, '.Nh..'],
    [0x10, 0x00, '..s..'],
    [0x18 | 0x05, 0xff, 'dNHff'],
  ])('flags %i, preempt count %i', (flags, count, expected) => {
    const view = payload(500, 1);
    view.setUint8(2, flags);
    view.setUint8(3, count);
    expect(printer.flags(view, 0, view.byteLength)).toBe(expected);
  });
});
