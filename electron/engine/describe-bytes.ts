/** Beginnings of files that people take for recordings, and what to do with them. */
const known: [number[], string][] = [
  [[0x1f, 0x8b], 'it is compressed with gzip: unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'it is compressed with zstd: unpack it first'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'it is compressed with xz: unpack it first'],
  [[0x42, 0x5a, 0x68], 'it is compressed with bzip2: unpack it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'it is a zip archive: unpack it first'],
  [[0x7f, 0x45, 0x4c, 0x46], 'it is a program or core dump (ELF)'],
  [[0xff, 0xfe], 'it is UTF-16 text: save it as UTF-8'],
  [[0xfe, 0xff], 'it is UTF-16 text: save it as UTF-8'],
  [
    [0x50, 0x45, 0x52, 0x46, 0x49, 0x4c, 0x45, 0x32],
    'it is a perf.data: convert it with `perf script`, or record with trace-cmd',
  ],
  [[0xc1, 0x1f, 0xfc, 0xc1], 'it is a CTF stream of LTTng'],
  [[0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], 'it is an SQLite database, but no workspace'],
  [[0x17, 0x08], 'it begins like a trace.dat and is damaged there: a trace.dat begins with 17 08 44 "tracing"'],
];

/** What the beginning of a file looks like, for somebody who expected a recording. */
export function describeBytes(start: Uint8Array): string {
  const match = known.find(([bytes]) => bytes.every((byte, i) => start[i] === byte));
  if (match !== undefined) return match[1];
  const hex = Array.from(start.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const control = start
    .subarray(0, 4096)
    .filter((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d).length;
  if (control > 0) return `it begins with the bytes ${hex}`;
  const line =
    Buffer.from(start.subarray(0, 200))
      .toString('utf8')
      .split(/\r?\n/)
      .find((text) => text.trim() !== '') ?? '';
  return `it is text, but its lines are not ftrace's; the first is ${JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line)}`;
}
