import { type ReactNode, useCallback, useSyncExternalStore } from 'react';
import { keyLabel } from '../commands/keys.ts';
import { allCommands, onCommandsChanged, runCommand } from '../commands/registry.ts';
import { selectionStore, viewportStore, workspaceStore } from '../state/stores.ts';

interface CommandButtonProps {
  /** Id of a command. */
  id: string;
  icon: ReactNode;
  /** Text beside the icon; without it the command's title is the accessible name. */
  text?: string;
}

/** Commands say whether they are enabled from these stores. */
function onAnythingChanged(listener: () => void): () => void {
  const stops = [
    onCommandsChanged(listener),
    workspaceStore.subscribe(listener),
    viewportStore.subscribe(listener),
    selectionStore.subscribe(listener),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** A button of the toolbar that runs a command; its keys are in the tool tip. */
export function CommandButton({ id, icon, text }: CommandButtonProps) {
  const find = useCallback(() => allCommands().find((command) => command.id === id), [id]);
  const enabled = useSyncExternalStore(onAnythingChanged, () => find()?.enabled?.() !== false);
  const command = find();
  const title = command?.title.replace('…', '') ?? id;
  const keys = command?.keys[0];
  return (
    <button
      type="button"
      className={text ? 'button quiet' : 'icon-button'}
      aria-label={text ? undefined : title}
      title={keys ? `${title} (${keyLabel(keys)})` : title}
      disabled={!enabled}
      onClick={() => runCommand(id)}
    >
      {icon}
      {text}
    </button>
  );
}
