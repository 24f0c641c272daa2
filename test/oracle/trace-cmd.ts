import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The machine's own trace-cmd, or the one that `REMORA_TRACE_CMD` names. Remora prints as 3.3 does, with libtraceevent 1.8 and its
 * plugins: an older one leaves the flags out and words some events differently.
 */
const command = process.env.REMORA_TRACE_CMD ?? 'trace-cmd';

/** Why there is no trace-cmd to compare with; null where there is. */
export const noTraceCmd: string | null = ((): string | null => {
  const { stdout, stderr, error } = spawnSync(command, ['version'], { encoding: 'utf8' });
  if (error !== undefined) return 'there is no trace-cmd';
  const version = /version (\d+)\.(\d+)/.exec(`${stdout}${stderr}`);
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  return major > 3 || (major === 3 && minor >= 3) ? null : `trace-cmd is ${major}.${minor}, 3.3 is needed`;
})();

/** What `trace-cmd report` prints for a recording, byte for byte; throws where it crashes. */
export function traceCmdReport(recording: Uint8Array, ...options: string[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'remora-oracle-'));
  try {
    const path = join(folder, 'recording.dat');
    const printed = join(folder, 'report.txt');
    writeFileSync(path, recording);
    const out = openSync(printed, 'w');
    try {
      const { status, signal, stderr } = spawnSync(command, ['report', ...options, path], {
        stdio: ['ignore', out, 'pipe'],
      });
      if (status !== 0) throw new Error(`trace-cmd report: ${signal ?? status} ${String(stderr).slice(-200)}`);
    } finally {
      closeSync(out);
    }
    return readFileSync(printed);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
