import type { Progress } from '../../shared/api.ts';
import type { PartialIndex, WorkspaceSummary } from '../../shared/model.ts';
import { countOf } from '../ui/text.ts';
import { call, reportError } from './connection.ts';
import { showWorkspace } from './session.ts';
import { StoppableIndexing } from './stoppable.ts';
import { noRest, restStore, workspaceStore } from './stores.ts';
import { flushView } from './view-memory.ts';

/** Indexing that was stopped: goes on while the window shows what is there, and is then replaced by the whole. */

let running: StoppableIndexing | null = null;

export async function indexRest(): Promise<void> {
  const { summary } = workspaceStore.getState();
  if (!summary?.partial || running) return;
  const { workspaceId } = summary;
  const own = new StoppableIndexing((stopping) => restStore.setState({ stopping }));
  running = own;
  restStore.setState({ workspaceId, progress: null, stopping: 'no' });
  const onProgress = (progress: Progress) => restStore.setState({ progress });
  const isOpen = () => workspaceStore.getState().summary?.workspaceId === workspaceId;
  try {
    own.begin();
    const more = await call('indexRest', { workspaceId, opening: own.name }, { signal: own.signal, onProgress });
    if (isOpen()) await replaceBy(more);
  } catch (error) {
    if (!own.signal.aborted && isOpen()) reportError(error);
  } finally {
    own.end();
    running = null;
    restStore.setState(noRest);
  }
}

/** Everything that was fetched of the part is let go of, as when another recording is opened; the view stays. */
async function replaceBy(more: WorkspaceSummary): Promise<void> {
  flushView();
  workspaceStore.setState({ summary: null });
  // What is drawn by the workspace's id has gone once this turn is over.
  await new Promise((resolve) => setTimeout(resolve));
  if (workspaceStore.getState().summary === null) await showWorkspace(more);
}

/** Ends it with what is there: a larger part takes the place of the one on screen. */
export function cancelRest(): void {
  running?.stop();
}

/** How much of the data a part is, rounded down: never 100 %. */
export const percentOf = ({ bytes, totalBytes }: { bytes: number; totalBytes: number }): number =>
  totalBytes === 0 ? 100 : Math.min(99, Math.floor((100 * bytes) / totalBytes));

/** What is there: `4 CPUs whole, CPU 4 to 12 %, 3 CPUs not at all`. */
export function coverageText({ cpus }: PartialIndex): string {
  const whole = cpus.filter(({ bytes, totalBytes }) => bytes === totalBytes);
  const none = cpus.filter(({ bytes, totalBytes }) => bytes === 0 && totalBytes > 0);
  const parts = cpus.filter(({ bytes, totalBytes }) => bytes > 0 && bytes < totalBytes);
  const said = parts.map((each) => `${each.cpu === null ? 'the text' : `CPU ${each.cpu}`} to ${percentOf(each)} %`);
  if (whole.length > 0) said.unshift(`${namesOf(whole)} whole`);
  if (none.length > 0) said.push(`${namesOf(none)} not at all`);
  return said.join(', ');
}

/** `3 CPUs`, `1 text`, `2 CPUs and 1 text`. */
function namesOf(cpus: PartialIndex['cpus']): string {
  const texts = cpus.filter(({ cpu }) => cpu === null).length;
  const counts = [countOf(cpus.length - texts, 'CPU'), countOf(texts, 'text')];
  return counts.filter((_, index) => (index === 0 ? cpus.length > texts : texts > 0)).join(' and ');
}

/** A total that is one of a part says so. */
export const ofPart = (text: string, summary: WorkspaceSummary): string =>
  summary.partial ? `${text} in the indexed part` : text;
