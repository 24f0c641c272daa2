import { useId, useState } from 'react';
import { useStore } from 'zustand';
import { knownHosts, profilesStore } from '../state/capture-profiles.ts';

interface AttachMachineProps {
  /** Empty: this machine. */
  host: string;
  /** How the capture has the rights to trace there; empty where it simply has them. */
  rights: string;
  onChoose: (host: string) => void;
}

/** Whose kernel is traced: this machine's, or that of one that ssh reaches. */
export function AttachMachine({ host, rights, onChoose }: AttachMachineProps) {
  const [remote, setRemote] = useState(host !== '');
  const [typed, setTyped] = useState(host);
  const profiles = useStore(profilesStore);
  const known = useId();
  const wanted = typed.trim();
  return (
    <form
      className="attach-machine"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted !== '') onChoose(wanted);
      }}
    >
      <label>
        Machine
        <select
          className="input"
          value={remote ? 'ssh' : 'here'}
          onChange={(event) => {
            const other = event.target.value === 'ssh';
            setRemote(other);
            if (!other && host !== '') onChoose('');
          }}
        >
          <option value="here">this machine</option>
          <option value="ssh">another one, over ssh</option>
        </select>
      </label>
      {remote && (
        <>
          <label>
            Host
            <input
              className="input mono"
              list={known}
              placeholder="user@host"
              spellCheck={false}
              autoCapitalize="off"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
            <datalist id={known}>
              {knownHosts(profiles).map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </label>
          <button type="submit" className="button" disabled={wanted === '' || wanted === host}>
            {wanted !== '' && wanted === host ? 'Chosen' : 'Connect'}
          </button>
        </>
      )}
      {rights !== '' && <span className="muted">Captured {rights}</span>}
    </form>
  );
}
