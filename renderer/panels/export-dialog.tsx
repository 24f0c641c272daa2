import { useEffect, useRef, useState } from 'react';
import type { Params } from '../../shared/api.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { currentHost, query } from '../state/connection.ts';
import { busy } from '../state/idle.ts';
import { Latest } from '../state/latest.ts';
import { workspaceName } from '../state/session.ts';
import { episodesStore, plotsStore, taskLanesStore, uiStore, viewportStore } from '../state/stores.ts';
import { themeStore } from '../state/theme.ts';
import { Dialog } from '../ui/dialog.tsx';
import { chartFileName, chartOfWindow } from './chart-of-window.ts';

const close = () => uiStore.setState({ dialog: 'none' });
const QUIET_MS = 250;
type ChartRequest = Omit<Params<'exportChart'>, 'workspaceId'>;

/** Writes what is on screen as SVG or PNG, with a preview of exactly that. */
export function ExportDialog({ summary }: { summary: WorkspaceSummary }) {
  const [title, setTitle] = useState(() => workspaceName(summary));
  const [format, setFormat] = useState<'svg' | 'png'>('svg');
  const [theme, setTheme] = useState(() => themeStore.getState().theme.name);
  const [width, setWidth] = useState('1600');
  const [height, setHeight] = useState('');
  const [saving, setSaving] = useState(false);
  const [message, setMessage] = useState<{ text: string; bad: boolean } | null>(null);

  const widthPx = sizePx(width, 200);
  const heightPx = height.trim() === '' ? undefined : sizePx(height, 100);
  const valid = widthPx !== null && heightPx !== null;
  const { folded } = uiStore.getState();
  const request = (): ChartRequest => ({
    spec: chartOfWindow({
      title: title.trim(),
      viewport: viewportStore.getState(),
      hasCpus: !folded.includes('cpus') && summary.streams.some((stream) => stream.cpus.length > 0),
      hasEpisodes: !folded.includes('episodes') && episodesStore.getState().episodes.length > 0,
      tasks: folded.includes('tasks') ? [] : taskLanesStore.getState().tasks,
      plots: plotsStore.getState().plots,
    }),
    format,
    widthPx: widthPx ?? 1600,
    heightPx: heightPx ?? undefined,
    theme,
  });
  const preview = usePreview(valid ? { ...request(), format: 'svg' } : null);

  const save = async () => {
    setSaving(true);
    setMessage(null);
    try {
      const { bytes, mime } = await query('exportChart', request());
      const place = await currentHost().saveFile(chartFileName(title, format), bytes, mime);
      if (place !== null) setMessage({ text: `Saved ${place}`, bad: false });
    } catch (error) {
      setMessage({ text: toErrorDetail(error).message, bad: true });
    } finally {
      setSaving(false);
    }
  };

  return (
    <Dialog
      title="Export chart"
      onClose={close}
      width={920}
      actions={
        <>
          {message && (
            <span role="status" className={message.bad ? 'field-error' : 'muted'}>
              {message.text}
            </span>
          )}
          <button type="button" className="button" onClick={close}>
            Close
          </button>
          <button type="button" className="button primary" disabled={!valid || saving} onClick={() => void save()}>
            Save {format.toUpperCase()}
          </button>
        </>
      }
    >
      <div className="export-form">
        <label className="wide">
          Title
          <input
            data-first-focus
            className="input"
            value={title}
            maxLength={400}
            onChange={(event) => setTitle(event.target.value)}
          />
        </label>
        <Choice label="Format" value={format} options={{ svg: 'SVG', png: 'PNG' }} onChange={setFormat} />
        <Choice label="Theme" value={theme} options={{ light: 'Light', dark: 'Dark' }} onChange={setTheme} />
        <label>
          Width, px
          <input
            className="input numbers"
            inputMode="numeric"
            value={width}
            aria-invalid={widthPx === null}
            onChange={(event) => setWidth(event.target.value)}
          />
        </label>
        <label>
          Height, px
          <input
            className="input numbers"
            inputMode="numeric"
            placeholder="as needed"
            value={height}
            aria-invalid={heightPx === null}
            onChange={(event) => setHeight(event.target.value)}
          />
        </label>
      </div>
      <div className="export-preview">
        {preview.error && <p className="field-error">{preview.error}</p>}
        {preview.url ? (
          <img src={preview.url} alt="Preview of the chart" />
        ) : (
          <p className="muted">Drawing the preview…</p>
        )}
      </div>
    </Dialog>
  );
}

/** A size that was typed, or null where it is none that the engine takes. */
function sizePx(text: string, smallest: number): number | null {
  const value = Number(text);
  return Number.isInteger(value) && value >= smallest && value <= 20_000 ? value : null;
}

interface ChoiceProps<K extends string> {
  label: string;
  value: K;
  options: Record<K, string>;
  onChange: (value: K) => void;
}

function Choice<K extends string>({ label, value, options, onChange }: ChoiceProps<K>) {
  return (
    <label>
      {label}
      <select className="input" value={value} onChange={(event) => onChange(event.target.value as K)}>
        {(Object.entries(options) as [K, string][]).map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The chart as SVG in an object URL, drawn a moment after the last change. */
function usePreview(request: ChartRequest | null): { url: string; error: string } {
  const [preview, setPreview] = useState({ url: '', error: '' });
  const latest = useRef(new Latest());
  const key = JSON.stringify(request);
  useEffect(() => {
    const wanted = JSON.parse(key) as ChartRequest | null;
    if (!wanted) return;
    const done = busy();
    const timer = setTimeout(() => {
      latest.current
        .run((signal) => query('exportChart', wanted, { signal }))
        .then(
          (drawn) => {
            if (!drawn) return;
            const url = URL.createObjectURL(new Blob([drawn.bytes as Uint8Array<ArrayBuffer>], { type: drawn.mime }));
            setPreview({ url, error: '' });
          },
          (error) => setPreview({ url: '', error: toErrorDetail(error).message }),
        )
        .finally(done);
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
      done();
    };
  }, [key]);
  useEffect(() => () => URL.revokeObjectURL(preview.url), [preview.url]);
  return preview;
}
