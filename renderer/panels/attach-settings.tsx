import { useId } from 'react';
import type { CaptureOptions } from '../../shared/capture.ts';
import type { CaptureForm, FormProblem } from '../state/capture-form.ts';
import { bytesText } from '../ui/text.ts';

interface AttachSettingsProps {
  form: CaptureForm;
  options: CaptureOptions;
  problem: FormProblem | null;
  onChange: (form: CaptureForm) => void;
}

const BUFFERS_KIB = [1024, 4096, 8192, 16_384, 65_536, 262_144];

const CLOCKS: Record<string, string> = {
  local: 'local: fast, per CPU',
  global: 'global: ordered over CPUs',
  mono: 'mono: CLOCK_MONOTONIC',
  mono_raw: 'mono_raw: CLOCK_MONOTONIC_RAW',
  boot: 'boot: goes on while suspended',
  tai: 'tai: CLOCK_TAI',
  perf: 'perf: the same as perf record',
};

const STOPS: Record<CaptureForm['stop'], string> = {
  hand: 'when I stop it',
  time: 'after a time',
  size: 'at a size',
  keepTime: 'never: keep the last of it, by time',
  keepSize: 'never: keep the last of it, by size',
};

/** Where the recording goes, whose events it holds, how it is buffered and when it ends. */
export function AttachSettings({ form, options, problem, onChange }: AttachSettingsProps) {
  const set = (part: Partial<CaptureForm>) => onChange({ ...form, ...part });
  const wrong = (field: FormProblem['field']) => problem?.field === field;
  const cgroups = useId();
  const byTime = form.stop === 'time' || form.stop === 'keepTime';
  return (
    <div className="attach-settings">
      <label className="wide">
        {form.host === '' ? 'Recording' : 'Recording, on this machine'}
        <input
          className="input mono"
          value={form.path}
          spellCheck={false}
          aria-invalid={wrong('path')}
          onChange={(event) => set({ path: event.target.value })}
        />
      </label>
      <label>
        It ends
        <select
          className="input"
          value={form.stop}
          onChange={(event) => set({ stop: event.target.value as CaptureForm['stop'] })}
        >
          {Object.entries(STOPS).map(([key, text]) => (
            <option key={key} value={key}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label>
        {form.stop === 'hand' ? 'Limit' : byTime ? 'Seconds' : 'MiB'}
        <input
          className="input numbers"
          inputMode="decimal"
          value={form.stop === 'hand' ? '' : form.amount}
          placeholder="none"
          disabled={form.stop === 'hand'}
          aria-invalid={wrong('amount')}
          onChange={(event) => set({ amount: event.target.value })}
        />
      </label>
      <label>
        Whose events
        <select
          className="input"
          value={form.whose}
          onChange={(event) => set({ whose: event.target.value as CaptureForm['whose'] })}
        >
          <option value="all">everybody’s</option>
          <option value="process">a process and its children</option>
          {options.cgroupRoot !== '' && <option value="cgroup">a cgroup and those below</option>}
        </select>
      </label>
      {form.whose === 'cgroup' ? (
        <label>
          Cgroup
          <input
            className="input mono"
            list={cgroups}
            value={form.cgroup}
            spellCheck={false}
            aria-invalid={wrong('cgroup')}
            onChange={(event) => set({ cgroup: event.target.value })}
          />
          <datalist id={cgroups}>
            {options.cgroups.map((cgroup) => (
              <option key={cgroup} value={cgroup} />
            ))}
          </datalist>
        </label>
      ) : (
        <label>
          Process
          <input
            className="input numbers"
            placeholder={form.whose === 'all' ? 'all' : 'PID'}
            disabled={form.whose === 'all'}
            value={form.whose === 'all' ? '' : form.pids}
            aria-invalid={wrong('pids')}
            onChange={(event) => set({ pids: event.target.value })}
          />
        </label>
      )}
      <label>
        Ring buffer of each CPU
        <select
          className="input"
          value={form.bufferKiB ?? ''}
          onChange={(event) => set({ bufferKiB: event.target.value === '' ? null : Number(event.target.value) })}
        >
          <option value="">{bytesText(options.bufferKiB * 1024)}, suits the machine</option>
          {BUFFERS_KIB.map((kib) => (
            <option key={kib} value={kib}>
              {bytesText(kib * 1024)}
            </option>
          ))}
        </select>
      </label>
      <label>
        Clock
        <select className="input" value={form.clock} onChange={(event) => set({ clock: event.target.value })}>
          <option value="">the kernel’s own</option>
          {options.clocks.all.map((clock) => (
            <option key={clock} value={clock}>
              {CLOCKS[clock] ?? clock}
            </option>
          ))}
        </select>
      </label>
      <label>
        CPUs
        <input
          className="input numbers"
          placeholder={`all ${options.cpus.length}`}
          value={form.cpus}
          aria-invalid={wrong('cpus')}
          onChange={(event) => set({ cpus: event.target.value })}
        />
      </label>
      <div className="checks">
        <label className="check">
          <input type="checkbox" checked={form.stacks} onChange={(event) => set({ stacks: event.target.checked })} />
          Kernel stack behind every event
        </label>
        <label className="check">
          <input
            type="checkbox"
            checked={form.counters}
            onChange={(event) => set({ counters: event.target.checked })}
          />
          Counters of memory and cgroups, every second
        </label>
      </div>
    </div>
  );
}
