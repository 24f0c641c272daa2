import { type KeyboardEvent, type ReactNode, useId } from 'react';

interface Tab<K extends string> {
  key: K;
  label: string;
  /** A number beside the label. */
  count?: number;
  panel: ReactNode;
}

interface TabsProps<K extends string> {
  label: string;
  tabs: readonly Tab<K>[];
  selected: K;
  onSelect: (key: K) => void;
  /** Right end of the tab row: controls of the selected panel. */
  tools?: ReactNode;
}

/** Tabs as the ARIA practices have them: arrow keys move between tabs, one panel is there at a time. */
export function Tabs<K extends string>({ label, tabs, selected, onSelect, tools }: TabsProps<K>) {
  const id = useId();
  const current = tabs.find((tab) => tab.key === selected) ?? tabs[0];
  const onKey = (event: KeyboardEvent<HTMLElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(current) + step + tabs.length) % tabs.length];
    onSelect(next.key);
    document.getElementById(`${id}-${next.key}`)?.focus();
  };
  return (
    <div className="tabs">
      <div className="tab-row">
        <div role="tablist" aria-label={label} onKeyDown={onKey}>
          {tabs.map((tab) => (
            <button
              key={tab.key}
              id={`${id}-${tab.key}`}
              type="button"
              role="tab"
              aria-selected={tab === current}
              aria-controls={`${id}-panel`}
              tabIndex={tab === current ? 0 : -1}
              onClick={() => onSelect(tab.key)}
            >
              {tab.label}
              {tab.count !== undefined && <span className="count">{tab.count.toLocaleString('en-US')}</span>}
            </button>
          ))}
        </div>
        {tools}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${current.key}`} className="tab-panel">
        {current.panel}
      </div>
    </div>
  );
}
