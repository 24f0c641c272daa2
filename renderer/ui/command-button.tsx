import { type ReactNode, useCallback, useSyncExternalStore } from 'react';
import { onEnablingChanged } from '../commands/enabling.ts';
import { keyLabel } from '../commands/keys.ts';
import { allCommands, runCommand } from '../commands/registry.ts';

interface CommandButtonProps {
  /** Id of a command. */
  id: string;
  icon: ReactNode;
  /** Text beside the icon; without it the command's title is the accessible name. */
  text?: string;
  /** Of a command that switches something on and off. */
  pressed?: boolean;
}

/** A button of the toolbar that runs a command; its keys are in the tool tip. */
export function CommandButton({ id, icon, text, pressed }: CommandButtonProps) {
  const find = useCallback(() => allCommands().find((command) => command.id === id), [id]);
  const enabled = useSyncExternalStore(onEnablingChanged, () => find()?.enabled?.() !== false);
  const command = find();
  const title = command?.title.replace('…', '') ?? id;
  const keys = command?.keys[0];
  return (
    <button
      type="button"
      className={text ? 'button quiet' : 'icon-button'}
      aria-label={text ? undefined : title}
      aria-pressed={pressed}
      title={keys ? `${title} (${keyLabel(keys)})` : title}
      disabled={!enabled}
      onClick={() => runCommand(id)}
    >
      {icon}
      {text}
    </button>
  );
}
