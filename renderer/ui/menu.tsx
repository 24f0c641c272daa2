import { type KeyboardEvent, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

export interface MenuItem {
  label: string;
  run: () => void;
  disabled?: boolean;
}
/** A heading and the items below it. */
export interface MenuSection {
  title: string;
  items: MenuItem[];
}

interface MenuButtonProps {
  /** Accessible name of the button. */
  label: string;
  children: ReactNode;
  /** Asked for when the menu opens. */
  sections: () => MenuSection[];
  className?: string;
}

/** A button that opens a menu. Arrow keys, Home, End and first letters move; Esc and a click elsewhere close it. */
export function MenuButton({ label, children, sections, className = 'icon-button' }: MenuButtonProps) {
  const [open, setOpen] = useState<MenuSection[] | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(null);
    button.current?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open !== null}
        onClick={() => setOpen(open ? null : sections())}
      >
        {children}
      </button>
      {open && button.current && <Menu label={label} sections={open} anchor={button.current} onClose={close} />}
    </>
  );
}

interface MenuProps {
  label: string;
  sections: MenuSection[];
  /** The button that it hangs from, or a point of the window. */
  anchor: HTMLElement | { x: number; y: number };
  onClose: () => void;
}

export function Menu({ label, sections, anchor, onClose }: MenuProps) {
  const ref = useRef<HTMLDivElement>(null);
  const id = useId();
  const [place, setPlace] = useState({ left: 0, top: 0 });

  useLayoutEffect(() => {
    const menu = ref.current;
    if (!menu) return;
    menu.showPopover();
    const at =
      anchor instanceof HTMLElement
        ? anchor.getBoundingClientRect()
        : { left: anchor.x, top: anchor.y, bottom: anchor.y };
    const { width, height } = menu.getBoundingClientRect();
    const below = at.bottom + 2;
    setPlace({
      left: Math.max(4, Math.min(at.left, window.innerWidth - width - 4)),
      top: below + height <= window.innerHeight - 4 ? below : Math.max(4, at.top - height - 2),
    });
    menu.querySelector<HTMLElement>('[role=menuitem]:not(:disabled)')?.focus();
  }, [anchor]);

  useEffect(() => {
    const outside = (event: Event) => {
      const target = event.target as Node;
      if (!ref.current?.contains(target) && !(anchor instanceof HTMLElement && anchor.contains(target))) onClose();
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  });

  return (
    <div
      ref={ref}
      popover="manual"
      role="menu"
      tabIndex={-1}
      aria-label={label}
      className="menu"
      style={place}
      onKeyDown={(event) => moveInMenu(event, onClose)}
    >
      {sections
        .filter((section) => section.items.length > 0)
        .map((section, index) => (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a menu
          <div key={section.title} role="group" aria-labelledby={`${id}-${index}`}>
            <div id={`${id}-${index}`} className="menu-title">
              {section.title}
            </div>
            {section.items.map((item) => (
              <button
                key={item.label}
                type="button"
                role="menuitem"
                tabIndex={-1}
                disabled={item.disabled}
                onClick={() => {
                  onClose();
                  item.run();
                }}
              >
                {item.label}
              </button>
            ))}
          </div>
        ))}
    </div>
  );
}

function moveInMenu(event: KeyboardEvent<HTMLElement>, onClose: () => void): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const go = (index: number) => items.at(index % items.length)?.focus();
  if (event.key === 'ArrowDown') go(at + 1);
  else if (event.key === 'ArrowUp') go(at - 1);
  else if (event.key === 'Home') go(0);
  else if (event.key === 'End') go(-1);
  else if (event.key === 'Escape' || event.key === 'Tab') onClose();
  else if (event.key.length === 1 && /\S/.test(event.key)) {
    const letter = event.key.toLowerCase();
    const next = [...items.slice(at + 1), ...items].find((item) => item.textContent?.toLowerCase().startsWith(letter));
    next?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
