import { keyLabel } from '../commands/keys.ts';
import { allCommands, type Command } from '../commands/registry.ts';
import { uiStore } from '../state/stores.ts';
import { Dialog } from '../ui/dialog.tsx';

const close = () => uiStore.setState({ dialog: 'none' });

/** What the pointer does on lanes and plots: gesture, effect. */
const pointerHelp = (wheelZooms: boolean): readonly [string, string][] => [
  ['Drag', 'Zoom to what was dragged over'],
  ['Shift+drag', 'Select a range'],
  ['Space+drag, middle drag', 'Pan'],
  ['Wheel', wheelZooms ? 'Zoom at the pointer' : 'Scroll the lanes'],
  ['Ctrl+wheel', wheelZooms ? 'Scroll the lanes' : 'Zoom at the pointer'],
  ['Shift+wheel', 'Pan'],
  ['Click', 'Select the nearest event'],
  ['Double click', 'Place marker A or B on the nearest event'],
  ['Right button', 'Menu: filter, markers, notes'],
];

/** All keys and what they do, from the command registry. */
export function HelpDialog() {
  const groups = new Map<string, Command[]>();
  for (const command of allCommands()) groups.set(command.group, [...(groups.get(command.group) ?? []), command]);
  return (
    <Dialog title="Keys and commands" onClose={close} width={820}>
      <div className="help">
        {[...groups].map(([group, commands]) => (
          <section key={group} aria-label={group}>
            <h3>{group}</h3>
            <dl>
              {commands.map((command) => (
                <div key={command.id}>
                  <dt>{command.title}</dt>
                  <dd>
                    {command.keys.map((key) => (
                      <kbd key={key}>{keyLabel(key)}</kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section aria-label="Pointer">
          <h3>Pointer</h3>
          <dl>
            {pointerHelp(uiStore.getState().wheelZooms).map(([gesture, what]) => (
              <div key={gesture}>
                <dt>{what}</dt>
                <dd>
                  <kbd>{gesture}</kbd>
                </dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}
