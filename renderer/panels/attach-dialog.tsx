import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { CaptureOptions } from '../../shared/capture.ts';
import { type ErrorDetail, toErrorDetail } from '../../shared/errors.ts';
import { attach } from '../state/capture.ts';
import { type CaptureForm, choicesOf, emptyForm, fitForm, settingsOf, withEvents } from '../state/capture-form.ts';
import { profilesStore } from '../state/capture-profiles.ts';
import { call } from '../state/connection.ts';
import { Latest } from '../state/latest.ts';
import { uiStore } from '../state/stores.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { EstimateLine, useEstimate } from './attach-estimate.tsx';
import { AttachEvents } from './attach-events.tsx';
import { AttachMachine } from './attach-machine.tsx';
import { Presets } from './attach-presets.tsx';
import { AttachProfiles } from './attach-profiles.tsx';
import { AttachSettings } from './attach-settings.tsx';
import { StaleInstances } from './stale-instances.tsx';

const close = () => uiStore.setState({ dialog: 'none' });
const WIDTH_PX = 1000;

const titleFor = (host: string): string => `Attach to ${host === '' ? 'this machine' : host}`;

/** Choosing what to capture, and from which machine. What is missing for it is said with the command that helps. */
export function AttachDialog() {
  const [host, setHost] = useState(() => profilesStore.getState().last?.host ?? '');
  const [answer, setAnswer] = useState<{ host: string; options: CaptureOptions } | null>(null);
  const options = answer?.host === host ? answer.options : null;
  const [failed, setFailed] = useState<string | null>(null);
  const [seed, setSeed] = useState<CaptureForm | null>(null);
  const latest = useRef(new Latest());
  const load = (elevate = false) => {
    setFailed(null);
    const params = { ...(host === '' ? {} : { host }), ...(elevate ? { elevate } : {}) };
    latest.current
      .run((signal) => call('captureOptions', params, { signal }))
      .then(
        (found) => found && setAnswer({ host, options: found }),
        (error) => setFailed(toErrorDetail(error).message),
      );
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another machine, another answer
  useEffect(() => {
    load();
  }, [host]);
  useEffect(() => {
    const running = latest.current;
    return () => running.cancel();
  }, []);
  const problem = failed === null ? options?.problem : { message: failed, command: '', elevate: false };
  const machine = (
    <AttachMachine
      host={host}
      rights={options?.rights ?? ''}
      onChoose={(next) => {
        if (next === host) load();
        setHost(next);
      }}
    />
  );
  if (options && !problem)
    return (
      <AttachForm
        key={host}
        host={host}
        seed={seed}
        options={options}
        machine={machine}
        onReload={() => load()}
        onElsewhere={(form) => {
          setSeed(form);
          setHost(form.host);
        }}
      />
    );
  return (
    <Dialog
      title={titleFor(host)}
      onClose={close}
      width={640}
      actions={
        <>
          <button type="button" className="button" onClick={close}>
            Close
          </button>
          {problem && (
            <button type="button" className="button primary" data-first-focus onClick={() => load(problem.elevate)}>
              {problem.elevate ? 'Ask for the rights…' : 'Try again'}
            </button>
          )}
        </>
      }
    >
      {machine}
      {problem ? (
        <Problem {...problem} />
      ) : (
        <p className="muted" role="status">
          {host === '' ? 'Asking the kernel what it can trace…' : `Asking ${host} what it can trace…`}
        </p>
      )}
    </Dialog>
  );
}

function Problem({ message, command }: NonNullable<CaptureOptions['problem']>) {
  return (
    <div className="attach-problem" role="alert">
      <p>Events can not be captured yet: {message.replaceAll('`', '').replace(/\.$/, '')}.</p>
      {command && (
        <p className="command">
          <code>{command}</code>
          <CopyButton label="Copy the command" text={() => command} />
        </p>
      )}
      <p className="muted">Recordings made elsewhere open as ever.</p>
    </div>
  );
}

interface AttachFormProps {
  host: string;
  /** What it begins with; null: what was captured last. */
  seed: CaptureForm | null;
  options: CaptureOptions;
  /** The choice of the machine. */
  machine: ReactNode;
  onReload: () => void;
  /** A profile of another machine was chosen. */
  onElsewhere: (form: CaptureForm) => void;
}

function AttachForm({ host, seed, options, machine, onReload, onElsewhere }: AttachFormProps) {
  const fitted = (kept: CaptureForm) => fitForm({ ...kept, host }, options);
  const [{ form, missing }, setState] = useState(() => fitted(seed ?? profilesStore.getState().last ?? emptyForm));
  const setForm = (next: CaptureForm) => setState({ form: next, missing: 0 });
  const [error, setError] = useState<ErrorDetail | null>(null);
  const [starting, setStarting] = useState(false);
  const made = settingsOf(form, options);
  const estimate = useEstimate(made.ok && !starting ? made.settings : null);
  // What the kernel says of a filter, until something is changed.
  const refusal = error ?? estimate.error;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another form, another answer
  useEffect(() => setError(null), [form]);

  const start = async () => {
    if (!made.ok) return;
    setStarting(true);
    try {
      await attach(form, made.settings);
    } catch (reason) {
      setError(toErrorDetail(reason));
      setStarting(false);
    }
  };
  const choices = choicesOf(form.events, options.systems);
  const refusedPattern = refusal?.choice === undefined ? undefined : choices[refusal.choice]?.pattern;
  return (
    <Dialog
      title={titleFor(host)}
      onClose={close}
      width={WIDTH_PX}
      actions={
        <>
          <EstimateLine
            estimate={estimate}
            problem={made.ok ? null : made.problem}
            error={refusal}
            form={form}
            options={options}
          />
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="button" className="button primary" disabled={!made.ok || starting} onClick={() => void start()}>
            {starting ? 'Starting…' : 'Start capturing'}
          </button>
        </>
      }
    >
      <div className="attach">
        {machine}
        <StaleInstances host={host} names={options.stale} onRemoved={onReload} />
        <AttachProfiles
          form={form}
          onChoose={(kept) => (kept.host === host ? setState(fitted(kept)) : onElsewhere(kept))}
        />
        {missing > 0 && (
          <p className="field-hint" role="status">
            {missing} of the events that were kept do not exist on this kernel.
          </p>
        )}
        <Presets
          presets={options.presets}
          chosen={form.events}
          onToggle={(events, on) => setForm(withEvents(form, events, on, options.systems))}
        />
        <AttachEvents
          form={form}
          choices={choices}
          options={options}
          refused={refusedPattern === undefined || !refusal ? null : { pattern: refusedPattern, error: refusal }}
          onChange={setForm}
        />
        <AttachSettings form={form} options={options} problem={made.ok ? null : made.problem} onChange={setForm} />
      </div>
    </Dialog>
  );
}
