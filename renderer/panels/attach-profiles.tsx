import { useState } from 'react';
import { useStore } from 'zustand';
import type { CaptureForm } from '../state/capture-form.ts';
import { deleteProfile, profilesStore, saveProfile } from '../state/capture-profiles.ts';

/** Settings that were kept under a name. */
export function AttachProfiles({ form, onChoose }: { form: CaptureForm; onChoose: (form: CaptureForm) => void }) {
  const profiles = useStore(profilesStore, (state) => state.profiles);
  const [chosen, setChosen] = useState('');
  const [name, setName] = useState('');
  const names = Object.keys(profiles).sort((a, b) => a.localeCompare(b, 'en'));
  const choose = (next: string) => {
    setChosen(next);
    const kept = profiles[next];
    if (kept) onChoose(kept);
  };
  const save = () => {
    saveProfile(name.trim(), form);
    setChosen(name.trim());
    setName('');
  };
  return (
    <div className="attach-profiles">
      {names.length > 0 && (
        <>
          <label>
            Saved settings
            <select className="input" value={chosen} onChange={(event) => choose(event.target.value)}>
              <option value="">Choose…</option>
              {names.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
          <button
            type="button"
            className="button quiet"
            disabled={chosen === ''}
            onClick={() => {
              deleteProfile(chosen);
              setChosen('');
            }}
          >
            Delete
          </button>
        </>
      )}
      <label>
        Save as
        <input
          className="input"
          placeholder="Name"
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <button
        type="button"
        className="button quiet"
        disabled={name.trim() === '' || form.events.length === 0}
        onClick={save}
      >
        Save settings
      </button>
    </div>
  );
}
