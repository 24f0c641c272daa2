import { useEffect, useState } from 'react';
import { reportError } from '../state/connection.ts';
import { CopyIcon } from './icons.tsx';

/** Copies text to the clipboard and says so for a moment. */
export function CopyButton({ label, text }: { label: string; text: () => string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    navigator.clipboard.writeText(text()).then(() => setCopied(true), reportError);
  };
  return (
    <button type="button" className="icon-button" aria-label={label} title={copied ? 'Copied' : label} onClick={copy}>
      {copied ? <span aria-hidden="true">✓</span> : <CopyIcon />}
    </button>
  );
}
