import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesSource } from '../../electron/parse/byte-source.ts';
import { LazyEventFormat } from '../../electron/parse/event-formats.ts';
import { readTraceDat } from '../../electron/parse/trace-dat.ts';
import { anyPayload } from '../build/any-payload.ts';
import { type BuiltFormat, HEADER_EVENT_TEXT, headerPageText } from '../build/formats.ts';
import { oneOf, type Random, randomFrom } from '../build/random.ts';
import { type BufferEvent, buildSubBuffers, type RingAbi } from '../build/sub-buffer.ts';
import { type BuiltRecording, buildTraceDat } from '../build/trace-dat.ts';

/** Small intact inputs of every kind: what the fuzzer damages. Formats are those of the bundled sample's kernel. */

const SAMPLE = join(import.meta.dirname, '../../assets/samples/throttle.dat');

/** Those whose printing has code of its own, and some of each kind of print format. */
const CHOSEN = [
  ['function', 'funcgraph_entry', 'funcgraph_exit'],
  ['print', 'bprint', 'bputs'],
  ['kernel_stack', 'user_stack', 'raw_data'],
  ['hwlat', 'osnoise', 'timerlat', 'func_repeats'],
  ['sched_switch', 'sched_wakeup', 'sched_process_exec'],
  ['balance_dirty_pages', 'block_rq_issue', 'block_rq_complete'],
  ['cgroup_mkdir', 'mm_shrink_slab_end', 'mm_vmscan_throttled'],
  ['writeback_single_inode', 'oom_score_adj_update', 'mark_victim'],
];

function sampleFormats(): BuiltFormat[] {
  const head = readTraceDat(bytesSource(readFileSync(SAMPLE), SAMPLE));
  return head.formats.map((format): BuiltFormat => {
    if (!(format instanceof LazyEventFormat)) throw new TypeError(`${format.name} has no text`);
    const { system, name, id, text } = format;
    return { system, name, id, text, fields: [], printFmt: '' };
  });
}

export const formats: BuiltFormat[] = sampleFormats();

export const ABIS: RingAbi[] = [
  { littleEndian: true, longBytes: 8, subBufferBytes: 1024 },
  { littleEndian: false, longBytes: 8, subBufferBytes: 1024 },
  { littleEndian: true, longBytes: 4, subBufferBytes: 1024 },
  { littleEndian: false, longBytes: 4, subBufferBytes: 2048 },
];

const CONTAINERS = [
  { version: 6, compression: 'none' },
  { version: 7, compression: 'none' },
  { version: 7, compression: 'zlib' },
  { version: 7, compression: 'zstd' },
] as const;

/** Events of these formats at steps that need every kind of time stamp, with discarded and lost ones among them. */
function events(random: Random, of: readonly BuiltFormat[], count: number, abi: RingAbi): BufferEvent[] {
  let time = 5_000_000n + BigInt(random(1000));
  return Array.from({ length: count }, (_, i) => {
    time += BigInt(random(8) === 0 ? 2 ** 28 + random(2 ** 28) : random(100_000));
    const { text = '', id } = of[i % of.length] as BuiltFormat;
    return {
      time,
      payload: anyPayload(random, text, id, random(3) * 7, abi),
      discarded: random(12) === 0,
      ...(random(10) === 0 ? { stamp: oneOf(random, ['extend', 'absolute'] as const) } : {}),
      ...(random(20) === 0 ? { lostBefore: random(3) - 1 } : {}),
    };
  });
}

const word = (littleEndian: boolean, bytes: 4 | 8, value: number): Uint8Array => {
  const out = Buffer.alloc(bytes);
  const at = littleEndian ? 0 : bytes - 4;
  if (littleEndian) out.writeUInt32LE(value, at);
  else out.writeUInt32BE(value, at);
  return out;
};

/** Options that every time correction and table is read from. */
function options({ littleEndian }: RingAbi): BuiltRecording['options'] {
  const [u32, u64] = [4, 8].map((bytes) => (value: number) => word(littleEndian, bytes as 4 | 8, value)) as [
    (value: number) => Uint8Array,
    (value: number) => Uint8Array,
  ];
  const shift = [u64(1), u32(1), u32(1), u32(2), ...[1000, 9000, 5, 7, 1, 1, 0, 0].map(u64)];
  return [
    { id: 7, data: Buffer.from('-12\0') },
    { id: 12, data: Buffer.concat(shift) },
    { id: 14, data: Buffer.concat([u32(3), u32(1), u64(100)]) },
    { id: 2, data: Buffer.from('CPU: 0\nentries: 3\n\0') },
    { id: 23, data: Buffer.from('7 7\n14 7\n\0') },
    { id: 999, data: Buffer.from('vendor') },
  ];
}

function recording(
  random: Random,
  container: (typeof CONTAINERS)[number],
  abi: RingAbi,
  names: string[],
): BuiltRecording {
  const of = formats.filter(({ name }) => names.includes(name));
  return {
    ...container,
    abi,
    formats: of,
    buffers: [
      { name: '', clock: 'local', cpus: [events(random, of, 12, abi), events(random, of, 4, abi)] },
      { name: 'inner', clock: 'x86-tsc', cpus: [events(random, of, 3, abi), []] },
    ],
    comms: [
      [7, 'writer'],
      [14, 'a b'],
    ],
    uname: 'Linux built 1.0',
    kallsyms: 'ffffffff81000000 T _text\nffffffff81000100 t a_function\t[module]\n',
    printkFormats: '0xffffffff82000000 : "text %d %s\\n"\n0x0 : "\\"x\\""\n',
    options: random(2) === 0 ? options(abi) : [],
  };
}

/** A latency tracer's file: text in place of events. */
function latency(abi: RingAbi): Uint8Array {
  const random = randomFrom(1);
  const whole = Buffer.from(
    buildTraceDat({
      ...recording(random, CONTAINERS[0], abi, ['print']),
      buffers: [{ name: '', clock: 'local', cpus: [[]] }],
    }),
  );
  const at = whole.indexOf('flyrecord');
  return Uint8Array.from(Buffer.concat([whole.subarray(0, at), Buffer.from('latency  \0'), texts[1] as Uint8Array]));
}

/** Text of every form that ftrace prints. */
const TEXTS = [
  `# tracer: nop
#
# entries-in-buffer/entries-written: 4/9   #P:2
#
            bash-188     [001] d..2.    55.008142: sched_process_fork: comm=bash pid=188 child_comm=bash child_pid=189
   kworker/u4:1-24      [000] .....    55.008150: balance_dirty_pages: bdi 8:0: limit=10 setpoint=7 dirty=-2 pause=0x1f
          <...>-9       [000] d.h3.    55.108150: print: a line
 that goes on
CPU:1 [LOST 12 EVENTS]
 a - b [x]-12      (   12) [001] d..2.    55.208150123: softirq_entry: vec=9 [action=RCU]
`,
  `# tracer: wakeup
# latency: 12 us, #4/4, CPU#0 | (M:preempt VP:0, KP:0, SP:0 HP:0 #P:2)
#           _--=> CPU#
   <idle>-0       0d.h4.    0us+:        1:120:R   + [000]      12:  0:R migration/0
   <idle>-0       0d.h4.    2us : <stack trace>
 => a_function
 => another
   <idle>-0       0d..3.   12us : 0:120:R ==> [000]      12:  0:R migration/0
`,
  `# tracer: function_graph
# CPU  DURATION                  FUNCTION CALLS
 0)               |  vfs_write() {
 0)   0.125 us    |    rw_verify_area();
 1) ! 101.5 us    |  }
 ------------------------------------------
 0)  bash-188      =>  sleep-12
 ------------------------------------------
 0)   1.2 us      |  } /* vfs_write */
`,
  `cpus=2
            bash-188   [001] d..2.    55.008142: sched_switch:         bash:188 [120] S ==> swapper/1:0 [120]
wb:         bash-188   [001] d..2.    55.008143: writeback_queue:       bdi=8:0 sb_dev=0:0 nr_pages=12
CPU:1 [5 EVENTS DROPPED]
            bash-188   [001]-0x1    55.008144: kfree:                  call_site=0xffff ptr=(nil)
`,
];
export const texts: Uint8Array[] = TEXTS.map((text) => Uint8Array.from(Buffer.from(text, 'latin1')));

export function recordings(): Uint8Array[] {
  const random = randomFrom(2);
  const built = CONTAINERS.flatMap((container, i) =>
    ABIS.flatMap((abi, j) =>
      CHOSEN.filter((_, k) => (i + j + k) % 2 === 0).map((names) =>
        buildTraceDat(recording(random, container, abi, names)),
      ),
    ),
  );
  return [...built, latency(ABIS[0] as RingAbi), latency(ABIS[3] as RingAbi)];
}

/** First byte: which of ABIS; then the sub-buffers of one CPU, of events of `formats`. */
export function rings(): Uint8Array[] {
  const random = randomFrom(3);
  return ABIS.flatMap((abi, i) =>
    CHOSEN.map((names) => {
      const of = formats.filter(({ name }) => names.includes(name));
      return Uint8Array.from([i, ...buildSubBuffers(events(random, of, 24, abi), abi)]);
    }),
  );
}

/** First byte: which of ABIS; then a format text, two NULs, and a record of it. */
export function formatsWithRecords(): Uint8Array[] {
  const random = randomFrom(4);
  return formats.flatMap(({ text = '', id }) =>
    [0, 3].map((i) => {
      const record = anyPayload(random, text, id, 7, ABIS[i] as RingAbi);
      return Uint8Array.from([i, ...Buffer.from(`${text}\0\0`, 'latin1'), ...record]);
    }),
  );
}

/** A folder of raw buffers as one piece: `name\0`, u32 size, bytes. */
export function rawFolders(): Uint8Array[] {
  const random = randomFrom(5);
  return ABIS.map((abi, i) => {
    const names = CHOSEN[i] as string[];
    const of = formats.filter(({ name }) => names.includes(name));
    const cpu = (): Uint8Array => buildSubBuffers(events(random, of, 20, abi), abi);
    const files: [string, Uint8Array | string][] = [
      ['cpu0.raw', cpu()],
      ['cpu1.raw', cpu()],
      ['header_page', headerPageText(abi)],
      ['header_event', HEADER_EVENT_TEXT],
      ['saved_cmdlines', '7 writer\n14 a b\n'],
      ['saved_tgids', '7 7\n14 7\n'],
      ['printk_formats', '0xffffffff82000000 : "text %d\\n"\n'],
      ['trace_clock', 'local [global] counter\n'],
      ['stats.cpu0', 'entries: 12\noverrun: 3\n'],
      ...of.map(({ system, name, text = '' }): [string, string] => [`events/${system}/${name}/format`, text]),
    ];
    return packFolder(files);
  });
}

function packFolder(files: [name: string, content: Uint8Array | string][]): Uint8Array {
  const pieces = files.flatMap(([name, content]) => {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    return [Buffer.from(`${name}\0`, 'latin1'), word(true, 4, bytes.length), bytes];
  });
  return Uint8Array.from(Buffer.concat(pieces));
}

/** The inverse, of whatever is there: names that would leave the folder are left out. */
export function unpackFolder(packed: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const bytes = Buffer.from(packed);
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    if (end < 0 || end + 5 > bytes.length) break;
    const name = bytes.toString('latin1', at, end);
    const size = bytes.readUInt32LE(end + 1);
    if (/^(?:[\w.]+\/){0,3}[\w.]*\w[\w.]*$/.test(name) && !name.includes('..'))
      files.set(name, bytes.subarray(end + 5, end + 5 + size));
    at = end + 5 + size;
  }
  return files;
}
