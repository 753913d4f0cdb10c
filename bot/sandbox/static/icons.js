// Line icons of this page, drawn on a grid of 20.

const PATHS = {
  hash: "M7.5 3 6 17M14 3l-1.500 14M3.500 7.500h14M2.500 12.500h14",
  lock: "M5 9h10v8H5zM7 9V6.500a3 3 0 0 1 6 0V9",
  thread: "M4 4h12v9H9l-4 3.500V13H4z",
  smile: "M10 17.500a7.500 7.500 0 1 0 0-15 7.500 7.500 0 0 0 0 15ZM7 8v.5M13 8v.5M6.500 11.500c1.500 3 5.500 3 7 0",
  more: "M4.500 10h.01M10 10h.01M15.500 10h.01",
  close: "m5 5 10 10M15 5 5 15",
  back: "M12 4 6 10l6 6",
  menu: "M3 5.500h14M3 10h14M3 14.500h14",
  send: "M3.500 10 16.500 4l-4 13-3-5.500zM9.500 11.500l3-3",
  eye: "M2 10s3-5.500 8-5.500S18 10 18 10s-3 5.500-8 5.500S2 10 2 10Zm8 2.200a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400Z",
  inspect: "M3 5h14M3 10h7M3 15h5M14 15.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM16 15l2 2",
  sun: "M10 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM10 1.500v2M10 16.500v2M1.500 10h2M16.500 10h2M4 4l1.400 1.400M14.600 14.600 16 16M4 16l1.400-1.400M14.600 5.400 16 4",
  moon: "M16.500 12A7 7 0 0 1 8 3.500a7 7 0 1 0 8.500 8.500Z",
  auto: "M10 2.500a7.500 7.500 0 1 0 0 15zM10 2.500a7.500 7.500 0 0 1 0 15",
  chevron: "m5 7.500 5 5 5-5",
  window: "M8 4H4v12h12v-4M11 4h5v5M16 4l-7 7",
  trash: "M4 6h12M8 6V4h4v2M5.500 6l.8 11h7.400l.8-11",
  pencil: "M4 16l.8-3.500L13 4.300l2.700 2.700-8.200 8.200z",
  link: "M8.500 11.500a3 3 0 0 0 4.300 0l3-3a3 3 0 0 0-4.300-4.300l-1 1M11.500 8.500a3 3 0 0 0-4.300 0l-3 3a3 3 0 0 0 4.300 4.300l1-1",
  alert: "M10 3 18 16.500H2zM10 8.500v3.500M10 14.300v.2",
  info: "M10 17.500a7.500 7.500 0 1 0 0-15 7.500 7.500 0 0 0 0 15ZM10 9.500V14M10 6.500v.2",
  file: "M5 2.500h6l4 4v11H5zM11 2.500v4h4",
  search: "M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM13 13l4 4",
  bolt: "M11 2 4.500 11.500H10L9 18l6.500-9.500H10z",
  down: "M10 4v12M5 11l5 5 5-5",
  check: "m4 10.500 4 4 8-9",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
