import { anyPayload } from './any-payload.ts';
import type { BuiltFormat } from './formats.ts';
import { type Random, randomFrom } from './random.ts';
import type { BufferEvent, RingAbi } from './sub-buffer.ts';
import { type BuiltRecording, buildTraceDat } from './trace-dat.ts';

/** Event formats as some kernel gave them: `format` texts with their systems, and its header_page. */
export interface ForeignKernel {
  name: string;
  formats: { system: string; text: string }[];
  headerPage?: string;
}

const identity = (text: string): { name: string; id: number } => ({
  name: /^name:\s*(\S+)/m.exec(text)?.[1] ?? '',
  id: Number(/^ID:\s*(\d+)/m.exec(text)?.[1] ?? 0),
});

/** One text of each id. */
export function builtFormats(texts: ForeignKernel['formats']): BuiltFormat[] {
  const byId = new Map<number, BuiltFormat>();
  for (const { system, text } of texts) {
    const { name, id } = identity(text);
    if (!byId.has(id)) byId.set(id, { system, name, id, text, fields: [], printFmt: '' });
  }
  return [...byId.values()];
}

export interface ForeignOptions {
  abi: RingAbi;
  container: Pick<BuiltRecording, 'version' | 'compression'>;
  /** Records of each format. */
  perFormat: number;
  seed: number;
}

/** A recording of two CPUs of that kernel's machine: some records of each format, with random values, in random order. */
export function foreignRecording(
  kernel: ForeignKernel,
  { abi, container, perFormat, seed }: ForeignOptions,
): Uint8Array {
  const random = randomFrom(seed);
  const formats = builtFormats(kernel.formats);
  return buildTraceDat({
    ...container,
    abi,
    formats,
    buffers: [
      { name: '', clock: 'local', cpus: [0, 1].map(() => records(random, formats, abi, Math.ceil(perFormat / 2))) },
    ],
    comms: [
      [0, '<idle>'],
      [7, 'a task'],
      [14, 'kworker/0:1H'],
    ],
    uname: `Linux ${kernel.name}`,
    kallsyms: KALLSYMS,
    printkFormats: PRINTK_FORMATS,
    options: [],
    ...(kernel.headerPage === undefined ? {} : { headerPage: kernel.headerPage }),
  });
}

/** Addresses that small random numbers hit, and some of the usual ones. */
const KALLSYMS = [
  '0000000000000002 T two',
  '0000000000000100 t hundred',
  'ffffffff81000000 T _text',
  'ffffffffc0000000 t in_module\t[module]',
  '',
].join('\n');
const PRINTK_FORMATS = '0x1 : "one"\n0x2 : "two %d\\n"\n0xffffffff82000000 : "text"\n';

function records(random: Random, formats: readonly BuiltFormat[], abi: RingAbi, perFormat: number): BufferEvent[] {
  const order = formats.flatMap((format) => Array<BuiltFormat>(perFormat).fill(format));
  for (let i = order.length - 1; i > 0; i--) {
    const other = random(i + 1);
    [order[i], order[other]] = [order[other] as BuiltFormat, order[i] as BuiltFormat];
  }
  let time = 1_000_000_000n + BigInt(random(1000));
  return order.map(({ text = '', id }) => {
    time += BigInt(1 + random(100_000));
    const payload = anyPayload(random, text, id, random(4) * 7, abi);
    // What does not fit a sub-buffer is cut: the fields that lie behind are then missing, which is told the same way.
    return { time, payload: payload.slice(0, 900) };
  });
}
