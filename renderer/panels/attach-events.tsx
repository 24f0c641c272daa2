import { useEffect, useMemo, useRef, useState } from 'react';
import type { CaptureOptions } from '../../shared/capture.ts';
import type { ErrorDetail } from '../../shared/errors.ts';
import { type CaptureForm, type Choice, filterError, withEvents } from '../state/capture-form.ts';
import { CloseIcon } from '../ui/icons.tsx';
import { countOf, countText } from '../ui/text.ts';
import { MarkedInput } from './marked-input.tsx';

interface AttachEventsProps {
  form: CaptureForm;
  choices: readonly Choice[];
  options: CaptureOptions;
  /** What the kernel said of a filter. */
  refused: { pattern: string; error: ErrorDetail } | null;
  onChange: (form: CaptureForm) => void;
}

/** The kernel's events by system, with search, and beside them what is chosen with a filter each. */
export function AttachEvents({ form, choices, options, refused, onChange }: AttachEventsProps) {
  const toggle = (events: readonly string[], on: boolean) => onChange(withEvents(form, events, on, options.systems));
  return (
    <div className="attach-events">
      <EventTree systems={options.systems} chosen={form.events} onToggle={toggle} />
      <section className="chosen" aria-label="Chosen events">
        <header>
          <h3>{form.events.length === 0 ? 'Nothing chosen yet' : `${countOf(form.events.length, 'event')} chosen`}</h3>
          <button
            type="button"
            className="button quiet"
            disabled={form.events.length === 0}
            onClick={() => onChange({ ...form, events: [] })}
          >
            Clear
          </button>
        </header>
        {choices.length === 0 && (
          <p className="muted nothing-chosen">
            Take one of the questions above, or tick systems and events at the left. Each can have a filter, which the
            kernel applies before anything is written.
          </p>
        )}
        <ul hidden={choices.length === 0}>
          {choices.map((choice) => (
            <ChosenRow
              key={choice.pattern}
              choice={choice}
              filter={form.filters[choice.pattern] ?? ''}
              refused={refused?.pattern === choice.pattern ? refused.error : null}
              onFilter={(filter) => onChange({ ...form, filters: { ...form.filters, [choice.pattern]: filter } })}
              onRemove={() =>
                toggle(
                  form.events.filter((event) => event === choice.pattern || event.startsWith(`${choice.pattern}:`)),
                  false,
                )
              }
            />
          ))}
        </ul>
      </section>
    </div>
  );
}

interface ChosenRowProps {
  choice: Choice;
  filter: string;
  refused: ErrorDetail | null;
  onFilter: (filter: string) => void;
  onRemove: () => void;
}

function ChosenRow({ choice, filter, refused, onFilter, onRemove }: ChosenRowProps) {
  const mistake = filterError(filter);
  const position = mistake?.position ?? refused?.position ?? null;
  const message = mistake?.message ?? refused?.message;
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (message !== undefined) row.current?.scrollIntoView({ block: 'nearest' });
  }, [message]);
  return (
    <li ref={row} className="chosen-row">
      <span className="mono ellipsis" title={choice.pattern}>
        {choice.pattern}
        {choice.events > 1 && <span className="muted"> all {choice.events}</span>}
      </span>
      <MarkedInput
        label={`Filter of ${choice.pattern}`}
        placeholder="only where, e.g. pid > 1000"
        value={filter}
        position={position}
        message={message ?? null}
        onChange={onFilter}
      />
      <button type="button" className="icon-button narrow" aria-label={`Remove ${choice.pattern}`} onClick={onRemove}>
        <CloseIcon />
      </button>
    </li>
  );
}

/** Found events beyond these are not listed: a longer word finds fewer. */
const MOST_FOUND = 200;

interface EventTreeProps {
  systems: CaptureOptions['systems'];
  chosen: readonly string[];
  onToggle: (events: readonly string[], on: boolean) => void;
}

function EventTree({ systems, chosen, onToggle }: EventTreeProps) {
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const known = useMemo(() => new Set(chosen), [chosen]);
  const all = systems.reduce((sum, { events }) => sum + events.length, 0);
  const found = useMemo(() => findEvents(systems, search), [systems, search]);
  const flip = (system: string) => {
    const next = new Set(open);
    if (!next.delete(system)) next.add(system);
    setOpen(next);
  };
  return (
    <section className="event-tree" aria-label="Events of this kernel">
      <input
        type="search"
        className="input"
        aria-label="Search events"
        placeholder={`Search ${countText(all)} events of this kernel`}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <div className="event-tree-list">
        {search.trim() === '' ? (
          systems.map(({ name: system, events }) => {
            const names = events.map((name) => `${system}:${name}`);
            const on = names.filter((event) => known.has(event)).length;
            return (
              <div key={system}>
                <div className="tree-row">
                  <button
                    type="button"
                    className="tree-arrow"
                    aria-label={`Events of ${system}`}
                    aria-expanded={open.has(system)}
                    onClick={() => flip(system)}
                  >
                    {open.has(system) ? '▾' : '▸'}
                  </button>
                  <Check
                    label={system}
                    count={on > 0 ? `${on} of ${events.length}` : `${events.length}`}
                    checked={on === events.length}
                    partly={on > 0 && on < events.length}
                    onChange={(checked) => onToggle(names, checked)}
                  />
                </div>
                {open.has(system) &&
                  events.map((name) => (
                    <div key={name} className="tree-row leaf">
                      <Check
                        label={name}
                        checked={known.has(`${system}:${name}`)}
                        onChange={(checked) => onToggle([`${system}:${name}`], checked)}
                      />
                    </div>
                  ))}
              </div>
            );
          })
        ) : (
          <>
            {found.length === 0 && <p className="muted empty-list">No event of this kernel has such a name.</p>}
            {found.slice(0, MOST_FOUND).map((event) => (
              <div key={event} className="tree-row">
                <Check label={event} checked={known.has(event)} onChange={(checked) => onToggle([event], checked)} />
              </div>
            ))}
            {found.length > MOST_FOUND && <p className="muted">and {countText(found.length - MOST_FOUND)} more</p>}
          </>
        )}
      </div>
    </section>
  );
}

/** Events whose `system:name` holds every word; the shortest first. */
function findEvents(systems: CaptureOptions['systems'], search: string): string[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return systems
    .flatMap(({ name: system, events }) => events.map((name) => `${system}:${name}`))
    .filter((event) => words.every((word) => event.includes(word)))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

interface CheckProps {
  label: string;
  count?: string;
  checked: boolean;
  partly?: boolean;
  onChange: (checked: boolean) => void;
}

function Check({ label, count, checked, partly = false, onChange }: CheckProps) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={checked}
        ref={(element) => {
          if (element) element.indeterminate = partly;
        }}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span className="mono ellipsis">{label}</span>
      {count && <span className="muted numbers">{count}</span>}
    </label>
  );
}
