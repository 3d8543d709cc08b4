/**
 * The write-ahead log of a server: every row that was ever written, also those that were deleted or
 * written anew since. https://www.postgresql.org/docs/current/wal-internals.html
 */
import { join } from "node:path";

const PAGE = 8192;
const SEGMENT = 16 * 1024 * 1024;
const LONG_HEADER = 40;
const SHORT_HEADER = 24;
const PAGES = SEGMENT / PAGE;
/** Bytes of a segment without the headers of its pages. */
const CONTENT = SEGMENT - LONG_HEADER - (PAGES - 1) * SHORT_HEADER;
const RECORD_HEADER = 24;

/** A part of the log without page headers, which would cut values in two. */
export interface WalPart {
  /** Position of its first byte in the log without page headers. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Reads a position as the server writes it: `16/B374D848`. */
export function parsePosition(text: string): number {
  const [high = "", low = ""] = text.split("/");
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16);
}

/** Reads the log between two positions, a segment at a time. */
export async function* readWal(
  dataDirectory: string,
  from: number,
  to: number,
): AsyncGenerator<WalPart> {
  for (let segment = Math.floor(from / SEGMENT); segment * SEGMENT < to; segment++) {
    const raw = await Deno.readFile(join(dataDirectory, "pg_wal", fileName(segment)));
    const base = segment * CONTENT;
    const content = withoutHeaders(raw);
    const begin = Math.max(0, contentPosition(from) - base);
    const end = Math.min(CONTENT, contentPosition(to) - base);
    yield { start: base + begin, bytes: content.slice(begin, end) };
  }
}

/** The first timeline is the only one: none of our servers was ever promoted. */
function fileName(segment: number): string {
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, "0");
  const perId = 2 ** 32 / SEGMENT;
  return hex(1) + hex(Math.floor(segment / perId)) + hex(segment % perId);
}

function withoutHeaders(raw: Uint8Array): Uint8Array {
  if (raw.length !== SEGMENT) throw new RangeError(`Cannot read a segment of ${raw.length} bytes`);
  const content = new Uint8Array(CONTENT);
  let at = 0;
  for (let page = 0; page < PAGES; page++) {
    const header = page === 0 ? LONG_HEADER : SHORT_HEADER;
    content.set(raw.subarray(page * PAGE + header, (page + 1) * PAGE), at);
    at += PAGE - header;
  }
  return content;
}

/** Where a position of the log lies when page headers are not counted. */
function contentPosition(position: number): number {
  const inSegment = position % SEGMENT;
  const page = Math.floor(inSegment / PAGE);
  const inPage = inSegment % PAGE;
  const before = Math.floor(position / SEGMENT) * CONTENT;
  if (page === 0) return before + Math.max(0, inPage - LONG_HEADER);
  const pages = PAGE - LONG_HEADER + (page - 1) * (PAGE - SHORT_HEADER);
  return before + pages + Math.max(0, inPage - SHORT_HEADER);
}

/** One record, and the file of the table or index that it changed; null: of none. */
export interface WalRecord {
  readonly start: number;
  readonly end: number;
  readonly file: number | null;
}

/** Reads the records of a log that begins with one. */
export async function* readRecords(parts: AsyncIterable<WalPart>): AsyncGenerator<WalRecord> {
  let bytes = new Uint8Array();
  let at = 0;
  for await (const part of parts) {
    // A record may go on in the next segment.
    const rest = bytes.subarray(at);
    const joined = new Uint8Array(rest.length + part.bytes.length);
    joined.set(rest);
    joined.set(part.bytes, rest.length);
    const base = part.start - rest.length;
    bytes = joined;
    at = 0;
    while (at + RECORD_HEADER <= bytes.length) {
      const view = new DataView(bytes.buffer, at);
      const length = view.getUint32(0, true);
      const isLast = length < RECORD_HEADER;
      if (!isLast && at + length > bytes.length) break;
      if (!isLast) yield { start: base + at, end: base + at + length, file: fileOf(view, length) };
      // The rest of the segment is empty.
      const isSwitch = view.getUint8(17) === 0 && (view.getUint8(16) & 0xf0) === 0x40;
      at = isLast || isSwitch ? bytes.length : at + Math.ceil(length / 8) * 8;
    }
  }
}

/** `XLogRecordBlockHeader` and what may stand before it, as in `access/xlogrecord.h`. */
function fileOf(view: DataView, length: number): number | null {
  for (let at = RECORD_HEADER; at + 4 < length;) {
    const id = view.getUint8(at);
    if (id === 253) at += 3;
    else if (id === 252) at += 5;
    else if (id > 32) return null;
    else {
      const flags = view.getUint8(at + 1);
      at += 4;
      if ((flags & 0x10) !== 0) {
        const image = view.getUint8(at + 4);
        at += (image & 0x01) !== 0 && (image & 0x1c) !== 0 ? 7 : 5;
      }
      return at + 12 <= length ? view.getUint32(at + 8, true) : null;
    }
  }
  return null;
}
