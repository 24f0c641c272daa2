import { useEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { ErrorDetail } from '../../shared/errors.ts';
import { parseFilter } from '../../shared/filter/parse.ts';
import { busy } from '../state/idle.ts';
import { uiStore } from '../state/stores.ts';
import { CloseIcon } from '../ui/icons.tsx';

/** Typing pauses this long before the filter is tried. */
const QUIET_MS = 350;

/** The filter of the event table. What is wrong in it is underlined at its place and said below. */
export function FilterInput({ error }: { error: ErrorDetail | null }) {
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

  /** What does not parse is known here; what the recording does not have, the engine says. */
  const shown = parsed.ok ? (typed === applied ? error : null) : parsed.error;
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
          aria-invalid={shown !== null}
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
        <p id="filter-error" role="alert" className="field-error">
          {shown.message}
        </p>
      )}
    </div>
  );
}
