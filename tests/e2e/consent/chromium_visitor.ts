import { chromium } from "playwright-core";
import { PRESS_DEADLINE_MS, type Visitor } from "./visitor.ts";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The browser of this machine; `null` where there is none. */
export async function findChromium(): Promise<string | null> {
  const places = [Deno.env.get("CHROMIUM_BIN") ?? "", ...PLACES].filter((place) => place !== "");
  for (const place of places) {
    const info = await Deno.stat(place).catch(() => null);
    if (info?.isFile) return place;
  }
  return null;
}

/** Sits a person at a headless Chromium. */
export async function openChromium(executablePath: string): Promise<Visitor> {
  const browser = await chromium.launch({
    executablePath,
    // The sandbox refuses root, and shared memory is small in containers.
    args: [
      "--no-proxy-server",
      "--disable-dev-shm-usage",
      ...Deno.uid() === 0 ? ["--no-sandbox"] : [],
    ],
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(PRESS_DEADLINE_MS);
  return {
    kind: "Chromium",
    open: async (address) => void await page.goto(address),
    choose: async (name, value) => void await page.selectOption(`select[name="${name}"]`, value),
    untick: (name, value) => page.uncheck(`input[name="${name}"][value="${value}"]`),
    async press(label, address) {
      await page.getByRole("button", { name: label, exact: true }).click();
      await page.waitForURL((url) => url.href.startsWith(address));
      return new URL(page.url());
    },
    text: () => page.innerText("body"),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
