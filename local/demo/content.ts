import { oneLine, StackError } from "../failure.ts";
import type { Settings } from "../functions/environment.ts";
import type { DemoSource } from "../start_options.ts";
import type { DemoEndpoint } from "./endpoint.ts";

/** An emulated provider that serves something of this machine. */
export interface Demo {
  /** The endpoint that shows it. */
  readonly endpoint: DemoEndpoint;
  /** Who serves what, in words. */
  readonly description: string;
  /** What makes the functions talk to it in place of the real one. */
  readonly settings: Settings;
  /** Lets people who gave their consent be sent to this address. */
  allowCallback(url: string): void;
  stop(): Promise<void>;
}

/** What an emulated provider was filled with. */
export interface DemoContent {
  readonly description: string;
  stop(): Promise<void>;
}

/** How an emulated provider is filled. */
export interface DemoFilling {
  readonly generate: (files: number) => void;
  readonly watch: (directory: string) => Promise<{
    readonly size: number;
    stop(): Promise<void>;
  }>;
}

/** Fills an emulated provider from `source`. */
export async function fillDemo(source: DemoSource, into: DemoFilling): Promise<DemoContent> {
  if (source.type === "generated") {
    into.generate(source.files);
    return {
      description: `a generated tree of ${source.files.toLocaleString("en-US")} files`,
      stop: () => Promise.resolve(),
    };
  }
  try {
    const folder = await into.watch(source.path);
    return { description: `${source.path} (${folder.size} items)`, stop: () => folder.stop() };
  } catch (cause) {
    throw new StackError(`Cannot serve "${source.path}": ${oneLine(cause)}`, { cause });
  }
}

/** A seed for the ids: the same source has the same at every start, another one has others. */
export async function seedOf(source: DemoSource): Promise<number> {
  const text = new TextEncoder().encode(JSON.stringify(source));
  const digest = await crypto.subtle.digest("SHA-256", text);
  return new DataView(digest).getUint32(0);
}
