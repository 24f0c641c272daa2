import { expect, test } from 'vitest';
import { chooseRights, type Surroundings } from '../../../electron/live/rights.ts';

const nothing: Surroundings = {
  mayTrace: false,
  terminal: false,
  desktop: false,
  has: () => false,
  sudoAsksNothing: () => {
    throw new Error('sudo is asked only where it is there and nothing else will do');
  },
};
const all = { ...nothing, terminal: true, desktop: true, has: () => true, sudoAsksNothing: () => true };
const by = (surroundings: Surroundings): string => chooseRights(surroundings).by;

test('who may trace needs no more rights', () => {
  expect(by({ ...all, mayTrace: true })).toBe('own');
  expect(chooseRights({ ...all, mayTrace: true }).command).toEqual([]);
});

test('at a terminal sudo asks, in a desktop session pkexec, elsewhere sudo must not ask', () => {
  expect(by(all)).toBe('sudo-terminal');
  expect(by({ ...all, terminal: false })).toBe('pkexec');
  expect(by({ ...all, terminal: false, desktop: false })).toBe('sudo');
  expect(chooseRights({ ...all, terminal: false, desktop: false }).command).toContain('-n');
});

test('what is not there is not chosen', () => {
  const has = (only: string) => (program: string) => program === only;
  expect(by({ ...all, has: has('pkexec') })).toBe('pkexec');
  expect(by({ ...all, terminal: false, has: has('sudo') })).toBe('sudo');
  expect(by({ ...all, terminal: false, has: has('sudo'), sudoAsksNothing: () => false })).toBe('own');
  expect(by(nothing)).toBe('own');
});
