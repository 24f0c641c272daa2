import { pointerSuffixLength } from './pointers.ts';
import { parseSpec, type Spec } from './printf.ts';
import { latin1Bytes } from './text-sink.ts';

/** A format string, cut into text and conversions (libtraceevent: parse_args). */
export type Piece =
  | { kind: 'text'; text: Uint8Array; endsWith0x: boolean }
  | { kind: 'number' | 'string'; spec: Spec; arg: number; star: number | null }
  | { kind: 'pointer'; suffix: string; arg: number; star: number | null };

export interface Pieces {
  pieces: Piece[];
  /** Too few arguments, two stars, or a length that cannot be: such a format prints field by field. */
  failed: boolean;
}

/** Cuts a format string that has `argCount` arguments; arguments are numbered in order. */
export function cutFormat(format: string, argCount: number): Pieces {
  const pieces: Piece[] = [];
  let failed = false;
  let arg = 0;
  let at = 0;
  while (at < format.length) {
    if (format[at] === '%' && format[at + 1] !== '%') {
      const conversion = readConversion(format, at, arg, argCount);
      failed ||= conversion.failed;
      if (conversion.piece !== null) pieces.push(conversion.piece);
      arg = conversion.nextArg;
      at = conversion.next;
    } else {
      const text = readText(format, at);
      pieces.push({ kind: 'text', text: latin1Bytes(text.text), endsWith0x: /0x$/.test(text.text) });
      at = text.next;
    }
  }
  return { pieces, failed };
}

/** Text up to the next conversion, escapes resolved: `\n \t \r \\`, any other character stands for itself. */
function readText(format: string, from: number): { text: string; next: number } {
  let text = '';
  let at = from;
  for (; at < format.length; at++) {
    const char = format[at];
    if (char === '\\') {
      at++;
      const escaped = format[at];
      if (escaped !== undefined) text += ESCAPES[escaped] ?? escaped;
    } else if (char === '%') {
      if (format[at + 1] !== '%') break;
      text += '%';
      at++;
    } else text += char;
  }
  return { text, next: Math.max(at, from + 1) };
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r' };

interface Conversion {
  piece: Piece | null;
  next: number;
  nextArg: number;
  failed: boolean;
}

function readConversion(format: string, from: number, firstArg: number, argCount: number): Conversion {
  let star: number | null = null;
  let arg = firstArg;
  let length = 0;
  for (let at = from + 1; at < format.length; at++) {
    const char = format[at];
    if ('#.-+0123456789'.includes(char)) continue;
    switch (char) {
      case 'h':
        length--;
        continue;
      case 'l':
        length++;
        continue;
      case 'L':
        length = 2;
        continue;
      case 'z':
      case 'Z':
        length = 1;
        continue;
      case '*':
        if (arg >= argCount || star !== null) return { piece: null, next: at, nextArg: arg, failed: true };
        star = arg++;
        continue;
    }
    const end = at + 1;
    if (!'pcduixXos'.includes(char)) {
      // No conversion that libtraceevent knows: shown as such, the argument left for the next one.
      const text = latin1Bytes(`>${char}<`);
      return { piece: { kind: 'text', text, endsWith0x: false }, next: end, nextArg: arg, failed: false };
    }
    if (arg >= argCount) return { piece: null, next: at, nextArg: arg, failed: true };
    if (char === 'p') {
      const size = pointerSuffixLength(format.slice(end, end + 12));
      const piece: Piece = { kind: 'pointer', suffix: format.slice(end, end + size), arg, star };
      return { piece, next: end + size, nextArg: arg + 1, failed: false };
    }
    const spec = parseSpec(format.slice(from, end));
    const kind = char === 's' ? 'string' : 'number';
    if (kind === 'number') spec.length = length;
    const failed = kind === 'number' && (length < -2 || length > 2);
    return { piece: { kind, spec, arg, star }, next: end, nextArg: arg + 1, failed };
  }
  return { piece: null, next: format.length, nextArg: arg, failed: false };
}
