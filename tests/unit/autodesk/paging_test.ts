import { equal, ok, throws } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import {
  fitPage,
  resolveLink,
} from "../../../supabase/functions/_shared/providers/autodesk/paging.ts";

const PATH = "/data/v1/projects/b.p/folders/urn%3Aa/contents?page%5Bnumber%5D=1";

const followed: readonly (readonly [string, string, string])[] = [
  [PATH, "https://aps.test", `https://aps.test${PATH}`],
  [`https://aps.test${PATH}`, "https://aps.test", `https://aps.test${PATH}`],
  [PATH, "https://proxy.test/aps", `https://proxy.test/aps${PATH}`],
  [`/aps${PATH}`, "https://proxy.test/aps", `https://proxy.test/aps${PATH}`],
  [`https://proxy.test/aps${PATH}`, "https://proxy.test/aps", `https://proxy.test/aps${PATH}`],
  ["//aps.test/data/v1/x", "https://aps.test", "https://aps.test/data/v1/x"],
];

for (const [href, apiUrl, expected] of followed) {
  Deno.test(`resolveLink() follows ${href} below ${apiUrl}`, () => {
    equal(resolveLink(href, apiUrl).href, expected);
  });
}

const foreign = [
  `https://developer.api.autodesk.com${PATH}`,
  `http://aps.test${PATH}`,
  `https://aps.test:8443${PATH}`,
  "//evil.test/data",
  "https://aps.test@evil.test/data",
  "https://user:pass@aps.test/data",
  "\\\\evil.test\\data",
  "https://aps.test//evil.test/data",
  "javascript:alert(1)",
  "https://",
];

for (const href of foreign) {
  Deno.test(`resolveLink() refuses ${href}`, () => {
    throws(() => resolveLink(href, "https://aps.test"), { code: "response_invalid" });
  });
}

Deno.test("resolveLink() never leaves the configured host", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.webPath()), (href) => {
    let url: URL;
    try {
      url = resolveLink(href, "https://aps.test/base");
    } catch {
      return;
    }
    equal(url.origin, "https://aps.test");
    ok(url.pathname.startsWith("/base/"));
  }));
});

Deno.test("fitPage() begins where the link begins and asks for no more than allowed", () => {
  const sizes = fc.integer({ min: 1, max: 200 });
  fc.assert(fc.property(fc.integer({ min: 0, max: 5_000 }), sizes, sizes, (number, limit, size) => {
    const link = new URL(`https://aps.test/x?page[number]=${number}&page[limit]=${limit}`);
    const { searchParams } = fitPage(link, size);
    const fitted = Number(searchParams.get("page[limit]"));
    equal(Number(searchParams.get("page[number]")) * fitted, number * limit);
    if (number > 0) ok(fitted >= 1 && fitted <= size);
  }));
});

Deno.test("fitPage() leaves a link alone whose pages it cannot count", () => {
  for (const query of ["", "?cursor=abc", "?page[number]=x&page[limit]=2", "?page[number]=3"]) {
    const link = new URL(`https://aps.test/x${query}`);
    equal(fitPage(link, 7).href, link.href);
  }
});
