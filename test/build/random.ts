/** Random numbers that are the same for the same seed, on every machine. */
export type Random = (below: number) => number;

/** mulberry32: integers from 0 to below `below` (at most 2^32). Seeds next to each other give unlike sequences. */
export function randomFrom(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) >>> 0;
  return (below) => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

export const oneOf = <T>(random: Random, choices: readonly T[]): T => choices[random(choices.length)] as T;
