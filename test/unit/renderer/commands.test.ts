import { matchKeybindingPress, parseKeybinding } from 'tinykeys';
import { describe, expect, it, vi } from 'vitest';
import { keyLabel } from '../../../renderer/commands/keys.ts';
import { noteCommands } from '../../../renderer/commands/notes.ts';
import { allCommands, registerCommands, runCommand } from '../../../renderer/commands/registry.ts';
import { timelineCommands } from '../../../renderer/commands/timeline.ts';

describe('command keys', () => {
  it('are written as people write them', () => {
    expect(keyLabel('$mod+Shift+KeyP')).toBe('Ctrl+Shift+P');
    expect(keyLabel('[Shift]+?')).toBe('?');
    expect(keyLabel('Alt+ArrowLeft')).toBe('Alt+←');
    expect(keyLabel('Alt+Digit1')).toBe('Alt+1');
    expect(keyLabel('KeyW')).toBe('W');
    expect(keyLabel('Escape')).toBe('Esc');
    expect(keyLabel('.')).toBe('.');
  });

  it('never mean two commands', async () => {
    // The theme asks the window for the system's colours when it is loaded.
    vi.stubGlobal('window', { matchMedia: () => ({ matches: false }) });
    const { windowCommands } = await import('../../../renderer/commands/window.ts');
    vi.unstubAllGlobals();
    const keys = [...windowCommands, ...timelineCommands, ...noteCommands].flatMap((command) => command.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('go by position for W, A, S and D, and by character for ?', () => {
    const press = (key: string, code: string, shift = false) =>
      ({ key, code, getModifierState: (name: string) => name === 'Shift' && shift }) as unknown as KeyboardEvent;
    const matches = (binding: string, event: KeyboardEvent) => matchKeybindingPress(event, parseKeybinding(binding)[0]);
    // A French keyboard has Z where W is.
    expect(matches('KeyW', press('z', 'KeyW'))).toBe(true);
    expect(matches('[Shift]+?', press('?', 'Slash', true))).toBe(true);
    expect(matches('[Shift]+?', press('?', 'KeyM', false))).toBe(true);
    expect(matches('KeyM', press('?', 'KeyM', true))).toBe(false);
  });
});

describe('command registry', () => {
  const command = (id: string, run: () => void, enabled = true) => ({
    id,
    title: id,
    group: 'View' as const,
    keys: [],
    run,
    enabled: () => enabled,
  });

  it('runs what is enabled and nothing else', () => {
    const ran: string[] = [];
    const remove = registerCommands([
      command('test.on', () => ran.push('on')),
      command('test.off', () => ran.push('off'), false),
    ]);
    for (const id of ['test.on', 'test.off', 'test.unknown']) runCommand(id);
    expect(ran).toEqual(['on']);
    remove();
    runCommand('test.on');
    expect(ran).toEqual(['on']);
    expect(allCommands()).toEqual([]);
  });

  it('refuses an id that is taken', () => {
    const remove = registerCommands([command('test.twice', () => {})]);
    expect(() => registerCommands([command('test.twice', () => {})])).toThrow('test.twice');
    remove();
  });
});
