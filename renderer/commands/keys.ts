import { createKeybindingsHandler } from 'tinykeys';
import { allCommands, type Command, onCommandsChanged, runCommand } from './registry.ts';

/** Key bindings made from the command registry. */

/** Where typing belongs to the element, not to the window. */
const TYPING =
  'input:not([type=checkbox],[type=radio],[type=range],[type=button]), textarea, select, [contenteditable=true]';
/** Where plain keys belong to an open dialog or menu. */
const MODAL = 'dialog, [role=dialog], [role=menu]';

function belongsElsewhere(event: KeyboardEvent): boolean {
  if (event.isComposing) return true;
  const target = event.target instanceof Element ? event.target : null;
  const chord = event.ctrlKey || event.metaKey || event.altKey;
  if (target?.closest(MODAL)) return true;
  return !chord && (target?.matches(TYPING) ?? false);
}

/** Binds the keys of all commands, now and as they come and go. */
export function bindKeys(target: Window): () => void {
  let handler: EventListener = () => {};
  const rebuild = () => {
    handler = createKeybindingsHandler(bindingsOf(allCommands()), { ignore: belongsElsewhere });
  };
  rebuild();
  const onKey = (event: KeyboardEvent) => {
    if (!event.defaultPrevented) handler(event);
  };
  const stop = onCommandsChanged(rebuild);
  target.addEventListener('keydown', onKey);
  return () => {
    stop();
    target.removeEventListener('keydown', onKey);
  };
}

function bindingsOf(commands: readonly Command[]): Record<string, (event: KeyboardEvent) => void> {
  const bindings: Record<string, (event: KeyboardEvent) => void> = {};
  for (const command of commands) {
    for (const key of command.keys) {
      bindings[key] = (event) => {
        if (event.repeat && !command.repeats) return;
        if (command.enabled?.() === false) return;
        event.preventDefault();
        runCommand(command.id);
      };
    }
  }
  return bindings;
}

const NAMES: Record<string, string> = {
  $mod: 'Ctrl',
  Control: 'Ctrl',
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  Space: 'Space',
};

/** A binding as people write it: `$mod+Shift+KeyP` is `Ctrl+Shift+P`. */
export function keyLabel(binding: string): string {
  const parts = binding.split(/(?<=\w|\])\+/).filter((part) => !part.startsWith('['));
  return parts.map((part) => NAMES[part] ?? part.replace(/^(Key|Digit)(?=.$)/, '')).join('+');
}
