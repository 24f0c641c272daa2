import type { Progress } from '../../shared/api.ts';
import type { PartialIndex, WorkspaceSummary } from '../../shared/model.ts';
import { countText } from '../ui/text.ts';
import { call, reportError } from './connection.ts';
import { showWorkspace } from './session.ts';
import { restStore, workspaceStore } from './stores.ts';
import { flushView } from './view-memory.ts';

/** Indexing that was stopped: goes on while the window shows what is there, and is then replaced by the whole. */

let running: AbortController | null = null;

export async function indexRest(): Promise<void> {
  const { summary } = workspaceStore.getState();
  if (!summary?.partial || running) return;
  const { workspaceId } = summary;
  const controller = new AbortController();
  running = controller;
  restStore.setState({ workspaceId, progress: null });
  const onProgress = (progress: Progress) => restStore.setState({ progress });
  try {
    const whole = await call('indexRest', { workspaceId }, { signal: controller.signal, onProgress });
    if (workspaceStore.getState().summary?.workspaceId === workspaceId) await replaceBy(whole);
  } catch (error) {
    if (!controller.signal.aborted && workspaceStore.getState().summary?.workspaceId === workspaceId)
      reportError(error);
  } finally {
    running = null;
    restStore.setState({ workspaceId: null, progress: null });
  }
}

/** Everything that was fetched of the part is let go of, as when another recording is opened; the view stays. */
async function replaceBy(whole: WorkspaceSummary): Promise<void> {
  flushView();
  workspaceStore.setState({ summary: null });
  // What is drawn by the workspace's id has gone once this turn is over.
  await new Promise((resolve) => setTimeout(resolve));
  if (workspaceStore.getState().summary === null) await showWorkspace(whole);
}

export function cancelRest(): void {
  running?.abort();
}

/** How much of the data a part is, rounded down: never 100 %. */
export const percentOf = ({ bytes, totalBytes }: { bytes: number; totalBytes: number }): number =>
  totalBytes === 0 ? 100 : Math.min(99, Math.floor((100 * bytes) / totalBytes));

/** Which CPUs are there: `CPU 0 to 3 whole, CPU 4 to 12 %, 3 CPUs not at all`. */
export function coverageText({ cpus }: PartialIndex): string {
  const whole = cpus.filter(({ bytes, totalBytes }) => bytes === totalBytes);
  const none = cpus.filter(({ bytes, totalBytes }) => bytes === 0 && totalBytes > 0);
  const parts = cpus.filter(({ bytes, totalBytes }) => bytes > 0 && bytes < totalBytes);
  const said = parts.map((cpu) => `CPU ${cpu.cpu} to ${percentOf(cpu)} %`);
  const count = (n: number): string => `${countText(n)} ${n === 1 ? 'CPU' : 'CPUs'}`;
  if (whole.length > 0) said.unshift(`${count(whole.length)} whole`);
  if (none.length > 0) said.push(`${count(none.length)} not at all`);
  return said.join(', ');
}

/** A total that is one of a part says so. */
export const ofPart = (text: string, summary: WorkspaceSummary): string =>
  summary.partial ? `${text} in the indexed part` : text;
