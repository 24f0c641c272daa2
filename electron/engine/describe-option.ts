import type { RecordingOptionInfo } from '../../shared/model.ts';
import type { RecordingOption } from '../parse/recording.ts';

const MOST_BYTES = 64;

/** What is shown of an option: text where it is text, up to its NUL, else bytes; of a long one the beginning. */
export function describeOption({ id, name, offset, data }: RecordingOption): RecordingOptionInfo {
  const start = Buffer.from(data.subarray(0, MOST_BYTES));
  const nul = data.indexOf(0);
  const text = start.toString('latin1', 0, nul < 0 ? start.length : nul);
  const isText = /^[\x20-\x7e\t\n]+$/.test(text) && (nul < 0 || nul === data.length - 1);
  const value = isText ? text.trim() : start.toString('hex');
  return { id, name, offset, bytes: data.length, value: `${value}${data.length > MOST_BYTES ? '…' : ''}` };
}
