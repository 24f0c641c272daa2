import {
  CHARACTERS,
  MOST_TASKS,
  MOST_TEXTS,
  OUT,
  TASK_BYTES,
  TASK_SLOT,
  TASKS,
  TEXT_BYTES,
  TEXT_SLOT,
  TEXTS,
} from './report-memory';

/**
 * What the caller is asked for once: the columns of tasks by pid, and the texts of values by the table that they are of. Two hash tables,
 * whose slots hold numbers of entries that lie one behind the other.
 */

export let tasks: u32 = 0;
let texts: u32 = 0;
let charactersAt: usize = CHARACTERS;

function slotOf(key: u32, bits: u32): usize {
  return <usize>((key * 0x9e37_79b1) >>> (32 - bits));
}

/** The task's entry, 0 where there is none. */
export function findTask(pid: u32): usize {
  let slot = slotOf(pid, 13);
  let number = load<u16>(TASK_SLOT + (slot << 1));
  while (number !== 0 && load<u32>(taskAt(number - 1)) !== pid) {
    slot = (slot + 1) & 8191;
    number = load<u16>(TASK_SLOT + (slot << 1));
  }
  return number === 0 ? 0 : taskAt(number - 1);
}

/** A new task's entry, to be filled by the caller; or the one that it has. 0 where there is no room. */
export function addTask(pid: u32): usize {
  const known = findTask(pid);
  if (known !== 0) return known;
  if (tasks === MOST_TASKS) return 0;
  let slot = slotOf(pid, 13);
  while (load<u16>(TASK_SLOT + (slot << 1)) !== 0) slot = (slot + 1) & 8191;
  const task = taskAt(tasks++);
  store<u16>(TASK_SLOT + (slot << 1), <u16>tasks);
  store<u32>(task, pid);
  return task;
}

/** The entry of the task with this number, from 0. */
export function taskAt(number: u32): usize {
  return TASKS + <usize>number * TASK_BYTES;
}

function textSlot(table: u32, value: u64): usize {
  return slotOf((<u32>value ^ <u32>(value >>> 32)) + table * 0x85eb_ca6b, 14);
}

/** Room for the text that `table` has for `value`: `length` bytes, 2048 at most. What is known is forgotten when there is no room. */
export function addText(table: u32, value: u64, length: u32): usize {
  if (texts === MOST_TEXTS || charactersAt + length > OUT) {
    memory.fill(TEXT_SLOT, 0, 2 * 16_384);
    texts = 0;
    charactersAt = CHARACTERS;
  }
  let slot = textSlot(table, value);
  while (load<u16>(TEXT_SLOT + (slot << 1)) !== 0) slot = (slot + 1) & 16_383;
  const text = TEXTS + <usize>texts * TEXT_BYTES;
  texts++;
  store<u16>(TEXT_SLOT + (slot << 1), <u16>texts);
  store<u64>(text, value);
  store<u32>(text, table, 8);
  store<u32>(text, <u32>charactersAt, 12);
  store<u32>(text, length, 16);
  const at = charactersAt;
  charactersAt += length;
  return at;
}

/** The text's entry, 0 where there is none. */
export function findText(table: u32, value: u64): usize {
  let slot = textSlot(table, value);
  let number = load<u16>(TEXT_SLOT + (slot << 1));
  while (number !== 0) {
    const text = TEXTS + <usize>(number - 1) * TEXT_BYTES;
    if (load<u64>(text) === value && load<u32>(text, 8) === table) return text;
    slot = (slot + 1) & 16_383;
    number = load<u16>(TEXT_SLOT + (slot << 1));
  }
  return 0;
}
