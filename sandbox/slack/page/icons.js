// The page's own line icons, drawn on a 20 × 20 grid.
import { svg } from "./dom.js";

const PATHS = {
  hash: "M4 7.5h13M3 12.5h13M8.5 3 6.5 17M13.5 3l-2 14",
  lock: "M5.5 9h9v7.5h-9zM7 9V6.5a3 3 0 0 1 6 0V9",
  shared: "M7.5 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0ZM18.5 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0ZM7.5 10h5",
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  close: "M5 5l10 10M15 5 5 15",
  down: "M5.5 8l4.5 4.5L14.5 8",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  send: "M3.5 4 17 10 3.5 16l2-6zM5.5 10H11",
  warning: "M10 3 18 16.5H2zM10 8.5v3.5M10 14.4v.01",
  check: "M4.5 10.5 8.5 14.5 15.5 6",
  eye: "M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5Zm10 0a2 2 0 1 1-4 0 2 2 0 0 1 4 0Z",
  file: "M5 2.5h6.5L15.5 6.5V17.5H5zM11.5 2.5v4h4",
  thread: "M3.5 4.5h13v9H9L5.5 16.5v-3h-2z",
  system: "M3 4.5h14v9H3zM7 16.5h6",
  light:
    "M13.5 10a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0ZM10 2.5v1.5M10 16v1.5M2.5 10H4M16 10h1.5M4.7 4.7l1 1M14.3 14.3l1 1M15.3 4.7l-1 1M5.7 14.3l-1 1",
  dark: "M16 11.8A6.5 6.5 0 1 1 8.2 4a5.2 5.2 0 0 0 7.8 7.8Z",
  info: "M17.5 10a7.5 7.5 0 1 1-15 0 7.5 7.5 0 0 1 15 0ZM10 9v5M10 6.2v.01",
  image: "M3 4h14v12H3zM3 13.5l4-4 3.5 3.5 2.5-2 4 3.5M13 7.5h.01",
};

/** A decorative icon; whoever uses it gives the control its words. */
export function icon(name) {
  return svg(
    "svg",
    { viewBox: "0 0 20 20", class: `icon icon-${name}`, "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name] }),
  );
}
