import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { type BuiltFormat, payloadOf } from './formats.ts';
import { buildSubBuffers, type RingAbi } from './sub-buffer.ts';
import { buildTraceDat } from './trace-dat.ts';

/** A large recording that needs no input: one CPU's sub-buffers, written again and again, each copy later in time. */

const abi: RingAbi = { littleEndian: true, longBytes: 8, subBufferBytes: 4096 };
const STEP_NS = 1000n;
const COPY_SUB_BUFFERS = 256;

const tick: BuiltFormat = {
  system: 'sample',
  name: 'tick',
  id: 77,
  fields: [{ name: 'value', declaration: 'u32', bytes: 4, signed: false, kind: 'number' }],
  printFmt: '"value=%u", REC->value',
};

/** Events in one copy: 4 bytes of header and 12 of payload each. */
const EVENTS_PER_SUB_BUFFER = Math.floor((abi.subBufferBytes - 16) / 16);
const COPY_EVENTS = EVENTS_PER_SUB_BUFFER * COPY_SUB_BUFFERS;
const COPY_BYTES = COPY_SUB_BUFFERS * abi.subBufferBytes;

/** Writes a version-6 recording of at least `events` events of `sample:tick`; returns how many there are. */
export function writeLargeRecording(path: string, events: number): number {
  const payloads = Array.from({ length: COPY_EVENTS }, (_, i) => ({
    time: BigInt(i) * STEP_NS,
    payload: payloadOf(tick, { flags: 0, preemptCount: 0, pid: 1 + (i % 7) }, [BigInt(i % 1000)], true),
  }));
  const copy = Buffer.from(buildSubBuffers(payloads, abi));
  const copies = Math.ceil(events / COPY_EVENTS);
  const head = Buffer.from(
    buildTraceDat({
      version: 6,
      compression: 'none',
      abi,
      formats: [tick],
      buffers: [{ name: '', clock: 'local', cpus: [[]] }],
      comms: [1, 2, 3, 4, 5, 6, 7].map((pid) => [pid, `task${pid}`]),
      uname: 'Linux built 1.0',
      kallsyms: '',
      printkFormats: '',
      options: [],
    }),
  );
  // The head of an empty recording ends on a page; its only CPU's table entry is made to cover what follows.
  const table = head.lastIndexOf('flyrecord\0') + 'flyrecord\0'.length;
  head.writeBigUInt64LE(BigInt(head.length), table);
  head.writeBigUInt64LE(BigInt(COPY_BYTES * copies), table + 8);
  const file = openSync(path, 'w');
  try {
    writeSync(file, head);
    for (let n = 0; n < copies; n++) {
      for (let at = 0; at < copy.length; at += abi.subBufferBytes) {
        const sub = at / abi.subBufferBytes;
        const first = BigInt(n * COPY_EVENTS + sub * EVENTS_PER_SUB_BUFFER);
        copy.writeBigUInt64LE(1_000_000_000n + first * STEP_NS, at);
      }
      writeSync(file, copy);
    }
  } finally {
    closeSync(file);
  }
  return copies * COPY_EVENTS;
}

/**
 * Writes ftrace text of `lines` events `foo: n=…`, a microsecond apart, two of three on CPU 0.
 */
export function writeLargeText(path: string, lines: number): void {
  const line = (i: number): string => {
    const time = `${1 + Math.floor(i / 1e6)}.${String(i % 1e6).padStart(6, '0')}`;
    return `              dd-12      [00${i % 3 === 2 ? 1 : 0}] ..... ${time}: foo: n=${i} of many\n`;
  };
  writeFileSync(path, Array.from({ length: lines }, (_, i) => line(i)).join(''));
}
