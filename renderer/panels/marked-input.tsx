import { useId, useState } from 'react';

interface MarkedInputProps {
  label: string;
  placeholder: string;
  value: string;
  /** Where the mistake is; null: no mark. */
  position: number | null;
  message: string | null;
  onChange: (value: string) => void;
}

/** A field for text in the filter language: what is wrong is underlined at its place and said below. */
export function MarkedInput({ label, placeholder, value, position, message, onChange }: MarkedInputProps) {
  const [scrollPx, setScrollPx] = useState(0);
  const id = useId();
  return (
    <div className="marked-input">
      <div className="filter-box">
        <input
          className="input mono"
          aria-label={label}
          aria-invalid={message !== null}
          aria-describedby={message === null ? undefined : id}
          placeholder={placeholder}
          spellCheck={false}
          maxLength={2000}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          onScroll={(event) => setScrollPx(event.currentTarget.scrollLeft)}
        />
        {position !== null && (
          <div className="filter-mark mono" aria-hidden="true" style={{ transform: `translateX(${-scrollPx}px)` }}>
            {value.slice(0, position)}
            <u>{value.slice(position).match(/^(\w+|\s*\S?)/)?.[0] || ' '}</u>
          </div>
        )}
      </div>
      {message !== null && (
        <p id={id} role="alert" className="field-error">
          {message}
        </p>
      )}
    </div>
  );
}
