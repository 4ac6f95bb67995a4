/** Line icons on a grid of 16, drawn for this page; decoration, so that names come from text or `aria-label`. */
const paths = {
  arrowUp: 'M8 13V3M3.5 7.5 8 3l4.5 4.5',
  arrowDown: 'M8 3v10M3.5 8.5 8 13l4.5-4.5',
  check: 'm3 8.5 3.5 3.5L13 4.5',
  chevronDown: 'm4 6 4 4 4-4',
  chevronUp: 'm4 10 4-4 4 4',
  close: 'm4 4 8 8M12 4l-8 8',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  document: 'M4 1.5h5.5L13 5v9.5H4zM9 1.5V5.5h4',
  download: 'M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11',
  eye: 'M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4z',
  folder: 'M1.5 3.5h4.5l1.5 2h7v8h-13z',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z',
  refresh: 'M13.5 8A5.5 5.5 0 1 1 11.6 3.8M13.5 2v3h-3',
  retry: 'M2.5 8a5.5 5.5 0 1 0 1.9-4.2M2.5 2v3h3',
  screen: 'M1.5 3h13v8h-13zM5.5 13.5h5M8 11v2.5',
  search: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.5 10.5l3.5 3.5',
  sun: 'M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13',
  tag: 'M2 2h6l6 6-6 6-6-6zM5 5h.01',
  trash: 'M2.5 4h11M6 4V2.5h4V4M4 4l.7 9.5h6.6L12 4M6.7 6.5v4.5M9.3 6.5v4.5',
  upload: 'M8 10.5V2.5M4.5 5.5 8 2l3.5 3.5M2.5 13.5h11',
  warning: 'M8 2 15 14H1zM8 6.5V10M8 12h.01',
} as const

export type IconName = keyof typeof paths

/** Draws an icon that is hidden from screen readers. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}
