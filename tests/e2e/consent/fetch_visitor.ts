import { PRESS_DEADLINE_MS, type Visitor } from "./visitor.ts";

/** A form as its page begins with it. */
interface Form {
  readonly action: string;
  readonly method: string;
  fields: readonly (readonly [name: string, value: string])[];
  readonly buttons: ReadonlyMap<string, readonly [name: string, value: string] | null>;
}

/**
 * Sits a person at a browser that knows forms and redirects and runs no scripts: enough for the
 * pages of the emulators and of the test's own application.
 */
export function openFetchVisitor(): Visitor {
  let address = new URL("about:blank");
  let page = "";
  let form: Form | null = null;

  async function visit(url: URL, init: RequestInit = {}): Promise<void> {
    const signal = AbortSignal.timeout(PRESS_DEADLINE_MS);
    const response = await fetch(url, { ...init, redirect: "follow", signal });
    address = new URL(response.url);
    page = await response.text();
    form = readForm(page);
  }

  function theForm(): Form {
    if (form === null) throw new Error(`Cannot find a form at ${address.origin}: ${page}`);
    return form;
  }

  return {
    kind: "fetch",
    open: (target) => visit(new URL(target)),
    choose(name, value) {
      const others = theForm().fields.filter(([each]) => each !== name);
      theForm().fields = [...others, [name, value]];
      return Promise.resolve();
    },
    untick(name, value) {
      const isOther = ([n, v]: readonly [string, string]) => n !== name || v !== value;
      theForm().fields = theForm().fields.filter(isOther);
      return Promise.resolve();
    },
    async press(label, beginning) {
      const { action, method, fields, buttons } = theForm();
      const button = buttons.get(label);
      if (button === undefined) throw new Error(`Cannot find the button "${label}": ${page}`);
      const sent = new URLSearchParams();
      for (const [name, value] of fields) sent.append(name, value);
      if (button !== null) sent.append(...button);
      const target = new URL(action, address);
      if (method === "post") await visit(target, { method: "POST", body: sent });
      else await visit(new URL(`?${sent}`, target));
      if (address.href.startsWith(beginning)) return address;
      throw new Error(`Cannot arrive at "${beginning}": the page at ${address.origin} is ${page}`);
    },
    text: () => Promise.resolve(plain(page.replaceAll(/<[^>]*>/g, " "))),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function readForm(page: string): Form | null {
  const [, attributes = "", body = ""] = /<form([^>]*)>([\s\S]*?)<\/form>/.exec(page) ?? [];
  if (body === "") return null;
  const hidden = tags(body, "input").filter((tag) => attribute(tag, "type") === "hidden");
  const ticked = tags(body, "input").filter((tag) =>
    attribute(tag, "type") === "checkbox" && / checked\b/.test(tag)
  );
  const fields = [...hidden, ...ticked].map((tag) =>
    [attribute(tag, "name"), attribute(tag, "value")] as const
  );
  const lists = body.matchAll(/<select name="([^"]*)">\s*<option value="([^"]*)"/g);
  for (const [, name = "", value = ""] of lists) fields.push([plain(name), plain(value)]);
  const buttons = new Map<string, readonly [string, string] | null>();
  for (const [, tag = "", label = ""] of body.matchAll(/<button([^>]*)>([^<]*)<\/button>/g)) {
    const name = attribute(tag, "name");
    buttons.set(plain(label), name === "" ? null : [name, attribute(tag, "value")]);
  }
  const method = attribute(attributes, "method").toLowerCase();
  return { action: attribute(attributes, "action"), method, fields, buttons };
}

function tags(html: string, name: string): string[] {
  return [...html.matchAll(new RegExp(`<${name}([^>]*)>`, "g"))].map(([, text = ""]) => text);
}

function attribute(tag: string, name: string): string {
  return plain(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? "");
}

function plain(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_all, code) => String.fromCharCode(Number(code)));
}
