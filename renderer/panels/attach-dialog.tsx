import { useEffect, useState } from 'react';
import type { CaptureOptions } from '../../shared/capture.ts';
import { type ErrorDetail, toErrorDetail } from '../../shared/errors.ts';
import { attach } from '../state/capture.ts';
import { type CaptureForm, choicesOf, emptyForm, fitForm, settingsOf, withEvents } from '../state/capture-form.ts';
import { profilesStore } from '../state/capture-profiles.ts';
import { call } from '../state/connection.ts';
import { uiStore } from '../state/stores.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { EstimateLine, useEstimate } from './attach-estimate.tsx';
import { AttachEvents } from './attach-events.tsx';
import { Presets } from './attach-presets.tsx';
import { AttachProfiles } from './attach-profiles.tsx';
import { AttachSettings } from './attach-settings.tsx';
import { StaleInstances } from './stale-instances.tsx';

const close = () => uiStore.setState({ dialog: 'none' });
const WIDTH_PX = 1000;

/** Choosing what to capture from the engine's machine. What is missing for it is said with the command that helps. */
export function AttachDialog() {
  const [options, setOptions] = useState<CaptureOptions | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const load = () => {
    setFailed(null);
    call('captureOptions', {}).then(setOptions, (error) => setFailed(toErrorDetail(error).message));
  };
  useEffect(load, []);
  const problem = failed === null ? options?.problem : { message: failed, command: '', elevate: false };
  if (options && !problem) return <AttachForm options={options} onReload={load} />;
  return (
    <Dialog
      title="Attach to this machine"
      onClose={close}
      width={640}
      actions={
        <>
          <button type="button" className="button" onClick={close}>
            Close
          </button>
          {problem && (
            <button type="button" className="button primary" data-first-focus onClick={load}>
              Try again
            </button>
          )}
        </>
      }
    >
      {problem ? <Problem {...problem} /> : <p className="muted">Asking the kernel what it can trace…</p>}
    </Dialog>
  );
}

function Problem({ message, command }: NonNullable<CaptureOptions['problem']>) {
  return (
    <div className="attach-problem" role="alert">
      <p>Events can not be captured here yet: {message.replaceAll('`', '')}.</p>
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

function AttachForm({ options, onReload }: { options: CaptureOptions; onReload: () => void }) {
  const [{ form, missing }, setState] = useState(() => fitForm(profilesStore.getState().last ?? emptyForm, options));
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
      title="Attach to this machine"
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
        <StaleInstances names={options.stale} onRemoved={onReload} />
        <AttachProfiles form={form} onChoose={(kept) => setState(fitForm(kept, options))} />
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
