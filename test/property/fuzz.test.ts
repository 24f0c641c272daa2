import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inputOf } from '../fuzz/inputs.ts';
import { type FuzzTarget, finding, targets } from '../fuzz/targets.ts';

/** A short run of the fuzzer, the same each time, and everything that it ever found: `npm run fuzz` is the long one. */

const folder = join(import.meta.dirname, '../fixtures/fuzz');
const SEED = 1;
const INPUTS = 1500;

test.each(readdirSync(folder))('found before: %s', (file) => {
  const target = targets[file.slice(0, file.indexOf('-'))] as FuzzTarget;
  expect(finding(target, readFileSync(join(folder, file)))).toBeNull();
});

describe.each(Object.keys(targets))('%s', (name) => {
  const few = name === 'raw' ? 30 : INPUTS;
  test(`${few} damaged inputs`, () => {
    for (let i = 0; i < few; i++) {
      const { target, bytes } = inputOf(SEED, i, name);
      const found = finding(target, bytes);
      if (found !== null)
        throw new Error(`npm run fuzz -- --target ${name} --seed ${SEED} --only ${i}`, { cause: found });
    }
  });
  test('undamaged seeds are no findings, and are read', () => {
    for (const seed of (targets[name] as FuzzTarget).seeds())
      expect(finding(targets[name] as FuzzTarget, seed)).toBeNull();
  });
});

test('what breaks an invariant is a finding', () => {
  const broken: FuzzTarget = {
    ...(targets.text as FuzzTarget),
    run() {
      throw new RangeError('Invalid array length');
    },
  };
  expect(finding(broken, new Uint8Array(1))).toBeInstanceOf(RangeError);
});
