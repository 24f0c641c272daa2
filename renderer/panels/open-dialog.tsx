import { type FormEvent, type KeyboardEvent, useCallback, useEffect, useRef, useState } from 'react';
import type { FolderEntry, Results } from '../../shared/api.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import { call } from '../state/connection.ts';
import { Latest } from '../state/latest.ts';
import { openFiles } from '../state/session.ts';
import { uiStore } from '../state/stores.ts';
import { Dialog } from '../ui/dialog.tsx';
import { FileIcon, FolderIcon, RecordingIcon } from '../ui/icons.tsx';
import { bytesText } from '../ui/text.ts';

type Folder = Results['listFolder'];
const close = () => uiStore.setState({ dialog: 'none' });

/** Chooses a recording on the engine's machine, where the host has no dialog of its own (a browser tab). */
export function OpenDialog() {
  const [folder, setFolder] = useState<Folder | null>(null);
  const [path, setPath] = useState('');
  const [error, setError] = useState('');
  const [active, setActive] = useState(0);
  const latest = useRef(new Latest());
  const list = useRef<HTMLDivElement>(null);

  /** Shows a folder; `cameFrom` is the entry to start at. */
  const enter = useCallback(async (target: string, cameFrom = '') => {
    try {
      const listing = await latest.current.run((signal) => call('listFolder', { path: target }, { signal }));
      if (!listing) return;
      setFolder(listing);
      setPath(listing.path);
      setError('');
      setActive(
        Math.max(
          0,
          listing.entries.findIndex((entry) => entry.path === cameFrom),
        ),
      );
    } catch (failure) {
      setError(toErrorDetail(failure).message);
    }
  }, []);

  useEffect(() => {
    void enter('');
  }, [enter]);
  useEffect(() => {
    list.current?.querySelector(`[data-index="${active}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const select = (index: number) => {
    setActive(index);
    const entry = folder?.entries[index];
    if (entry) setPath(entry.path);
  };
  const choose = (entry: FolderEntry) => {
    if (entry.kind === 'folder') void enter(entry.path);
    else void openFiles([entry.path]);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const typed = path.trim();
    if (typed === '') return;
    // The engine knows what a path is: a folder lists, anything else opens (or says why not).
    call('listFolder', { path: typed }).then(
      () => enter(typed),
      () => openFiles([typed]),
    );
  };
  const entries = folder?.entries ?? [];
  const onKey = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 10,
      PageUp: -10,
      Home: -1e9,
      End: 1e9,
    };
    if (event.key in steps) select(Math.min(Math.max(0, active + steps[event.key]), entries.length - 1));
    else if (event.key === 'Enter' && entries[active]) choose(entries[active]);
    else if ((event.key === 'Backspace' || event.key === 'ArrowLeft') && folder?.parent)
      void enter(folder.parent, folder.path);
    else if (event.key.length === 1 && event.key !== ' ' && !event.ctrlKey) {
      const letter = event.key.toLowerCase();
      const order = [...entries.keys()].map((index) => (active + 1 + index) % entries.length);
      const next = order.find((index) => entries[index].name.toLowerCase().startsWith(letter));
      if (next !== undefined) select(next);
    } else return;
    event.preventDefault();
  };

  return (
    <Dialog title="Open a recording" onClose={close} width={680}>
      <form className="path-row" onSubmit={submit}>
        <button
          type="button"
          className="button"
          disabled={!folder?.parent}
          onClick={() => folder && void enter(folder.parent, folder.path)}
        >
          Up
        </button>
        <input
          className="input mono"
          aria-label="Path"
          spellCheck={false}
          value={path}
          onChange={(event) => setPath(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowDown') return;
            event.preventDefault();
            list.current?.focus();
          }}
        />
        <button type="submit" className="button primary">
          Open
        </button>
      </form>
      {error && (
        <p role="alert" className="field-error">
          {error}
        </p>
      )}
      <div
        ref={list}
        role="listbox"
        aria-label="Files"
        tabIndex={0}
        aria-activedescendant={entries[active] ? `file-${active}` : undefined}
        data-first-focus
        className="file-list"
        onKeyDown={onKey}
      >
        {entries.map((entry, index) => (
          <div
            key={entry.path}
            id={`file-${index}`}
            data-index={index}
            role="option"
            aria-selected={index === active}
            tabIndex={-1}
            className={`file-row ${entry.kind}`}
            onClick={() => select(index)}
            onDoubleClick={() => choose(entry)}
            onKeyDown={() => undefined}
          >
            {entry.kind === 'folder' ? <FolderIcon /> : entry.kind === 'file' ? <FileIcon /> : <RecordingIcon />}
            <span className="name">{entry.name}</span>
            <span className="muted">{entry.kind === 'file' || entry.kind === 'folder' ? '' : entry.kind}</span>
            <span className="muted numbers">{entry.kind === 'folder' ? '' : bytesText(entry.bytes)}</span>
            <span className="muted numbers">{new Date(entry.modifiedMs).toLocaleString()}</span>
          </div>
        ))}
        {folder && entries.length === 0 && <p className="muted empty-list">This folder is empty.</p>}
      </div>
    </Dialog>
  );
}
