import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { printByKernel } from '../../electron/engine/print-by-kernel.ts';
import { bytesSource } from '../../electron/parse/byte-source.ts';
import { readTraceDat } from '../../electron/parse/trace-dat.ts';
import { reportRecording } from '../../electron/query/report-recording.ts';
import { RemoraError, type TraceWarning } from '../../shared/errors.ts';
import { corpusFile, corpusText } from '../corpus.ts';
import { type DamagedCase, damagedCases, damagedFile } from './damaged.ts';

/** Of the recordings that the corpus says were damaged, Remora reads at least what trace-cmd reads, and tells what is wrong. */

/** By the cases' prefix. The third's own base is not in the corpus: another recording of its kind is damaged the same way. */
const BASES: Record<string, { file: string; lines: number; own: boolean }> = {
  v6: { file: 'small-v6.dat', lines: 5521, own: true },
  v7n: { file: 'small-v7-none.dat', lines: 5566, own: true },
  v7z: { file: 'host-clock-boot.dat', lines: 6469, own: false },
};

/**
 * Lines that trace-cmd prints of bytes that are no record: of noise and zeros, most are of an UNKNOWN EVENT; and one record of a
 * sub-buffer that says it holds a single byte.
 */
const MADE_UP: Record<string, number> = {
  'v6-page-commit-missed.dat': 9,
  'v6-ev-len0-huge.dat': 1,
  'v6-ev-type31.dat': 1,
  'v6-page-commit-1.dat': 1,
  'v7n-ev-len0-huge.dat': 1,
  'v7n-page-commit-1.dat': 1,
  'v7n-ev-type31.dat': 2,
};

interface Outcome {
  lines: number;
  warnings: TraceWarning[];
  error: RemoraError | null;
}

function read(bytes: Uint8Array): Outcome {
  const source = bytesSource(bytes, 'damaged.dat');
  let lines = 0;
  try {
    const head = readTraceDat(source);
    const count = (piece: Uint8Array): void => {
      for (const byte of piece) if (byte === 10) lines++;
    };
    const damage = reportRecording(source, head, {}, count, printByKernel);
    return { lines, warnings: [...head.warnings, ...damage], error: null };
  } catch (error) {
    if (error instanceof RemoraError) return { lines, warnings: [], error };
    throw error;
  }
}

const table = corpusText('damage.md');
const cases = table === null ? [] : damagedCases(table);

test.skipIf(table === null)('the whole list is read', () => {
  expect(cases.length).toBe(206);
});

describe.each(Object.entries(BASES))('%s', (prefix, { file, lines: intactLines, own }) => {
  const path = corpusFile(file);
  let intact: Uint8Array = new Uint8Array(0);
  beforeAll(() => {
    if (path !== null) intact = readFileSync(path);
  });
  const ofBase = cases.filter(({ name }) => name.startsWith(`${prefix}-`));

  test.skipIf(path === null).each(ofBase)('$name: $damage', ({ damage, lines, exitCode, name }: DamagedCase) => {
    const bytes = damagedFile(intact, damage);
    const found = read(bytes);
    for (const { file: where, offset, section, message } of found.warnings) {
      expect({ where, inside: offset >= 0 && offset <= bytes.length }).toEqual({ where: 'damaged.dat', inside: true });
      expect(section).not.toBe('');
      expect(message).not.toBe('');
    }
    if (found.error !== null) {
      expect(found.error.detail).toMatchObject({ file: 'damaged.dat', offset: expect.any(Number) });
      // Nothing can be read where trace-cmd finds no header either, or a version or compression that nobody knows.
      expect({ name, lines }).toEqual({ name, lines: 0 });
      expect(['not-a-trace', 'unsupported-version', 'damaged']).toContain(found.error.code);
      return;
    }
    const damaged = found.warnings.length > 0;
    const expected = own ? lines : lines >= 5920 ? intactLines : 0;
    expect(found.lines, `exit ${exitCode}`).toBeGreaterThanOrEqual(expected - (MADE_UP[name] ?? 0));
    if (found.lines < intactLines) expect(damaged, 'what is missing is told').toBe(true);
  });
});
