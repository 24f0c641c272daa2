import type { CpuStats } from './instance.ts';

/**
 * A machine whose kernel is traced: the one that we run on (local-machine.ts), or one that a shell is spoken to on
 * (remote-machine.ts). All that a capture wants of it goes through here; paths are that machine's own, absolute. Whatever fails
 * rejects with an error that has the operating system's `code`; a connection that is lost, with RemoraError.
 */
export interface Machine {
  /** What a person calls it; null: the machine that we run on. */
  readonly host: string | null;
  /** The process there that captures: instances are named after it. */
  readonly pid: number;
  readonly littleEndian: boolean;
  /** The connection to it is lost: nothing can be asked of it any more. */
  readonly lost: boolean;
  /** How it got the rights to trace, in words; empty where it simply has them. */
  readonly rights: string;
  /** Between turns of reading, between looks at what changes slowly, and how long an event must at least be allowed to wait. */
  readonly pace: { turnMs: number; lookMs: number; latencyMs: number };

  read(path: string): Promise<Buffer>;
  /** Writes a file that exists in one call, as the kernel parses every write by itself, and without emptying it before. */
  write(path: string, text: string): Promise<void>;
  /** Names in a folder. */
  list(path: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  /** Whether things may be made in a folder. */
  mayWriteTo(folder: string): Promise<boolean>;
  makeInstance(path: string): Promise<void>;
  removeInstance(path: string): Promise<void>;
  /** Mounts tracefs; returns what went wrong, in words, or null. */
  mountTracefs(at: string): Promise<string | null>;
  isRoot(): Promise<boolean>;
  /** Threads that capture, whose own events are left out. */
  ownTasks(): Promise<number[]>;
  /** As `uname -snrm` prints it. */
  uname(): Promise<string>;
  memoryBytes(): Promise<number>;
  /** `folder` and everything below it with its inode in decimal, parents first. Empty where there is none. */
  cgroupFolders(folder: string): Promise<Map<string, string>>;
  /** Calls back when a folder was made below; null where that has to be looked for again and again. */
  watchFolder(folder: string, onMade: () => void): { close(): void } | null;
  openRing(instance: string, cpus: readonly number[], subBuffer: SubBufferSizes): Promise<Ring>;
  /** Gives the machine back. What was made there and not removed is removed. */
  close(): Promise<void>;
}

export interface SubBufferSizes {
  bytes: number;
  /** Of `bytes`, what events can take. */
  dataBytes: number;
}

/** The ring buffers of an instance, one per CPU. */
export interface Ring {
  /** The kernel's counts when they were last read. */
  readonly cpus: readonly { cpu: number; stats: CpuStats; statsText: string }[];
  /** CPU time that reading has taken so far on that machine, in seconds. */
  usedSeconds(): number;
  /** Reads the counts. */
  refresh(): Promise<void>;
  /**
   * Takes what there is out of the buffers and hands it over as whole sub-buffers, borrowed until `take` returns. `partial`:
   * with the sub-buffers that the kernel is still filling. Returns the number of sub-buffers.
   */
  drain(partial: boolean, take: (index: number, bytes: Buffer) => void): Promise<number>;
  close(): void;
}
