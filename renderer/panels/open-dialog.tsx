import { type FormEvent, type KeyboardEvent, type MouseEvent, useCallback, useEffect, useRef, useState } from 'react';
import type { FolderEntry, Results } from '../../shared/api.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import { call } from '../state/connection.ts';
import { Latest } from '../state/latest.ts';
import { openFiles } from '../state/session.ts';
import { uiStore } from '../state/stores.ts';
import { Dialog } from '../ui/dialog.tsx';
import { FileIcon, FolderIcon, RecordingIcon } from '../ui/icons.tsx';
import { bytesText } from '../ui/text.ts';
import { type ChooseHow, choose, noSelection } from './file-selection.ts';

type Folder = Results['listFolder'];
const close = () => uiStore.setState({ dialog: 'none' });
const STEPS: Record<string, number> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 10,
  PageUp: -10,
  Home: -1e9,
  End: 1e9,
};

/** Chooses recordings on the engine's machine, where the host has no dialog of its own (a browser tab). */
export function OpenDialog() {
  const [folder, setFolder] = useState<Folder | null>(null);
  const [path, setPath] = useState('');
  const [error, setError] = useState('');
  const [selection, setSelection] = useState(() => noSelection());
  const latest = useRef(new Latest());
  const list = useRef<HTMLDivElement>(null);
  const { active } = selection;
  const entries = folder?.entries ?? [];
  const isFile = (index: number) => entries[index]?.kind !== 'folder';
  const files = entries.filter((_, index) => selection.chosen.has(index) && isFile(index));

  /** Shows a folder; `cameFrom` is the entry to start at. */
  const enter = useCallback(async (target: string, cameFrom = '') => {
    try {
      const listing = await latest.current.run((signal) => call('listFolder', { path: target }, { signal }));
      if (!listing) return;
      setFolder(listing);
      setPath(listing.path);
      setError('');
      const from = listing.entries.findIndex((entry) => entry.path === cameFrom);
      setSelection(noSelection(Math.max(0, from)));
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

  const select = (index: number, how: ChooseHow) => {
    const entry = entries[index];
    if (!entry) return;
    setSelection(choose(selection, index, how, isFile));
    if (how === 'one') setPath(entry.path);
  };
  /** Enters a folder, or opens what is chosen. */
  const go = (entry: FolderEntry) => {
    if (entry.kind === 'folder') void enter(entry.path);
    else void openFiles(files.length > 1 && files.includes(entry) ? files.map((file) => file.path) : [entry.path]);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (files.length > 1) void openFiles(files.map((file) => file.path));
    else if (path.trim() !== '') void openTyped(path.trim(), enter);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key in STEPS) {
      const next = Math.min(Math.max(0, active + STEPS[event.key]), entries.length - 1);
      select(next, event.shiftKey ? 'stretch' : event.ctrlKey || event.metaKey ? 'move' : 'one');
    } else if (event.key === ' ') select(active, 'toggle');
    else if (event.key === 'Enter' && entries[active]) go(entries[active]);
    else if ((event.key === 'Backspace' || event.key === 'ArrowLeft') && folder?.parent)
      void enter(folder.parent, folder.path);
    else if (event.key.length === 1 && !event.ctrlKey) {
      const letter = event.key.toLowerCase();
      const order = [...entries.keys()].map((index) => (active + 1 + index) % entries.length);
      const next = order.find((index) => entries[index].name.toLowerCase().startsWith(letter));
      if (next !== undefined) select(next, 'one');
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
          onChange={(event) => {
            setPath(event.target.value);
            setSelection(noSelection(active));
          }}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowDown') return;
            event.preventDefault();
            list.current?.focus();
          }}
        />
        <button type="submit" className="button primary">
          {files.length > 1 ? `Open ${files.length} files` : 'Open'}
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
        aria-multiselectable="true"
        tabIndex={0}
        aria-activedescendant={entries[active] ? `file-${active}` : undefined}
        data-first-focus
        className="file-list"
        onKeyDown={onKey}
      >
        {entries.map((entry, index) => (
          <FileRow
            key={entry.path}
            entry={entry}
            index={index}
            active={index === active}
            chosen={selection.chosen.has(index)}
            onSelect={(how) => select(index, how)}
            onGo={() => go(entry)}
          />
        ))}
        {folder && entries.length === 0 && <p className="muted empty-list">This folder is empty.</p>}
      </div>
      <p className="muted file-hint">
        {files.length > 1
          ? 'They open together, on one time axis.'
          : 'Ctrl or Shift chooses several, to open together on one time axis.'}
      </p>
    </Dialog>
  );
}

/** The engine knows what a path is: a folder is shown, anything else opens (or says why not). */
async function openTyped(typed: string, enter: (path: string) => Promise<void>): Promise<void> {
  const listing = await call('listFolder', { path: typed }).catch(() => null);
  if (!listing) return openFiles([typed]);
  // A folder of raw per-CPU buffers is a recording.
  const parent = await call('listFolder', { path: listing.parent }).catch(() => null);
  const kind = parent?.entries.find((entry) => entry.path === listing.path)?.kind;
  return kind === 'recording' ? openFiles([listing.path]) : enter(typed);
}

interface FileRowProps {
  entry: FolderEntry;
  index: number;
  active: boolean;
  chosen: boolean;
  onSelect: (how: ChooseHow) => void;
  onGo: () => void;
}

function FileRow({ entry, index, active, chosen, onSelect, onGo }: FileRowProps) {
  const { kind } = entry;
  const click = ({ ctrlKey, metaKey, shiftKey }: MouseEvent) =>
    onSelect(shiftKey ? 'stretch' : ctrlKey || metaKey ? 'toggle' : 'one');
  return (
    <div
      id={`file-${index}`}
      data-index={index}
      role="option"
      aria-selected={chosen}
      tabIndex={-1}
      className={`file-row ${kind}${active ? ' active' : ''}`}
      onClick={click}
      onDoubleClick={onGo}
      onKeyDown={() => undefined}
    >
      {kind === 'folder' ? <FolderIcon /> : kind === 'file' ? <FileIcon /> : <RecordingIcon />}
      <span className="name">{entry.name}</span>
      <span className="muted">{kind === 'file' || kind === 'folder' ? '' : kind}</span>
      <span className="muted numbers">{kind === 'folder' ? '' : bytesText(entry.bytes)}</span>
      <span className="muted numbers">{new Date(entry.modifiedMs).toLocaleString()}</span>
    </div>
  );
}
