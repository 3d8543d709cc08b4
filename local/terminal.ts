/** Where the commands write: the only module of the stack that knows about the terminal. */
import { plainBlock } from "./plain_text.ts";

const encoder = new TextEncoder();
const STYLES = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36" } as const;

const OWN_STYLES = new RegExp(`(\x1b\\[(?:0|${Object.values(STYLES).join("|")})m)`);

/** The styles {@linkcode Terminal.style} knows. */
export type Style = keyof typeof STYLES;

/** What {@linkcode createTerminal} writes to. */
export interface TerminalSink {
  /** Whether colours and cursor movement are understood. */
  readonly isInteractive: boolean;
  readonly columns: () => number;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/**
 * Lines that stay, and a block at the bottom that is redrawn in place on a real terminal. Of what is
 * written, no control character gets through but the ends of lines and the styles of this module.
 */
export interface Terminal {
  readonly isInteractive: boolean;
  /** Writes a line that stays. */
  line(text?: string): void;
  /** Writes a line to standard error. */
  error(text: string): void;
  /**
   * Replaces the live block. Without a terminal a line is written only when it differs from the
   * one last written at its place, so a log file stays readable.
   */
  live(lines: readonly string[]): void;
  /** Leaves the live block where it is: what follows is written below it. */
  endLive(): void;
  /** Returns `text` in `style`, or unchanged without a terminal. */
  style(style: Style, text: string): string;
}

function writeAll(stream: typeof Deno.stdout, text: string): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (cause) {
    // The reader of a pipe has gone (`| head`): there is nobody left to tell.
    if (!(cause instanceof Deno.errors.BrokenPipe)) throw cause;
  }
}

/** Returns a sink over this process's own standard output and error. */
function processSink(): TerminalSink {
  return {
    isInteractive: Deno.stdout.isTerminal() && !Deno.noColor && Deno.env.get("TERM") !== "dumb",
    columns: () => Deno.consoleSize().columns,
    write: (text) => writeAll(Deno.stdout, text),
    writeError: (text) => writeAll(Deno.stderr, text),
  };
}

/** Returns a terminal that writes to `sink`. */
export function createTerminal(sink: TerminalSink = processSink()): Terminal {
  let drawn: readonly string[] = [];

  function eraseLive(): void {
    if (sink.isInteractive && drawn.length > 0) sink.write(`\x1b[${drawn.length}A\x1b[J`);
  }

  function live(given: readonly string[]): void {
    // A line of the block that were two would break the count of lines to erase.
    const lines = given.map((line) => harmless(line).replaceAll("\n", " "));
    if (!sink.isInteractive) {
      lines.forEach((line, index) => {
        if (line !== drawn[index]) sink.write(`${line}\n`);
      });
      drawn = [...lines];
      return;
    }
    eraseLive();
    // A line that wraps would break the count of lines to erase.
    const width = Math.max(20, sink.columns() - 1);
    drawn = lines.map((line) => clip(line, width));
    sink.write(drawn.map((line) => `${line}\n`).join(""));
  }

  return {
    isInteractive: sink.isInteractive,
    line(text = "") {
      const kept = drawn;
      eraseLive();
      sink.write(`${harmless(text)}\n`);
      if (!sink.isInteractive) return;
      drawn = [];
      live(kept);
    },
    error: (text) => sink.writeError(`${harmless(text)}\n`),
    live,
    endLive: () => {
      drawn = [];
    },
    style: (style, text) => sink.isInteractive ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text,
  };
}

/** Takes out what is neither text nor one of our own styles, wherever it came from. */
function harmless(text: string): string {
  return text.split(OWN_STYLES).map((part, index) => index % 2 === 1 ? part : plainBlock(part))
    .join("");
}

/** Cuts `line` to `width` visible characters; escape sequences take no room. */
function clip(line: string, width: number): string {
  let visible = 0;
  let clipped = "";
  // deno-lint-ignore no-control-regex -- escape sequences begin with one
  for (const part of line.split(/(\x1b\[[0-9;]*m)/)) {
    if (part.startsWith("\x1b")) {
      clipped += part;
      continue;
    }
    const taken = [...part].slice(0, width - visible);
    visible += taken.length;
    clipped += taken.join("");
  }
  return clipped;
}
