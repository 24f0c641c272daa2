import { oneOf, randomFrom } from '../build/random.ts';
import { mutate } from './mutate.ts';
import { type FuzzTarget, targets } from './targets.ts';

/** Input number `index` of a run is always the same: from the run's seed and its number alone. */
export interface FuzzInput {
  name: string;
  target: FuzzTarget;
  bytes: Uint8Array;
}

const seeds = new Map<string, Uint8Array[]>();

function seedsOf(name: string, target: FuzzTarget): Uint8Array[] {
  const known = seeds.get(name) ?? target.seeds();
  seeds.set(name, known);
  return known;
}

/** `only`: of that target; else of all, by their weights. */
export function inputOf(seed: number, index: number, only?: string): FuzzInput {
  const random = randomFrom(Math.imul(seed + 1, 0x9e37_79b1) ^ Math.imul(index + 1, 0x85eb_ca77));
  const chosen = Object.entries(targets).flatMap(([name, { weight }]) => Array<string>(weight).fill(name));
  const name = only ?? oneOf(random, chosen);
  const target = targets[name] as FuzzTarget;
  const own = seedsOf(name, target);
  return { name, target, bytes: mutate(random, oneOf(random, own), own, target.place) };
}
