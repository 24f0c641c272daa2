import type { ByteSource } from './byte-source.ts';
import { Cursor } from './cursor.ts';
import { OptionReader, readOptionList } from './options.ts';
import type { RecordingBuffer } from './recording.ts';
import {
  addCpu,
  type HeadInProgress,
  readCmdlines,
  readEventFormats,
  readFtraceFormats,
  readHeaderInfo,
  readKallsyms,
  readPrintkFormats,
  tolerate,
} from './trace-dat-sections.ts';

/**
 * Version 6: trace-cmd.dat.v6(5). Behind the fixed part follow header info, formats, kallsyms, printk formats and command
 * lines, each with its length; `u32 CPUs`; `"options  \0"` with options; then `"flyrecord\0"` and per CPU `u64 offset, u64
 * size`, or `"latency  \0"` and a tracer's text up to the end of the file.
 */
export function readVersion6(source: ByteSource, cursor: Cursor, head: HeadInProgress): void {
  const options = new OptionReader(head, cursor.littleEndian);
  const sections: [string, (cursor: Cursor, head: HeadInProgress) => void][] = [
    ['header info', readHeaderInfo],
    ['ftrace formats', readFtraceFormats],
    ['event formats', readEventFormats],
    ['kallsyms', readKallsyms],
    ['printk formats', readPrintkFormats],
    ['cmdlines', readCmdlines],
  ];
  tolerate(head, () => {
    for (const [name, read] of sections) {
      cursor.section = name;
      read(cursor, head);
    }
    cursor.section = 'cpu table';
    head.cpuCount = cursor.u32();
    let at = cursor.offset;
    let kind = cursor.text(10);
    if (kind === 'options  ') {
      cursor.section = 'options';
      readOptionList(cursor, (id, data, offset) => options.add(id, data, offset));
      cursor.section = 'cpu table';
      at = cursor.offset;
      kind = cursor.text(10);
    }
    const top = options.buffer('', head.traceClock);
    if (kind === 'flyrecord') {
      tolerate(head, () => readCpuTable6(cursor, head, top));
      head.buffers.push(top);
    } else if (kind === 'latency  ') head.latencyText = { offset: cursor.offset, bytes: source.size - cursor.offset };
    else throw cursor.fail('"flyrecord" or "latency"', JSON.stringify(kind), at);
  });
  for (const { name, offset } of options.instances6) {
    // An instance's option holds the place of its own "flyrecord" table.
    const buffer = options.buffer(name, head.traceClock);
    tolerate(head, () => {
      const table = new Cursor(source, offset, `cpu table of instance ${name}`);
      table.littleEndian = cursor.littleEndian;
      const kind = table.text(10);
      if (kind !== 'flyrecord') throw table.fail('"flyrecord"', JSON.stringify(kind), offset);
      readCpuTable6(table, head, buffer);
    });
    head.buffers.push(buffer);
  }
  options.finish();
}

/** Per CPU: u64 offset, u64 size. */
function readCpuTable6(cursor: Cursor, head: HeadInProgress, buffer: RecordingBuffer): void {
  for (let cpu = 0; cpu < head.cpuCount; cpu++) {
    const offset = cursor.size64();
    const bytes = cursor.size64();
    if (bytes > 0) addCpu(cursor, head, buffer, { cpu, offset, bytes, compressed: false });
  }
}
