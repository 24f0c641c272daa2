import { bigintReader, isNumeric, textReader } from '../parse/field-access.ts';
import type { EventFormat } from '../parse/event-format.ts';
import type { TraceAbi } from '../parse/recording.ts';
import type { EventPrinter } from './event-text.ts';

/** Prints events as `field=value` lists, from the format alone. */
export function fieldListPrinter(formats: ReadonlyMap<number, EventFormat>, abi: TraceAbi): EventPrinter {
  return {
    info(id, view, at, length) {
      const format = formats.get(id);
      if (format === undefined) return `[UNKNOWN EVENT ${id}]`;
      return format.fields
        .filter((field) => !field.common)
        .map((field) => {
          const number = isNumeric(field) && !field.isArray;
          return `${field.name}=${number ? bigintReader(field, abi)(view, at, at + length) : textReader(field, abi)(view, at, at + length)}`;
        })
        .join(' ');
    },
    flags: () => '.....',
  };
}
