import { useEffect, useRef, useState } from 'react';
import type { CaptureEstimate, CaptureOptions, CaptureSettings } from '../../shared/capture.ts';
import { type ErrorDetail, toErrorDetail } from '../../shared/errors.ts';
import type { CaptureForm, FormProblem } from '../state/capture-form.ts';
import { call } from '../state/connection.ts';
import { Latest } from '../state/latest.ts';
import { bytesText, countText } from '../ui/text.ts';
import { roughly } from './live-bar.tsx';

/** Choosing pauses this long before it is measured what the choice takes. */
const QUIET_MS = 500;

export interface EstimateState {
  measuring: boolean;
  result: CaptureEstimate | null;
  error: ErrorDetail | null;
}

/** Measures what a capture with these settings takes, a moment after they were changed; null: nothing to measure. */
export function useEstimate(settings: CaptureSettings | null): EstimateState {
  const [state, setState] = useState<EstimateState>({ measuring: false, result: null, error: null });
  const latest = useRef(new Latest());
  // Where the recording goes and when it stops changes nothing of what it takes.
  const json =
    settings && JSON.stringify({ ...settings, path: '/estimate', durationMs: undefined, maxBytes: undefined });
  useEffect(() => {
    if (json === null) {
      setState({ measuring: false, result: null, error: null });
      return latest.current.cancel();
    }
    setState((before) => ({ ...before, measuring: true, error: null }));
    const timer = setTimeout(() => {
      latest.current
        .run((signal) => call('estimateCapture', { settings: JSON.parse(json) as CaptureSettings }, { signal }))
        .then(
          (result) => result && setState({ measuring: false, result, error: null }),
          (error) => setState({ measuring: false, result: null, error: toErrorDetail(error) }),
        );
    }, QUIET_MS);
    return () => clearTimeout(timer);
  }, [json]);
  useEffect(() => {
    const running = latest.current;
    return () => running.cancel();
  }, []);
  return state;
}

interface EstimateLineProps {
  estimate: EstimateState;
  /** What keeps the form from being started. */
  problem: FormProblem | null;
  error: ErrorDetail | null;
  form: CaptureForm;
  options: CaptureOptions;
}

/** What the capture will cost, or what is in its way, beside the button that starts it. */
export function EstimateLine({ estimate, problem, error, form, options }: EstimateLineProps) {
  const bad = error !== null;
  const text = problem?.message ?? error?.message.replaceAll('`', '') ?? costText(estimate, form, options);
  return (
    <p role="status" aria-label="Cost" className={bad ? 'attach-cost field-error' : 'attach-cost muted'}>
      {text}
    </p>
  );
}

function costText({ measuring, result }: EstimateState, form: CaptureForm, options: CaptureOptions): string {
  const memory = (form.bufferKiB ?? options.bufferKiB) * 1024 * options.cpus.length;
  const buffers = `Buffers take ${bytesText(memory)} of memory.`;
  if (measuring || result === null) return measuring ? `Measuring what this takes… ${buffers}` : buffers;
  const { eventsPerSecond, bytesPerSecond, cpuShare, lost, notes } = result;
  const full = bytesPerSecond > 0 ? (options.diskFree / bytesPerSecond) * 1000 : Number.POSITIVE_INFINITY;
  const parts = [
    `Right now: about ${countText(eventsPerSecond)} events/s and ${bytesText(bytesPerSecond)}/s, ${Math.round(cpuShare * 100)} % of one CPU.`,
    buffers,
  ];
  if (full < 48 * 3_600_000) parts.push(`The disk lasts ${roughly(full)}.`);
  if (lost > 0) parts.push('Some events were lost: take larger buffers or fewer events.');
  parts.push(...notes);
  return parts.join(' ');
}
