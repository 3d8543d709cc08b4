/** The four ways in which Autodesk's services write a time. */
const TIME_FORMATS = [
  "seven_digits",
  "milliseconds",
  "offset_colon",
  "offset_plain",
] as const;

/** A way to write a time. */
export type TimeFormat = typeof TIME_FORMATS[number];

/**
 * How times are written: as each route does by itself, always in one way, or (`mixed`) in all ways,
 * changing from one value to the next.
 */
export type TimeStyle = "by_route" | "mixed" | TimeFormat;

/** All styles. */
export const TIME_STYLES = ["by_route", "mixed", ...TIME_FORMATS] as const;

/** Writes a time. Whole seconds are all the service keeps. */
function formatTime(ms: number, format: TimeFormat): string {
  const seconds = new Date(ms).toISOString().slice(0, 19);
  switch (format) {
    case "seven_digits":
      return `${seconds}.0000000Z`;
    case "milliseconds":
      return `${seconds}.000Z`;
    case "offset_colon":
      return `${seconds}+00:00`;
    case "offset_plain":
      return `${seconds}+0000`;
  }
}

/** A function that writes the times of one answer. */
export function timeWriter(style: TimeStyle, ofRoute: TimeFormat): (ms: number) => string {
  if (style !== "mixed") {
    const format = style === "by_route" ? ofRoute : style;
    return (ms) => formatTime(ms, format);
  }
  let turn = 0;
  return (ms) => formatTime(ms, TIME_FORMATS[turn++ % TIME_FORMATS.length] ?? ofRoute);
}
