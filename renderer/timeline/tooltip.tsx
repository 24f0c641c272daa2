import { useLayoutEffect, useRef } from 'react';
import { createPortal } from 'react-dom';
import { useStore } from 'zustand';
import { tipStore } from './pointing.ts';

const DISTANCE_PX = 14;

/** What is under the pointer, beside it, always inside the window. */
export function Tooltip() {
  const { tip, x, y } = useStore(tipStore);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const { width, height } = element.getBoundingClientRect();
    const left = x + DISTANCE_PX + width <= window.innerWidth ? x + DISTANCE_PX : x - DISTANCE_PX - width;
    const top = y + DISTANCE_PX + height <= window.innerHeight ? y + DISTANCE_PX : y - DISTANCE_PX - height;
    element.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  });
  if (!tip) return null;
  // Above all of the window, whatever panel it reaches over.
  return createPortal(
    <div ref={box} className="timeline-tip" role="tooltip">
      <div className="timeline-tip-title">
        {tip.color && <span className="swatch" style={{ background: tip.color }} />}
        {tip.title}
      </div>
      <dl>
        {tip.rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {tip.text && <p>{tip.text}</p>}
    </div>,
    document.body,
  );
}
