import { type ErrorDetail, toErrorDetail } from '../../shared/errors.ts';

/** What a command ends with. */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Done, but parts of the input were damaged or lost. */
  damaged: 3,
  /** Ended by Ctrl+C, as shells count it. */
  interrupted: 130,
} as const;

/** The exit code that belongs to an error. */
export function exitCodeOf(error: unknown): number {
  const { code } = toErrorDetail(error);
  if (code === 'cancelled') return exitCode.interrupted;
  return code === 'bad-expression' || code === 'bad-request' ? exitCode.usage : exitCode.failed;
}

/** An error on one line: what happened, where, and what to do. */
export function errorLine(error: unknown): string {
  const detail: ErrorDetail = toErrorDetail(error);
  const place = [
    detail.offset === undefined ? '' : `byte ${detail.offset}`,
    detail.section ?? '',
    detail.position === undefined ? '' : `at character ${detail.position + 1}`,
  ].filter(Boolean);
  const file = detail.file !== undefined && !detail.message.includes(detail.file) ? `${detail.file}: ` : '';
  const text = `${file}${detail.message}`.replaceAll(/\s*\n\s*/g, ' ');
  return `remora: ${text}${place.length > 0 ? ` (${place.join(', ')})` : ''}`;
}
