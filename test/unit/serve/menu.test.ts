import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../cli.ts';

/** Neither module can be loaded here (one needs Electron, the others a page), so their texts are compared. */
const menu = readFileSync(join(projectRoot, 'electron/app/menu.ts'), 'utf8');
const folder = join(projectRoot, 'renderer/commands');
const commands = readdirSync(folder)
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n');
const tabs =
  /bottomTabs = \[([^\]]*)\]/.exec(readFileSync(join(projectRoot, 'renderer/state/stores.ts'), 'utf8'))?.[1] ?? '';

it('every entry of the desktop menu names a command of the window', () => {
  const named = [...menu.matchAll(/command\('[^']+', '([^']+)'/g)].map(([, id]) => id);
  const known = new Set([...commands.matchAll(/id: '([^']+)'/g)].map(([, id]) => id));
  for (const [, tab] of tabs.matchAll(/'(\w+)'/g)) known.add(`view.${tab}`);
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((id) => !known.has(id))).toEqual([]);
});
