import { escapeHtml, hiddenFields } from "../emulator/html.ts";
import type { Account } from "./drive_types.ts";
import { isSignInScope, scopeTitle } from "./scopes.ts";

/** What a person is asked. */
export interface ConsentQuestion {
  readonly clientName: string;
  readonly accounts: readonly Account[];
  /** The account that is chosen to begin with, if it is one of those. */
  readonly hint: string | null;
  readonly scopes: readonly string[];
  /** What the form brings back. */
  readonly parameters: URLSearchParams;
}

/** The page that asks a person to choose an account and to allow each scope or not. */
export function consentPage(question: ConsentQuestion): string {
  const { clientName, accounts, hint, scopes, parameters } = question;
  const options = accounts.map(({ email, displayName }) => {
    const selected = email === hint ? " selected" : "";
    const title = `${escapeHtml(displayName)} (${escapeHtml(email)})`;
    return `<option value="${escapeHtml(email)}"${selected}>${title}</option>`;
  });
  const boxes = scopes.filter((scope) => !isSignInScope(scope)).map((scope) =>
    `<p><label><input type="checkbox" name="granted" value="${escapeHtml(scope)}" checked> ` +
    `${escapeHtml(scopeTitle(scope))}</label></p>`
  );
  return page(
    "Sign in with Google",
    `<p><b>${escapeHtml(clientName)}</b> wants access to your Google Account</p>
<form method="post">${hiddenFields(parameters)}
<p><label>Choose an account <select name="email">${options.join("")}</select></label></p>
${boxes.join("\n")}
<p><button name="decision" value="deny">Cancel</button>
<button name="decision" value="allow">Continue</button></p></form>`,
  );
}

/** The page on which a person ends who can be sent nowhere. */
export function errorPage(status: number, code: string, description: string): string {
  return page(
    "Access blocked: Authorization Error",
    `<p>${escapeHtml(description)}</p><p>Error ${status}: ${escapeHtml(code)}</p>`,
  );
}

function page(title: string, body: string): string {
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>` +
    `<body><h1>${title}</h1>${body}</body></html>`;
}
