/**
 * Every action of the window is a command. Key bindings, the palette, the help dialog and the desktop menu are made
 * from this registry, so none of them can name an action that another one lacks.
 */
export interface Command {
  /** `group.action`, stable: menus and tests name it. */
  id: string;
  /** What it does, as a menu would say it: `Zoom in`. */
  title: string;
  group: 'File' | 'Capture' | 'View' | 'Timeline' | 'Selection' | 'Notes' | 'Plots' | 'Help';
  /** In tinykeys' syntax: `$mod+KeyO` by position, `[Shift]+?` by character. The first one is shown. */
  keys: readonly string[];
  run(): void | Promise<void>;
  /** False: shown but greyed, keys do nothing. */
  enabled?(): boolean;
  /** True: the key works while it is held down. */
  repeats?: boolean;
}

const commands = new Map<string, Command>();
const listeners = new Set<() => void>();
let snapshot: readonly Command[] = [];

/** Adds commands; the returned function takes them away again. An id that is taken throws. */
export function registerCommands(added: readonly Command[]): () => void {
  for (const command of added) {
    if (commands.has(command.id)) throw new Error(`command ${command.id} is registered twice`);
    commands.set(command.id, command);
  }
  publish();
  return () => {
    for (const command of added) commands.delete(command.id);
    publish();
  };
}

function publish(): void {
  snapshot = [...commands.values()];
  for (const listener of listeners) listener();
}

/** All commands in the order of registration. The array is replaced, never changed. */
export function allCommands(): readonly Command[] {
  return snapshot;
}

export function onCommandsChanged(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Runs a command by id. Unknown and disabled ones do nothing: a menu may be a moment behind. */
export function runCommand(id: string): void {
  const command = commands.get(id);
  if (!command || command.enabled?.() === false) return;
  void command.run();
}
