const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Returns a number of bytes as a person reads it: in the unit, of 1,024 each, that leaves few digits. */
export function showBytes(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1024 && unit < UNITS.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit] ?? ""}`;
}
