import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

// Rows of one height; only those in view, and a few around them, are in the
// document. A list of 100,000 has about sixty elements.
export function Virtual(props: {
  count: number; height: number; at: number; label: string;
  row: (i: number) => ComponentChildren;
  onTop: (top: boolean) => void; onEnd: () => void;
  scrollTo: { i: number; turn: number };
}) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const wait = useRef(0);

  const measure = () => {
    const b = box.current;
    if (!b) return;
    setView((v) => v.top === b.scrollTop && v.height === b.clientHeight ? v : { top: b.scrollTop, height: b.clientHeight });
  };
  useLayoutEffect(measure, []);
  useEffect(() => {
    const o = new ResizeObserver(measure);
    o.observe(box.current!);
    return () => o.disconnect();
  }, []);

  // Bring a row into view, as little as needed.
  useLayoutEffect(() => {
    const b = box.current;
    if (!b || props.scrollTo.i < 0) return;
    const y = props.scrollTo.i * props.height;
    if (y < b.scrollTop) b.scrollTop = y;
    else if (y + props.height > b.scrollTop + b.clientHeight) b.scrollTop = y + props.height - b.clientHeight;
    measure();
  }, [props.scrollTo.turn]);

  const first = Math.max(0, Math.floor(view.top / props.height) - 8);
  const last = Math.min(props.count, Math.ceil((view.top + view.height) / props.height) + 8);
  const end = last >= props.count - 60;
  useEffect(() => { if (end) props.onEnd(); }, [end, props.count]);

  const rows: ComponentChildren[] = [];
  for (let i = first; i < last; i++) rows.push(props.row(i));
  return (
    <div class="virtual" ref={box} tabIndex={0} role="grid" aria-label={props.label} aria-rowcount={props.count}
      aria-activedescendant={props.at >= 0 ? "row-" + props.at : undefined}
      onScroll={() => {
        if (wait.current) return;
        wait.current = requestAnimationFrame(() => {
          wait.current = 0;
          measure();
          props.onTop((box.current?.scrollTop ?? 0) < 4);
        });
      }}>
      <div class="virtual-all" style={{ height: props.count * props.height + "px" }}>
        <div class="virtual-shown" role="presentation" style={{ transform: `translateY(${first * props.height}px)` }}>{rows}</div>
      </div>
    </div>
  );
}
