import { serveHttp } from "../../../local/emulator/http_server.ts";

/** The API that an application calls, as one of its signed-in users. */
export interface Backend {
  readonly functionsUrl: string;
  readonly userToken: string;
}

/** An application of the project's owner, in which people connect accounts to their endpoints. */
export interface WebApp {
  readonly origin: string;
  /** Where people come back to. */
  readonly doneUrl: string;
  /** The page on which an account is connected to an endpoint. */
  connectPage(endpointId: string): string;
  /** Tells the application of the API, once that is up. */
  use(backend: Backend): void;
  stop(): Promise<void>;
}

/** Serves an application on a port of its own. */
export async function startWebApp(): Promise<WebApp> {
  let backend: Backend | null = null;
  const server = await serveHttp((request) => {
    if (backend === null) throw new Error("The application does not know its API yet");
    return answer(request, backend);
  }, { port: 0, hostname: "127.0.0.1" });
  return {
    origin: server.origin,
    doneUrl: `${server.origin}/done`,
    connectPage: (endpointId) => `${server.origin}/endpoints/${endpointId}`,
    use: (given) => backend = given,
    stop: () => server.stop(),
  };
}

async function answer(request: Request, backend: Backend): Promise<Response> {
  const { pathname, origin, searchParams } = new URL(request.url);
  const [, page, endpointId = ""] = pathname.split("/");
  switch (page) {
    case "endpoints":
      return html(connectPage(endpointId, backend, `${origin}/done`));
    case "connect":
      return await sendOn(searchParams.get("endpoint") ?? "", backend, `${origin}/done`);
    case "done":
      return html("<h1>Back in the application</h1>");
    default:
      return new Response("Not found", { status: 404 });
  }
}

/** Without scripts, the application's server asks and passes the redirect on. */
async function sendOn(endpointId: string, backend: Backend, doneUrl: string): Promise<Response> {
  const response = await fetch(authorizeUrl(endpointId, backend, doneUrl), {
    headers: { authorization: `Bearer ${backend.userToken}` },
    redirect: "manual",
  });
  const text = await response.text();
  const location = response.headers.get("location");
  if (response.status !== 302 || location === null) return html(text, 502);
  return new Response(null, { status: 302, headers: { location } });
}

/** With scripts, the page asks by itself and goes where it is told. */
function connectPage(endpointId: string, backend: Backend, doneUrl: string): string {
  const call = {
    url: authorizeUrl(endpointId, backend, doneUrl).href,
    headers: { authorization: `Bearer ${backend.userToken}`, accept: "application/json" },
  };
  return `<form action="/connect" method="get">
<input type="hidden" name="endpoint" value="${endpointId}">
<button>Connect</button></form>
<script>
const call = ${JSON.stringify(call)};
document.forms[0].addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await fetch(call.url, { headers: call.headers });
  const answer = await response.json();
  if (response.ok) location.assign(answer.authorization_url);
  else document.body.append(JSON.stringify(answer));
});
</script>`;
}

function authorizeUrl(endpointId: string, { functionsUrl }: Backend, doneUrl: string): URL {
  const url = new URL(`${functionsUrl}/oauth/authorize`);
  url.searchParams.set("endpoint_id", endpointId);
  url.searchParams.set("redirect_to", doneUrl);
  return url;
}

function html(body: string, status = 200): Response {
  const page = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>App</title>` +
    `</head><body>${body}</body></html>`;
  return new Response(page, { status, headers: { "content-type": "text/html; charset=UTF-8" } });
}
