/** What a library might still hold open shall not keep a process for longer. */
const HELD_OPEN_MS = 300;

/**
 * Ends the process by itself: nothing is left to do, and whoever calls has closed what would keep it. `process.exit` would not do: it waits
 * for V8's threads, one of which may wait for a garbage collection that does not come any more, and then the process stays for
 * ever (seen in Node 24). What is held open all the same is ended for certain.
 */
export function endProcess(code: number): void {
  process.exitCode = code;
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), HELD_OPEN_MS).unref();
}
