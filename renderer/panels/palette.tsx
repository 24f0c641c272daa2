import { Command as Palette } from 'cmdk';
import { keyLabel } from '../commands/keys.ts';
import { allCommands, runCommand } from '../commands/registry.ts';
import { uiStore } from '../state/stores.ts';
import { Dialog } from '../ui/dialog.tsx';

const close = () => uiStore.setState({ dialog: 'none' });

/** Every command by its name. */
export function CommandPalette() {
  const choose = (id: string) => {
    // First away with the dialog: the command may open one of its own.
    close();
    runCommand(id);
  };
  return (
    <Dialog title="Command palette" onClose={close} width={560}>
      <Palette label="Commands" loop className="palette">
        <Palette.Input data-first-focus className="input" placeholder="Type a command" />
        <Palette.List label="Commands" className="palette-list">
          <Palette.Empty className="muted empty-list">No command has this name.</Palette.Empty>
          {allCommands().map((command) => (
            <Palette.Item
              key={command.id}
              value={`${command.group} ${command.title}`}
              disabled={command.enabled?.() === false}
              onSelect={() => choose(command.id)}
            >
              <span className="muted">{command.group}</span>
              <span>{command.title}</span>
              {command.keys[0] && <kbd>{keyLabel(command.keys[0])}</kbd>}
            </Palette.Item>
          ))}
        </Palette.List>
      </Palette>
    </Dialog>
  );
}
