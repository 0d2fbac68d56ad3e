// Icons are drawn here: 16 units, one stroke, the colour of the text.
const paths: { [name: string]: string } = {
  compare: "M2.500 3h4.500v10H2.500zM9 3h4.500v10H9zM4 6h1.500M4 8.500h1.500M10.500 6H12",
  traffic: "M2 4h8M7.500 1.500 10 4 7.500 6.500M14 11.500H6M8.500 9 6 11.500 8.500 14",
  policy: "M8 1.500 13.500 3.500v4.200c0 3.300-2.300 5.600-5.500 6.800-3.200-1.200-5.500-3.500-5.500-6.800V3.500zM5.700 7.900l1.700 1.700 3-3.200",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.700 10.700 14 14",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.500 9.500A5.800 5.800 0 0 1 6.500 2.500a5.800 5.800 0 1 0 7 7z",
  auto: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 2v12M10 4.500h1M10 7h2.500M10 9.500h2",
  keys: "M1.500 4h13v8h-13zM4 6.500h.01M6.700 6.500h.01M9.300 6.500h.01M12 6.500h.01M4 9.500h8",
  leave: "M6.500 2.500h-4v11h4M6 8h8M11 5l3 3-3 3",
  good: "M3.500 8.500 6.500 11.500 12.500 4.800",
  finding: "M8 2.200 14.500 13.500h-13zM8 6.500v3.300M8 11.700v.01",
  refused: "M5.200 1.800h5.600l3.400 3.400v5.600l-3.400 3.400H5.200l-3.400-3.400V5.200zM5 8h6",
  repaired: "M10 2a3.700 3.700 0 0 0-3.300 5.200L2 11.900 4.100 14l4.700-4.700A3.700 3.700 0 0 0 13.800 5l-2.300 2.200-2.200-.5-.5-2.200L11 2.200A3.700 3.700 0 0 0 10 2z",
  stripped: "M4 2.500a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600zM4 9.900a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600zM5.500 5.200 14 12.500M5.500 10.800 14 3.500",
  noted: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 7.500V11M8 5v.01",
  failed: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM5.800 5.800l4.400 4.400M10.200 5.800 5.800 10.200",
  unknown: "M6 6a2 2 0 1 1 2.800 1.900c-.5.300-.8.600-.8 1.300M8 11.500v.01",
  lock: "M3.500 7h9v6.500h-9zM5.500 7V4.800a2.500 2.500 0 0 1 5 0V7",
  unlock: "M3.500 7h9v6.500h-9zM5.500 7V4.800a2.500 2.500 0 0 1 4.800-1",
  arrow: "M2.500 8h11M9.500 4l4 4-4 4",
  up: "M8 13V3M4 7l4-4 4 4",
  down: "M8 2.500v8M4.500 7.500 8 11l3.500-3.500M3 13.500h10",
  copy: "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
  close: "M3.500 3.500l9 9M12.500 3.500l-9 9",
  full: "M9.500 2.500h4v4M13.500 2.500 9 7M6.500 13.500h-4v-4M2.500 13.500 7 9",
  back: "M13.500 8h-11M6.500 4l-4 4 4 4",
  leak: "M8 2s4.500 4.700 4.500 7.800a4.500 4.500 0 0 1-9 0C3.500 6.700 8 2 8 2z",
  fold: "M5.500 3.500 10 8l-4.500 4.500",
  minus: "M3.500 8h9",
  trace: "M3 3.500a1.500 1.500 0 1 0 0 .01M3 5v2.500a2 2 0 0 0 2 2h6a2 2 0 0 1 2 2v-.5M13 11a1.500 1.500 0 1 0 0 .01M7 3.500h6M3 12.500h4",
  compose: "M2.500 13.500l.8-3.300 7.700-7.700 2.500 2.500-7.700 7.700zM9.300 4.200l2.500 2.500",
  print: "M4.500 6V2.500h7V6M4.500 11.500h-2V6h11v5.500h-2M4.500 9.500h7v4h-7z",
  stop: "M4 4h8v8H4z",
  play: "M5 3l7.500 5L5 13z",
  save: "M3 2.500h8l2.500 2.500v8.500H3zM5.500 2.500v3.500h4.500V2.500M5.500 13.500V9h5v4.500",
  folder: "M2 4h4l1.500 1.500H14v7.500H2z",
  plus: "M3.500 8h9M8 3.500v9",
};

export function Icon({ name, label, size = 16 }: { name: string; label?: string; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.500"
      stroke-linecap="round" stroke-linejoin="round" role={label ? "img" : undefined} aria-label={label} aria-hidden={label ? undefined : "true"}>
      <path d={Object.hasOwn(paths, name) ? paths[name] : paths.unknown} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" class="logo-ground" />
      <path d="M8 10.500h13.500M17.800 6.800l4 3.700-4 3.700M24 21.500H10.500M14.200 17.800l-4 3.700 4 3.700" fill="none" stroke="#fff" stroke-width="2.500" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
