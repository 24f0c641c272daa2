/**
 * Whether the window has nothing left to fetch or draw. Tests wait for `<html data-idle="true">` instead of sleeping:
 * every request and every pending frame counts itself in and out.
 */
let pending = 0;
let idle = false;
let settle: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function publish(now: boolean): void {
  if (now === idle) return;
  idle = now;
  document.documentElement.dataset.idle = String(now);
  for (const listener of listeners) listener();
}

export const isIdle = (): boolean => idle;

export function onIdleChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Counts one piece of work in; the returned function counts it out, once. */
export function busy(): () => void {
  pending += 1;
  clearTimeout(settle);
  publish(false);
  let done = false;
  return () => {
    if (done) return;
    done = true;
    pending -= 1;
    // Work often starts the next piece of work: idle means that nothing followed for two frames.
    if (pending === 0) settle = setTimeout(() => publish(pending === 0), 40);
  };
}

/** Counts a promise in until it settles. */
export async function whileBusy<T>(work: Promise<T>): Promise<T> {
  const done = busy();
  try {
    return await work;
  } finally {
    done();
  }
}
