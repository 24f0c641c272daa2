import type { TraceWarning } from '../../shared/errors.ts';
import type { CpuBytes } from './cpu-data.ts';
import type { CpuData } from './recording.ts';

/**
 * Damage at a position of one CPU's unpacked data as a warning at its place in the file: the start of the CPU's data where
 * it lies inside a compressed chunk. What else is known of it is kept.
 */
export function placeDamage(
  data: CpuData,
  bytes: CpuBytes,
  damage: { position: number; message: string },
): Omit<TraceWarning, 'file'> {
  const { position, message, ...more } = damage;
  const at = bytes.fileOffset(position);
  return {
    offset: at >= 0 ? at : data.offset,
    section: `cpu ${data.cpu} data`,
    message: at >= 0 ? message : `at unpacked byte ${position}: ${message}`,
    ...more,
  };
}
