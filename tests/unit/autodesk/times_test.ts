import { equal } from "node:assert/strict";
import { fc } from "../../support/properties.ts";
import { toTime } from "../../../supabase/functions/_shared/providers/autodesk/times.ts";

const cases: readonly (readonly [unknown, string | undefined])[] = [
  ["2024-11-14T11:26:11.0000000Z", "2024-11-14T11:26:11Z"],
  ["2024-11-14T11:26:11.000Z", "2024-11-14T11:26:11Z"],
  ["2016-11-09T13:11:27+00:00", "2016-11-09T13:11:27Z"],
  ["2017-09-06T03:04:48+0000", "2017-09-06T03:04:48Z"],
  ["2017-09-14T06:57:50.597+0000", "2017-09-14T06:57:50.597Z"],
  ["2017-09-14T06:57:50.1234560Z", "2017-09-14T06:57:50.123456Z"],
  ["2017-09-14T01:30:00+02:00", "2017-09-13T23:30:00Z"],
  ["2017-09-14T01:30:00-0730", "2017-09-14T09:00:00Z"],
  ["2024-02-30T00:00:00Z", undefined],
  ["2024-11-14T11:26:11", undefined],
  ["0000-01-01T00:00:00Z", undefined],
  ["9999-12-31T23:59:59-01:00", undefined],
  ["2024-11-14", undefined],
  ["", undefined],
  [1731583571000, undefined],
  [null, undefined],
];

for (const [value, expected] of cases) {
  Deno.test(`toTime() turns ${JSON.stringify(value)} into ${expected}`, () => {
    equal(toTime(value), expected);
  });
}

const FORMATS: readonly ((iso: string) => string)[] = [
  (iso) => iso,
  (iso) => iso.replace("Z", "0000Z"),
  (iso) => iso.replace("Z", "+00:00"),
  (iso) => iso.replace("Z", "+0000"),
];

Deno.test("toTime() writes one instant in one way, however Autodesk writes it", () => {
  const dates = fc.date({
    min: new Date("0001-01-01"),
    max: new Date("9999-12-31"),
    noInvalidDate: true,
  });
  fc.assert(fc.property(dates, (date) => {
    const [first, ...others] = FORMATS.map((format) => toTime(format(date.toISOString())));
    equal(Date.parse(first ?? ""), date.getTime());
    for (const other of others) equal(other, first);
  }));
});

Deno.test("toTime() takes any text without failing", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const time = toTime(text);
    equal(time === undefined || Number.isFinite(Date.parse(time)), true);
  }));
});
