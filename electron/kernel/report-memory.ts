/** How memory is divided up, for all parts of the kernel of `report`; from `OUT_END` on it is the caller's. */

// What `run` may return.
export const DONE: u32 = 0;
/** `out` is to be written. */
export const FLUSH: u32 = 1;
/** The current CPU has no records left in memory. */
export const REFILL: u32 = 2;
/** The current record is for the general code. */
export const GENERAL: u32 = 3;
/** No program was asked for yet: `wantedId`. */
export const PROGRAM: u32 = 4;
/** No task columns were asked for yet: `wantedPid`. */
export const TASK: u32 = 5;
/** No text was asked for yet: `wantedTable`, `wantedValue`. */
export const TEXT: u32 = 6;

/** Values that a program may hold at once. */
export const STACK: usize = 1024; // u64[64]
export const SECOND: usize = STACK + 8 * 64; // the second of the last time as text, with its point: 32 bytes
export const PROGRAM_AT: usize = SECOND + 32; // u32[65536] by kernel id: 0 not asked for, 1 none, else where the program is
export const TASK_SLOT: usize = PROGRAM_AT + 4 * 65_536; // u16[8192]: number of a task, from 1
export const MOST_TASKS: u32 = 4096;
export const TASK_BYTES: usize = 64; // { u32 pid; u32 length, 0: for the general code; u32 named; u32; u8 text[48] }
export const TASKS: usize = TASK_SLOT + 2 * 8192;
export const TEXT_SLOT: usize = TASKS + TASK_BYTES * <usize>MOST_TASKS; // u16[16384]: number of a text, from 1
export const MOST_TEXTS: u32 = 8192;
export const TEXT_BYTES: usize = 24; // { u64 value; u32 table; u32 at; u32 length; u32 }
export const TEXTS: usize = TEXT_SLOT + 2 * 16_384;
export const CHARACTERS: usize = TEXTS + TEXT_BYTES * <usize>MOST_TEXTS; // the texts' bytes
export const PIECE_BYTES: usize = 1 << 17;
export const OUT: usize = CHARACTERS + (1 << 18);
export const OUT_END: usize = OUT + PIECE_BYTES + (1 << 15);
/** No step of a program writes more than there is room behind this, apart from strings, which are checked. */
export const LIMIT: usize = OUT_END - 8192;
