import { useEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { ErrorDetail } from '../../shared/errors.ts';
import { parseFilter } from '../../shared/filter/parse.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { busy } from '../state/idle.ts';
import { uiStore } from '../state/stores.ts';
import { CloseIcon } from '../ui/icons.tsx';
import { unknownName } from './filter-hint.ts';

/** Typing pauses this long before the filter is tried. */
const QUIET_MS = 350;

interface FilterInputProps {
  summary: WorkspaceSummary;
  /** What the engine said of the applied filter. */
  error: ErrorDetail | null;
}

/** The filter of the event table. What is wrong in it is underlined at its place and said below. */
export function FilterInput({ summary, error }: FilterInputProps) {
  const applied = useStore(uiStore, (state) => state.tableFilter);
  const [text, setText] = useState(applied);
  const input = useRef<HTMLInputElement>(null);
  const [scrollPx, setScrollPx] = useState(0);
  useEffect(() => setText(applied), [applied]);
  const typed = text.trim();
  const parsed = useMemo(() => parseFilter(typed), [typed]);
  useEffect(() => {
    if (typed === applied || !parsed.ok) return;
    const done = busy();
    const timer = setTimeout(() => {
      uiStore.setState({ tableFilter: typed });
      done();
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
      done();
    };
  }, [typed, applied, parsed]);

  /** What does not parse, or what only the engine found. */
  const mistake = parsed.ok ? (typed === applied ? error : null) : parsed.error;
  /** Right, but about something that the recording does not have. */
  const hint = parsed.ok && !mistake ? unknownName(parsed.ast, summary.eventTypes) : null;
  const shown = mistake ?? hint;
  const lead = text.length - text.trimStart().length;
  const from = shown?.position === undefined ? null : lead + shown.position;
  return (
    <div className="filter">
      <div className="filter-box">
        <input
          ref={input}
          className="input mono"
          aria-label="Filter events"
          placeholder='Filter: sched_switch: prev_prio < 100 && comm ~ "k*"'
          spellCheck={false}
          aria-invalid={mistake !== null}
          aria-describedby={shown ? 'filter-error' : undefined}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && parsed.ok) uiStore.setState({ tableFilter: typed });
            else if (event.key === 'Escape') input.current?.blur();
          }}
          onScroll={(event) => setScrollPx(event.currentTarget.scrollLeft)}
        />
        {from !== null && (
          <div className="filter-mark mono" aria-hidden="true" style={{ transform: `translateX(${-scrollPx}px)` }}>
            {text.slice(0, from)}
            <u>{text.slice(from).match(/^(\w+|\s*\S?)/)?.[0] || ' '}</u>
          </div>
        )}
        {text !== '' && (
          <button
            type="button"
            className="icon-button"
            aria-label="Clear the filter"
            onClick={() => {
              setText('');
              uiStore.setState({ tableFilter: '' });
            }}
          >
            <CloseIcon />
          </button>
        )}
      </div>
      {shown && (
        <p id="filter-error" role={mistake ? 'alert' : 'status'} className={mistake ? 'field-error' : 'field-hint'}>
          {shown.message}
        </p>
      )}
    </div>
  );
}
