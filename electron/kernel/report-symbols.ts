/**
 * Reads `/proc/kallsyms`, a piece of its text at a time: the lines of parse/print-format/symbols.ts: readKallsyms, which is the measure
 * of this.
 */

/** Behind the last line that was read; a line that the piece does not hold to its end is left. */
export let symbolsEnd: usize = 0;
/** A line that is none ended the text. */
export let symbolsStopped: bool = false;

const NEWLINE: u32 = 10;
const SPACE: u32 = 32;
const DOLLAR: u32 = 36;

/**
 * Reads the lines from `from` up to `to`; `last`: the text ends there. What is found goes to `high`, `low` and `name`, arrays of u32: the
 * address' halves, and where the name begins, `base` added to its distance from `from`. Returns how many.
 */
export function readSymbols(from: usize, to: usize, last: bool, high: usize, low: usize, name: usize, base: u32): u32 {
  let count: usize = 0;
  let at = from;
  symbolsStopped = false;
  while (at < to) {
    symbolsEnd = at;
    if (load<u8>(at) === NEWLINE) {
      at++;
      continue;
    }
    let address: u64 = 0;
    let space = at;
    let bad = false;
    for (; space < to; space++) {
      const character = <u32>load<u8>(space);
      if (character === SPACE) break;
      const letter = (character | 32) - 97;
      const digit = character - 48 < 10 ? character - 48 : letter < 6 ? letter + 10 : 16;
      if (digit > 15) {
        bad = true;
        break;
      }
      address = (address << 4) | digit;
    }
    if (bad || space - at > 16) {
      symbolsStopped = true;
      break;
    }
    if (space + 3 >= to) {
      symbolsStopped = last;
      return <u32>count;
    }
    const kind = <u32>load<u8>(space, 1);
    const first = <u32>load<u8>(space, 3);
    if (space === at || <u32>load<u8>(space, 2) !== SPACE || first <= SPACE || kind === NEWLINE) {
      symbolsStopped = true;
      break;
    }
    let end = space + 3;
    while (end < to && load<u8>(end) !== NEWLINE) end++;
    if (end === to && !last) return <u32>count;
    if (first !== DOLLAR && (kind | 32) !== 97) {
      store<u32>(high + (count << 2), <u32>(address >>> 32));
      store<u32>(low + (count << 2), <u32>address);
      store<u32>(name + (count << 2), base + <u32>(space + 3 - from));
      count++;
    }
    at = end + 1;
  }
  symbolsEnd = min(at, to);
  return <u32>count;
}
