/** Nothing that was given away in a run of the stage may lie about in clear. */
import assert from "node:assert/strict";
import { BY_DESIGN, isByDesign, type Leak, logsOf, rowsOf } from "../../../local/leaks/places.ts";
import { keyLines, type Secret } from "../../../local/leaks/secret_forms.ts";
import { findLeaks } from "./secret_search.ts";
import type { Stage } from "./stage.ts";
import { secretText } from "./staged_provider.ts";

/** Every secret that the emulators gave away or were shown, or that the stack was given. */
function secretsOf({ stack, userToken, google, autodesk }: Stage): Secret[] {
  const { keys } = stack;
  const secrets: Secret[] = [
    { name: "user_token", value: userToken },
    { name: "secret_key", value: keys.secretKey },
    { name: "dispatch_token", value: keys.dispatchToken },
    { name: "signing_key", value: String(keys.signingKey.d) },
  ];
  for (const value of Object.values(keys.tokenKeys)) secrets.push({ name: "token_key", value });
  for (const { server, endpointType, privateKeys } of [google, autodesk]) {
    for (const { kind, value } of server.knownSecrets()) {
      secrets.push({ name: `${endpointType} ${kind}`, value });
    }
    for (const [name, pem] of Object.entries(privateKeys)) secrets.push(...keyLines(name, pem));
  }
  return secrets;
}

/** The kinds of secret that a run must have seen, or the search has searched for too little. */
const KINDS = [
  "access_token",
  "assertion",
  "client_secret",
  "code",
  "code_verifier",
  "refresh_token",
];

/** Searches logs, answers and tables. */
export async function expectNoSecretInClear(stage: Stage): Promise<void> {
  const logs = await Array.fromAsync(logsOf(stage.stateDir));
  assert.ok(logs.some(({ name, text }) => name === "oauth.log" && text.includes("consent_begun")));
  const answers = await stage.answers();
  assert.ok(answers.some(({ name }) => name === "answer of GET /functions/v1/oauth/callback"));
  const places = [...logs, ...answers, ...await Array.fromAsync(rowsOf(stage.sql))];
  const leaks = await findLeaks(secretsOf(stage), places);
  assert.deepEqual(leaks.filter((leak) => !isByDesign(leak)), []);
}

class RolledBack extends Error {}

/**
 * Shows that the search looks for every kind of secret and sees every row: what is being sent, and
 * one value of each kind planted in a row, are found, and just these.
 */
export async function expectSearchFinds(stage: Stage): Promise<void> {
  const secrets = secretsOf(stage);
  for (const type of [stage.google.endpointType, stage.autodesk.endpointType]) {
    const kinds = KINDS.filter((kind) => secrets.some(({ name }) => name === `${type} ${kind}`));
    assert.deepEqual(kinds, KINDS);
  }
  // Values of their own: the search at the end of the run looks at what was rolled back, too.
  const samples = new Map(secrets.map(({ name }) => [name, { name, value: secretText() }]));
  const sent = { name: BY_DESIGN.secret, value: stage.stack.keys.dispatchToken };
  const planted = [...samples.values()].map(({ value }) => value).join(" ");
  const looked = stage.sql.begin(async (transaction) => {
    await transaction`
      update public.endpoints set sync_requested_at = now(), sync_requested_mode = 'full'`;
    await transaction`select connector.tick()`;
    await transaction`update public.sync_logs set error_message = ${planted}`;
    const leaks = await findLeaks(
      [...samples.values(), sent],
      await Array.fromAsync(rowsOf(transaction)),
    );
    const expected = [...samples.keys()].map((secret) => ({ secret, place: "public.sync_logs" }));
    assert.deepEqual(sorted(leaks), sorted([...expected, BY_DESIGN]));
    throw new RolledBack();
  });
  await assert.rejects(looked, RolledBack);
}

function sorted(leaks: readonly Leak[]): string[] {
  return leaks.map(({ secret, place }) => `${secret} in ${place}`).sort();
}
