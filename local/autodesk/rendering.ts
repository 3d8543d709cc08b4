import { type TimeFormat, type TimeStyle, timeWriter } from "./time_formats.ts";

/** How links to other resources are written: the documents say relative, the service absolute. */
export const LINK_STYLES = ["absolute", "relative"] as const;

/** How links to other resources are written. */
export type LinkStyle = typeof LINK_STYLES[number];

/** What can be chosen about the form of answers. */
export interface AnswerStyle {
  readonly links: LinkStyle;
  readonly times: TimeStyle;
}

/** The form that answers have unless something else is chosen. */
export const DEFAULT_ANSWER_STYLE: AnswerStyle = { links: "absolute", times: "by_route" };

/** Writes the links and times of one answer. */
export class Rendering {
  readonly time: (ms: number) => string;
  readonly #origin: string;
  readonly #isAbsolute: boolean;

  constructor(origin: string, style: AnswerStyle, timesOfRoute: TimeFormat) {
    this.#origin = origin;
    this.#isAbsolute = style.links === "absolute";
    this.time = timeWriter(style.times, timesOfRoute);
  }

  /** A link to a path of the API. */
  href(path: string): string {
    return this.#isAbsolute ? this.#origin + path.replaceAll("%3A", ":") : path;
  }

  /** `{"href": …}` */
  link(path: string): { readonly href: string } {
    return { href: this.href(path) };
  }
}

/** The version of JSON:API that begins every body. */
export const JSON_API = { version: "1.0" } as const;

/** The path of a resource of the Data service. */
export function dataPath(
  project: string,
  kind: "folders" | "items" | "versions",
  id: string,
): string {
  return `/data/v1/projects/${project}/${kind}/${encodeURIComponent(id)}`;
}

/** An `extension` attribute. */
export function extension(
  to: Rendering,
  type: string,
  version: string,
  data: Readonly<Record<string, unknown>>,
) {
  const schema = to.link(`/schema/v1/versions/${encodeURIComponent(`${type}-${version}`)}`);
  return { type, version, schema, data };
}

/** The relationships that every resource of the Data service has. */
export function commonRelationships(to: Rendering, self: string) {
  return {
    refs: {
      links: {
        self: to.link(`${self}/relationships/refs`),
        related: to.link(`${self}/refs`),
      },
    },
    links: { links: { self: to.link(`${self}/relationships/links`) } },
  };
}
