/** Writes a value as one line of JSON: how a program tells the bench what it found. */
export async function printJson(value: unknown): Promise<void> {
  let bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
}
