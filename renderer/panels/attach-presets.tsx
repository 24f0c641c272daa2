import type { CapturePreset } from '../../shared/capture.ts';

interface PresetsProps {
  presets: readonly CapturePreset[];
  chosen: readonly string[];
  onToggle: (events: readonly string[], on: boolean) => void;
}

const NAMES: Record<string, string> = {
  throttling: 'Write throttling',
  scheduling: 'Scheduling',
  block: 'Block I/O',
  reclaim: 'Memory reclaim',
  syscalls: 'System calls',
};

/** Questions that people bring; each is a set of events, and they add up. */
export function Presets({ presets, chosen, onToggle }: PresetsProps) {
  const known = new Set(chosen);
  return (
    <fieldset className="presets">
      <legend>What do you want to see?</legend>
      {presets.map(({ name, title, events }, index) => {
        const on = events.length > 0 && events.every((event) => known.has(event));
        return (
          <button
            key={name}
            type="button"
            className="preset"
            aria-pressed={on}
            disabled={events.length === 0}
            data-first-focus={index === 0 ? true : undefined}
            title={events.length === 0 ? 'This kernel has none of these events' : events.join('\n')}
            onClick={() => onToggle(events, !on)}
          >
            <b>{NAMES[name] ?? name}</b>
            <span className="muted">{title}</span>
          </button>
        );
      })}
    </fieldset>
  );
}
