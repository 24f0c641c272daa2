/** Which entries of a list are chosen, as file dialogs have it: one by one, with Ctrl several, with Shift a stretch. */
export interface Selection {
  /** The entry that the keyboard is at. */
  active: number;
  /** Where a stretch begins. */
  anchor: number;
  chosen: ReadonlySet<number>;
}

/** `move` goes to an entry and leaves what is chosen as it is. */
export type ChooseHow = 'one' | 'toggle' | 'stretch' | 'move';

export const noSelection = (active = 0): Selection => ({ active, anchor: active, chosen: new Set() });

/** `choosable`: what can be chosen beside others; anything can be chosen alone. */
export function choose(
  before: Selection,
  index: number,
  how: ChooseHow,
  choosable: (index: number) => boolean,
): Selection {
  if (how === 'move') return { ...before, active: index };
  if (how === 'one') return { active: index, anchor: index, chosen: new Set([index]) };
  const others = [...before.chosen].filter(choosable);
  if (how === 'toggle') {
    const chosen = new Set(others);
    if (!chosen.delete(index) && choosable(index)) chosen.add(index);
    return { active: index, anchor: index, chosen };
  }
  const [from, to] = [Math.min(before.anchor, index), Math.max(before.anchor, index)];
  const stretch = Array.from({ length: to - from + 1 }, (_, step) => from + step).filter(choosable);
  return { active: index, anchor: before.anchor, chosen: new Set(stretch) };
}
