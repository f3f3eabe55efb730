// 16 px line icons of our own, drawn with the colour of the text.
const paths = {
  overview: "M2 12.500 5.500 8l3 2.500L14 3.500M2 14.500h12",
  orders: "M3 3.500h10M3 8h10M3 12.500h6",
  actors:
    "M8 2.500v3M8 5.500H3.500v3M8 5.500h4.500v3M8 5.500v3M2 8.500h3v4H2zM6.500 8.500h3v4h-3zM11 8.500h3v4h-3z",
  inventory: "M2.500 5.500 8 2.500l5.500 3v5.500L8 14l-5.500-3zM2.500 5.500 8 8.500l5.500-3M8 8.500V14",
  events: "M2 8h2.500l2-4.500 3 9 2-4.500H14",
  attention: "M8 2.500 14.500 13.500h-13zM8 6.500v3.500M8 11.800v.2",
  shards:
    "M2.500 2.500h4.500v4.500H2.500zM9 2.500h4.500v4.500H9zM2.500 9h4.500v4.500H2.500zM9 9h4.500v4.500H9z",
  storage: "M2.500 4c0-2 11-2 11 0v8c0 2-11 2-11 0zM2.500 4c0 2 11 2 11 0M2.500 8c0 2 11 2 11 0",
  audit: "M4 2.500h6l2.500 2.500v8.500H4zM6 7.500h4.500M6 10.500h4.500",
  faults: "M9 1.500 3.500 9H8l-1 5.500L12.500 7H8z",
  copy: "M5.500 5.500h8v8h-8zM3 10.500H2.500v-8h8V3",
  down: "M8 2.500v8M4.500 7.500 8 11l3.500-3.500M3 13.500h10",
  pause: "M5.500 3.500v9M10.500 3.500v9",
  play: "M5 3l7.500 5L5 13z",
  right: "M6 3.500 10.500 8 6 12.500",
  open: "M3.500 6 8 10.500 12.500 6",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1.100 1.100M11.500 11.500l1.100 1.100M12.600 3.400l-1.100 1.100M4.500 11.500l-1.100 1.100",
  moon: "M13 9.500A5.500 5.500 0 0 1 6.500 3 5.500 5.500 0 1 0 13 9.500z",
  auto: "M8 2.500a5.500 5.500 0 1 0 0 11zM8 2.500a5.500 5.500 0 0 1 0 11",
};
export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.400"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
