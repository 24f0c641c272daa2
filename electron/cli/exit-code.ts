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
  const detail = toErrorDetail(error);
  const position = detail.position === undefined ? '' : ` (at character ${detail.position + 1})`;
  return `remora: ${placed(detail)}${position}`;
}

/** A message on one line, with the file and the offset that it does not name by itself. */
export function placed({
  message,
  file,
  offset,
  section,
}: Pick<ErrorDetail, 'message' | 'file' | 'offset' | 'section'>): string {
  const text = message.trim().replaceAll(/\s*\n\s*/g, ' ');
  const prefix = file !== undefined && file !== '' && !text.includes(file) ? `${file}: ` : '';
  if (offset === undefined || text.includes(`byte ${offset}`)) return prefix + text;
  return `${prefix}${text} (byte ${offset}${section ? `, ${section}` : ''})`;
}
