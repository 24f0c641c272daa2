import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { mayTrace } from './tracefs.ts';

/**
 * How a capture process on this machine gets the rights to trace. Tracing belongs to root, or to a group that tracefs was given to.
 * Nothing but the capture process is ever started with more rights than the user has, and it writes files as the user.
 */
export interface Rights {
  by: 'own' | 'pkexec' | 'sudo' | 'sudo-terminal';
  /** The capture process's command line is put behind this. */
  command: readonly string[];
  /** In words; empty: its own. */
  text: string;
}

export const ownRights: Rights = { by: 'own', command: [], text: '' };
const pkexec: Rights = { by: 'pkexec', command: ['pkexec'], text: 'as root, which pkexec asked for' };
const sudo: Rights = { by: 'sudo', command: ['sudo', '-n', '--'], text: 'as root, by sudo' };
const PROMPT = 'Tracing belongs to root; only the capture runs with its rights. Password of %p: ';
const sudoTerminal: Rights = {
  by: 'sudo-terminal',
  command: ['sudo', '-p', PROMPT, '--'],
  text: 'as root, by sudo',
};

/** What there is to choose from. */
export interface Surroundings {
  mayTrace: boolean;
  /** Somebody can type a password. */
  terminal: boolean;
  desktop: boolean;
  /** Whether a program can be found. */
  has: (program: string) => boolean;
  sudoAsksNothing: () => boolean;
}

/** Its own rights where they suffice or nothing gives others: then what fails says what would help. */
export function chooseRights({ mayTrace, terminal, desktop, has, sudoAsksNothing }: Surroundings): Rights {
  if (mayTrace) return ownRights;
  if (terminal && has('sudo')) return sudoTerminal;
  if (desktop && has('pkexec')) return pkexec;
  return has('sudo') && sudoAsksNothing() ? sudo : ownRights;
}

/** `terminal`: whoever asks sits at the terminal that this process has. */
export function rightsHere(terminal: boolean): Rights {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return chooseRights({
    mayTrace: process.platform !== 'linux' || mayTrace(),
    terminal,
    desktop: Boolean(DISPLAY ?? WAYLAND_DISPLAY),
    has: isOnPath,
    sudoAsksNothing: () => spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0,
  });
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
