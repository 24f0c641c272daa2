import { useStore } from 'zustand';
import type { CaptureEnd, CaptureGauges, CaptureInfo } from '../../shared/capture.ts';
import { captureStore, dismissEnd, openEnded } from '../state/capture.ts';
import { fileName } from '../state/session.ts';
import { viewportStore, workspaceStore } from '../state/stores.ts';
import { CommandButton } from '../ui/command-button.tsx';
import { AttachIcon, CloseIcon, FollowIcon, PauseIcon, ResumeIcon, StopIcon, WarningIcon } from '../ui/icons.tsx';
import { bytesText, countOf, countText } from '../ui/text.ts';

/** Below the header while something is captured: how it goes, and what can be done. Afterwards: how it ended. */
export function LiveBar() {
  const info = useStore(captureStore, (state) => state.info);
  const end = useStore(captureStore, (state) => state.end);
  if (info) return <Running info={info} />;
  return end && <Ended end={end} />;
}

function Running({ info }: { info: CaptureInfo }) {
  const gauges = useStore(captureStore, (state) => state.gauges);
  const stopping = useStore(captureStore, (state) => state.stopping);
  const growing = useStore(captureStore, (state) => state.workspaceId);
  const shownId = useStore(workspaceStore, (state) => state.summary?.workspaceId);
  const shown = growing !== null && growing === shownId;
  return (
    <section className="live-bar" aria-label="Capture">
      <span className="live-state">
        <span className={stopping ? 'live-dot stopping' : 'live-dot'} aria-hidden="true" />
        <b>{stopping ? 'Stopping' : 'Capturing'}</b>
        {info.host !== null && <span>from {info.host}</span>}
        <span className="numbers" role="timer" aria-label="Captured for">
          {durationText(gauges?.elapsedMs ?? 0)}
        </span>
      </span>
      <span className="ellipsis live-file" title={`${info.path}\ninstance ${info.instance}`}>
        {fileName(info.path)}
      </span>
      {gauges && <Gauges gauges={gauges} info={info} />}
      <div role="toolbar" aria-label="Capture" className="toolbar">
        {shown ? (
          <ViewButtons />
        ) : (
          growing !== null && <CommandButton id="capture.show" icon={<FollowIcon />} text="Show" />
        )}
        <CommandButton id="capture.stop" icon={<StopIcon />} text="Stop" />
      </div>
      {growing === null && <Waiting info={info} />}
      {info.notes.length > 0 && <p className="live-note">{info.notes.join('; ')}</p>}
    </section>
  );
}

function Waiting({ info }: { info: CaptureInfo }) {
  return (
    <p className="live-note" role="status">
      Waiting for the first of {countOf(info.events, 'kind')} of events: nothing of that has happened yet.
    </p>
  );
}

function ViewButtons() {
  const paused = useStore(captureStore, (state) => state.paused);
  const following = useStore(viewportStore, (state) => state.follow);
  return (
    <>
      <CommandButton id="capture.follow" icon={<FollowIcon />} text="Follow" pressed={following && !paused} />
      <CommandButton
        id="capture.pause"
        icon={paused ? <ResumeIcon /> : <PauseIcon />}
        text={paused ? 'Resume view' : 'Pause view'}
        pressed={paused}
      />
    </>
  );
}

function Gauges({ gauges, info }: { gauges: CaptureGauges; info: CaptureInfo }) {
  const { eventsPerSecond, bytesPerSecond, bytes, events, lost, cpuShare, diskFree } = gauges;
  const leftMs = bytesPerSecond > 0 ? (diskFree / bytesPerSecond) * 1000 : Number.POSITIVE_INFINITY;
  return (
    <dl className="gauges">
      <Gauge label="Rate" text={`${countText(eventsPerSecond)} events/s`} />
      <Gauge label="Data rate" text={`${bytesText(bytesPerSecond)}/s`} />
      <Gauge label="Captured" text={countOf(events, 'event')} />
      <Gauge label="Lost" text={countText(lost)} bad={lost > 0} />
      <div className="gauge">
        <dt>Buffers</dt>
        <dd>
          <BufferFill gauges={gauges} bufferKiB={info.bufferKiB} />
        </dd>
      </div>
      <Gauge label="Capture uses" text={`${Math.round(cpuShare * 100)} % CPU`} />
      <Gauge label="File" text={bytesText(bytes)} />
      <Gauge
        label="Disk left"
        text={leftMs < 24 * 3_600_000 ? `${bytesText(diskFree)}, ${roughly(leftMs)}` : bytesText(diskFree)}
        bad={leftMs < 60_000}
      />
    </dl>
  );
}

function Gauge({ label, text, bad = false }: { label: string; text: string; bad?: boolean }) {
  return (
    <div className="gauge">
      <dt>{label}</dt>
      <dd className={bad ? 'numbers bad' : 'numbers'}>{text}</dd>
    </div>
  );
}

/** Bars for more CPUs than this would be thinner than can be seen. */
const MOST_BARS = 32;

/** How full each CPU's ring buffer is: one that is full loses events. */
function BufferFill({ gauges, bufferKiB }: { gauges: CaptureGauges; bufferKiB: number }) {
  const fullest = Math.max(0, ...gauges.cpus.map(({ fill }) => fill));
  const percent = Math.round(fullest * 100);
  const what = `fullest ${percent} % of ${bytesText(bufferKiB * 1024)} a CPU`;
  return (
    <span
      className="buffers"
      title={gauges.cpus.map(({ cpu, fill }) => `CPU ${cpu}: ${Math.round(fill * 100)} %`).join('\n')}
    >
      {gauges.cpus.slice(0, MOST_BARS).map(({ cpu, fill, lost }) => (
        <span key={cpu} className={lost > 0 ? 'buffer bad' : 'buffer'} aria-hidden="true">
          <span style={{ height: `${Math.round(fill * 100)}%` }} />
        </span>
      ))}
      <span className="numbers">
        <span className="hidden">{what}</span>
        <span aria-hidden="true">{percent} %</span>
      </span>
    </span>
  );
}

function Ended({ end }: { end: CaptureEnd }) {
  const shown = useStore(workspaceStore, (state) =>
    state.summary?.recordings.some((recording) => recording.path === end.path),
  );
  const { gauges } = end;
  return (
    <section className={end.good ? 'live-bar' : 'live-bar failed'} aria-label="Capture ended">
      {!end.good && <WarningIcon />}
      <p className="live-end" role="status">
        {gauges && (
          <>
            Captured {countOf(gauges.events, 'event')} in {durationText(gauges.elapsedMs)},{' '}
            {gauges.lost > 0 ? <b className="bad">{countText(gauges.lost)} lost</b> : 'none lost'}
            {': '}
          </>
        )}
        <span className="mono">{end.path}</span>
        {[end.message, ...end.notes]
          .filter((text) => text !== '')
          .map((text) => (
            <span key={text} className="live-note">
              {text}
            </span>
          ))}
      </p>
      <div className="toolbar">
        {!shown && (
          <button type="button" className="button quiet" onClick={openEnded}>
            Open it
          </button>
        )}
        <CommandButton id="capture.again" icon={<AttachIcon />} text="Attach again" />
        <button type="button" className="icon-button" aria-label="Dismiss" onClick={dismissEnd}>
          <CloseIcon />
        </button>
      </div>
    </section>
  );
}

/** `0:07`, `1:02:03`. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** How long something lasts, in the unit that says enough. */
export function roughly(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 1) return `${Math.round(ms / 1000)} s`;
  return minutes < 120 ? `${Math.round(minutes)} min` : `${Math.round(minutes / 60)} h`;
}
